//! Helpers for dates and times. A date stays a date, a time keeps its offset.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Unit};

use super::kind::format;
use super::{Arguments, Helper, Kind, Mode, helper, parameter, required, shapes};
use crate::data::Value;
use crate::shape::{Instant, Time};

pub(super) const HELPERS: &[Helper] = &[
    helper(
        "now",
        &[],
        shapes::datetime,
        |given| instant(&Instant::utc(given.scope.now().timestamp())),
        (
            "The present time, in UTC; the same however often a job is resumed.",
            "now",
        ),
    ),
    helper(
        "today",
        &[parameter("zone", Kind::Zone, Mode::Optional)],
        shapes::date,
        |given| {
            let now = given.scope.now().timestamp().to_zoned(given.zone(0)?);
            text(now.date().to_string())
        },
        (
            "The present day in the recipe's zone, or in another.",
            "today",
        ),
    ),
    helper(
        "to_date",
        &[
            required("value", Kind::Text),
            parameter("zone", Kind::Zone, Mode::Optional),
        ],
        shapes::date,
        |given| {
            let zone = given.zone(1)?;
            text(lenient(given, &zone)?.day_in(&zone).to_string())
        },
        (
            "The day of a time, in the recipe's zone or in another.",
            "to_date input.completed_at",
        ),
    ),
    helper(
        "to_datetime",
        &[
            required("value", Kind::Text),
            parameter("zone", Kind::Zone, Mode::Optional),
        ],
        shapes::datetime,
        to_datetime,
        (
            "The beginning of a day, or a clock without offset in the recipe's zone, as a time.",
            "to_datetime input.day \"Europe/Rome\"",
        ),
    ),
    helper(
        "format_date",
        &[
            required("value", Kind::Time),
            required("format", Kind::Format),
            parameter("zone", Kind::Zone, Mode::Optional),
        ],
        shapes::text,
        format_date,
        (
            "A date as text, with the letters of strftime, in the recipe's zone or in another.",
            "format_date now \"%d %B %Y\"",
        ),
    ),
    helper(
        "add_days",
        &[
            required("value", Kind::Time),
            required("days", Kind::Integer),
        ],
        shapes::time,
        |given| shift(given, Span::new().try_days(given.integer(1))),
        (
            "So many days later; a negative number is earlier.",
            "add_days today 30",
        ),
    ),
    helper(
        "add_hours",
        &[
            required("time", Kind::Time),
            required("hours", Kind::Integer),
        ],
        shapes::time,
        |given| add_seconds(given, 3600),
        ("So many hours later.", "add_hours now -1"),
    ),
    helper(
        "add_minutes",
        &[
            required("time", Kind::Time),
            required("minutes", Kind::Integer),
        ],
        shapes::time,
        |given| add_seconds(given, 60),
        ("So many minutes later.", "add_minutes now 15"),
    ),
    helper(
        "add_months",
        &[
            required("value", Kind::Time),
            required("months", Kind::Integer),
        ],
        shapes::time,
        |given| shift(given, Span::new().try_months(given.integer(1))),
        (
            "So many months later; the last day of a shorter month if need be.",
            "add_months today 12",
        ),
    ),
    helper(
        "days_between",
        &[required("from", Kind::Time), required("to", Kind::Time)],
        shapes::integer,
        days_between,
        (
            "How many days lie between two dates; negative if the second is earlier.",
            "days_between input.start today",
        ),
    ),
    helper(
        "in_timezone",
        &[required("time", Kind::Time), required("zone", Kind::Zone)],
        shapes::datetime,
        |given| {
            let zoned = point(given)?.at.to_zoned(given.zone(1)?);
            instant(&Instant {
                at: zoned.timestamp(),
                offset: zoned.offset(),
            })
        },
        (
            "The same time, written with the offset of a zone.",
            "in_timezone now \"Europe/Rome\"",
        ),
    ),
    helper(
        "epoch",
        &[required("time", Kind::Time)],
        shapes::integer,
        |given| match given.time(0)? {
            Time::Instant(instant) => Ok(Some(Value::from(instant.at.as_second()))),
            Time::Day(day) => {
                let start = day.to_zoned(TimeZone::UTC).map_err(|_| out_of_range())?;
                Ok(Some(Value::from(start.timestamp().as_second())))
            }
        },
        ("Seconds since the beginning of 1970.", "epoch now"),
    ),
];

fn text(text: String) -> Result<Option<Value>, String> {
    Ok(Some(Value::String(text)))
}

fn instant(instant: &Instant) -> Result<Option<Value>, String> {
    text(instant.text())
}

fn out_of_range() -> String {
    "the date lies outside the calendar".to_owned()
}

/// The first argument as a time; a date is none.
fn point(given: &Arguments<'_>) -> Result<Instant, String> {
    match given.time(0)? {
        Time::Instant(instant) => Ok(instant),
        Time::Day(day) => Err(format!(
            "`{day}` is a date without a time; use `to_datetime`"
        )),
    }
}

/// The first argument, also in the forms without an offset (`2026-03-01 10:00:00`), which are
/// taken in the zone.
fn lenient(given: &Arguments<'_>, zone: &TimeZone) -> Result<Time, String> {
    let text = given.text(0).trim();
    if let Some(time) = Time::parse(text) {
        return Ok(time);
    }
    let civil: Option<jiff::civil::DateTime> = match text.len() {
        16..=30 => text.replacen(' ', "T", 1).parse().ok(),
        _ => None,
    };
    match civil.map(|civil| civil.to_zoned(zone.clone())) {
        Some(Ok(zoned)) => Ok(Time::Instant(Instant {
            at: zoned.timestamp(),
            offset: zoned.offset(),
        })),
        _ => given.time(0),
    }
}

fn to_datetime(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let zone = given.zone(1)?;
    let at = match lenient(given, &zone)? {
        Time::Instant(instant) => instant.at,
        Time::Day(day) => day.to_zoned(zone).map_err(|_| out_of_range())?.timestamp(),
    };
    instant(&Instant::utc(at))
}

fn format_date(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let zone = given.zone(2)?;
    let zoned = match given.time(0)? {
        Time::Instant(instant) => instant.at.to_zoned(zone),
        Time::Day(day) => day.to_zoned(zone).map_err(|_| out_of_range())?,
    };
    format(given.text(1), &zoned).map(|text| Some(Value::String(text)))
}

/// Moves a date or a time on the calendar, at the time's own offset.
fn shift(given: &Arguments<'_>, by: Result<Span, jiff::Error>) -> Result<Option<Value>, String> {
    let by = by.map_err(|_| out_of_range())?;
    match given.time(0)? {
        Time::Day(day) => text(day.checked_add(by).map_err(|_| out_of_range())?.to_string()),
        Time::Instant(start) => {
            let moved = start.zoned().checked_add(by).map_err(|_| out_of_range())?;
            instant(&Instant {
                at: moved.timestamp(),
                offset: start.offset,
            })
        }
    }
}

fn add_seconds(given: &Arguments<'_>, unit: i64) -> Result<Option<Value>, String> {
    let start = point(given)?;
    let seconds = given
        .integer(1)
        .checked_mul(unit)
        .ok_or_else(out_of_range)?;
    let at = start
        .at
        .checked_add(SignedDuration::from_secs(seconds))
        .map_err(|_| out_of_range())?;
    instant(&Instant {
        at,
        offset: start.offset,
    })
}

fn days_between(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let (from, to) = (given.time(0)?, given.time(1)?);
    if let (Time::Instant(from), Time::Instant(to)) = (&from, &to) {
        let seconds = to.at.duration_since(from.at).as_secs();
        return Ok(Some(Value::from(seconds / 86_400)));
    }
    let zone = given.zone(usize::MAX)?;
    let days = from
        .day_in(&zone)
        .until((Unit::Day, to.day_in(&zone)))
        .map_err(|_| out_of_range())?;
    Ok(Some(Value::from(days.get_days())))
}
