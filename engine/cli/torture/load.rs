//! The load: events that are sent until they are accepted, and runs that are asked for once.
//!
//! In: a rate. Out: which events were accepted and which runs may have begun.
//! Always true: an event counts as accepted only after a 2xx; it is sent again until then, and some
//! are sent once more after it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use super::api::{Api, Asked};
use super::plan::{Chance, Event};
use crate::clock::Clock;
use crate::data::Value;

/// How many senders there are.
const SENDERS: u64 = 4;

/// How many elements a run of the loop has.
pub(super) const ROUNDS: u64 = 20;

/// How long a sender waits before it tries again.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// What was sent, as far as the senders know.
#[derive(Default)]
pub(super) struct Sent {
    /// The numbers of the events that were accepted.
    pub(super) events: BTreeSet<u64>,
    /// Runs that were accepted.
    pub(super) runs: Vec<Run>,
    /// Runs that were asked for without an answer: each happened once or not at all.
    pub(super) doubtful_runs: Vec<Run>,
    /// Deliveries that were answered with an error or not at all.
    pub(super) refused: u64,
    /// Deliveries that were sent once more after they had been accepted.
    pub(super) repeated: u64,
}

/// A run by hand.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) id: String,
    /// Whether it goes through the listing; else through the numbers it was given.
    pub(super) is_listing: bool,
}

/// Senders at work.
pub(super) struct Load {
    sent: Arc<Mutex<Sent>>,
    is_over: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

/// What each sender knows.
#[derive(Clone)]
struct Sender {
    api: Api,
    sent: Arc<Mutex<Sent>>,
    is_over: Arc<AtomicBool>,
    numbers: Arc<AtomicU64>,
    seed: u64,
    pause: Duration,
}

impl Load {
    /// Begins to send so many events a second.
    pub(super) fn begin(api: &Api, seed: u64, rate: u64) -> Self {
        let mut load = Self {
            sent: Arc::default(),
            is_over: Arc::default(),
            tasks: JoinSet::new(),
        };
        let sender = Sender {
            api: api.clone(),
            sent: load.sent.clone(),
            is_over: load.is_over.clone(),
            numbers: Arc::default(),
            seed,
            // A delivery holds two events on the average.
            pause: Duration::from_millis(2_000 * SENDERS / rate.max(1)),
        };
        for number in 0..SENDERS {
            load.tasks.spawn(sender.clone().send_events(number));
        }
        load.tasks.spawn(sender.ask_for_runs());
        load
    }

    /// Lets every sender bring what it has to its end.
    pub(super) async fn end(mut self) -> Sent {
        self.is_over.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        std::mem::take(&mut *lock(&self.sent))
    }
}

fn lock(sent: &Mutex<Sent>) -> std::sync::MutexGuard<'_, Sent> {
    sent.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sender {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    async fn send_events(self, sender: u64) {
        let mut chance = Chance::new(self.seed ^ sender);
        while !self.is_over() {
            let count = 1 + chance.below(3);
            let first = self.numbers.fetch_add(count, Ordering::Relaxed);
            let numbers = first..first + count;
            let events = numbers
                .clone()
                .map(|number| Event::of(self.seed, number).body());
            let body = json!({ "events": events.collect::<Vec<Value>>() });
            while !self.deliver(&body).await {
                lock(&self.sent).refused += 1;
                Clock::rest(AGAIN_AFTER).await;
            }
            lock(&self.sent).events.extend(numbers);
            if chance.once_in(8) && self.deliver(&body).await {
                lock(&self.sent).repeated += 1;
            }
            Clock::rest(self.pause).await;
        }
    }

    async fn deliver(&self, body: &Value) -> bool {
        let path = "/webhooks/torture/take-event";
        let asked = self.api.try_ask(Method::POST, path, Some(body)).await;
        matches!(asked, Asked::Answered(200..=299, _))
    }

    async fn ask_for_runs(self) {
        for number in 0_u64.. {
            if self.is_over() {
                return;
            }
            let is_listing = number % 2 == 1;
            let run = Run {
                id: format!("run-{number}"),
                is_listing,
            };
            let (recipe, input) = if is_listing {
                ("all-pages", json!({ "run": run.id }))
            } else {
                let numbers: Vec<u64> = (0..ROUNDS).collect();
                ("many-rounds", json!({ "run": run.id, "numbers": numbers }))
            };
            let path = format!("/api/recipes/torture/{recipe}/run");
            let body = json!({ "input": input });
            match self.api.try_ask(Method::POST, &path, Some(&body)).await {
                Asked::Answered(200..=299, _) => lock(&self.sent).runs.push(run),
                // It certainly did not begin.
                Asked::Answered(..) | Asked::NotSent => {}
                Asked::Lost => lock(&self.sent).doubtful_runs.push(run),
            }
            Clock::rest(self.pause * 5).await;
        }
    }
}
