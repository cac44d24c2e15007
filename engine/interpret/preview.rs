//! What a preview makes of values it does not know.
//!
//! In: places where a withheld value decides. Out: all branches listed, steps marked as not run.
//! Always true: outside of previews nothing here does anything.

use std::sync::atomic::Ordering;

use crate::compile::{Block, Step};
use crate::data::{Value, withheld, withheld_by};
use crate::expression::{EvaluationError, Scope};
use crate::journal::Failure;
use crate::table::Operation;

use super::block::run_block;
use super::path::Path;
use super::scope::Layer;
use super::{Exit, Flow};

/// The code of a step that hangs on something withheld. It never leaves the step.
const NOT_KNOWN: &str = "not_known_in_preview";

/// Why a step cannot be run in a preview.
pub(super) fn not_known(by: &str) -> Failure {
    Failure::new(
        NOT_KNOWN,
        format!("what it needs is known when {by} has run"),
    )
}

/// Whether a failure only says that a preview does not know enough.
pub(super) fn is_not_known(layer: &Layer<'_>, failure: &Failure) -> bool {
    layer.frame.job.is_preview && failure.code == NOT_KNOWN
}

/// Refuses a value that a preview does not know where one that is known is needed.
pub(super) fn check_value(scope: &dyn Scope, value: &Value) -> Flow {
    match withheld_by(value).filter(|_| scope.is_preview()) {
        Some(by) => Err(not_known(by).into()),
        None => Ok(()),
    }
}

/// What stands for the result of a step that was not run.
pub(super) fn result_of(step: &Step) -> Value {
    withheld(&format!("step `{}`", step.id))
}

/// Keeps a remark on a step until it is traced.
pub(super) fn note(layer: &Layer<'_>, path: &Path<'_>, note: String) {
    layer.frame.job.desk.state().notes.insert(path.key(), note);
}

/// The remark on a step whose `when` is not known.
pub(super) fn may_be_skipped(error: &EvaluationError) -> String {
    format!(
        "listed, but it may be skipped: `{}` is {}",
        error.expression, error.message
    )
}

/// The value as one that decides nothing, because a preview does not know it.
pub(super) fn unknown(layer: &Layer<'_>, value: &Value) -> Option<EvaluationError> {
    if !layer.frame.job.is_preview {
        return None;
    }
    withheld_by(value).map(|by| EvaluationError {
        expression: "switch".to_owned(),
        message: format!("known when {by} has run"),
        withheld_by: Some(by.to_owned()),
    })
}

/// Lists the steps of all branches, since the one that will be taken is not known. Where one would
/// end the recipe, what follows is listed all the same.
pub(super) async fn run_all<'a>(
    layer: &Layer<'_>,
    path: &Path<'_>,
    blocks: impl Iterator<Item = &'a Block>,
    error: &EvaluationError,
) -> Flow<Value> {
    let which = format!(
        "all branches are listed: `{}` is {}",
        error.expression, error.message
    );
    note(layer, path, which);
    for block in blocks {
        match run_block(layer, path, block).await {
            Ok(()) => {}
            Err(Exit::Cancelled) => return Err(Exit::Cancelled),
            Err(Exit::Returned(_) | Exit::Stopped { .. } | Exit::Failed(_)) => {
                layer.frame.may_have_ended.store(true, Ordering::Relaxed);
            }
        }
    }
    Ok(Value::Null)
}

/// The output of a recipe that may have ended at a place which a preview passed.
pub(super) fn uncertain_output(layer: &Layer<'_>, ended: &Flow) -> Option<Value> {
    let frame = layer.frame;
    let may_have_ended = frame.may_have_ended.load(Ordering::Relaxed);
    let is_good = matches!(ended, Ok(()) | Err(Exit::Returned(_)));
    (may_have_ended && is_good).then(|| withheld(&format!("recipe `{}`", frame.recipe.name)))
}

/// Refuses a table operation of which something is not known.
pub(super) fn check_known(layer: &Layer<'_>, operation: &Operation) -> Flow {
    if !layer.frame.job.is_preview {
        return Ok(());
    }
    let rows = match operation {
        Operation::Get { key } => std::slice::from_ref(key),
        Operation::Insert { rows } | Operation::Upsert { rows } | Operation::Sync { rows, .. } => {
            rows
        }
        _ => return Ok(()),
    };
    let rows: Value = rows.iter().cloned().map(Value::Object).collect();
    let Some(by) = withheld_by(&rows) else {
        return Ok(());
    };
    let mut failure = not_known(by);
    failure.body = Some(rows);
    Err(failure.into())
}
