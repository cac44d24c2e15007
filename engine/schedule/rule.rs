//! A rule of the clock, and the moments it names.
//!
//! Always true: the moments of an interval are its multiples since 1970-01-01T00:00:00Z, so that
//! they are the same whoever asks, whenever.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::calendar::{self, Times};
use super::cron::{self, CronLine};
use crate::clock::Moment;

/// The shortest interval of a rule.
pub const INTERVAL_MIN: Duration = Duration::from_secs(1);

/// How many days a search goes on without finding a moment: a 29 February is at most eight years
/// from the next.
const DAYS_SEARCHED: u32 = 9 * 366;

/// How many days before a moment a search begins: a time of day that a zone leaves out, at worst
/// with the whole day, is made up for at the end of the gap.
const DAYS_BACK: i64 = 2;

/// When something happens by the clock.
#[derive(Clone, Debug)]
pub enum Rule {
    /// At every multiple of this many microseconds since 1970.
    Every(i64),
    /// By a cron line in a zone.
    Cron(Arc<CronLine>),
}

impl Rule {
    /// An interval.
    pub fn every(interval: Duration) -> Result<Self, String> {
        if interval < INTERVAL_MIN {
            return Err("the interval is too short; one second is the least".to_owned());
        }
        i64::try_from(interval.as_micros())
            .map(Self::Every)
            .map_err(|_| "the interval is too long".to_owned())
    }

    /// A cron line of five fields, in a zone.
    pub fn cron(line: &str, zone: &str) -> Result<Self, String> {
        let rule = Self::Cron(Arc::new(cron::parse(line, zone)?));
        match rule.after(Moment(0)).next() {
            Some(_) => Ok(rule),
            None => Err(format!("`{line}` never comes: there is no such date")),
        }
    }

    /// The interval; of a cron line a minute, the least there can be.
    pub fn interval(&self) -> Duration {
        match self {
            Self::Every(interval) => Duration::from_micros(interval.unsigned_abs()),
            Self::Cron(_) => Duration::from_secs(60),
        }
    }

    /// Reads what a rule wrote of itself.
    pub fn read(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("every ") {
            let millis = rest.strip_suffix("ms")?.parse().ok()?;
            return Self::every(Duration::from_millis(millis)).ok();
        }
        let (line, zone) = text.strip_prefix("cron ")?.rsplit_once(" in ")?;
        Self::cron(line, zone).ok()
    }

    /// All moments after another, in order.
    pub fn after(&self, moment: Moment) -> Moments<'_> {
        Moments {
            rule: self,
            last: moment,
            day: None,
            ready: VecDeque::new(),
        }
    }

    /// The last moment that lies after `floor` and not after `until`.
    pub fn last_within(&self, floor: Moment, until: Moment) -> Option<Moment> {
        let line = match self {
            Self::Every(interval) => {
                let last = Moment(until.0.div_euclid(*interval) * interval);
                return (last > floor).then_some(last);
            }
            Self::Cron(line) => line,
        };
        let first = shifted(civil(floor, &line.zone), -DAYS_BACK)?;
        let mut day = civil(until, &line.zone);
        while day >= first {
            let found = moments_of(line, day);
            if let Some(last) = found.into_iter().rev().find(|moment| *moment <= until) {
                return (last > floor).then_some(last);
            }
            day = shifted(day, -1)?;
        }
        None
    }
}

/// The rule as it is written down, to be read back.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(interval) => write!(f, "every {}ms", interval / 1000),
            Self::Cron(line) => write!(f, "cron {} in {}", line.text, line.zone_name),
        }
    }
}

/// The moments of a rule, one after another.
#[derive(Debug)]
pub struct Moments<'a> {
    rule: &'a Rule,
    last: Moment,
    /// The day to look at next.
    day: Option<Date>,
    ready: VecDeque<Moment>,
}

impl Iterator for Moments<'_> {
    type Item = Moment;

    fn next(&mut self) -> Option<Moment> {
        let line = match self.rule {
            Rule::Every(interval) => {
                let number = self.last.0.div_euclid(*interval).checked_add(1)?;
                self.last = Moment(number.checked_mul(*interval)?);
                return Some(self.last);
            }
            Rule::Cron(line) => line,
        };
        for _ in 0..DAYS_SEARCHED {
            while let Some(moment) = self.ready.pop_front() {
                // Two times of day in one gap end in the same moment.
                if moment > self.last {
                    self.last = moment;
                    return Some(moment);
                }
            }
            let day = match self.day {
                Some(day) => day,
                None => shifted(civil(self.last, &line.zone), -DAYS_BACK)?,
            };
            self.ready = moments_of(line, day).into();
            self.day = shifted(day, 1);
            self.day?;
        }
        None
    }
}

/// The moments of one day of a cron line's zone, in order.
fn moments_of(line: &CronLine, day: Date) -> Vec<Moment> {
    if !line.names(day) {
        return Vec::new();
    }
    let times = match line.is_interval {
        true => Times::EveryReal,
        false => Times::OnceEach,
    };
    calendar::moments(day, &line.times, times, &line.zone)
}

fn civil(moment: Moment, zone: &TimeZone) -> Date {
    zone.to_datetime(moment.timestamp()).date()
}

fn shifted(day: Date, days: i64) -> Option<Date> {
    day.checked_add(jiff::Span::new().days(days)).ok()
}
