//! What is written by hand while a text is on its way into a file's place.

use std::fs;

use super::NotSaved;
use super::save::{Standing, put};
use crate::data::digest;

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
