//! The only "now" and the only sleep.
//!
//! In: nothing, or a test's wish. Out: [`Moment`]s and waits until one.
//! Always true: nothing else in the engine asks the machine for the time; a scaled clock runs
//! faster than the wall by a fixed factor, for rehearsals.

mod period;

pub use period::parse_period;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// The moment that lies this much later.
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// The moment that lies this much earlier.
    pub fn before(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// The time that passed since an earlier moment; zero if that one is later.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The moment without the fraction of its second.
    pub fn to_the_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000_000))
    }

    /// The moment as a time stamp of the date library.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::MAX)
    }

    /// Reads RFC 3339 text, such as `2026-03-01T10:00:00Z`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let timestamp: jiff::Timestamp = text
            .parse()
            .map_err(|_| format!("`{text}` is not a time such as 2026-03-01T10:00:00Z"))?;
        Ok(Self(timestamp.as_microsecond()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

/// A clock: the machine's, a faster one, or one that a test moves by hand.
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    Real {
        scale: f64,
        started: Instant,
        at_start: Moment,
    },
    Test(Arc<TestClock>),
}

struct TestClock {
    now: AtomicI64,
    moved: Notify,
}

impl Clock {
    /// The machine's clock, `scale` times as fast (1.0 is the ordinary one).
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the room that may ask the machine"
    )]
    pub fn real(scale: f64) -> Self {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self(Kind::Real {
            scale,
            started: Instant::now(),
            at_start: Moment(0).after(since_epoch),
        })
    }

    /// The machine's clock as if it had run `scale` times as fast since a moment: programs that
    /// come one after the other agree on the time, as they do without a scale.
    pub fn scaled_since(scale: f64, since: Moment) -> Self {
        let clock = Self::real(scale);
        match clock.0 {
            Kind::Real {
                started, at_start, ..
            } => Self(Kind::Real {
                scale,
                started,
                at_start: since.after(at_start.since(since).mul_f64(scale)),
            }),
            Kind::Test(_) => clock,
        }
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    pub fn test(now: Moment) -> Self {
        Self(Kind::Test(Arc::new(TestClock {
            now: AtomicI64::new(now.0),
            moved: Notify::new(),
        })))
    }

    /// The present moment. An unscaled clock follows the wall, so that a corrected wall counts.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the room that may ask the machine"
    )]
    pub fn now(&self) -> Moment {
        match &self.0 {
            #[expect(
                clippy::float_cmp,
                reason = "exactly 1.0 means the machine's own clock"
            )]
            Kind::Real { scale, .. } if *scale == 1.0 => Moment(0).after(
                std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or(Duration::ZERO),
            ),
            Kind::Real {
                scale,
                started,
                at_start,
            } => at_start.after(started.elapsed().mul_f64(*scale)),
            Kind::Test(clock) => Moment(clock.now.load(Ordering::SeqCst)),
        }
    }

    /// Returns once the clock shows this moment or a later one.
    pub async fn sleep_until(&self, moment: Moment) {
        loop {
            let missing = moment.since(self.now());
            if missing.is_zero() {
                return;
            }
            match &self.0 {
                Kind::Real { scale, .. } => {
                    // At most an hour at once, so that a corrected wall clock is noticed.
                    let real = missing.div_f64(*scale).min(Duration::from_secs(3600));
                    tokio::time::sleep(real.max(Duration::from_millis(1))).await;
                }
                Kind::Test(clock) => {
                    let moved = clock.moved.notified();
                    if self.now() >= moment {
                        return;
                    }
                    moved.await;
                }
            }
        }
    }

    /// Moves a test clock forward; the machine's clock does not move for us.
    pub fn advance(&self, by: Duration) {
        if let Kind::Test(clock) = &self.0 {
            clock.now.store(self.now().after(by).0, Ordering::SeqCst);
            clock.moved.notify_waiters();
        }
    }

    /// Moves a test clock to a moment, also back: clocks of machines are set.
    pub fn set(&self, to: Moment) {
        if let Kind::Test(clock) = &self.0 {
            clock.now.store(to.0, Ordering::SeqCst);
            clock.moved.notify_waiters();
        }
    }

    /// How far the clock moves in this much real time: for what must outlast real delays, such as
    /// the lease on a job.
    pub fn span(&self, real: Duration) -> Duration {
        match &self.0 {
            Kind::Real { scale, .. } => real.mul_f64(*scale),
            Kind::Test(_) => real,
        }
    }

    /// Returns after this much real time, whatever the scale.
    pub async fn rest(real: Duration) {
        tokio::time::sleep(real).await;
    }

    /// Bounds a piece of work by real time, whatever the scale; `None` if it took longer.
    pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(limit, work).await.ok()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
