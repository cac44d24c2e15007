//! When things happen by the clock: intervals, cron lines, time zones.
//!
//! In: text from files. Out: what is wrong with it, or a [`Rule`] and the moments it names.
//! Always true: which moments a rule names depends on the rule alone, never on an earlier run; each
//! moment is named once; a rule that never fires is refused when it is read.

mod calendar;
mod cron;
mod rule;

pub use rule::{INTERVAL_MIN, Moments, Rule};

use jiff::tz::TimeZone;

use crate::clock::Moment;

/// Whether the text names a time zone, such as `America/Los_Angeles`.
pub fn is_zone(name: &str) -> bool {
    // Abbreviations such as EST are fixed offsets in disguise and never meant.
    (name == "UTC" || name.contains('/')) && TimeZone::get(name).is_ok()
}

/// The names of all time zones, for "did you mean".
pub fn zone_names() -> Vec<String> {
    let names = jiff::tz::db().available();
    names.map(|name| name.as_str().to_owned()).collect()
}

/// A moment as the wall clocks of a zone show it, such as `2026-03-01T01:00:00-08:00`; in UTC if
/// there is no such zone.
pub fn on_the_wall(moment: Moment, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let offset = zone.to_offset(moment.timestamp());
    moment.timestamp().display_with_offset(offset).to_string()
}

#[cfg(test)]
mod tests;
