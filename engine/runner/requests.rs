//! What people ask of a job while it runs.

use std::collections::BTreeMap;

use crate::interpret::{Answer, Effect, EffectKind};
use crate::store::RequestKind;

use super::run::Run;

impl Run<'_> {
    /// Hands what people asked to the machine; whether it has something to go on with.
    pub(super) fn take_up_requests(&mut self) -> bool {
        let mut has_news = false;
        for request in std::mem::take(&mut self.requests) {
            match request.kind {
                RequestKind::Cancel { .. } => {
                    self.machine.cancel();
                    self.withdraw_put_off();
                    let mut unsent = self.withhold_blocked();
                    let is_call = |effect: &Effect| matches!(effect.kind, EffectKind::Call(_));
                    let timers = std::mem::take(&mut self.timers);
                    let (put_off, timers) = timers.into_iter().partition(|(_, e)| is_call(e));
                    self.timers = timers;
                    unsent.extend(BTreeMap::into_values(put_off));
                    for effect in unsent {
                        self.machine.abandon(effect.number);
                    }
                    self.decisions.clear();
                    self.pending.consumed_requests.push(request.number);
                    has_news = true;
                }
                RequestKind::Decide {
                    ref key,
                    ref decision,
                    ref by,
                } => {
                    let Some(number) = self.decisions.remove(key) else {
                        self.requests.push(request);
                        continue;
                    };
                    let answer = Answer::Decided {
                        decision: decision.clone(),
                        by: by.clone(),
                    };
                    self.machine.answer(number, self.world.clock.now(), answer);
                    self.pending.consumed_requests.push(request.number);
                    has_news = true;
                }
            }
        }
        has_news
    }
}
