//! The sending side of the webhooks. In: the queue. Out: attempts, each noted on its delivery.
//! Always true: 2xx and 3xx are success, anything else is tried again later or given up.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use super::{Attempt, Delivery, DeliveryState, Inner, Outbox, Webhook};
use crate::moment::format_moment;

/// Attempts that are under way at once; the vendor promises no order, so neither do we.
const IN_FLIGHT_MAX: usize = 16;

/// Waits this long when nothing at all is queued; a new delivery wakes the loop at once.
const IDLE: i64 = i64::MAX;

/// What a flush does with deliveries that failed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retries {
    /// They wait for the clock.
    Wait,
    /// They are tried at once.
    Now,
}

/// One attempt, taken from the queue.
struct Job {
    seq: u64,
    hook: Webhook,
    body: Value,
}

impl Outbox {
    /// Sends what is due, as long as the sandbox lives.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut attempts = JoinSet::new();
        loop {
            let now = self.clock.now();
            for job in self.with(|inner| inner.take_due(now, &self.domain)) {
                let outbox = Arc::clone(&self);
                attempts.spawn(async move { outbox.attempt(job).await });
            }
            // A delivery whose webhook is gone left the queue without an attempt; whoever waits for
            // the queue must hear of it.
            self.progress.send_modify(|count| *count += 1);
            let next = self.with(|inner| inner.next_moment());
            tokio::select! {
                () = self.clock.reach(next.unwrap_or(IDLE)) => {}
                () = self.wake.notified() => {}
                Some(_) = attempts.join_next() => {}
            }
        }
    }

    /// Closes every group, sends what was never tried (and, with `Retries::Now`, what is in
    /// back-off, once), waits until that is done and returns how many deliveries still wait.
    pub(crate) async fn flush(&self, retries: Retries) -> usize {
        let now = self.clock.now();
        let mut progress = self.progress.subscribe();
        self.with(|inner| inner.make_due(now, &self.domain, retries));
        self.wake.notify_one();
        // A try that fails goes back into the queue for later, so the queue does get empty.
        while !self.with(|inner| inner.is_quiet(now)) {
            if progress.changed().await.is_err() {
                break;
            }
        }
        self.with(|inner| inner.pending.len())
    }

    /// Sends a delivery again: this one, or the last one when no id is given.
    pub(crate) async fn redeliver(&self, message_id: Option<&str>) -> Option<Delivery> {
        let now = self.clock.now();
        let mut progress = self.progress.subscribe();
        let (seq, tried) = self.with(|inner| {
            let wanted = |d: &&Delivery| message_id.is_none_or(|id| id == d.message_id);
            let delivery = inner.deliveries.iter().rev().find(wanted)?;
            let found = (delivery.seq, delivery.attempts.len());
            inner.queue(now, found.0);
            Some(found)
        })?;
        self.wake.notify_one();
        let has_tried = |inner: &mut Inner| {
            inner
                .delivery(seq)
                .is_none_or(|delivery| delivery.attempts.len() > tried)
        };
        while !self.with(has_tried) {
            if progress.changed().await.is_err() {
                break;
            }
        }
        self.with(|inner| inner.delivery(seq).cloned())
    }

    async fn attempt(&self, job: Job) {
        let mut request = self.client.post(&job.hook.url).json(&job.body);
        if let Some(user) = &job.hook.user {
            request = request.basic_auth(user, job.hook.password.as_ref());
        }
        let (status, error) = match request.send().await {
            Ok(response) => (Some(response.status().as_u16()), None),
            Err(error) => (None, Some(error.without_url().to_string())),
        };
        let now = self.clock.now();
        let at = format_moment(now, "%Y-%m-%dT%H:%M:%S%.3fZ");
        let is_ok = status.is_some_and(|status| (200..400).contains(&status));
        self.with(|inner| {
            inner.in_flight -= 1;
            inner.is_one_by_one &= inner.in_flight > 0;
            inner.note(&job, Attempt { at, status, error }, is_ok, now);
        });
        self.progress.send_modify(|count| *count += 1);
    }
}

impl Inner {
    fn take_due(&mut self, now: i64, domain: &str) -> Vec<Job> {
        let ripe = self
            .groups
            .iter()
            .filter(|(_, group)| group.closes_at <= now);
        for key in ripe.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.close(&key, (now, domain));
        }
        let mut jobs = Vec::new();
        while self.has_room() {
            let Some(entry) = self.pending.first_entry() else {
                break;
            };
            if entry.key().0 > now {
                break;
            }
            let seq = entry.remove();
            let Some((hook_id, body)) = self.delivery(seq).map(|d| (d.webhook_id, d.body.clone()))
            else {
                continue;
            };
            if let Some(hook) = self.hooks.get(&hook_id).cloned() {
                self.in_flight += 1;
                self.is_one_by_one = hook.reorder;
                jobs.push(Job { seq, hook, body });
            }
        }
        jobs
    }

    /// When there is something to do next. A full house waits for an attempt to end instead.
    fn next_moment(&self) -> Option<i64> {
        let group = self.groups.values().map(|group| group.closes_at).min();
        let has_room = self.has_room();
        let pending = self
            .pending
            .keys()
            .next()
            .filter(|_| has_room)
            .map(|key| key.0);
        group.into_iter().chain(pending).min()
    }

    /// A reordering webhook is sent to one by one, so that its order is really what it says.
    fn has_room(&self) -> bool {
        let next = self.pending.values().next();
        let next = next.and_then(|seq| self.deliveries.get(self.place(*seq)?));
        let next = next.and_then(|delivery| self.hooks.get(&delivery.webhook_id));
        let is_one_by_one = self.is_one_by_one || next.is_some_and(|hook| hook.reorder);
        self.in_flight < if is_one_by_one { 1 } else { IN_FLIGHT_MAX }
    }

    fn make_due(&mut self, now: i64, domain: &str, retries: Retries) {
        for key in self.groups.keys().cloned().collect::<Vec<_>>() {
            self.close(&key, (now, domain));
        }
        for ((due, tie), seq) in std::mem::take(&mut self.pending) {
            let is_new = self
                .delivery(seq)
                .is_some_and(|delivery| delivery.attempts.is_empty());
            let due = if is_new || retries == Retries::Now {
                due.min(now)
            } else {
                due
            };
            self.pending.insert((due, tie), seq);
        }
    }

    /// Whether nothing is under way and nothing is due at this moment.
    fn is_quiet(&self, now: i64) -> bool {
        let is_due = self
            .pending
            .keys()
            .next()
            .is_some_and(|(due, _)| *due <= now);
        self.in_flight == 0 && !is_due
    }

    fn note(&mut self, job: &Job, attempt: Attempt, is_ok: bool, now: i64) {
        let attempts_max = job.hook.attempts_max;
        let Some(delivery) = self.delivery(job.seq) else {
            return;
        };
        delivery.attempts.push(attempt);
        let tried = delivery.attempts.len();
        if is_ok {
            delivery.state = DeliveryState::Delivered;
            return;
        }
        if delivery.state == DeliveryState::Delivered {
            return;
        }
        if tried >= attempts_max {
            delivery.state = DeliveryState::GivenUp;
            return;
        }
        let due = now.saturating_add(Self::pause(&job.hook, tried));
        self.queue(due, job.seq);
    }
}
