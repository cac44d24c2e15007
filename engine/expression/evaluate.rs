//! Terms to values while a job runs.
//!
//! In: a term and a scope. Out: its value, absent, or an error that names the expression.
//! Always true: a path clones its leaf and nothing else; only what is needed is evaluated.

use std::borrow::Cow;
use std::sync::Arc;

use super::helpers::encoding::percent_encode;
use super::helpers::{Arguments, Lazy, Run, TEXT_BYTES_MAX};
use super::term::{Call, Part, Path, Term, Text};
use super::{EvaluationError, Scope, walk};
use crate::data::{Object, Value, kind_of, withheld, withheld_by};

/// A value where it was found, not yet cloned.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// Nothing.
    Absent,
    /// A value made here.
    Owned(Value),
    /// A value of the expression itself.
    Borrowed(&'a Value),
    /// A value inside one of the scope's.
    Shared(Arc<Value>, &'a Path),
}

impl Found<'_> {
    /// The value, if there is one.
    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Absent => None,
            Self::Owned(value) => Some(value),
            Self::Borrowed(value) => Some(value),
            Self::Shared(root, path) => walk::leaf(root, path),
        }
    }

    /// The value as one's own.
    pub(super) fn into_value(self) -> Option<Value> {
        match self {
            Self::Absent => None,
            Self::Owned(value) => Some(value),
            Self::Borrowed(value) => Some(value.clone()),
            Self::Shared(root, path) if path.segments.is_empty() => {
                Some(Arc::unwrap_or_clone(root))
            }
            Self::Shared(root, path) => walk::leaf(&root, path).cloned(),
        }
    }
}

impl Term {
    /// The term's value in a scope.
    pub(super) fn find<'a>(&'a self, scope: &'a dyn Scope) -> Result<Found<'a>, EvaluationError> {
        match self {
            Self::Fixed(value) => Ok(Found::Borrowed(value)),
            Self::Absent => Ok(Found::Absent),
            Self::Failed(error) => Err(error.clone()),
            Self::Path(path) => path.find(scope),
            Self::Call(call) => unless_withheld(call.find(scope)),
            Self::Text(text) => unless_withheld(text.find(scope)),
            Self::List(terms) => {
                let mut list = Vec::with_capacity(terms.len());
                for term in terms {
                    list.extend(term.find(scope)?.into_value());
                }
                Ok(Found::Owned(Value::Array(list)))
            }
            Self::Object(members) => {
                let mut object = Object::with_capacity(members.len());
                for (name, term) in members {
                    if let Some(value) = term.find(scope)?.into_value() {
                        object.insert(name.clone(), value);
                    }
                }
                Ok(Found::Owned(Value::Object(object)))
            }
        }
    }
}

impl Path {
    fn find<'a>(&'a self, scope: &'a dyn Scope) -> Result<Found<'a>, EvaluationError> {
        let fail = |message| EvaluationError::new(self.source.to_string(), message);
        let Some(root) = scope.find(&self.root, self.member.as_deref()) else {
            if self.optional {
                return Ok(Found::Absent);
            }
            return Err(fail(match &self.member {
                Some(member) if self.root == "steps" => {
                    format!("the step `{member}` has no result: it did not run or gives none")
                }
                Some(member) => format!("`{}.{member}` is absent", self.root),
                None => format!("`{}` is absent", self.root),
            }));
        };
        if scope.is_preview()
            && let Some(by) = walk::withheld_on(&root, self)
        {
            return Ok(Found::Owned(withheld(by)));
        }
        if self.is_singular() {
            return match walk::follow(&root, self).map_err(fail)? {
                Some(_) => Ok(Found::Shared(root, self)),
                None => Ok(Found::Absent),
            };
        }
        match walk::gather(&root, self).map_err(fail)? {
            Some(list) => Ok(Found::Owned(Value::Array(list))),
            None => Ok(Found::Absent),
        }
    }
}

impl Call {
    fn find<'a>(&'a self, scope: &'a dyn Scope) -> Result<Found<'a>, EvaluationError> {
        match &self.helper.run {
            Run::Eager(run) => self.eager(scope, *run),
            Run::Lazy(Lazy::Default) => match self.arguments[0].find(scope)? {
                found if found.value().is_some_and(|value| !value.is_null()) => Ok(found),
                _ => self.arguments[1].find(scope),
            },
            Run::Lazy(Lazy::IfElse) => match self.truth(0, scope)? {
                Some(true) => self.arguments[1].find(scope),
                Some(false) => self.arguments[2].find(scope),
                None => Ok(Found::Absent),
            },
            Run::Lazy(Lazy::And) => self.decide(scope, Decisive::False),
            Run::Lazy(Lazy::Or) => self.decide(scope, Decisive::True),
        }
    }

    fn fail(&self, message: impl std::fmt::Display) -> EvaluationError {
        let message = format!("`{}`: {message}", self.helper.name);
        EvaluationError::new(self.source.to_string(), message)
    }

    fn eager<'a>(
        &'a self,
        scope: &'a dyn Scope,
        run: fn(&Arguments<'_>) -> Result<Option<Value>, String>,
    ) -> Result<Found<'a>, EvaluationError> {
        use super::helpers::Mode;
        let mut values = Vec::with_capacity(self.arguments.len());
        for (index, argument) in self.arguments.iter().enumerate() {
            let parameter = self.helper.parameter(index);
            let found = argument.find(scope)?;
            known(argument, &found, scope)?;
            match found.value() {
                Some(value) => {
                    if let Some(message) = parameter.kind.misfit(value) {
                        return Err(self.fail(format!("`{}`: {message}", parameter.name)));
                    }
                }
                None if matches!(parameter.mode, Mode::Absent | Mode::Forgiving) => {}
                None => return Ok(Found::Absent),
            }
            values.push(found);
        }
        let arguments = Arguments {
            values: &values,
            scope,
            pattern: self.pattern.as_ref(),
        };
        match run(&arguments).map_err(|message| self.fail(message))? {
            Some(value) => Ok(Found::Owned(value)),
            None if self.optional => Ok(Found::Absent),
            None => Err(self.fail(self.nothing(&values))),
        }
    }

    /// What to say when the helper finds nothing.
    fn nothing(&self, values: &[Found<'_>]) -> String {
        let value = |index: usize| values.get(index).and_then(Found::value);
        let key = value(1);
        if let (Some(key), Some(sought), Some(wanted)) = (key, value(2), value(3)) {
            return format!("no element has {sought} under {key}, or it has no {wanted}");
        }
        match (value(0), key) {
            (Some(Value::Array(list)), _) if list.is_empty() => "the list is empty".to_owned(),
            (Some(Value::Array(list)), Some(key)) => {
                format!("the list has {} elements and none at {key}", list.len())
            }
            (_, Some(key)) => format!("there is no member {key}"),
            _ => "nothing was found".to_owned(),
        }
    }

    fn truth(&self, index: usize, scope: &dyn Scope) -> Result<Option<bool>, EvaluationError> {
        let found = self.arguments[index].find(scope)?;
        known(&self.arguments[index], &found, scope)?;
        match found.value() {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(other) => {
                Err(self.fail(format!("expected true or false, not {}", kind_of(other))))
            }
        }
    }

    /// Evaluates one argument after the other until one decides.
    fn decide<'a>(
        &'a self,
        scope: &'a dyn Scope,
        decisive: Decisive,
    ) -> Result<Found<'a>, EvaluationError> {
        let decisive = decisive == Decisive::True;
        for index in 0..self.arguments.len() {
            match self.truth(index, scope)? {
                Some(truth) if truth == decisive => return Ok(Found::Owned(Value::Bool(truth))),
                Some(_) => {}
                None => return Ok(Found::Absent),
            }
        }
        Ok(Found::Owned(Value::Bool(!decisive)))
    }
}

/// The truth that decides a chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decisive {
    True,
    False,
}

impl Text {
    fn find<'a>(&'a self, scope: &'a dyn Scope) -> Result<Found<'a>, EvaluationError> {
        let mut text = String::with_capacity(self.source.len());
        for part in &self.parts {
            if text.len() > TEXT_BYTES_MAX {
                return Err(EvaluationError::new(
                    self.source.to_string(),
                    format!("the text would be longer than {} MiB", TEXT_BYTES_MAX >> 20),
                ));
            }
            match part {
                Part::Fixed(fixed) => text.push_str(fixed),
                Part::Plain(term) => {
                    let found = term.find(scope)?;
                    known(term, &found, scope)?;
                    text.push_str(&self.inserted(term, &found)?);
                }
                Part::Encoded(term) => {
                    let found = term.find(scope)?;
                    known(term, &found, scope)?;
                    text.push_str(&percent_encode(&self.inserted(term, &found)?));
                }
            }
        }
        Ok(Found::Owned(Value::String(text)))
    }

    fn inserted<'v>(
        &self,
        term: &Term,
        found: &'v Found<'_>,
    ) -> Result<Cow<'v, str>, EvaluationError> {
        let Some(value) = found.value() else {
            return Ok(Cow::Borrowed(""));
        };
        let lenient = matches!(term, Term::Path(path) if path.optional);
        match value {
            Value::Null if lenient => Ok(Cow::Borrowed("")),
            value => scalar_text(value).ok_or_else(|| {
                let message = match value {
                    Value::Null => "null cannot stand inside text; a `?` at the end of the path \
                                    leaves it out"
                        .to_owned(),
                    other => format!(
                        "{} cannot stand inside text; use `join` or `to_json`",
                        kind_of(other)
                    ),
                };
                EvaluationError::new(term.source(), message)
            }),
        }
    }
}

/// Refuses what a preview does not know, so that the whole text or call is not known.
fn known(term: &Term, found: &Found<'_>, scope: &dyn Scope) -> Result<(), EvaluationError> {
    if !scope.is_preview() {
        return Ok(());
    }
    match found.value().and_then(withheld_by) {
        Some(by) => Err(EvaluationError::withheld(term.source(), by)),
        None => Ok(()),
    }
}

/// Makes a value that is not known of one that hangs on such a value.
fn unless_withheld<'a>(
    found: Result<Found<'a>, EvaluationError>,
) -> Result<Found<'a>, EvaluationError> {
    match found {
        Err(EvaluationError {
            withheld_by: Some(by),
            ..
        }) => Ok(Found::Owned(withheld(&by))),
        found => found,
    }
}

/// Text, a number, true or false as text; anything else has none.
pub(super) fn scalar_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        _ => None,
    }
}
