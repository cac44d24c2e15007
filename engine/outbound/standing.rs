//! Why calls wait, for whoever looks at their job.
//!
//! In: a call that has not ended. Out: the budget that has no room for it, and until when.
//! Always true: looking takes no room and no place in line.

use super::Outbound;
use crate::interpret::Call;
use crate::step::HeldUp;

impl Outbound {
    /// What holds a call up, as far as its connection's budgets do.
    pub(super) fn why_held_up(&self, call: &Call) -> Option<HeldUp> {
        let prepared = self.prepare(call).ok()?;
        let connection = &prepared.connection.name;
        if let Some(until) = self.budgets.closed_until(connection) {
            return Some(HeldUp {
                connection: connection.clone(),
                budget: None,
                until,
            });
        }
        let values = prepared.values(&call.call_key, self.clock.now());
        let budgets = prepared.budgets(&values).ok()?;
        let full = budgets
            .iter()
            .filter_map(|budget| Some((self.budgets.full_until(connection, budget)?, budget)));
        let (until, budget) = full.max_by_key(|(until, _)| *until)?;
        Some(HeldUp {
            connection: connection.clone(),
            budget: Some((budget.calls, budget.window)),
            until,
        })
    }
}
