//! How long the history of jobs is kept, and how it goes.
//!
//! In: budgets of days and bytes, overall and of each recipe; a person's wish. Out: jobs whose
//! history is gone but for a line, and the room given back to the disk.
//! Always true: history goes in small steps with rests between, so that the work goes on; what has
//! not ended, or is needed by what has not ended, stays.

mod budget;
mod choice;
mod plan;
mod rules;
mod sweep;
mod tidy;

pub use budget::{Budgets, parse_size, show_age, show_size};
pub use plan::Plan;
pub use sweep::Swept;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, watch};

use crate::clock::{Clock, Moment};
use crate::library::Shelf;
use crate::store::{Store, StoreError};

use self::rules::Rules;

/// How often the budgets of days are looked at.
const AGES_EVERY: Duration = Duration::from_secs(60 * 60);

/// How often the size of the database is looked at.
const SIZE_EVERY: Duration = Duration::from_secs(60);

/// The least real time between two looks, however fast the clock runs.
const LOOK_REST: Duration = Duration::from_secs(5);

/// Keeps the history of jobs within its budgets.
pub struct History {
    store: Arc<Store>,
    shelf: Arc<Shelf>,
    clock: Clock,
    budgets: Budgets,
    is_stopping: watch::Receiver<bool>,
    pruned: AtomicU64,
    /// One sweep at a time. Programs that were unused in the last one are remembered.
    under_way: Mutex<BTreeSet<String>>,
}

/// What a person wants to go, beyond the budgets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// What is older than this.
    pub older_than: Option<Duration>,
    /// The oldest, until the database has only this many bytes.
    pub to_bytes: Option<u64>,
    /// Who wishes it.
    pub by: String,
}

impl History {
    /// A keeper of the history, which does nothing until it is asked.
    pub fn new(
        store: Arc<Store>,
        shelf: Arc<Shelf>,
        clock: Clock,
        budgets: Budgets,
        is_stopping: watch::Receiver<bool>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            shelf,
            clock,
            budgets,
            is_stopping,
            pruned: AtomicU64::default(),
            under_way: Mutex::default(),
        })
    }

    /// The budgets overall.
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// How many jobs lost their history since the start.
    pub fn pruned(&self) -> u64 {
        self.pruned.load(Ordering::Relaxed)
    }

    /// Keeps the budgets until the server stops.
    pub async fn work(self: Arc<Self>) {
        let mut stopping = self.is_stopping.clone();
        let mut ages_at = self.clock.now();
        while !*stopping.borrow() {
            let now = self.clock.now();
            if now >= ages_at {
                ages_at = now.after(AGES_EVERY);
                self.sweep_or_say().await;
            } else if self.is_over_size().await {
                self.sweep_or_say().await;
            }
            let next = self
                .clock
                .now()
                .after(SIZE_EVERY.max(self.clock.span(LOOK_REST)));
            tokio::select! {
                () = self.clock.sleep_until(next) => {}
                _ = stopping.changed() => return,
            }
        }
    }

    /// Brings the history into its budgets.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        let rules = Rules::of_budgets(&self.budgets, &self.shelf, self.clock.now());
        self.run(&rules, None).await
    }

    /// Removes what a person wants to go, for this long at most; without a wish of theirs, what the
    /// budgets say. That includes waiting for a sweep that is under way.
    pub async fn prune(&self, wish: &Wish, patience: Duration) -> Result<Swept, StoreError> {
        let rules = self.rules_of(wish);
        self.run(&rules, Some(patience)).await
    }

    /// What would go.
    pub async fn plan(&self, wish: &Wish) -> Result<Plan, StoreError> {
        let rules = self.rules_of(wish);
        plan::plan(&self.store, &rules).await
    }

    fn rules_of(&self, wish: &Wish) -> Rules {
        let now = self.clock.now();
        if wish.older_than.is_none() && wish.to_bytes.is_none() {
            return Rules::of_budgets(&self.budgets, &self.shelf, now);
        }
        Rules::of_wish(wish, now)
    }

    async fn run(&self, rules: &Rules, patience: Option<Duration>) -> Result<Swept, StoreError> {
        let begin = Instant::now();
        let lock = self.under_way.lock();
        let mut unused = match patience {
            None => lock.await,
            Some(patience) => match Clock::within(patience, lock).await {
                Some(unused) => unused,
                None => return self.busy().await,
            },
        };
        let patience = patience.map(|patience| patience.saturating_sub(begin.elapsed()));
        let sweep = sweep::Sweep::new(&self.store, &self.clock, &self.is_stopping, patience);
        let done = sweep.run(rules).await;
        let swept = match &done {
            Ok(swept) => swept.jobs,
            Err((jobs, _)) => *jobs,
        };
        self.pruned.fetch_add(swept, Ordering::Relaxed);
        let mut swept = done.map_err(|(_, error)| error)?;
        if swept.is_done {
            let house = tidy::House {
                store: &self.store,
                shelf: &self.shelf,
                now: self.clock.now(),
            };
            swept.is_done = tidy::tidy(&house, rules, &sweep, &mut unused).await?;
            swept.is_done &= sweep.give_back().await?;
            swept.after = self.store.space().await?;
        }
        Ok(swept)
    }

    /// What a person is told while another sweep goes on for longer than they wait.
    async fn busy(&self) -> Result<Swept, StoreError> {
        let space = self.store.space().await?;
        Ok(Swept {
            jobs: 0,
            before: space,
            after: space,
            is_done: false,
            is_over: false,
        })
    }

    async fn is_over_size(&self) -> bool {
        let Some(most) = self.budgets.bytes else {
            return false;
        };
        let space = self.store.space().await;
        space.is_ok_and(|space| space.used_bytes() > most)
    }

    async fn sweep_or_say(&self) {
        match self.sweep().await {
            Ok(swept) if swept.jobs > 0 => tracing::info!(
                "the history of {} jobs was removed; the database has {}",
                swept.jobs,
                show_size(swept.after.used_bytes())
            ),
            Ok(swept) if swept.is_over => tracing::warn!(
                "the database has {}, more than its budget, and no history is left to remove; \
                 set `history_size` higher, or look for large lookup tables",
                show_size(swept.after.used_bytes())
            ),
            Ok(_) => {}
            Err(error) => tracing::warn!("old history cannot be removed: {error}"),
        }
    }
}

/// The moment that lies this much earlier.
fn before(now: Moment, age: Duration) -> Moment {
    let micros = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    Moment(now.0.saturating_sub(micros))
}

#[cfg(test)]
mod tests;
