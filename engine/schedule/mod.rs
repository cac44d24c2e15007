//! Cron lines and time zones.
//!
//! In: text from files. Out: what is wrong with it, or the next moments.
//! Always true: cron lines have five fields; an impossible date is refused when it is read.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::clock::Moment;

/// Checks a cron line of five fields; the error says what is wrong.
pub fn check_cron(line: &str) -> Result<(), String> {
    let cron = parse(line)?;
    let start = Zoned::new(jiff::Timestamp::UNIX_EPOCH, TimeZone::UTC);
    match cron.find_next_occurrence(&start, false) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{line}` never comes")),
    }
}

/// The first moment after another that a cron line names in a zone.
pub fn next_fire(line: &str, zone: &str, after: Moment) -> Result<Moment, String> {
    let zone = TimeZone::get(zone).map_err(|_| format!("`{zone}` is not a time zone"))?;
    let after = Zoned::new(after.timestamp(), zone);
    let next = parse(line)?
        .find_next_occurrence(&after, false)
        .map_err(|error| format!("`{line}`: {error}"))?;
    Ok(Moment(next.timestamp().as_microsecond()))
}

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

fn parse(line: &str) -> Result<Cron, String> {
    let fields = line.split_whitespace().count();
    if fields != 5 {
        return Err(format!(
            "a cron line has five fields, and this one has {fields}"
        ));
    }
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(line)
        .map_err(|error| error.to_string().to_lowercase())
}

#[cfg(test)]
mod tests;
