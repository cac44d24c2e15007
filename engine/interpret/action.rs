//! A connector's action: one call, or all pages of a listing.

use crate::compile::{ActionRef, RetryRule, Step};
use crate::data::Value;
use crate::expression::Expression;
use crate::journal::Failure;

use super::calling::call;
use super::effect::Call;
use super::page::Pages;
use super::path::Path;
use super::scope::Layer;
use super::{Flow, LISTED_ITEMS_MAX};

/// Runs the step: the output of the action; of a listing, `{ items }` with all of them.
pub(super) async fn run(
    layer: &Layer<'_>,
    path: &Path<'_>,
    step: &Step,
    action: &ActionRef,
    with: &Expression,
    also_send: Option<&Expression>,
) -> Flow<Value> {
    let request = prepare(layer, path, step, action, with, also_send)?;
    let rule = rule_of(step, action);
    if !action.is_listing {
        return call(layer, path, &request, &rule).await;
    }
    let mut pages = Pages::new(request, rule);
    let mut items = Vec::new();
    while let Some(page) = pages.next(layer, path).await? {
        items.extend(page);
        if items.len() > LISTED_ITEMS_MAX {
            let message = format!(
                "`{}.{}` lists more than {LISTED_ITEMS_MAX} items; go through them with \
                 `foreach: {{ action: ..., with: ... }}`, one page at a time",
                action.connector, action.action
            );
            return Err(Failure::new("too_many_items", message).into());
        }
    }
    Ok(serde_json::json!({ "items": items }))
}

/// Evaluates the arguments and names the call.
pub(super) fn prepare(
    layer: &Layer<'_>,
    path: &Path<'_>,
    step: &Step,
    action: &ActionRef,
    with: &Expression,
    also_send: Option<&Expression>,
) -> Flow<Call> {
    let scope = layer.scope(path);
    let input = with
        .evaluate(&scope)?
        .unwrap_or_else(|| Value::Object(Default::default()));
    let also_send = match also_send {
        Some(fields) => fields.evaluate(&scope)?,
        None => None,
    };
    Ok(Call {
        action: action.clone(),
        input,
        also_send,
        cursor: None,
        timeout: step.timeout,
        call_key: path.stable_hash(layer.frame.job.id.as_str(), "call")[..32].to_owned(),
        place: path.key(),
    })
}

/// The step's own words on trying again, or the action's.
pub(super) fn rule_of(step: &Step, action: &ActionRef) -> RetryRule {
    match &step.retry {
        Some(rule) => rule.clone(),
        None => RetryRule {
            retry: action.retry.clone(),
            when: None,
        },
    }
}
