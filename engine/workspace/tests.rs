//! What is written by hand while a text is on its way into a file's place, or while it is read.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::NotSaved;
use super::place::{Standing, put};
use super::rest::Patience;
use crate::clock::Moment;
use crate::data::digest;
use crate::library::Stamp;

const PATH: &str = "recipes/a/b.yaml";

#[test]
fn what_was_written_by_hand_since_it_was_looked_at_is_kept() {
    for (before, by_hand) in [
        (Some("title: Before\n"), Some("title: By hand\n")),
        (Some("title: Before\n"), None),
        (None, Some("title: By hand\n")),
        (Some("title: Before\n"), Some("title: Before\n")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join(PATH);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let write = |text: Option<&str>| match text {
            Some(text) => fs::write(&place, text).unwrap(),
            None => drop(fs::remove_file(&place)),
        };
        write(before);
        let looked_at = Standing::now(folder.path(), PATH);
        write(by_hand);
        let written = put(folder.path(), PATH, "title: After\n", &looked_at);
        let now = fs::read_to_string(&place).ok();
        if before == by_hand {
            assert!(written.is_ok());
            assert_eq!(now.as_deref(), Some("title: After\n"));
        } else {
            let hash = by_hand.map(|text| digest(text.as_bytes()));
            assert!(matches!(written, Err(NotSaved::Changed(now)) if now == hash));
            assert_eq!(now.as_deref(), by_hand);
        }
        let beside = fs::read_dir(place.parent().unwrap()).unwrap().count();
        assert_eq!(beside, usize::from(now.is_some()));
    }
}

/// When files are written.
const WRITTEN: Moment = Moment(1_900_000_000_000_000);

fn after(millis: u64) -> Moment {
    WRITTEN.after(Duration::from_millis(millis))
}

/// Writes the file, and tells what the workspace is then.
fn written(folder: &Path, text: &str, at: Moment) -> Stamp {
    let place = folder.join(PATH);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, text).unwrap();
    let file = fs::File::options().write(true).open(place).unwrap();
    let micros = Duration::from_micros(at.0.unsigned_abs());
    file.set_modified(SystemTime::UNIX_EPOCH + micros).unwrap();
    Stamp::of(folder)
}

#[test]
fn what_is_read_for_a_change_counts_already_or_rests() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let counted = written(folder, "title: Before\n", after(0));
    let restless = Err(PATH.to_owned());
    // What counts is read, however young it is.
    let mut patience = Patience::new(counted.clone());
    assert_eq!(patience.look(&counted, after(1)), Ok(()));
    let half = written(folder, "title: Half\n", after(0));
    assert_eq!(patience.look(&half, after(100)), restless);
    let whole = written(folder, "title: Half no more\n", after(400));
    assert_eq!(patience.look(&whole, after(600)), restless);
    assert_eq!(patience.look(&whole, after(899)), restless);
    assert_eq!(patience.look(&whole, after(900)), Ok(()));
    // By a clock that is ahead of ours, it rests when it stays as it is.
    let mut patience = Patience::new(counted.clone());
    let ahead = written(folder, "title: Ahead\n", after(3_600_000));
    assert_eq!(patience.look(&ahead, after(1_000)), restless);
    assert_eq!(patience.look(&ahead, after(1_499)), restless);
    assert_eq!(patience.look(&ahead, after(1_500)), Ok(()));
    // What is gone may be about to be written anew.
    let mut patience = Patience::new(counted);
    fs::remove_file(folder.join(PATH)).unwrap();
    let gone = Stamp::of(folder);
    assert_eq!(patience.look(&gone, after(2_000)), restless);
    assert_eq!(patience.look(&gone, after(2_500)), Ok(()));
}
