//! Handing an effect out and waiting for its answer.
//!
//! Always true: nothing is handed out at a place that is to end early; who no longer waits is
//! forgotten.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::clock::Moment;
use crate::journal::EntryKey;

use super::desk::{Desk, Slot, Surroundings};
use super::effect::{Answer, Effect, EffectKind};

/// Waits for the answer to an effect.
pub(super) struct Ask<'a> {
    desk: &'a Desk,
    asked: Asked,
    surroundings: Surroundings,
}

enum Asked {
    NotYet(Option<(EntryKey, EffectKind)>),
    Under(u64),
}

impl<'a> Ask<'a> {
    /// An effect that is handed out when it is first waited for.
    pub(super) fn new(
        desk: &'a Desk,
        key: EntryKey,
        kind: EffectKind,
        surroundings: Surroundings,
    ) -> Self {
        Self {
            desk,
            asked: Asked::NotYet(Some((key, kind))),
            surroundings,
        }
    }
}

impl Future for Ask<'_> {
    type Output = Option<(Moment, Answer)>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let desk = self.desk;
        let mut state = desk.state();
        if let Asked::NotYet(effect) = &mut self.asked {
            let Some((key, kind)) = effect.take() else {
                return Poll::Pending;
            };
            let is_decision = matches!(kind, EffectKind::Decision);
            state.cancel_closed(&self.surroundings);
            if state.covers(&self.surroundings) || (is_decision && state.cancelled_by.is_some()) {
                return Poll::Ready(None);
            }
            let is_kept = matches!(kind, EffectKind::Call(_) | EffectKind::Change { .. });
            state.numbers += 1;
            let number = state.numbers;
            state.effects.push(Effect {
                number,
                key,
                kind,
                is_cleaning: self.surroundings.is_cleaning,
            });
            let waker = Some(context.waker().clone());
            let surroundings = self.surroundings.clone();
            state.waiting.insert(
                number,
                Slot {
                    answer: None,
                    waker,
                    is_kept,
                    is_decision,
                    surroundings,
                },
            );
            self.asked = Asked::Under(number);
            return Poll::Pending;
        }
        let Asked::Under(number) = self.asked else {
            return Poll::Pending;
        };
        let Some(slot) = state.waiting.get_mut(&number) else {
            return Poll::Pending;
        };
        if let Some(answer) = slot.answer.take() {
            state.waiting.remove(&number);
            return Poll::Ready(answer);
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Ask<'_> {
    fn drop(&mut self) {
        if let Asked::Under(number) = self.asked {
            self.desk.state().waiting.remove(&number);
        }
    }
}
