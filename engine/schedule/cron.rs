//! Cron lines of five fields.
//!
//! In: text. Out: days and times of day that it names, or what is wrong with it.
//! Always true: only what POSIX and every cron since know is taken, and names, steps and Sunday as
//! 7: what other programs read in different ways is refused, never guessed.

use std::ops::RangeInclusive;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// The bit of croner's fields that stands for an ordinary value.
const ORDINARY: u8 = 1;

/// Field names in the order they are written, with the words that may stand in them and the
/// numbers from the least to the greatest.
const FIELDS: [(&str, &[&str], RangeInclusive<u32>); 5] = [
    ("minute", &[], 0..=59),
    ("hour", &[], 0..=23),
    ("day of the month", &[], 1..=31),
    (
        "month",
        &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
        1..=12,
    ),
    (
        "day of the week",
        &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
        0..=7,
    ),
];

/// A cron line in a zone, read.
#[derive(Debug)]
pub struct CronLine {
    /// The line, with single spaces.
    pub text: String,
    /// The zone's name.
    pub zone_name: String,
    pub(super) zone: TimeZone,
    /// All times of a day that it names, in order.
    pub(super) times: Vec<Time>,
    /// Whether the times are marks of an interval, and not times of day.
    pub(super) is_interval: bool,
    cron: Cron,
}

impl CronLine {
    /// Whether the line names times on this day.
    pub(super) fn names(&self, day: Date) -> bool {
        let (year, month) = (i32::from(day.year()), small(day.month()));
        let weekday = match day.weekday() {
            jiff::civil::Weekday::Sunday => croner::Weekday::Sunday,
            jiff::civil::Weekday::Monday => croner::Weekday::Monday,
            jiff::civil::Weekday::Tuesday => croner::Weekday::Tuesday,
            jiff::civil::Weekday::Wednesday => croner::Weekday::Wednesday,
            jiff::civil::Weekday::Thursday => croner::Weekday::Thursday,
            jiff::civil::Weekday::Friday => croner::Weekday::Friday,
            jiff::civil::Weekday::Saturday => croner::Weekday::Saturday,
        };
        let pattern = &self.cron.pattern;
        pattern.month_match(month).unwrap_or(false)
            && pattern
                .day_match(year, month, small(day.day()), weekday)
                .unwrap_or(false)
    }
}

/// Reads a cron line; the error says what is wrong.
pub(super) fn parse(line: &str, zone: &str) -> Result<CronLine, String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if let [word] = fields.as_slice()
        && word.starts_with('@')
    {
        return Err(format!(
            "`{word}` is no cron line; write five fields, such as `0 0 * * *` for every midnight"
        ));
    }
    if fields.len() != FIELDS.len() {
        return Err(format!(
            "a cron line has five fields, and this one has {}",
            fields.len()
        ));
    }
    let text = fields.join(" ");
    for (field, (name, words, numbers)) in fields.iter().zip(FIELDS) {
        check_field(&text, field, name, words)?;
        check_numbers(&text, field, name, &numbers)?;
    }
    let cron = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(&text.to_uppercase())
        .map_err(|error| in_words(&text, &error.to_string()))?;
    let zone_name = zone.to_owned();
    let zone = TimeZone::get(zone).map_err(|_| format!("`{zone}` is not a time zone"))?;
    let is_set = |field: &croner::CronComponent, value: u16| {
        field.is_bit_set(value, ORDINARY).unwrap_or(false)
    };
    let mut times = Vec::new();
    for hour in (0..24_i8).filter(|hour| is_set(&cron.pattern.hours, hour.unsigned_abs().into())) {
        let minutes =
            (0..60_i8).filter(|minute| is_set(&cron.pattern.minutes, minute.unsigned_abs().into()));
        times.extend(minutes.filter_map(|minute| Time::new(hour, minute, 0, 0).ok()));
    }
    let is_interval = fields[..2]
        .iter()
        .any(|field| field.contains('*') || field.contains('/'));
    Ok(CronLine {
        text,
        zone_name,
        zone,
        times,
        is_interval,
        cron,
    })
}

/// Refuses what stands for nothing in this field: each part is `*`, a value or a range, and the
/// first and the last may have a step.
fn check_field(line: &str, field: &str, name: &str, words: &[&str]) -> Result<(), String> {
    let known = |c: char| c.is_ascii_alphanumeric() || "*,-/".contains(c);
    if let Some(sign) = field.chars().find(|c| !known(*c)) {
        return Err(format!(
            "`{sign}` in the {name} is not part of a cron line; there are numbers, `*`, `,`, `-` \
             and `/`"
        ));
    }
    for value in field.split(['*', ',', '-', '/']) {
        let has_letters = value.contains(|c: char| c.is_ascii_alphabetic());
        if has_letters && !words.contains(&value.to_uppercase().as_str()) {
            return Err(match words.first() {
                Some(word) => format!("`{value}` is no {name}; write a number or `{word}`"),
                None => format!("`{value}` is no {name}; write a number"),
            });
        }
    }
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let is_value = |text: &str| !text.is_empty() && !text.contains(['*', '/', '-']);
        let is_range = range == "*"
            || range
                .split_once('-')
                .is_some_and(|(first, last)| is_value(first) && is_value(last));
        let is_whole = match step {
            None => is_range || is_value(range),
            Some(step) => is_range && !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit()),
        };
        if !is_whole {
            return Err(format!(
                "`{line}` is no cron line: `{part}` is no {name}; write `*`, `5`, `5-10`, `*/15` \
                 or `5-59/15`"
            ));
        }
    }
    Ok(())
}

/// Refuses numbers that this field does not have; steps are no such numbers.
fn check_numbers(
    line: &str,
    field: &str,
    name: &str,
    numbers: &RangeInclusive<u32>,
) -> Result<(), String> {
    let ranges = field.split(',').filter_map(|part| part.split('/').next());
    let values = ranges.flat_map(|range| range.split('-'));
    for value in values.filter(|value| value.bytes().all(|b| b.is_ascii_digit())) {
        let is_there = value.is_empty() || value.parse().is_ok_and(|n| numbers.contains(&n));
        if !is_there {
            return Err(format!(
                "`{line}` is no cron line: `{value}` is no {name}; they go from {} to {}",
                numbers.start(),
                numbers.end()
            ));
        }
    }
    Ok(())
}

/// What the reader of cron lines says, in our words.
fn in_words(line: &str, said: &str) -> String {
    let said = said.trim_end_matches('.');
    let what = said.split_once(": ").map_or(said, |(_, what)| what);
    format!("`{line}` is no cron line: {}", what.to_lowercase())
}

fn small(number: i8) -> u32 {
    u32::from(number.unsigned_abs())
}
