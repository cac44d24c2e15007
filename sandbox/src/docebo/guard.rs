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
}

const HOUR: i64 = 3_600 * SECOND;

#[derive(Debug, Default)]
pub(crate) struct Guard {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    batch: Lane,
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
        if self.class == Class::Batch {
            self.guard.with(|inner| inner.batch.in_flight -= 1);
        }
    }
}

impl Guard {
    /// Counts a call as under way until the permit is dropped.
    pub(crate) fn enter(&self, class: Class) -> Permit<'_> {
        let is_overlap = class == Class::Batch
            && self.with(|inner| {
                let lane = &mut inner.batch;
                lane.calls += 1;
                lane.in_flight += 1;
                lane.in_flight_max = lane.in_flight_max.max(lane.in_flight);
                let is_overlap = lane.in_flight > 1;
                lane.overlaps += u64::from(is_overlap);
                is_overlap
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
                "overlaps": inner.batch.overlaps,
                "classes": { "batch": {
                    "calls": inner.batch.calls,
                    "in_flight": inner.batch.in_flight,
                    "in_flight_max": inner.batch.in_flight_max,
                    "overlaps": inner.batch.overlaps,
                } },
                "calls_per_hour_max": inner.calls_per_hour_max,
                "refused_429": inner.refused,
            })
        })
    }

    /// Forgets what was counted, not what is under way.
    pub(crate) fn reset(&self) {
        self.with(|inner| {
            let in_flight = inner.batch.in_flight;
            *inner = Inner::default();
            inner.batch.in_flight = in_flight;
        });
    }

    fn with<T>(&self, what: impl FnOnce(&mut Inner) -> T) -> T {
        what(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
