//! One effect, done.
//!
//! In: an effect that needs no commit of its own. Out: its answer, or when to try.

use std::time::Duration;

use super::{Point, World};
use crate::clock::Moment;
use crate::connector::Effect as Repeats;
use crate::interpret::{Answer, Called, Effect, EffectKind};
use crate::step::{Asked, Performed};

/// An effect that was performed.
pub(super) struct Done {
    pub(super) effect: Effect,
    pub(super) at: Moment,
    pub(super) outcome: Outcome,
}

/// What came of it.
pub(super) enum Outcome {
    Answer(Answer),
    /// There is room for the call, which is not made yet.
    Room,
    Later(Moment),
}

/// Does what an effect asks for.
pub(super) async fn perform(world: &World, effect: Effect) -> Done {
    let outcome = match &effect.kind {
        EffectKind::Call(call) => {
            if call.action.effect == Repeats::Once {
                world.halt.pass(Point::IntentWritten).await;
            }
            match world.calls.call(call).await {
                Performed::Ended(called) => Outcome::Answer(Answer::Called(called)),
                Performed::Later(moment) => Outcome::Later(moment),
            }
        }
        EffectKind::Verify(call) => match world.calls.verify(call).await {
            Asked::Answered(verified) => Outcome::Answer(Answer::Verified(verified)),
            Asked::Later(moment) => Outcome::Later(moment),
        },
        EffectKind::Read { table, operation } => match world.store.read(table, operation).await {
            Ok(performed) => Outcome::Answer(Answer::Performed(performed)),
            Err(error) => {
                tracing::warn!("a table could not be read: {error}");
                Outcome::Later(world.clock.now().after(Duration::from_secs(1)))
            }
        },
        EffectKind::Change { .. }
        | EffectKind::Timer { .. }
        | EffectKind::Hold(_)
        | EffectKind::Await(_)
        | EffectKind::Decision => Outcome::Answer(Answer::Fired),
    };
    Done {
        effect,
        at: world.clock.now(),
        outcome,
    }
}

/// Whether an effect is a call that changes something outside.
pub(super) fn is_change(effect: &Effect) -> bool {
    matches!(&effect.kind, EffectKind::Call(call) if call.action.effect != Repeats::Read)
}

/// Whether an effect is a call that must not happen twice.
pub(super) fn is_once(effect: &Effect) -> bool {
    matches!(&effect.kind, EffectKind::Call(call) if call.action.effect == Repeats::Once)
}

/// Whether an answer is the good end of a call that comes out the same if it is repeated.
pub(super) fn is_repeatable_end(effect: &Effect, answer: &Answer) -> bool {
    let is_repeatable = matches!(
        &effect.kind,
        EffectKind::Call(call) if call.action.effect == Repeats::Repeatable
    );
    is_repeatable && matches!(answer, Answer::Called(Called::Done { .. }))
}
