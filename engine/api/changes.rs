//! Changes of the workspace's files that requests ask for, and why they are refused.

use crate::library::{Hindrance, Unsound};
use crate::origin::Refused;
use crate::workspace::{NotChanged, Unread};

use super::Problem;

/// Why no copy is made, as a problem.
pub(super) fn refused(refused: Refused) -> Problem {
    match refused.code {
        "not_found" => Problem::not_found(refused.message),
        "bad_name" => {
            let title = "This cannot be the name of a project.";
            Problem::new(422, "bad_name", title).detail(refused.message)
        }
        code => Problem::conflict(code, refused.message),
    }
}

/// Why the files are not fit to be copied, as a problem.
pub(super) fn unsound(why: Unsound) -> Problem {
    Problem::conflict("unsound_workspace", why.to_string())
}

/// Why the files cannot be read to be changed, as a problem.
pub(super) fn unread(why: Unread) -> Problem {
    match why {
        Unread::Restless(_) => Problem::conflict("being_written", why.to_string()),
        Unread::Unsound(why) => unsound(why),
    }
}

/// Why the files did not change, as a problem.
pub(super) fn not_changed(why: NotChanged) -> Problem {
    let detail = why.to_string();
    match why {
        NotChanged::Hindered(Hindrance::ChangedMeanwhile(_)) => {
            Problem::conflict("changed_meanwhile", detail)
        }
        NotChanged::Hindered(Hindrance::Misplaced(_)) => Problem::conflict("bad_place", detail),
        NotChanged::Refused(_) => Problem::conflict("tables_do_not_fit", detail),
        NotChanged::NotTakenUp(_) => Problem::conflict("not_taken_up", detail),
        NotChanged::NotNoted(error) => error.into(),
        NotChanged::Hindered(Hindrance::Disk(_)) => {
            tracing::error!("files of the workspace could not be written: {detail}");
            let title = "This cannot be done at the moment; try again later.";
            Problem::new(503, "unavailable", title).detail(detail)
        }
    }
}
