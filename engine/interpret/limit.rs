//! Time limits of steps with steps inside, and of whole recipes.
//!
//! In: work and the time it may take. Out: its end, or the failure `timed_out`.
//! Always true: the deadline is recorded as it is set and counts on while nothing runs; what is
//! under way when the time is up comes to a clear end first; the steps inside then leave no
//! results and variables behind, so that a resumed job sees what the interrupted one saw.

use std::time::Duration;

use futures_util::future::{Either, select};

use crate::journal::{EntryKey, EntryKind, Failure};

use super::effect::EffectKind;
use super::scope::Layer;
use super::{Exit, Flow};

/// A time limit.
pub(super) struct Limit<'a> {
    /// The place of its entries.
    pub(super) key: EntryKey,
    /// The number of the layer that the work stands in.
    pub(super) scope: u64,
    pub(super) length: Duration,
    /// What is limited, for people.
    pub(super) what: &'a str,
}

/// Does the work, and ends it when its time is up.
pub(super) async fn within<T>(
    layer: &Layer<'_>,
    limit: Limit<'_>,
    work: impl Future<Output = Flow<T>>,
) -> Flow<T> {
    let desk = &layer.frame.job.desk;
    let recorded = desk.recorded(&limit.key);
    let before = layer.snapshot();
    let until = recorded.wait_until.unwrap_or_else(|| {
        let until = desk.clock().max(layer.now()).after(limit.length);
        desk.write(&limit.key, layer.now(), EntryKind::WaitBegan { until });
        until
    });
    let work = std::pin::pin!(work);
    if recorded.failed.is_some() || until <= desk.clock() {
        desk.close_scope(limit.scope);
        let ended = work.await;
        let has_ended_in_time = !matches!(ended, Err(Exit::Cancelled)) || layer.begins_nothing();
        if recorded.failed.is_none() && has_ended_in_time {
            return ended;
        }
    } else {
        let kind = EffectKind::Timer { until };
        match select(work, layer.ask(limit.key.clone(), kind)).await {
            Either::Left((ended, _)) => return ended,
            Either::Right((None, rest)) => return rest.await,
            Either::Right((Some(_), rest)) => {
                desk.cancel_scope(limit.scope);
                // Calls under way finish and are recorded; their results come too late to count.
                let _ = rest.await;
            }
        }
    }
    layer.restore(before);
    if let Some((at, failure, _)) = recorded.failed {
        layer.tick(at);
        return Err(failure.into());
    }
    layer.tick(until);
    let (what, length) = (limit.what, limit.length.as_secs_f64());
    let failure = Failure::new("timed_out", format!("{what} took longer than {length}s"));
    let kind = EntryKind::StepFailed {
        failure: failure.clone(),
        next_try_at: None,
    };
    desk.write(&limit.key, layer.now(), kind);
    Err(failure.into())
}
