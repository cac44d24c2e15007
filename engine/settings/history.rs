//! How much history is kept, as the settings say.

use std::time::Duration;

use crate::clock::parse_period;
use crate::history::{Budgets, parse_size};

use super::Wrong;
use super::file::{Said, SettingsFile};

/// The keys of the settings file that say how much is kept.
pub(super) const HISTORY_AGE: &str = "history_age";
pub(super) const HISTORY_SIZE: &str = "history_size";
pub(super) const CHANGES_AGE: &str = "changes_age";

/// What stands for no bound.
const UNBOUNDED: &str = "unlimited";

/// Reads the budgets from environment and file; what neither says is as usual.
pub(super) fn budgets(file: &SettingsFile) -> Result<Budgets, Wrong> {
    let usual = Budgets::default();
    let say = |key: &'static str| {
        let variable = format!("RECIPES_{}", key.to_uppercase());
        Said::find(None, &variable, file, key)
    };
    Ok(Budgets {
        age: bound(say(HISTORY_AGE)?, usual.age, age)?,
        bytes: bound(say(HISTORY_SIZE)?, usual.bytes, parse_size)?,
        changes_age: bound(say(CHANGES_AGE)?, usual.changes_age, age)?,
    })
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
