//! Faults on order. In: rules such as "the third POST to this path is reset after its work". Out:
//! for each request, the fault that strikes it, if any. Always true: calls are counted from the
//! moment the rule was made, and the first rule that strikes wins.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::chance::Chance;
use crate::wire::glob;

/// What is done to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// The connection is reset and the work is not done.
    ResetBefore,
    /// The work is done and then the connection is reset; the caller cannot know.
    ResetAfter,
    /// This status is answered and the work is not done.
    Status {
        /// The status code.
        code: u16,
        /// Headers to send, `Retry-After` for one.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body: a string is sent as it is, anything else as JSON.
        #[serde(default)]
        body: Value,
    },
    /// The work is done after this many real milliseconds.
    Slow {
        /// Real milliseconds: the timeouts of callers are real, too.
        ms: u64,
    },
    /// The work is done, the answer promises its whole length and breaks off in the middle.
    Truncated,
    /// The work is done and this is answered in place of what came of it: an error of the way
    /// there, a page of HTML, half of the JSON.
    AnswerAfter {
        /// The status code.
        code: u16,
        /// Headers to send.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body: a string is sent as it is, anything else as JSON.
        #[serde(default)]
        body: Value,
    },
    /// The work is done at once and its answer comes after this many real milliseconds.
    Late {
        /// Real milliseconds: the timeouts of callers are real, too.
        ms: u64,
    },
    /// The work is done once all orders are taken back, whether or not the caller still waits then.
    Held,
    /// The work is not done and no answer ever comes.
    Hang,
    /// The work is done and no answer ever comes.
    HangAfter,
}

impl FaultKind {
    /// The word that the request journal shows.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ResetBefore => "reset_before",
            Self::ResetAfter => "reset_after",
            Self::Status { .. } => "status",
            Self::Slow { .. } => "slow",
            Self::Truncated => "truncated",
            Self::AnswerAfter { .. } => "answer_after",
            Self::Late { .. } => "late",
            Self::Held => "held",
            Self::Hang => "hang",
            Self::HangAfter => "hang_after",
        }
    }
}

/// One order for faults, as `POST /_control/faults` takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Only requests with this method; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths that match this pattern (`*` within a segment, `**` across); any when absent.
    #[serde(default)]
    pub path: Option<String>,
    /// Strikes from the nth matching call on, counted from 1; the next call when absent.
    #[serde(default)]
    pub nth: Option<u64>,
    /// Strikes every so many matching calls instead.
    #[serde(default)]
    pub every: Option<u64>,
    /// Strikes each matching call with this probability instead (seeded).
    #[serde(default)]
    pub chance: Option<f64>,
    /// How often it strikes at most: once by default, without end with `every` and `chance`.
    #[serde(default)]
    pub count: Option<u64>,
    /// What is done.
    pub kind: FaultKind,
}

impl FaultRule {
    fn takes(&self, method: &str, path: &str) -> bool {
        self.method
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self
                .path
                .as_ref()
                .is_none_or(|pattern| glob::matches(pattern, path))
    }
}

/// A rule at work.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Order {
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) rule: FaultRule,
    pub(crate) calls: u64,
    pub(crate) struck: u64,
}

impl Order {
    /// Counts one matching call and says whether the fault strikes it.
    fn strikes(&mut self, chance: &mut Chance) -> bool {
        self.calls += 1;
        let endless = self.rule.every.is_some() || self.rule.chance.is_some();
        let count_max = self
            .rule
            .count
            .unwrap_or(if endless { u64::MAX } else { 1 });
        if self.struck >= count_max {
            return false;
        }
        let is_due = match (self.rule.chance, self.rule.every) {
            (Some(probability), _) => chance.happens(probability),
            (None, Some(every)) => self.calls.is_multiple_of(every.max(1)),
            (None, None) => self.calls >= self.rule.nth.unwrap_or(1),
        };
        self.struck += u64::from(is_due);
        is_due
    }
}

/// The fault orders of one server.
#[derive(Debug)]
pub(crate) struct Faults {
    inner: Mutex<Inner>,
    /// How often all orders were taken back.
    cleared: watch::Sender<u64>,
    /// How many requests are held back.
    held: watch::Sender<usize>,
}

/// A request that is held back, until it is dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    cleared: watch::Receiver<u64>,
    held: watch::Sender<usize>,
}

impl Hold {
    /// Returns once all orders were taken back.
    pub(crate) async fn over(&mut self) {
        // Who holds the other end is gone only with the server.
        let _ = self.cleared.changed().await;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.held.send_modify(|held| *held -= 1);
    }
}

#[derive(Debug)]
struct Inner {
    orders: Vec<Order>,
    last_id: u64,
    chance: Chance,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        let inner = Inner {
            orders: Vec::new(),
            last_id: 0,
            chance: Chance::new(seed),
        };
        Self {
            inner: Mutex::new(inner),
            cleared: watch::Sender::new(0),
            held: watch::Sender::new(0),
        }
    }

    pub(crate) fn order(&self, rule: FaultRule) -> u64 {
        self.with(|inner| {
            inner.last_id += 1;
            inner.orders.push(Order {
                id: inner.last_id,
                rule,
                calls: 0,
                struck: 0,
            });
            inner.last_id
        })
    }

    /// Counts this request in every rule that it matches; the first that strikes is returned, with
    /// what holds the request back if that is the fault.
    pub(crate) fn strike(&self, method: &str, path: &str) -> (Option<FaultKind>, Option<Hold>) {
        // Asked for first, so that what is taken back from now on is noticed.
        let cleared = self.cleared.subscribe();
        let fault = self.struck(method, path);
        let hold = (fault == Some(FaultKind::Held)).then(|| {
            self.held.send_modify(|held| *held += 1);
            Hold {
                cleared,
                held: self.held.clone(),
            }
        });
        (fault, hold)
    }

    fn struck(&self, method: &str, path: &str) -> Option<FaultKind> {
        self.with(|inner| {
            let Inner { orders, chance, .. } = inner;
            let mut struck = None;
            for order in orders
                .iter_mut()
                .filter(|order| order.rule.takes(method, path))
            {
                if struck.is_none() && order.strikes(chance) {
                    struck = Some(order.rule.kind.clone());
                } else if struck.is_some() {
                    order.calls += 1;
                }
            }
            struck
        })
    }

    pub(crate) fn list(&self) -> Vec<Order> {
        self.with(|inner| inner.orders.clone())
    }

    pub(crate) fn clear(&self) {
        self.with(|inner| inner.orders.clear());
        self.cleared.send_modify(|times| *times += 1);
    }

    /// Returns once no request is held back.
    pub(crate) async fn none_held(&self) {
        let _ = self.held.subscribe().wait_for(|held| *held == 0).await;
    }

    /// Takes one order back; false when there is none with this number.
    pub(crate) fn remove(&self, id: u64) -> bool {
        self.with(|inner| {
            let before = inner.orders.len();
            inner.orders.retain(|order| order.id != id);
            inner.orders.len() < before
        })
    }

    fn with<T>(&self, what: impl FnOnce(&mut Inner) -> T) -> T {
        what(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
