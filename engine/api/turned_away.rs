//! Deliveries whose senders did not sign in, or could not: how many, and what was wrong with the
//! last.
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
pub(super) struct Line {
    /// How many.
    pub(super) count: u64,
    /// When the last.
    pub(super) last_at: Moment,
    /// What was wrong with the last.
    pub(super) last_why: String,
    /// Whether that was ours to mend, and not the sender's.
    pub(super) is_ours: bool,
}

impl TurnedAway {
    /// Counts a refusal, if it is one of a sender that did not sign in, or that could not.
    pub(super) fn count(&self, recipe: &RecipeName, refusal: &Refusal, now: Moment) {
        let (why, is_ours) = match refusal {
            Refusal::NotSignedIn { message, .. } => (message, false),
            Refusal::NotSetUp(why) => (why, true),
            _ => return,
        };
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = lines.get(recipe).map_or(0, |line| line.count) + 1;
        let line = Line {
            count,
            last_at: now,
            last_why: why.clone(),
            is_ours,
        };
        lines.insert(recipe.clone(), line);
    }

    /// What was turned away of a recipe's deliveries, if any was.
    pub(super) fn of(&self, recipe: &RecipeName) -> Option<Line> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(recipe).cloned()
    }

    /// What is shown of a recipe; null if nothing was turned away.
    pub(super) fn shown(&self, recipe: &RecipeName) -> Value {
        self.of(recipe).map_or(Value::Null, |line| {
            json!({
                "count": line.count,
                "last_at": wire::moment(line.last_at),
                "last_why": line.last_why,
            })
        })
    }
}
