//! How often one address may call. In: each call. Out: whether it is let in, and the fullest
//! windows so far for `/_control/violations`. Always true: it counts whether or not it limits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::moment::SECOND;

/// The five-minute budget is counted in slices of this length.
const SLICE: i64 = 30 * SECOND;
const SLICES: u64 = 10;
const MINUTE: i64 = 60 * SECOND;

#[derive(Debug, Default)]
pub(crate) struct Limits {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    slices: HashMap<IpAddr, Window>,
    searches: HashMap<IpAddr, Window>,
    slice_max: u64,
    search_max: u64,
    refused: u64,
}

#[derive(Debug, Default)]
struct Window {
    number: i64,
    calls: u64,
}

impl Window {
    fn count(&mut self, number: i64) -> u64 {
        if self.number != number {
            self.number = number;
            self.calls = 0;
        }
        self.calls += 1;
        self.calls
    }
}

impl Limits {
    /// Counts a call; false when its slice of 30 s is full. A limit of 0 only counts.
    pub(crate) fn admits(&self, ip: IpAddr, now: i64, per_5_min: u64) -> bool {
        self.with(|inner| {
            let calls = inner.slices.entry(ip).or_default().count(now / SLICE);
            inner.slice_max = inner.slice_max.max(calls);
            let is_admitted = per_5_min == 0 || calls <= per_5_min.div_ceil(SLICES);
            inner.refused += u64::from(!is_admitted);
            is_admitted
        })
    }

    /// The same for the search of `v1`, by the minute.
    pub(crate) fn admits_search(&self, ip: IpAddr, now: i64, per_min: u64) -> bool {
        self.with(|inner| {
            let calls = inner.searches.entry(ip).or_default().count(now / MINUTE);
            inner.search_max = inner.search_max.max(calls);
            let is_admitted = per_min == 0 || calls <= per_min;
            inner.refused += u64::from(!is_admitted);
            is_admitted
        })
    }

    pub(crate) fn report(&self) -> Value {
        self.with(|inner| {
            json!({
                "calls_per_30_s_max": inner.slice_max,
                "v1_searches_per_min_max": inner.search_max,
                "refused_429": inner.refused,
            })
        })
    }

    pub(crate) fn reset(&self) {
        self.with(|inner| *inner = Inner::default());
    }

    fn with<T>(&self, what: impl FnOnce(&mut Inner) -> T) -> T {
        what(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
