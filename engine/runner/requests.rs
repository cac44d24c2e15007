//! What people ask of a job while it runs.

use crate::interpret::{Answer, Effect, EffectKind};
use crate::store::{JobRequest, RequestKind};

use super::run::{Numbers, Run};

impl Run<'_> {
    /// Cancels before the first turn if that was asked first of all: then nothing new begins even
    /// on the way back to where the job was.
    pub(super) fn cancel_first(&mut self) {
        while let Some(JobRequest {
            number,
            kind: RequestKind::Cancel { by },
            ..
        }) = self.requests.first()
        {
            self.machine.cancel(by, self.world.clock.now());
            self.pending.consumed_requests.push(*number);
            self.requests.remove(0);
        }
    }

    /// Hands what people asked to the machine; whether it has something to go on with.
    pub(super) fn take_up_requests(&mut self) -> bool {
        let mut has_news = false;
        for request in std::mem::take(&mut self.requests) {
            match request.kind {
                RequestKind::Cancel { ref by } => {
                    self.cancel(by);
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

    /// Lets go whatever was asked for and has not begun, except what cleans up.
    fn cancel(&mut self, by: &str) {
        let now = self.world.clock.now();
        self.machine.cancel(by, now);
        let mut unsent: Vec<Effect> = self.blocked.extract_if(.., |e| !e.is_cleaning).collect();
        let waiting = std::mem::take(&mut self.timers);
        for (place, effect) in waiting {
            if effect.is_cleaning {
                self.timers.insert(place, effect);
            } else if matches!(effect.kind, EffectKind::Call(_)) {
                unsent.push(effect);
            }
        }
        self.withdraw(unsent.iter());
        let unsent = unsent.iter().map(|effect| effect.number);
        let given_up: Vec<u64> = unsent.chain(self.take_back_changes()).collect();
        for number in given_up {
            self.machine.abandon(number);
        }
        self.in_line.retain(|(asker, _)| asker.is_cleaning);
        self.decisions.clear();
    }

    /// Takes back what the next commit would have done for steps that do not clean up; answers the
    /// numbers of the table operations. The machine gives places in line up by itself.
    fn take_back_changes(&mut self) -> Vec<u64> {
        let Numbers { tables, holds } = std::mem::take(&mut self.pending_numbers);
        let operations = std::mem::take(&mut self.pending.table_operations);
        let mut taken_back = Vec::new();
        for (operation, asker) in operations.into_iter().zip(tables) {
            if asker.is_cleaning {
                self.pending.table_operations.push(operation);
                self.pending_numbers.tables.push(asker);
            } else {
                taken_back.push(asker.number);
            }
        }
        let requests = std::mem::take(&mut self.pending.holds);
        for (request, asker) in requests.into_iter().zip(holds) {
            if asker.is_cleaning {
                self.pending.holds.push(request);
                self.pending_numbers.holds.push(asker);
            }
        }
        taken_back
    }
}
