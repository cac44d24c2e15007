//! The files of the workspace, as requests change them.
//!
//! In: a change. Out: the files on the disk and taken up, or a problem.
//! Always true: who changes files has the turn; what is refused has left nothing behind.

use crate::library::{self, Change, Hindrance, Originals, Unsound};
use crate::origin::Refused;

use super::{Problem, Rooms};

/// What copies are made of, as it is on the disk now.
pub(super) async fn originals(rooms: &Rooms) -> Result<Originals, Problem> {
    let workspace = rooms.files.workspace().to_owned();
    let read = tokio::task::spawn_blocking(move || library::originals(&workspace)).await;
    match read {
        Ok(read) => read.map_err(unsound),
        Err(_) => Err(cannot_write("reading them met a fault of the engine's own")),
    }
}

/// Writes the files, all or none, and takes them up.
pub(super) async fn write(rooms: &Rooms, change: Change) -> Result<(), Problem> {
    let workspace = rooms.files.workspace().to_owned();
    let written = tokio::task::spawn_blocking(move || library::replace(&workspace, &change)).await;
    match written {
        Ok(Ok(())) => {}
        Ok(Err(why @ Hindrance::ChangedMeanwhile(_))) => {
            return Err(Problem::conflict("changed_meanwhile", why.to_string()));
        }
        Ok(Err(Hindrance::Disk(error))) => return Err(cannot_write(&error.to_string())),
        Err(_) => return Err(cannot_write("writing them met a fault of the engine's own")),
    }
    let taken_up = rooms.files.take_up().await;
    taken_up.map(drop).map_err(|why| {
        let detail =
            format!("the files were written, but the server goes on with those of before: {why}");
        Problem::conflict("not_taken_up", detail)
    })
}

/// Why no copy is made, as a problem.
pub(super) fn refused(refused: Refused) -> Problem {
    match refused.code {
        "not_found" => Problem::not_found(refused.message),
        "bad_name" => Problem::bad_request(refused.message),
        code => Problem::conflict(code, refused.message),
    }
}

/// Why the files are not fit to be copied, as a problem.
pub(super) fn unsound(why: Unsound) -> Problem {
    Problem::conflict("unsound_workspace", why.to_string())
}

fn cannot_write(why: &str) -> Problem {
    let title = "The files of the workspace could not be written.";
    Problem::new(500, "cannot_write", title).detail(why)
}
