//! The sandbox clock. In: real time, an offset and a scale. Out: "now" in microseconds UTC, and
//! the only waiting that obeys it. Always true: all servers of one sandbox share one clock, and
//! whoever waits on it wakes when it is moved.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

/// A real sleep never lasts longer than this before the clock is read again; it keeps the
/// conversion to a real duration far from overflow.
const NAP_MAX: Duration = Duration::from_secs(3_600);

/// The clock that every server of one sandbox shares.
#[derive(Debug)]
pub struct Clock {
    reading: Mutex<Reading>,
    moved: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    real_base: Instant,
    shown_base: i64,
    scale: f64,
}

impl Reading {
    fn now(self) -> i64 {
        let real = self.real_base.elapsed().as_micros() as f64;
        self.shown_base.saturating_add((real * self.scale) as i64)
    }
}

impl Clock {
    /// A clock that shows `start` (real time when absent) and runs `scale` times as fast as real
    /// time; a scale of 0 stands still.
    #[must_use]
    pub fn new(start: Option<i64>, scale: f64) -> Self {
        let shown_base = start.unwrap_or_else(|| Timestamp::now().as_microsecond());
        let reading = Reading {
            real_base: Instant::now(),
            shown_base,
            scale,
        };
        Self {
            reading: Mutex::new(reading),
            moved: watch::Sender::new(0),
        }
    }

    /// The moment the clock shows, in microseconds UTC.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.read().now()
    }

    /// How many times faster than real time the clock runs.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.read().scale
    }

    /// Moves the clock by this many microseconds.
    pub fn advance(&self, by: i64) {
        self.change(|reading| reading.shown_base = reading.shown_base.saturating_add(by));
    }

    /// Makes the clock show this moment.
    pub fn show(&self, moment: i64) {
        self.change(|reading| reading.shown_base = moment);
    }

    /// Makes the clock run this many times as fast as real time from now on.
    pub fn run_at(&self, scale: f64) {
        self.change(|reading| reading.scale = scale);
    }

    /// Waits until the clock shows `moment`.
    pub async fn reach(&self, moment: i64) {
        let mut moved = self.moved.subscribe();
        loop {
            let reading = self.read();
            let left = moment.saturating_sub(reading.now());
            if left <= 0 {
                return;
            }
            // The extra microsecond keeps rounding from turning the end into a busy loop.
            let nap = if reading.scale > 0.0 {
                Duration::from_micros((left as f64 / reading.scale).min(3.6e9) as u64 + 1)
            } else {
                NAP_MAX
            };
            tokio::select! {
                () = tokio::time::sleep(nap.min(NAP_MAX)) => {}
                _ = moved.changed() => {}
            }
        }
    }

    fn read(&self) -> Reading {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, how: impl FnOnce(&mut Reading)) {
        {
            let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
            reading.shown_base = reading.now();
            reading.real_base = Instant::now();
            how(&mut reading);
        }
        self.moved.send_modify(|count| *count += 1);
    }
}
