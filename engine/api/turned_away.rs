//! Deliveries whose senders did not sign in: how many, and what was wrong with the last.
//!
//! In: refusals. Out: a count for each recipe since the server started.
//! Always true: strangers make nothing grow: one line for each recipe with a webhook, in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::clock::Moment;
use crate::data::Value;
use crate::names::RecipeName;
use crate::trigger::Refusal;

use super::wire;

/// What was turned away since the server started.
#[derive(Debug, Default)]
pub struct TurnedAway(Mutex<BTreeMap<RecipeName, Line>>);

/// What was turned away of one recipe's deliveries.
#[derive(Clone, Debug)]
struct Line {
    count: u64,
    last_at: Moment,
    last_why: String,
}

impl TurnedAway {
    /// Counts a refusal, if it is one of a sender that did not sign in.
    pub(super) fn count(&self, recipe: &RecipeName, refusal: &Refusal, now: Moment) {
        let Refusal::NotSignedIn { message, .. } = refusal else {
            return;
        };
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = lines.get(recipe).map_or(0, |line| line.count) + 1;
        let line = Line {
            count,
            last_at: now,
            last_why: message.clone(),
        };
        lines.insert(recipe.clone(), line);
    }

    /// How many deliveries to a recipe were turned away, when the last, and what was wrong with it.
    pub(super) fn of(&self, recipe: &RecipeName) -> Option<(u64, Moment, String)> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.get(recipe)?;
        Some((line.count, line.last_at, line.last_why.clone()))
    }

    /// What is shown of a recipe; null if nothing was turned away.
    pub(super) fn shown(&self, recipe: &RecipeName) -> Value {
        self.of(recipe).map_or(Value::Null, |(count, at, why)| {
            json!({ "count": count, "last_at": wire::moment(at), "last_why": why })
        })
    }
}
