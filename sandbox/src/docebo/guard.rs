//! Rules that a tenant only suffers from: batch and org-chart writes must not overlap, and calls
//! per hour are bounded. In: each call. Out: what was broken, for `/_control/violations`. Always
//! true: it counts whether or not the quirks also refuse.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::moment::SECOND;

/// Calls that the vendor says must never run at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Anything goes.
    Free,
    /// Batch endpoints.
    Batch,
    /// Batch endpoints that also write to the tree of branches.
    Tree,
}

impl Class {
    fn is_batch(self) -> bool {
        self != Self::Free
    }

    fn is_tree(self) -> bool {
        self == Self::Tree
    }
}

const HOUR: i64 = 3_600 * SECOND;

#[derive(Debug, Default)]
pub(crate) struct Guard {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    batch: Lane,
    orgchart: Lane,
    hour: i64,
    calls_this_hour: u64,
    calls_per_hour_max: u64,
    refused: u64,
    buckets: HashMap<IpAddr, Bucket>,
}

#[derive(Debug, Default)]
struct Lane {
    calls: u64,
    in_flight: u64,
    in_flight_max: u64,
    overlaps: u64,
}

impl Lane {
    /// Lets a call in; whether another is inside.
    fn enter(&mut self) -> bool {
        self.calls += 1;
        self.in_flight += 1;
        self.in_flight_max = self.in_flight_max.max(self.in_flight);
        let is_overlap = self.in_flight > 1;
        self.overlaps += u64::from(is_overlap);
        is_overlap
    }

    fn report(&self) -> Value {
        json!({
            "calls": self.calls,
            "in_flight": self.in_flight,
            "in_flight_max": self.in_flight_max,
            "overlaps": self.overlaps,
        })
    }
}

/// A token bucket: full at first, refilled evenly over an hour.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: i64,
}

/// Held while an exclusive write is under way.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    guard: &'a Guard,
    class: Class,
    pub(crate) is_overlap: bool,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.guard.with(|inner| {
            inner.batch.in_flight -= u64::from(self.class.is_batch());
            inner.orgchart.in_flight -= u64::from(self.class.is_tree());
        });
    }
}

impl Guard {
    /// Counts a call as under way until the permit is dropped.
    pub(crate) fn enter(&self, class: Class) -> Permit<'_> {
        let is_overlap = self.with(|inner| {
            let in_batch = class.is_batch() && inner.batch.enter();
            let in_tree = class.is_tree() && inner.orgchart.enter();
            in_batch || in_tree
        });
        Permit {
            guard: self,
            class,
            is_overlap,
        }
    }

    /// Counts a call of this address; false when the bucket is empty. A limit of 0 only counts.
    pub(crate) fn admits(&self, ip: IpAddr, now: i64, calls_per_hour: u64) -> bool {
        self.with(|inner| {
            if inner.hour != now / HOUR {
                inner.hour = now / HOUR;
                inner.calls_this_hour = 0;
            }
            inner.calls_this_hour += 1;
            inner.calls_per_hour_max = inner.calls_per_hour_max.max(inner.calls_this_hour);
            if calls_per_hour == 0 {
                return true;
            }
            let full = calls_per_hour as f64;
            let bucket = inner.buckets.entry(ip).or_insert(Bucket {
                left: full,
                at: now,
            });
            let refill = (now - bucket.at).max(0) as f64 / HOUR as f64 * full;
            bucket.left = (bucket.left + refill).min(full);
            bucket.at = now;
            let is_admitted = bucket.left >= 1.0;
            if is_admitted {
                bucket.left -= 1.0;
            } else {
                inner.refused += 1;
            }
            is_admitted
        })
    }

    pub(crate) fn report(&self) -> Value {
        self.with(|inner| {
            json!({
                "overlaps": inner.batch.overlaps + inner.orgchart.overlaps,
                "classes": {
                    "batch": inner.batch.report(),
                    "orgchart": inner.orgchart.report(),
                },
                "calls_per_hour_max": inner.calls_per_hour_max,
                "refused_429": inner.refused,
            })
        })
    }

    /// Forgets what was counted, not what is under way.
    pub(crate) fn reset(&self) {
        self.with(|inner| {
            let under_way = [inner.batch.in_flight, inner.orgchart.in_flight];
            *inner = Inner::default();
            [inner.batch.in_flight, inner.orgchart.in_flight] = under_way;
        });
    }

    fn with<T>(&self, what: impl FnOnce(&mut Inner) -> T) -> T {
        what(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
