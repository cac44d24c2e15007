//! How far a preview goes.
//!
//! In: nothing. Out: limits, and the words for each that was reached.

use std::fmt;
use std::time::Duration;

/// How long a preview works, in real time.
const TIME_MAX: Duration = Duration::from_secs(120);

/// How long it may be told to work.
const TIME_MOST: Duration = Duration::from_secs(60 * 60);

/// How many times more calls and jobs it may come to if it is told how long to work.
const MORE: usize = 25;

/// How many calls it lists.
const CALLS_MAX: usize = 2_000;

/// How many jobs it brings to their end.
const JOBS_MAX: u64 = 1_000;

/// How many bytes its jobs write, and how many the calls that it lists hold.
const BYTES_MAX: usize = 128 << 20;

/// How many bytes of rows it works on a copy of.
const COPIED_BYTES_MAX: usize = 64 << 20;

/// How far a preview goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it works, in real time.
    pub time: Duration,
    /// How many calls it lists.
    pub calls: usize,
    /// How many jobs it brings to their end.
    pub jobs: u64,
    /// How many bytes its jobs write, and how many the calls that it lists hold.
    pub bytes: usize,
    /// How many bytes of rows it works on a copy of.
    pub copied_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: TIME_MAX,
            calls: CALLS_MAX,
            jobs: JOBS_MAX,
            bytes: BYTES_MAX,
            copied_bytes: COPIED_BYTES_MAX,
        }
    }
}

impl Limits {
    /// The limits of a preview that is to work as long as this; or why it cannot.
    pub fn of_time(time: Duration) -> Result<Self, String> {
        if time.is_zero() || time > TIME_MOST {
            return Err(format!(
                "a preview works for 1s to {}m",
                TIME_MOST.as_secs() / 60
            ));
        }
        Ok(Self {
            time,
            calls: CALLS_MAX * MORE,
            jobs: JOBS_MAX * MORE as u64,
            ..Self::default()
        })
    }
}

/// Why a preview shows less than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It took too long.
    Time(Duration),
    /// It came to too many calls.
    Calls(usize),
    /// It came to too many jobs.
    Jobs(u64),
    /// It wrote too much.
    Bytes(usize),
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "it took longer than {} s", time.as_secs()),
            Self::Calls(calls) => write!(f, "it lists {calls} calls, and there are more"),
            Self::Jobs(jobs) => write!(f, "it ran {jobs} jobs, and there are more"),
            Self::Bytes(bytes) => write!(f, "it came to more than {} MiB", bytes >> 20),
        }
    }
}
