//! Dates and times as text: the strict forms that values have, and the lenient ones of vendors.
//!
//! Always true: a date is `2026-03-01`; a time says its offset from UTC; nothing is guessed.

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// A calendar day.
pub type Day = civil::Date;

/// A point in time together with the offset it was written in.
#[derive(Clone, Debug)]
pub struct Instant {
    /// The point in time.
    pub at: Timestamp,
    /// The offset it was written in.
    pub offset: Offset,
}

/// A date, or a date and time.
#[derive(Clone, Debug)]
pub enum Time {
    /// A calendar day.
    Day(Day),
    /// A point in time.
    Instant(Instant),
}

impl Time {
    /// Reads `2026-03-01` or `2026-03-01T10:00:00Z`.
    pub fn parse(text: &str) -> Option<Self> {
        match parse_day(text) {
            Some(day) => Some(Self::Day(day)),
            None => Instant::parse(text).map(Self::Instant),
        }
    }

    /// The calendar day; of a point in time, the day it is in that zone.
    pub fn day_in(&self, zone: &TimeZone) -> Day {
        match self {
            Self::Day(day) => *day,
            Self::Instant(instant) => instant.at.to_zoned(zone.clone()).date(),
        }
    }
}

impl Instant {
    /// A point in time, shown in UTC.
    pub fn utc(at: Timestamp) -> Self {
        Self {
            at,
            offset: Offset::UTC,
        }
    }

    /// Reads RFC 3339 text such as `2026-03-01T10:00:00Z` or `2026-03-01T11:00:00+01:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !text.is_ascii() || bytes.len() < 17 || bytes.len() > 40 || bytes[10] != b'T' {
            return None;
        }
        parse_day(&text[..10])?;
        let at: Timestamp = text.parse().ok()?;
        let offset = match text.rfind(['+', '-']).filter(|at| *at > 10) {
            Some(start) => parse_offset(&text[start..])?,
            None => Offset::UTC,
        };
        Some(Self { at, offset })
    }

    /// The wall clock at its own offset.
    pub fn zoned(&self) -> Zoned {
        self.at.to_zoned(TimeZone::fixed(self.offset))
    }

    /// As RFC 3339 text; in UTC with a `Z`.
    pub fn text(&self) -> String {
        if self.offset == Offset::UTC {
            return self.at.to_string();
        }
        self.at.display_with_offset(self.offset).to_string()
    }
}

/// Reads `2026-03-01` and nothing else.
pub(super) fn parse_day(text: &str) -> Option<Day> {
    let bytes = text.as_bytes();
    let sound = bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if sound { text.parse().ok() } else { None }
}

/// Reads the forms vendors use: `2026-03-01 10:00:00` and `2026-03-01T10:00:00` (both UTC), with
/// or without an offset such as `+00:00` or `+0000`. `03/04/2026` is unclear, and so refused.
pub(super) fn parse_lenient(text: &str) -> Option<Time> {
    let text = text.trim();
    if let Some(time) = Time::parse(text) {
        return Some(time);
    }
    if !text.is_ascii() || text.len() < 16 || text.len() > 40 {
        return None;
    }
    let (day, rest) = text.split_at(10);
    parse_day(day)?;
    let clock = rest.strip_prefix([' ', 'T', 't'])?.trim();
    let (clock, offset) = match clock.find(['+', '-', 'Z', 'z']) {
        Some(at) => (clock[..at].trim_end(), parse_offset(&clock[at..])?),
        None => (clock, Offset::UTC),
    };
    let civil: civil::DateTime = format!("{day}T{clock}").parse().ok()?;
    let at = offset.to_timestamp(civil).ok()?;
    Some(Time::Instant(Instant { at, offset }))
}

/// Seconds since 1970, as some vendors write moments.
pub(super) fn since_1970(seconds: f64) -> Option<Time> {
    // Far beyond any date that is meant, and well within what can be represented.
    if seconds.abs() > 1.0e11 {
        return None;
    }
    let at = Timestamp::from_duration(jiff::SignedDuration::from_secs_f64(seconds)).ok()?;
    Some(Time::Instant(Instant {
        at,
        offset: Offset::UTC,
    }))
}

/// Whether the text is a vendor's way to say "no date": `0000-00-00` with or without a time.
pub(super) fn is_zero_date(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("0000-00-00") || text.starts_with("0001-01-01") || text.is_empty()
}

/// Reads `Z`, `+01:00`, `+0100` or `+01`.
fn parse_offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'Z' | b'z' if text.len() == 1 => return Some(Offset::UTC),
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    if digits.len() > 4 || digits.len() < 2 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = digits[2..].parse().unwrap_or(0);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}
