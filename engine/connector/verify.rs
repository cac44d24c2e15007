//! Was it done? The question that clears up a doubtful end, and what the answer means.

use std::sync::Arc;

use super::Action;
use super::output::evaluate;
use super::roots::Values;
use super::trouble::Trouble;
use crate::data::{Object, Value};
use crate::expression::{Condition, Expression};
use crate::shape::Shape;

/// How a doubtful end is asked about.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The action that is asked: a read action of the same connector.
    pub action: String,
    /// Its arguments, over the root `input`.
    pub with: Expression,
    /// Which of the items of the answer is the one; it was done if there is one.
    pub pick: Option<Condition>,
    /// Whether it was done, over the roots `verify` and `input`.
    pub applied_when: Option<Condition>,
    /// What the action would have given.
    pub output: Expression,
}

/// The arguments of the question.
pub fn verification_input(verification: &Verification, values: &Values) -> Result<Value, Trouble> {
    evaluate(&verification.with, values)
        .map(|with| with.unwrap_or_else(|| Value::Object(Object::new())))
        .map_err(|why| Trouble::new("verify_failed", why))
}

/// What the answer means: the action's output if it was done, nothing if it clearly was not.
/// `values` has the root `input`; `answer` is what the question gave.
pub fn verified(
    action: &Action,
    verification: &Verification,
    values: &Values,
    answer: Value,
) -> Result<Option<Value>, Trouble> {
    let failed = |why: String| Trouble::new("verify_failed", why);
    let mut answer = answer;
    if let Some(pick) = &verification.pick {
        let values = values.with("verify", Arc::new(answer.clone()));
        let items = answer.get("items").and_then(Value::as_array);
        let mut picked = None;
        for item in items.into_iter().flatten() {
            let values = values.with("item", Arc::new(item.clone()));
            let holds = pick
                .holds(&values)
                .map_err(|error| failed(format!("{}: {}", error.expression, error.message)))?;
            if holds {
                picked = Some(item.clone());
                break;
            }
        }
        let Some(picked) = picked else {
            return Ok(None);
        };
        if let Value::Object(answer) = &mut answer {
            answer.insert("picked".to_owned(), picked);
        }
    }
    let values = values.with("verify", Arc::new(answer));
    if let Some(applied_when) = &verification.applied_when {
        let holds = applied_when
            .holds(&values)
            .map_err(|error| failed(format!("{}: {}", error.expression, error.message)))?;
        if !holds {
            return Ok(None);
        }
    }
    let output = evaluate(&verification.output, &values)
        .map_err(failed)?
        .unwrap_or_else(|| Value::Object(Object::new()));
    declared(&action.output, output).map(Some).map_err(failed)
}

/// The declared fields of an output; others are dropped, missing ones are an error.
fn declared(shape: &Shape, output: Value) -> Result<Value, String> {
    let (Shape::Fields(fields), Value::Object(mut output)) = (shape, output) else {
        return Err("the output is not an object".to_owned());
    };
    let mut kept = Object::new();
    for (name, field) in fields {
        match output.shift_remove(name) {
            Some(value) => {
                kept.insert(name.clone(), value);
            }
            // It was done, so the thing is there.
            None if name == "found" => {
                kept.insert(name.clone(), true.into());
            }
            None if field.may_be_left_out() => {}
            None => return Err(format!("the output has no `{name}`")),
        }
    }
    Ok(Value::Object(kept))
}
