//! Steps that choose among steps: `if`, `switch`, `try`.

use std::sync::Arc;

use crate::compile::Block;
use crate::data::{Value, same};
use crate::expression::{Condition, EvaluationError, Expression};
use crate::journal::Failure;

use super::block::run_block;
use super::path::Path;
use super::preview::{run_all, unknown};
use super::scope::Layer;
use super::{Exit, Flow, OUTCOME_UNKNOWN};

/// Takes the first branch whose condition holds.
pub(super) async fn if_else(
    layer: &Layer<'_>,
    path: &Path<'_>,
    branches: &[(Condition, Block)],
    otherwise: &Block,
) -> Flow<Value> {
    let mut chosen = otherwise;
    for (condition, steps) in branches {
        match condition.holds(&layer.scope(path)) {
            Ok(true) => {
                chosen = steps;
                break;
            }
            Ok(false) => {}
            Err(error) if error.withheld_by.is_some() => {
                let all = branches.iter().map(|(_, steps)| steps);
                let all = all.skip_while(|block| !std::ptr::eq(*block, steps));
                return run_all(layer, path, all.chain([otherwise]), &error).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    run_block(layer, path, chosen).await?;
    Ok(Value::Null)
}

/// Takes the first case that the value meets. An absent value meets none.
pub(super) async fn switch(
    layer: &Layer<'_>,
    path: &Path<'_>,
    value: &Expression,
    cases: &[(Vec<Expression>, Block)],
    otherwise: &Block,
) -> Flow<Value> {
    let chosen = match choose(layer, path, value, cases)? {
        Chosen::Case(steps) => steps,
        Chosen::None => otherwise,
        Chosen::Unknown(error) => {
            let all = cases.iter().map(|(_, steps)| steps).chain([otherwise]);
            return run_all(layer, path, all, &error).await;
        }
    };
    run_block(layer, path, chosen).await?;
    Ok(Value::Null)
}

/// Catches failures; `finally` runs in any case and, if it fails, its failure counts.
pub(super) async fn try_catch(
    layer: &Layer<'_>,
    path: &Path<'_>,
    steps: &Block,
    catch: Option<&(Option<Condition>, Block)>,
    catches_unknown: bool,
    finally: &Block,
) -> Flow<Value> {
    let inner = layer.of_branch(Vec::new(), layer.catches_unknown || catches_unknown);
    let mut ended = run_block(&inner, path, steps).await;
    if let (Err(Exit::Failed(failure)), Some((when, handler))) = (&ended, catch)
        && (failure.code != OUTCOME_UNKNOWN || catches_unknown)
    {
        let error = vec![("error".into(), Arc::new(failure.to_value()))];
        let catching = layer.of_branch(error, layer.catches_unknown);
        match is_meant(&catching, path, when.as_ref(), failure) {
            Ok(true) => ended = run_block(&catching, path, handler).await,
            Ok(false) => {}
            Err(exit) => ended = Err(exit),
        }
    }
    if !finally.is_empty() {
        run_block(&layer.of_cleaning(), path, finally).await?;
    }
    ended.map(|()| Value::Null)
}

/// What a `switch` takes.
enum Chosen<'a> {
    Case(&'a Block),
    None,
    /// Only a preview does not know.
    Unknown(EvaluationError),
}

fn choose<'a>(
    layer: &Layer<'_>,
    path: &Path<'_>,
    value: &Expression,
    cases: &'a [(Vec<Expression>, Block)],
) -> Flow<Chosen<'a>> {
    let scope = layer.scope(path);
    let Some(value) = value.evaluate(&scope)? else {
        return Ok(Chosen::None);
    };
    if let Some(error) = unknown(layer, &value) {
        return Ok(Chosen::Unknown(error));
    }
    for (meets, steps) in cases {
        for expression in meets {
            let is_met = match expression.evaluate(&scope)? {
                Some(Value::Array(list)) if !value.is_array() => {
                    list.iter().any(|element| same(element, &value))
                }
                Some(other) => same(&other, &value),
                None => false,
            };
            if is_met {
                return Ok(Chosen::Case(steps));
            }
        }
    }
    Ok(Chosen::None)
}

fn is_meant(
    layer: &Layer<'_>,
    path: &Path<'_>,
    when: Option<&Condition>,
    failure: &Failure,
) -> Flow<bool> {
    match when {
        Some(when) => Ok(when.holds(&layer.scope(path))?),
        None => Ok(failure.code != OUTCOME_UNKNOWN),
    }
}
