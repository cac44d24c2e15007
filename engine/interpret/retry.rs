//! Whether and when a step is tried again.
//!
//! Always true: the answer follows from recorded times and places only, so that a resumed job waits
//! as long as the interrupted one.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::compile::RetryRule;
use crate::connector::Retry;
use crate::data::digest;
use crate::journal::{EntryKey, Failure};

use super::calling::wait_until;
use super::path::Path;
use super::preview::is_not_known;
use super::progress::NextTry;
use super::scope::Layer;
use super::{Flow, OUTCOME_UNKNOWN};

/// Whether a failure is one that the step's words want tried again.
pub(super) fn may_be_tried_again(
    layer: &Layer<'_>,
    path: &Path<'_>,
    rule: &RetryRule,
    failure: &Failure,
) -> Flow<bool> {
    if failure.code == OUTCOME_UNKNOWN || is_not_known(layer, failure) {
        return Ok(false);
    }
    match &rule.when {
        None => Ok(true),
        Some(when) => {
            let error = vec![("error".into(), Arc::new(failure.to_value()))];
            let layer = layer.of_branch(error, layer.catches_unknown);
            Ok(when.holds(&layer.scope(path))?)
        }
    }
}

/// When the next try may begin: the wait grows with each try, is spread a little by place, and is
/// never shorter than the vendor asked for. `None` if tries or time are used up.
pub(super) fn next_try(
    retry: &Retry,
    tries: u32,
    failed_at: Moment,
    first_failed_at: Moment,
    asked_for: Option<Duration>,
    key: &EntryKey,
) -> Option<Moment> {
    if tries >= retry.tries {
        return None;
    }
    let growth = retry
        .backoff
        .max(1.0)
        .powi(i32::try_from(tries - 1).unwrap_or(i32::MAX));
    let wait = retry.delay.as_secs_f64() * growth * (1.0 + spread(key) / 5.0);
    let wait = wait.min(retry.max_delay.as_secs_f64());
    let wait = Duration::try_from_secs_f64(wait).unwrap_or(retry.max_delay);
    let next = failed_at.after(wait.max(asked_for.unwrap_or_default()));
    match retry.within {
        Some(within) if next.since(first_failed_at) > within => None,
        _ => Some(next),
    }
}

/// Waits for a further try; whoever looks at the job meanwhile sees which one it is.
pub(super) async fn wait_for_try(
    layer: &Layer<'_>,
    failed: &EntryKey,
    at: Moment,
    next: NextTry,
) -> Flow {
    let desk = &layer.frame.job.desk;
    desk.note_try(failed, Some(next));
    wait_until(layer, failed, at).await?;
    desk.note_try(failed, None);
    Ok(())
}

/// Says why there is no further try, if the vendor's own wish is the reason.
pub(super) fn with_wish(
    failure: Failure,
    retry: &Retry,
    tries: u32,
    asked_for: Option<Duration>,
    next: Option<Moment>,
) -> Failure {
    let wish = asked_for.unwrap_or_default();
    match retry.within {
        Some(within) if next.is_none() && tries < retry.tries && wish > within => Failure {
            message: format!(
                "{}; the vendor asks to wait {}s before the next try, longer than `for` allows",
                failure.message,
                wish.as_secs()
            ),
            ..failure
        },
        _ => failure,
    }
}

/// A number from 0 to 1 that depends on the place only, so that a resumed job waits as long.
fn spread(key: &EntryKey) -> f64 {
    let hash = digest(key.0.as_bytes());
    f64::from(u16::from_str_radix(&hash[..4], 16).unwrap_or(0)) / f64::from(u16::MAX)
}
