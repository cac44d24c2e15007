//! How much history is kept, as the settings say.

use std::time::Duration;

use crate::clock::parse_period;
use crate::history::{Budgets, parse_size};

use super::{SettingsFile, environment};

/// The keys of the settings file that say how much is kept.
pub(super) const HISTORY_AGE: &str = "history_age";
pub(super) const HISTORY_SIZE: &str = "history_size";
pub(super) const CHANGES_AGE: &str = "changes_age";

/// What stands for no bound.
const UNBOUNDED: &str = "unlimited";

/// Reads the budgets from environment and file; what neither says is as usual.
pub(super) fn budgets(file: &SettingsFile) -> Result<Budgets, String> {
    let usual = Budgets::default();
    let say = |key: &str| {
        let variable = format!("RECIPES_{}", key.to_uppercase());
        environment(&variable).or_else(|| file.text(key))
    };
    Ok(Budgets {
        age: bound(say(HISTORY_AGE), usual.age, HISTORY_AGE, age)?,
        bytes: bound(say(HISTORY_SIZE), usual.bytes, HISTORY_SIZE, parse_size)?,
        changes_age: bound(say(CHANGES_AGE), usual.changes_age, CHANGES_AGE, age)?,
    })
}

fn age(text: &str) -> Result<Duration, String> {
    parse_period(text)
}

fn bound<T>(
    said: Option<String>,
    usual: Option<T>,
    key: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    match said.as_deref() {
        None => Ok(usual),
        Some(UNBOUNDED) => Ok(None),
        Some(text) => read(text)
            .map(Some)
            .map_err(|why| format!("`{key}`: {why}, or `{UNBOUNDED}`")),
    }
}
