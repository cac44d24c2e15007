//! Partial evaluation: everything but what hangs on some roots.
//!
//! In: a term, a scope, the roots that stay open. Out: a term that mentions only those.
//! Always true: what cannot be evaluated in a branch that may never be chosen fails only there.

use super::helpers::{Kind, Mode, Run};
use super::term::{Call, Part, Term, Text};
use super::{EvaluationError, Scope};
use crate::data::{Value, withheld_by};

/// The term with everything evaluated that does not hang on the open roots.
pub(super) fn bind(term: &Term, scope: &dyn Scope, open: &[&str]) -> Result<Term, EvaluationError> {
    if !term.hangs_on(open) {
        return Ok(match term {
            Term::Fixed(_) | Term::Absent | Term::Failed(_) => term.clone(),
            term => match term.find(scope)?.into_value() {
                Some(value) if scope.is_preview() && withheld_by(&value).is_some() => {
                    let by = withheld_by(&value).unwrap_or_default();
                    return Err(EvaluationError::withheld(term.source(), by));
                }
                value => value.map_or(Term::Absent, Term::Fixed),
            },
        });
    }
    Ok(match term {
        Term::Call(call) => Term::Call(bind_call(call, scope, open)?),
        Term::Text(text) => {
            let part = |part: &Part| {
                Ok(match part {
                    Part::Fixed(fixed) => Part::Fixed(fixed.clone()),
                    Part::Plain(term) => Part::Plain(bind(term, scope, open)?),
                    Part::Encoded(term) => Part::Encoded(bind(term, scope, open)?),
                })
            };
            Term::Text(Text {
                source: text.source.clone(),
                parts: text.parts.iter().map(part).collect::<Result<_, _>>()?,
            })
        }
        Term::List(terms) => Term::List(
            terms
                .iter()
                .map(|term| bind(term, scope, open))
                .collect::<Result<_, _>>()?,
        ),
        Term::Object(members) => Term::Object(
            members
                .iter()
                .map(|(name, term)| Ok((name.clone(), bind(term, scope, open)?)))
                .collect::<Result<_, EvaluationError>>()?,
        ),
        term => term.clone(),
    })
}

fn bind_call(call: &Call, scope: &dyn Scope, open: &[&str]) -> Result<Call, EvaluationError> {
    let lazy = matches!(call.helper.run, Run::Lazy(_));
    let mut arguments = Vec::with_capacity(call.arguments.len() + 1);
    for argument in &call.arguments {
        arguments.push(match bind(argument, scope, open) {
            Err(error) if lazy => Term::Failed(error),
            bound => bound?,
        });
    }
    // A zone that was left out means the recipe's, which another scope may not know.
    if let Some(parameter) = call.helper.parameters.get(arguments.len())
        && parameter.kind == Kind::Zone
        && parameter.mode == Mode::Optional
    {
        arguments.push(Term::Fixed(Value::from(scope.timezone())));
    }
    let pattern = call.pattern.clone().or_else(|| {
        arguments
            .iter()
            .enumerate()
            .find_map(|(index, argument)| match argument {
                Term::Fixed(Value::String(text))
                    if call.helper.parameter(index).kind == Kind::Pattern =>
                {
                    crate::data::pattern(text).ok()
                }
                _ => None,
            })
    });
    Ok(Call {
        source: call.source.clone(),
        helper: call.helper,
        arguments,
        optional: call.optional,
        pattern,
    })
}
