//! How much history is kept, as the settings say.

use std::time::Duration;

use crate::clock::parse_period;
use crate::history::{Budgets, parse_size};

use super::file::{Said, SettingsFile};
use super::{Mistakes, Wrong};

/// The keys of the settings file that say how much is kept.
pub(super) const HISTORY_AGE: &str = "history_age";
pub(super) const HISTORY_SIZE: &str = "history_size";
pub(super) const CHANGES_AGE: &str = "changes_age";

/// What stands for no bound.
const UNBOUNDED: &str = "unlimited";

/// Reads the budgets from environment and file; what neither says is as usual.
pub(super) fn budgets(file: &SettingsFile) -> Result<Budgets, Mistakes> {
    let usual = Budgets::default();
    let say = |key: &'static str| {
        let variable = format!("RECIPES_{}", key.to_uppercase());
        Said::find(None, &variable, file, key)
    };
    let mut mistakes = Mistakes::default();
    let of_age = mistakes.take(say(HISTORY_AGE).and_then(|said| bound(said, usual.age, age)));
    let bytes =
        mistakes.take(say(HISTORY_SIZE).and_then(|said| bound(said, usual.bytes, parse_size)));
    let changes_age =
        mistakes.take(say(CHANGES_AGE).and_then(|said| bound(said, usual.changes_age, age)));
    let read = || {
        Some(Budgets {
            age: of_age?,
            bytes: bytes?,
            changes_age: changes_age?,
        })
    };
    mistakes.unless_any(read())
}

fn age(text: &str) -> Result<Duration, String> {
    parse_period(text)
}

fn bound<T>(
    said: Option<Said>,
    usual: Option<T>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Wrong> {
    let Some(said) = said else { return Ok(usual) };
    said.read(|text| match text {
        UNBOUNDED => Ok(None),
        text => read(text)
            .map(Some)
            .map_err(|why| format!("{why}, or `{UNBOUNDED}`")),
    })
}
