//! What the clock sets off: schedules fire, polls ask.
//!
//! In: the recipes, their states, the clock. Out: rows of the ledger, cursors, queued jobs.
//! Always true: what is due follows from the rule and the store alone, so that it does not matter
//! how often, by how many servers or after which pause it is looked at; an instant gets one job or
//! a reason why not; the clock may jump in either direction.

mod ask;
mod cursor;
mod plan;
mod poll;
mod schedule;

pub use plan::{Plan, plan};
pub use poll::next_poll;
pub use schedule::before_start;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::Intake;
use crate::clock::{Clock, Moment};
use crate::compile::{Program, Trigger};
use crate::names::RecipeName;
use crate::step::Calls;
use crate::store::StoreError;

/// The longest rest between two looks, in real time: the machine may have slept, or its clock may
/// have been moved.
const REST_MAX: Duration = Duration::from_secs(10);

/// The rest while something waits that no moment announces, or after a trouble of our own.
const REST_SHORT: Duration = Duration::from_secs(1);

/// Looks at the clock and does what is due.
pub struct Timekeeper {
    intake: Intake,
    calls: Arc<dyn Calls>,
    looks: Mutex<Looks>,
}

/// What is remembered between two looks; everything could be read again.
#[derive(Default)]
struct Looks {
    at: Option<Moment>,
    due: HashMap<RecipeName, Due>,
}

/// When a recipe is to be looked at next.
struct Due {
    /// The rule and the start that this holds for.
    of: String,
    at: Moment,
}

/// What a look showed.
#[derive(Debug, Default)]
struct Outlook {
    /// The next moment at which something is due.
    next: Option<Moment>,
    /// Whether something waits that no moment announces.
    is_waiting: bool,
    /// The polls that are due.
    polls: Vec<Arc<Program>>,
}

impl Outlook {
    fn expect(&mut self, moment: Moment) {
        self.next = Some(self.next.map_or(moment, |next| next.min(moment)));
    }
}

impl Timekeeper {
    /// One that has not looked yet.
    pub fn new(intake: Intake, calls: Arc<dyn Calls>) -> Arc<Self> {
        Arc::new(Self {
            intake,
            calls,
            looks: Mutex::default(),
        })
    }

    /// Looks again and again until the server stops. Polls under way are then given up; they have
    /// written nothing.
    pub async fn work(self: Arc<Self>) {
        let clock = self.intake.clock.clone();
        let mut stopping = self.intake.is_stopping.clone();
        let mut polls = FuturesUnordered::new();
        let mut under_way: BTreeSet<RecipeName> = BTreeSet::new();
        while !*stopping.borrow() {
            let outlook = self.glance().await.unwrap_or_else(|error| {
                tracing::warn!("what is due cannot be looked at: {error}");
                Outlook {
                    is_waiting: true,
                    ..Outlook::default()
                }
            });
            for program in outlook.polls {
                if under_way.insert(program.root.clone()) {
                    polls.push(self.poll_of(program));
                }
            }
            let rest = match outlook.is_waiting {
                true => REST_SHORT,
                false => REST_MAX,
            };
            let next = outlook.next.unwrap_or(Moment(i64::MAX));
            tokio::select! {
                () = clock.sleep_until(next) => {}
                () = Clock::rest(rest) => {}
                () = self.intake.bell.clock_rung() => {}
                Some(name) = polls.next() => { under_way.remove(&name); }
                _ = stopping.changed() => {}
            }
        }
    }

    /// Does everything that is due now, then returns the next moment at which something is: for
    /// tests, which move the clock themselves.
    pub async fn look(&self) -> Result<Option<Moment>, StoreError> {
        let outlook = self.glance().await?;
        if outlook.polls.is_empty() {
            return Ok(outlook.next);
        }
        for program in outlook.polls {
            self.poll_of(program).await;
        }
        Ok(self.glance().await?.next)
    }

    /// Fires the schedules that are due, and finds the polls that are.
    async fn glance(&self) -> Result<Outlook, StoreError> {
        let now = self.intake.clock.now();
        let before = self.turn_to(now);
        let states = self.intake.store.states().await?;
        let programs = self.intake.shelf.set_off_by_the_clock();
        let mut outlook = Outlook::default();
        self.forget_the_gone(&programs, now).await?;
        for program in programs {
            let Some(state) = states.get(&program.root).filter(|state| state.is_started) else {
                continue;
            };
            let recipe = program.root.clone();
            let looked = match &program.root().trigger {
                Trigger::Schedule(schedule) => {
                    let look = schedule::Look {
                        recipe: &recipe,
                        schedule,
                        started_at: state.changed_at,
                        now,
                        before,
                    };
                    self.look_at_schedule(&look, &mut outlook).await
                }
                Trigger::Poll(_) => {
                    let program = program.clone();
                    self.look_at_poll(program, state, now, &mut outlook).await
                }
                _ => Ok(()),
            };
            if let Err(error) = looked {
                // The others do not wait for this one.
                tracing::error!(%recipe, "what is due of it cannot be looked at: {error}");
                outlook.is_waiting |= !matches!(error, StoreError::Corrupt(_));
            }
        }
        Ok(outlook)
    }

    /// Notes that the clock shows this; answers what it showed at the last look, if that is not
    /// later.
    fn turn_to(&self, now: Moment) -> Option<Moment> {
        let mut looks = self.looks();
        let before = looks.at.replace(now)?;
        if before <= now {
            return Some(before);
        }
        // What was due by a clock that was ahead is not what is due now.
        looks.due.clear();
        let by = before.since(now);
        if by > REST_SHORT {
            tracing::warn!(
                "the clock was set back by {} s, to {now}: instants that fired already do not \
                 fire again, all others do when they come",
                by.as_secs()
            );
        }
        None
    }

    /// When a recipe is due, as far as it was found out before for the same rule and start.
    fn known_due(&self, recipe: &RecipeName, of: &str) -> Option<Moment> {
        let looks = self.looks();
        let due = looks.due.get(recipe).filter(|due| due.of == of)?;
        Some(due.at)
    }

    fn remember_due(&self, recipe: &RecipeName, of: String, at: Moment) {
        self.looks().due.insert(recipe.clone(), Due { of, at });
    }

    fn forget_due(&self, recipe: &RecipeName) {
        self.looks().due.remove(recipe);
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
