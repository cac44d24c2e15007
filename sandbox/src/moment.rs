//! Moments as text. In: dates and durations as people write them. Out: microseconds UTC, and back
//! again in any vendor's spelling.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Microseconds in one second, the unit of every moment in this crate.
pub(crate) const SECOND: i64 = 1_000_000;

/// Microseconds in one day.
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// A moment in a world file or a control call: `2026-03-01`, `2026-03-01 09:00:00` or RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) i64);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_moment(&text).map(Self).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is not a moment; write `2026-03-01`, `2026-03-01 09:00:00` or RFC 3339"
            ))
        })
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_moment(self.0, "%Y-%m-%d %H:%M:%S"))
    }
}

/// Reads a moment as people write it: RFC 3339, `YYYY-MM-DD HH:MM:SS`, or `YYYY-MM-DD` (UTC).
pub(crate) fn parse_moment(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_microsecond());
    }
    let civil = text
        .parse::<jiff::civil::DateTime>()
        .or_else(|_| {
            text.parse::<jiff::civil::Date>()
                .map(|date| date.at(0, 0, 0, 0))
        })
        .ok()?;
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_microsecond())
}

/// Reads a duration such as `5m`, `90s`, `250ms`, `2h`, `1d`, or a bare number of seconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let factor = match unit.trim() {
        "ms" => 1e3,
        "" | "s" => 1e6,
        "m" | "min" => 60e6,
        "h" => 3_600e6,
        "d" => 86_400e6,
        _ => return None,
    };
    Some((number.parse::<f64>().ok()? * factor) as i64)
}

/// Writes a moment by a jiff format string, in UTC.
pub(crate) fn format_moment(moment: i64, format: &str) -> String {
    Timestamp::from_microsecond(moment)
        .map(|timestamp| timestamp.strftime(format).to_string())
        .unwrap_or_default()
}

/// The same time of day so many days, weeks, months or years later, by the calendar.
pub(crate) fn later_by(moment: i64, count: i64, unit: &str) -> Option<i64> {
    let span = match unit {
        "day" => Span::new().try_days(count),
        "week" => Span::new().try_weeks(count),
        "year" => Span::new().try_years(count),
        _ => Span::new().try_months(count),
    };
    let start = Timestamp::from_microsecond(moment)
        .ok()?
        .to_zoned(TimeZone::UTC);
    let end = start.checked_add(span.ok()?).ok()?;
    Some(end.timestamp().as_microsecond())
}
