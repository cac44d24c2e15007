//! Checking a helper call: how many arguments, of what types, and what comes out.

use regex::Regex;

use super::codes::{BAD_PATTERN, UNKNOWN_FIELD, WRONG_ARGUMENT_TYPE, WRONG_ARGUMENTS};
use super::helpers::{Given, Helper, Kind, Mode, Parameter};
use super::infer::{Compiler, Inferred, lacks};
use super::template::call_source;
use super::term::{Call, Term};
use crate::data::Value;
use crate::shape::{Fit, Member, Shape};

/// Where something stands: offset and length in the text.
type Spot = (usize, usize);

/// Makes a call of a helper, or says what is wrong with its arguments.
pub(super) fn call(
    compiler: &mut Compiler<'_>,
    helper: &'static Helper,
    mut arguments: Vec<(Inferred, Spot)>,
    place: Spot,
) -> Inferred {
    if !helper.takes(arguments.len()) {
        let message = format!(
            "`{}` takes {}, not {}",
            helper.name,
            helper.arity(),
            arguments.len()
        );
        let help = format!("for example `{{{{{}}}}}`", helper.example);
        compiler.error(WRONG_ARGUMENTS, place.0, place.1, message, help);
        return Inferred::unknown();
    }
    let mut pattern = None;
    let whole = arguments
        .first()
        .map_or(Shape::Any, |(argument, _)| argument.shape.clone());
    for (index, (argument, spot)) in arguments.iter_mut().enumerate() {
        let parameter = helper.parameter(index);
        if parameter.mode == Mode::Forgiving {
            argument.allow_absence();
        }
        if let Some((message, help)) = misfit(parameter, argument) {
            let message = format!("`{}`: {message}", helper.name);
            compiler.error(WRONG_ARGUMENT_TYPE, spot.0, spot.1, message, help);
            return Inferred::unknown();
        }
        if let Some((message, help)) = unknown_member(parameter.kind, &whole, &argument.term) {
            let message = format!("`{}`: {message}", helper.name);
            compiler.error(UNKNOWN_FIELD, spot.0, spot.1, message, help);
            return Inferred::unknown();
        }
        if let (Kind::Pattern, Term::Fixed(Value::String(text))) = (parameter.kind, &argument.term)
        {
            match crate::data::pattern(text) {
                Ok(regex) => pattern = Some(regex),
                Err(error) => {
                    let message = format!("`{text}` is no regular expression: {}", reason(&error));
                    let help = "write for example `^[A-Z]{2}[0-9]+$`";
                    compiler.error(BAD_PATTERN, spot.0, spot.1, message, help);
                    return Inferred::unknown();
                }
            }
        }
    }
    let arguments: Vec<Inferred> = arguments
        .into_iter()
        .map(|(argument, _)| argument)
        .collect();
    finish(helper, arguments, pattern)
}

fn finish(helper: &'static Helper, arguments: Vec<Inferred>, pattern: Option<Regex>) -> Inferred {
    let given: Vec<Given<'_>> = arguments
        .iter()
        .map(|argument| Given {
            shape: &argument.shape,
            fixed: match &argument.term {
                Term::Fixed(value) => Some(value),
                _ => None,
            },
        })
        .collect();
    let shape = (helper.result)(&given);
    let passed = helper.passes_absence(arguments.iter().map(Inferred::maybe));
    let could_pass = helper.passes_absence(arguments.iter().map(Inferred::could_be_absent));
    let terms: Vec<Term> = arguments
        .into_iter()
        .map(|argument| argument.term)
        .collect();
    Inferred {
        shape,
        nothing: helper.may_find_nothing,
        passed,
        latent: could_pass && !passed,
        term: Term::Call(Call {
            source: call_source(helper.name, &terms),
            helper,
            arguments: terms,
            optional: false,
            pattern,
        }),
    }
}

/// The last line of a pattern's error, which says what is wrong.
pub(super) fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

/// A fixed name of a member that the first argument cannot have.
fn unknown_member(kind: Kind, whole: &Shape, term: &Term) -> Option<(String, String)> {
    let Term::Fixed(value) = term else {
        return None;
    };
    let (shape, what) = match kind {
        Kind::Key | Kind::Members => (whole, "the value"),
        Kind::ElementMember => (whole.element()?, "each element"),
        _ => return None,
    };
    let names: Vec<&str> = match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    let missing = names
        .into_iter()
        .find(|name| matches!(shape.member(name), Member::Missing))?;
    Some(lacks(missing, shape, what))
}

/// What is wrong with an argument, and how to mend it.
fn misfit(parameter: &Parameter, argument: &Inferred) -> Option<(String, String)> {
    let kind = parameter.kind;
    if let Term::Fixed(value) = &argument.term {
        // What was not understood is reported already.
        if value.is_null() {
            return None;
        }
        let message = kind.misfit(value)?;
        return Some((
            format!("`{}`: {message}", parameter.name),
            kind.mend().to_owned(),
        ));
    }
    let fits = kind
        .shapes()
        .iter()
        .map(|shape| shape.accepts(&argument.shape))
        .min()
        .unwrap_or(Fit::Always);
    if fits == Fit::Never {
        let message = format!(
            "`{}` is {}, not {}",
            parameter.name,
            kind.words(),
            argument.shape
        );
        return Some((message, kind.mend().to_owned()));
    }
    None
}
