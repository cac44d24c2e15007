//! One connector call, from its intent to its clear end.
//!
//! Always true: a call that must not happen twice has a durable intent before it is sent; a
//! doubtful end is asked about, then put before a person; it is never silently repeated and never
//! silently dropped.

use crate::clock::Moment;
use crate::connector::Effect as Repeats;
use crate::data::Value;
use crate::journal::{Decision, EntryKey, EntryKind, Failure, NOT_APPLIED};

use super::effect::{Answer, Call, Called, EffectKind, Verified};
use super::path::{Index, Path};
use super::progress::NextTry;
use super::recorded::Recorded;
use super::retry::{may_be_tried_again, next_try, wait_for_try, with_wish};
use super::scope::Layer;
use super::{DECIDED_TO_FAIL, Exit, Flow, OUTCOME_UNKNOWN, succeeded};
use crate::compile::RetryRule;

/// How one try ended.
enum Tried {
    Done(Value),
    /// Certainly not applied; tried again at once. A try that the engine's own end cut off is not
    /// counted.
    Again {
        counts: bool,
    },
    /// Failed; tried again at the moment, if there is one.
    Failed(Failure, Option<Moment>),
}

/// Calls until the end is clear and good, or no further try is allowed.
pub(super) async fn call(
    layer: &Layer<'_>,
    path: &Path<'_>,
    call: &Call,
    rule: &RetryRule,
) -> Flow<Value> {
    let mut first_failed_at = None;
    let mut tries = 1;
    for attempt in 1.. {
        let path = path.attempt(attempt);
        match one_try(layer, &path, call, rule, tries, &mut first_failed_at).await? {
            Tried::Done(output) => return Ok(output),
            Tried::Again { counts } => tries += u32::from(counts),
            Tried::Failed(failure, None) => return Err(failure.into()),
            Tried::Failed(_, Some(next)) => {
                tries += 1;
                let of = rule.retry.tries;
                let number = tries;
                wait_for_try(layer, &path.key(), next, NextTry { number, of }).await?;
            }
        }
    }
    Err(Exit::Cancelled)
}

async fn one_try(
    layer: &Layer<'_>,
    path: &Path<'_>,
    call: &Call,
    rule: &RetryRule,
    tries: u32,
    first_failed_at: &mut Option<Moment>,
) -> Flow<Tried> {
    let desk = &layer.frame.job.desk;
    let key = path.key();
    let recorded = desk.recorded(&key);
    if let Some((at, output)) = recorded.succeeded {
        layer.tick(at);
        return Ok(Tried::Done(output));
    }
    if let Some((at, failure, next)) = recorded.failed {
        layer.tick(at);
        if failure.code == NOT_APPLIED && next.is_some() {
            let counts = recorded.doubt.is_some();
            return Ok(Tried::Again { counts });
        }
        // Nobody decided before the job was cancelled: it ended here.
        if failure.code == OUTCOME_UNKNOWN && !layer.catches_unknown && layer.begins_nothing() {
            return Err(Exit::Cancelled);
        }
        first_failed_at.get_or_insert(at);
        return Ok(Tried::Failed(failure, next));
    }
    if let Some(input) = recorded.intended.clone() {
        // What was sent counts, whatever the arguments would be now.
        let call = &Call {
            input,
            ..call.clone()
        };
        let interrupted = "the engine stopped while the call was under way";
        let doubt = recorded.doubt.clone();
        let failure = doubt.unwrap_or_else(|| Failure::new("interrupted", interrupted));
        return clear_up(layer, path, call, rule, tries, recorded, failure).await;
    }
    let (at, called) = send(layer, &key, call).await?;
    match called {
        Called::Done { output } => {
            desk.write(&key, at, succeeded(output.clone()));
            Ok(Tried::Done(output))
        }
        Called::Failed { failure, retry } => {
            let first = *first_failed_at.get_or_insert(at);
            let is_wanted = match &rule.when {
                Some(_) => may_be_tried_again(layer, path, rule, &failure),
                None => Ok(retry.is_some()),
            };
            let (failure, next) = match is_wanted {
                Ok(true) => {
                    let next = next_try(&rule.retry, tries, at, first, retry, &key);
                    (with_wish(failure, &rule.retry, tries, retry, next), next)
                }
                // A condition that cannot be worked out is what the step fails with.
                Err(Exit::Failed(own)) => (*own, None),
                Ok(false) | Err(_) => (failure, None),
            };
            let kind = EntryKind::StepFailed {
                failure: failure.clone(),
                next_try_at: next,
            };
            desk.write(&key, at, kind);
            Ok(Tried::Failed(failure, next))
        }
        Called::Doubtful { failure } => {
            let doubt = failure.clone();
            desk.write(&key, at, EntryKind::CallDoubted { failure: doubt });
            let recorded = Recorded {
                doubt: Some(failure.clone()),
                ..recorded
            };
            clear_up(layer, path, call, rule, tries, recorded, failure).await
        }
    }
}

/// Sends a call, with its intent before it if it must not happen twice.
async fn send(layer: &Layer<'_>, key: &EntryKey, call: &Call) -> Flow<(Moment, Called)> {
    if layer.begins_nothing() {
        return Err(Exit::Cancelled);
    }
    if call.action.effect == Repeats::Once {
        let action = format!("{}.{}", call.action.connector, call.action.action);
        let input = call.input.clone();
        let intent = EntryKind::CallIntended { action, input };
        layer.frame.job.desk.write(key, layer.now(), intent);
    }
    let this_try = Call {
        place: key.clone(),
        ..call.clone()
    };
    let effect = EffectKind::Call(Box::new(this_try));
    let Some((at, Answer::Called(called))) = layer.ask(key.clone(), effect).await else {
        return Err(Exit::Cancelled);
    };
    layer.tick(at);
    Ok((at, called))
}

/// Finds out whether a call was applied: by asking the vendor, then a person.
async fn clear_up(
    layer: &Layer<'_>,
    path: &Path<'_>,
    call: &Call,
    rule: &RetryRule,
    tries: u32,
    recorded: Recorded,
    doubt: Failure,
) -> Flow<Tried> {
    // A doubt is cleared up even if the time around it is up or the job is cancelled.
    let layer = &layer.of_cleaning();
    let desk = &layer.frame.job.desk;
    let key = path.key();
    // The engine's own end is no fault of the call: it costs no try.
    let counts = recorded.doubt.is_some();
    let unanswered = match ask_vendor(layer, path, call).await? {
        Verified::Applied(output) => {
            desk.write(&key, layer.now(), succeeded(output.clone()));
            return Ok(Tried::Done(output));
        }
        Verified::NotApplied if !counts || tries < rule.retry.tries => {
            let failure = Failure::new(
                NOT_APPLIED,
                format!("{}; it was not applied", doubt.message),
            );
            let next_try_at = Some(layer.now());
            let kind = EntryKind::StepFailed {
                failure,
                next_try_at,
            };
            desk.write(&key, layer.now(), kind);
            return Ok(Tried::Again { counts });
        }
        Verified::NotApplied => {
            let failure = Failure {
                code: NOT_APPLIED.into(),
                ..doubt
            };
            let kind = EntryKind::StepFailed {
                failure: failure.clone(),
                next_try_at: None,
            };
            desk.write(&key, layer.now(), kind);
            return Ok(Tried::Failed(failure, None));
        }
        Verified::Unknown(why) => why,
    };
    let message = format!(
        "whether `{}.{}` happened is unknown: {}; then {}",
        call.action.connector, call.action.action, doubt.message, unanswered.message
    );
    let failure = Failure {
        code: OUTCOME_UNKNOWN.into(),
        message,
        ..doubt
    };
    if layer.catches_unknown {
        let kind = EntryKind::StepFailed {
            failure: failure.clone(),
            next_try_at: None,
        };
        desk.write(&key, layer.now(), kind);
        return Ok(Tried::Failed(failure, None));
    }
    ask_person(layer, &key, recorded, failure, counts).await
}

/// Puts the vendor's own question, after a wait each time, until the call is seen or the tries are
/// used up. Without a question, the answer is unknown.
async fn ask_vendor(layer: &Layer<'_>, path: &Path<'_>, call: &Call) -> Flow<Verified> {
    let desk = &layer.frame.job.desk;
    let nothing = Failure::new(OUTCOME_UNKNOWN, "the action offers no way to find out");
    let mut answer = Verified::Unknown(nothing);
    let Some(verify) = &call.action.verify else {
        return Ok(answer);
    };
    for question in 1..=verify.tries {
        let place = path.child("verify").at(Index::At(u64::from(question)));
        let key = place.key();
        let recorded = desk.recorded(&key);
        if let Some((at, output)) = recorded.succeeded {
            layer.tick(at);
            answer = read_verified(output);
        } else {
            let until = recorded.wait_until.unwrap_or_else(|| {
                let until = desk.clock().max(layer.now()).after(verify.settle);
                desk.write(&key, layer.now(), EntryKind::WaitBegan { until });
                until
            });
            wait_until(layer, &key, until).await?;
            let asked = layer
                .ask(key.clone(), EffectKind::Verify(Box::new(call.clone())))
                .await;
            let Some((at, Answer::Verified(verified))) = asked else {
                return Err(Exit::Cancelled);
            };
            layer.tick(at);
            desk.write(&key, at, succeeded(write_verified(&verified)));
            answer = verified;
        }
        if matches!(answer, Verified::Applied(_)) {
            break;
        }
    }
    Ok(answer)
}

/// Waits for a person's decision.
async fn ask_person(
    layer: &Layer<'_>,
    key: &EntryKey,
    recorded: Recorded,
    failure: Failure,
    counts: bool,
) -> Flow<Tried> {
    let desk = &layer.frame.job.desk;
    let decision = if let Some((at, decision)) = recorded.decided {
        layer.tick(at);
        decision
    } else {
        if recorded.asked.is_none() {
            desk.write(
                key,
                layer.now(),
                EntryKind::DecisionAsked {
                    failure: failure.clone(),
                },
            );
        }
        let asked = layer.ask(key.clone(), EffectKind::Decision).await;
        let Some((at, Answer::Decided { decision, by })) = asked else {
            let message = format!("{}; the job was cancelled undecided", failure.message);
            let failure = Failure { message, ..failure };
            let kind = EntryKind::StepFailed {
                failure,
                next_try_at: None,
            };
            desk.write(key, layer.now(), kind);
            return Err(Exit::Cancelled);
        };
        layer.tick(at);
        tell(layer, key, at, &decision, &by);
        desk.write(
            key,
            at,
            EntryKind::DecisionMade {
                decision: decision.clone(),
                by,
            },
        );
        decision
    };
    match decision {
        Decision::Happened { output } => {
            desk.write(key, layer.now(), succeeded(output.clone()));
            Ok(Tried::Done(output))
        }
        Decision::Again => Ok(Tried::Again { counts }),
        Decision::Fail => {
            let failure = Failure {
                code: DECIDED_TO_FAIL.into(),
                ..failure
            };
            let kind = EntryKind::StepFailed {
                failure: failure.clone(),
                next_try_at: None,
            };
            desk.write(key, layer.now(), kind);
            Ok(Tried::Failed(failure, None))
        }
    }
}

/// Says in the job's log who decided what.
fn tell(layer: &Layer<'_>, key: &EntryKey, at: Moment, decision: &Decision, by: &str) {
    let what = match decision {
        Decision::Happened { .. } => "it happened",
        Decision::Again => "do it again",
        Decision::Fail => "give it up",
    };
    let kind = EntryKind::LineLogged {
        level: "info".to_owned(),
        message: format!("{by} decided on the call whose end was unknown: {what}"),
        data: None,
    };
    let line = EntryKey(format!("{key}/decision").into());
    layer.frame.job.desk.write(&line, at, kind);
}

/// Waits until a moment. The moment is recorded already, or follows from what is.
pub(super) async fn wait_until(layer: &Layer<'_>, key: &EntryKey, until: Moment) -> Flow {
    let asked = layer.ask(key.clone(), EffectKind::Timer { until }).await;
    if asked.is_none() {
        return Err(Exit::Cancelled);
    }
    layer.tick(until);
    Ok(())
}

fn write_verified(verified: &Verified) -> Value {
    match verified {
        Verified::Applied(output) => serde_json::json!({ "applied": true, "output": output }),
        Verified::NotApplied => serde_json::json!({ "applied": false }),
        Verified::Unknown(failure) => serde_json::json!({ "unknown": failure }),
    }
}

fn read_verified(recorded: Value) -> Verified {
    if let Some(failure) = recorded.get("unknown") {
        let failure = serde_json::from_value(failure.clone());
        return Verified::Unknown(
            failure.unwrap_or_else(|_| Failure::new(OUTCOME_UNKNOWN, "the question failed")),
        );
    }
    match recorded.get("applied").and_then(Value::as_bool) {
        Some(true) => Verified::Applied(recorded.get("output").cloned().unwrap_or(Value::Null)),
        _ => Verified::NotApplied,
    }
}
