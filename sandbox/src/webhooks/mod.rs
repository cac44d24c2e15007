//! Webhooks out. In: events of a vendor, in order, and the webhooks that want them. Out: HTTP
//! deliveries with Basic auth, grouped, repeated after failures, doubled or reordered on demand.
//! Always true: a delivery keeps its message id and body through every attempt, and nothing is
//! sent before the sandbox clock says so.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use crate::chance::Chance;
use crate::clock::Clock;
use crate::moment::{SECOND, format_moment};
use crate::wire::glob;

pub(crate) use deliver::Retries;

mod deliver;

/// Deliveries that are remembered for `/_control/webhooks/deliveries` and for sending again.
const DELIVERIES_MAX: usize = 20_000;

/// The vendor groups at most this many payloads into one delivery.
const GROUP_MAX: usize = 25;

/// One webhook, as an admin would set it up in the vendor's own pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its number; chosen when absent.
    #[serde(default)]
    pub id: i64,
    /// Where deliveries go.
    pub url: String,
    /// Event names, `*` patterns allowed; every event when empty.
    #[serde(default)]
    pub events: Vec<String>,
    /// User of Basic auth; none is sent when absent.
    #[serde(default)]
    pub user: Option<String>,
    /// Password of Basic auth.
    #[serde(default, skip_serializing)]
    pub password: Option<String>,
    /// Whether payloads of the same event are put together, at most 25 to a delivery.
    #[serde(default)]
    pub group: bool,
    /// How long a group stays open after its first payload, in milliseconds of sandbox time.
    #[serde(default = "defaults::window_ms")]
    pub window_ms: i64,
    /// How many extra copies of each delivery are sent.
    #[serde(default)]
    pub duplicates: u32,
    /// Whether deliveries wait for `window_ms` and are then sent newest first.
    #[serde(default)]
    pub reorder: bool,
    /// How often a delivery is tried before it is given up.
    #[serde(default = "defaults::attempts_max")]
    pub attempts_max: usize,
    /// The pause after the first failure, in seconds of sandbox time; it doubles each time.
    #[serde(default = "defaults::backoff_s")]
    pub backoff_s: i64,
}

mod defaults {
    pub(super) fn window_ms() -> i64 {
        500
    }

    /// The vendor promises retries with back-off and a limit, and names no numbers.
    pub(super) fn attempts_max() -> usize {
        8
    }

    pub(super) fn backoff_s() -> i64 {
        10
    }
}

/// Something that happened at a vendor and may interest a webhook.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) payload: Value,
    pub(crate) is_batch: bool,
}

/// One delivery and every attempt at it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Delivery {
    #[serde(skip)]
    pub(crate) seq: u64,
    pub(crate) message_id: String,
    pub(crate) webhook_id: i64,
    pub(crate) event: String,
    pub(crate) payloads: usize,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) body: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    Waiting,
    Delivered,
    GivenUp,
}

/// One try at a delivery.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attempt {
    pub(crate) at: String,
    /// The status that the receiver answered.
    pub(crate) status: Option<u16>,
    /// Why there was no answer.
    pub(crate) error: Option<String>,
}

/// The webhooks of one vendor and what they have yet to send.
#[derive(Debug)]
pub(crate) struct Outbox {
    clock: Arc<Clock>,
    client: reqwest::Client,
    domain: String,
    inner: Mutex<Inner>,
    wake: Notify,
    progress: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    hooks: BTreeMap<i64, Webhook>,
    groups: BTreeMap<(i64, String, bool), Group>,
    /// What is to be sent, by moment; the second number keeps the order among equals.
    pending: BTreeMap<(i64, i64), u64>,
    deliveries: VecDeque<Delivery>,
    chance: Chance,
    last_seq: u64,
    last_tie: i64,
    in_flight: usize,
    /// Whether what is in flight belongs to a reordering webhook.
    is_one_by_one: bool,
}

#[derive(Debug)]
struct Group {
    closes_at: i64,
    payloads: Vec<Value>,
}

impl Outbox {
    pub(crate) fn new(clock: Arc<Clock>, domain: &str, seed: u64) -> reqwest::Result<Arc<Self>> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .build()?;
        let inner = Inner {
            hooks: BTreeMap::new(),
            groups: BTreeMap::new(),
            pending: BTreeMap::new(),
            deliveries: VecDeque::new(),
            chance: Chance::new(seed),
            last_seq: 0,
            last_tie: 0,
            in_flight: 0,
            is_one_by_one: false,
        };
        Ok(Arc::new(Self {
            clock,
            client,
            domain: domain.to_owned(),
            inner: Mutex::new(inner),
            wake: Notify::new(),
            progress: watch::Sender::new(0),
        }))
    }

    /// Adds or replaces a webhook and returns its number.
    pub(crate) fn register(&self, mut hook: Webhook) -> i64 {
        self.with(|inner| {
            if hook.id == 0 {
                hook.id = inner.hooks.keys().next_back().unwrap_or(&0) + 1;
            }
            let id = hook.id;
            inner.hooks.insert(id, hook);
            id
        })
    }

    pub(crate) fn unregister(&self, id: i64) -> bool {
        self.with(|inner| inner.hooks.remove(&id).is_some())
    }

    pub(crate) fn hooks(&self) -> Vec<Webhook> {
        self.with(|inner| inner.hooks.values().cloned().collect())
    }

    /// Forgets every webhook, group and delivery, and takes these webhooks instead.
    pub(crate) fn reset(&self, hooks: Vec<Webhook>) {
        self.with(|inner| {
            inner.hooks.clear();
            inner.groups.clear();
            inner.pending.clear();
            inner.deliveries.clear();
        });
        for hook in hooks {
            self.register(hook);
        }
    }

    /// Takes events in the order in which they happened.
    pub(crate) fn emit(&self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let now = self.clock.now();
        self.with(|inner| {
            for event in events {
                inner.route(&event, now, &self.domain);
            }
        });
        self.wake.notify_one();
    }

    /// The deliveries that are remembered, oldest first.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.with(|inner| inner.deliveries.iter().cloned().collect())
    }

    fn with<T>(&self, what: impl FnOnce(&mut Inner) -> T) -> T {
        what(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn route(&mut self, event: &Event, now: i64, domain: &str) {
        let wanted = |hook: &Webhook| {
            hook.events.is_empty() || hook.events.iter().any(|e| glob::matches(e, &event.name))
        };
        let hooks: Vec<Webhook> = self.hooks.values().filter(|h| wanted(h)).cloned().collect();
        for hook in hooks {
            if !hook.group {
                let payloads = vec![event.payload.clone()];
                self.post(&hook, &event.name, event.is_batch, payloads, (now, domain));
                continue;
            }
            let key = (hook.id, event.name.clone(), event.is_batch);
            let closes_at = now.saturating_add(hook.window_ms * 1_000);
            let open = || Group {
                closes_at,
                payloads: Vec::new(),
            };
            let group = self.groups.entry(key.clone()).or_insert_with(open);
            group.payloads.push(event.payload.clone());
            if group.payloads.len() == GROUP_MAX {
                self.close(&key, (now, domain));
            }
        }
    }

    /// Turns an open group into a delivery.
    fn close(&mut self, key: &(i64, String, bool), when: (i64, &str)) {
        let Some(group) = self.groups.remove(key) else {
            return;
        };
        let Some(hook) = self.hooks.get(&key.0).cloned() else {
            return;
        };
        self.post(&hook, &key.1, key.2, group.payloads, when);
    }

    fn post(
        &mut self,
        hook: &Webhook,
        event: &str,
        is_batch: bool,
        mut payloads: Vec<Value>,
        (now, domain): (i64, &str),
    ) {
        let day = format_moment(now, "%Y%m%d-%H%M%S");
        let message_id = format!("wh-{day}-{}", self.chance.uuid());
        let count = payloads.len();
        let mut body = json!({
            "message_id": message_id,
            "webhook_id": hook.id,
            "original_domain": domain,
            "event": event,
            "fired_by_batch_action": is_batch,
        });
        if hook.group {
            body["payloads"] = Value::Array(payloads);
        } else {
            body["payload"] = payloads.pop().unwrap_or_default();
        }
        self.last_seq += 1;
        let seq = self.last_seq;
        if self.deliveries.len() == DELIVERIES_MAX {
            self.deliveries.pop_front();
        }
        self.deliveries.push_back(Delivery {
            seq,
            message_id,
            webhook_id: hook.id,
            event: event.to_owned(),
            payloads: count,
            state: DeliveryState::Waiting,
            attempts: Vec::new(),
            body,
        });
        for _ in 0..=hook.duplicates {
            self.schedule(hook, seq, now);
        }
    }

    /// Queues a new delivery; a reordering webhook holds it and sends the newest first.
    fn schedule(&mut self, hook: &Webhook, seq: u64, now: i64) {
        if hook.reorder {
            let window = (hook.window_ms * 1_000).max(1);
            self.last_tie += 1;
            self.pending
                .insert(((now / window + 1) * window, -self.last_tie), seq);
        } else {
            self.queue(now, seq);
        }
    }

    fn queue(&mut self, due: i64, seq: u64) {
        self.last_tie += 1;
        self.pending.insert((due, self.last_tie), seq);
    }

    fn delivery(&mut self, seq: u64) -> Option<&mut Delivery> {
        let place = self.place(seq)?;
        self.deliveries.get_mut(place)
    }

    /// The numbers of the remembered deliveries have no gaps, so that one is found by its place.
    fn place(&self, seq: u64) -> Option<usize> {
        let first = self.deliveries.front()?.seq;
        usize::try_from(seq.checked_sub(first)?).ok()
    }

    /// The pause before the next try, doubled for each failure so far.
    fn pause(hook: &Webhook, failures: usize) -> i64 {
        let doublings = u32::try_from(failures.saturating_sub(1))
            .unwrap_or(u32::MAX)
            .min(20);
        hook.backoff_s
            .saturating_mul(SECOND)
            .saturating_mul(1 << doublings)
    }
}
