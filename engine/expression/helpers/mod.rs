//! The helpers of templates, as data: name, parameters, result, documentation, what they do.
//!
//! Always true: a helper is pure; `now`, `today` and `uuid` ask the scope, never the machine.

mod dates;
pub(super) mod encoding;
mod kind;
mod lists;
mod logic;
mod numbers;
mod shapes;
mod text;

pub(super) use kind::Kind;
pub(super) use text::TEXT_BYTES_MAX;

pub(super) use logic::{Lazy, number_ordering, time_ordering};

use regex::Regex;

use super::Scope;
use super::evaluate::Found;
use crate::data::Value;
use crate::shape::{Shape, Time};

/// A helper.
pub(super) struct Helper {
    /// What it is called.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) parameters: &'static [Parameter],
    /// The shape of what it gives.
    pub(super) result: fn(&[Given<'_>]) -> Shape,
    /// Whether it may find nothing, as `first` of an empty list does.
    pub(super) may_find_nothing: bool,
    /// What it does.
    pub(super) run: Run,
    /// What it does, in a sentence.
    pub(super) doc: &'static str,
    /// An example, without braces.
    pub(super) example: &'static str,
}

/// How a helper is evaluated.
pub(super) enum Run {
    /// From its arguments; nothing found is `None`.
    Eager(fn(&Arguments<'_>) -> Result<Option<Value>, String>),
    /// Its arguments one by one, as far as needed.
    Lazy(Lazy),
}

/// A parameter of a helper.
pub(super) struct Parameter {
    /// What it is called.
    pub(super) name: &'static str,
    /// What it may be.
    pub(super) kind: Kind,
    /// Whether it must be given.
    pub(super) mode: Mode,
}

/// Whether an argument must be given, and whether it may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It must be given.
    Required,
    /// It may be left out.
    Optional,
    /// Any number of them, none included.
    Rest,
    /// It must be given, and may be absent where a `?` allows it.
    Absent,
    /// It must be given, and may be absent as if a `?` stood there.
    Forgiving,
}

/// What is known of an argument before anything runs.
pub(super) struct Given<'a> {
    /// Its shape.
    pub(super) shape: &'a Shape,
    /// Its value, if it is fixed.
    pub(super) fixed: Option<&'a Value>,
}

/// The arguments of a call while it is evaluated, already checked against the parameters.
pub(super) struct Arguments<'a> {
    /// The values in order.
    pub(super) values: &'a [Found<'a>],
    /// Where `now` and the like are found.
    pub(super) scope: &'a dyn Scope,
    /// The regular expression, if it was fixed.
    pub(super) pattern: Option<&'a Regex>,
}

/// A helper for the reference documentation.
#[derive(Clone, Debug)]
pub struct HelperDoc {
    /// What it is about, such as `text` or `dates`.
    pub subject: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Its parameters in words: `text`, `[digits]`, `more...`.
    pub parameters: Vec<String>,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// An example, in braces.
    pub example: String,
}

/// All helpers, for the reference documentation, by subject.
pub fn helpers() -> Vec<HelperDoc> {
    let of_subject = |(subject, helpers): &(&'static str, &'static [Helper])| {
        let subject = *subject;
        helpers.iter().map(move |helper| HelperDoc {
            subject,
            name: helper.name,
            parameters: helper.parameters.iter().map(Parameter::shown).collect(),
            doc: helper.doc,
            example: format!("{{{{{}}}}}", helper.example),
        })
    };
    SUBJECTS.iter().flat_map(of_subject).collect()
}

/// All helpers, by subject.
static SUBJECTS: [(&str, &[Helper]); 7] = [
    ("presence", logic::PRESENCE),
    ("text", text::HELPERS),
    ("numbers", numbers::HELPERS),
    ("logic", logic::HELPERS),
    ("dates", dates::HELPERS),
    ("lists and objects", lists::HELPERS),
    ("encoding", encoding::HELPERS),
];

/// All helpers.
pub(super) fn all() -> impl Iterator<Item = &'static Helper> {
    SUBJECTS.iter().flat_map(|(_, helpers)| *helpers)
}

/// The helper of this name.
pub(super) fn find(name: &str) -> Option<&'static Helper> {
    all().find(|helper| helper.name == name)
}

/// What to write for a helper that people know from elsewhere.
pub(super) fn elsewhere(name: &str) -> Option<&'static str> {
    Some(match name {
        "if" | "unless" | "ternary" | "cond" => "did you mean `if_else`?",
        "each" | "with" | "map" => "lists are for a `transform` step, `pluck` and `join`",
        "lookup" => "did you mean `get`?",
        "lower" | "downcase" | "toLowerCase" => "did you mean `lowercase`?",
        "upper" | "upcase" | "toUpperCase" => "did you mean `uppercase`?",
        "concat" => "write the parts one after the other: `{{a}} {{b}}`",
        "size" | "len" => "did you mean `count` or `length`?",
        "json" | "stringify" => "did you mean `to_json`?",
        "date" | "formatDate" | "strftime" => "did you mean `format_date`?",
        "plus" => "did you mean `add`?",
        "minus" => "did you mean `subtract`?",
        "times" => "did you mean `multiply`?",
        "equals" => "did you mean `eq`?",
        "coalesce" => "did you mean `default`?",
        "string" | "str" => "did you mean `to_text`?",
        "int" | "integer" => "did you mean `to_integer`?",
        "number" | "float" => "did you mean `to_number`?",
        "log" => "use a `log` step",
        _ => return None,
    })
}

/// A parameter.
const fn parameter(name: &'static str, kind: Kind, mode: Mode) -> Parameter {
    Parameter { name, kind, mode }
}

/// A required parameter.
const fn required(name: &'static str, kind: Kind) -> Parameter {
    parameter(name, kind, Mode::Required)
}

/// A helper that always finds something.
const fn helper(
    name: &'static str,
    parameters: &'static [Parameter],
    result: fn(&[Given<'_>]) -> Shape,
    run: fn(&Arguments<'_>) -> Result<Option<Value>, String>,
    documentation: (&'static str, &'static str),
) -> Helper {
    Helper {
        name,
        parameters,
        result,
        may_find_nothing: false,
        run: Run::Eager(run),
        doc: documentation.0,
        example: documentation.1,
    }
}

impl Parameter {
    fn shown(&self) -> String {
        match self.mode {
            Mode::Optional => format!("[{}]", self.name),
            Mode::Rest => format!("{}...", self.name),
            _ => self.name.to_owned(),
        }
    }
}

impl Helper {
    /// Whether it takes this many arguments.
    pub(super) fn takes(&self, count: usize) -> bool {
        let (least, most) = self.bounds();
        count >= least && most.is_none_or(|most| count <= most)
    }

    /// How many arguments it takes, in words.
    pub(super) fn arity(&self) -> String {
        let arguments = |n: usize| match n {
            0 => "no arguments".to_owned(),
            1 => "one argument".to_owned(),
            n => format!("{n} arguments"),
        };
        match self.bounds() {
            (least, Some(most)) if least == most => arguments(least),
            (least, Some(most)) => format!("{least} to {most} arguments"),
            (least, None) => format!("at least {}", arguments(least)),
        }
    }

    fn bounds(&self) -> (usize, Option<usize>) {
        let least = self
            .parameters
            .iter()
            .filter(|p| !matches!(p.mode, Mode::Optional | Mode::Rest))
            .count();
        let open = self.parameters.last().is_some_and(|p| p.mode == Mode::Rest);
        (least, (!open).then_some(self.parameters.len()))
    }

    /// The parameter of the argument at this place.
    pub(super) fn parameter(&self, index: usize) -> &Parameter {
        &self.parameters[index.min(self.parameters.len() - 1)]
    }

    /// Whether the result may be absent because these arguments may be.
    pub(super) fn passes_absence(&self, mut maybe: impl Iterator<Item = bool>) -> bool {
        match &self.run {
            Run::Lazy(Lazy::Default) => maybe.nth(1).unwrap_or(false),
            _ => maybe.enumerate().any(|(index, maybe)| {
                maybe && !matches!(self.parameter(index).mode, Mode::Absent | Mode::Forgiving)
            }),
        }
    }
}

impl std::fmt::Debug for Helper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl<'a> Arguments<'a> {
    /// The argument, if it is there.
    fn value(&self, index: usize) -> Option<&'a Value> {
        self.values.get(index).and_then(Found::value)
    }

    /// The argument as it is; null if it is not there.
    fn any(&self, index: usize) -> &'a Value {
        self.value(index).unwrap_or(&Value::Null)
    }

    /// A text.
    fn text(&self, index: usize) -> &'a str {
        self.any(index).as_str().unwrap_or_default()
    }

    /// A list.
    fn list(&self, index: usize) -> &'a [Value] {
        self.any(index).as_array().map_or(&[], Vec::as_slice)
    }

    /// A whole number.
    fn integer(&self, index: usize) -> i64 {
        self.any(index).as_i64().unwrap_or_default()
    }

    /// A date, or a date and time.
    fn time(&self, index: usize) -> Result<Time, String> {
        let text = self.text(index);
        Time::parse(text).ok_or_else(|| {
            format!(
                "`{text}` is no date such as 2026-03-01 and no time such as 2026-03-01T10:00:00Z"
            )
        })
    }

    /// The zone named by an argument, else the recipe's.
    fn zone(&self, index: usize) -> Result<jiff::tz::TimeZone, String> {
        let name = match self.value(index) {
            Some(Value::String(name)) => name,
            _ => self.scope.timezone(),
        };
        kind::zone(name)
    }
}

#[cfg(test)]
mod tests;
