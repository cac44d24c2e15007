//! Values as written in files, compiled once and evaluated many times.
//!
//! In: nodes of a file. Out: [`Expression`]s and [`Condition`]s, checked for names and types.
//! Always true: evaluation is pure; a value that is not there is an error unless `?` allows it.

mod bind;
mod call;
pub mod codes;
mod compile;
mod condition;
mod evaluate;
mod filter;
mod helpers;
mod infer;
mod leaf;
mod path;
mod plain;
mod scan;
mod template;
mod term;
mod walk;

pub use condition::{Comparison, Condition, test_names};
pub use helpers::{HelperDoc, helpers};

use std::fmt;
use std::sync::Arc;

use self::compile::Surroundings;
use self::infer::Inferred;
use self::leaf::Use;
use self::term::Term;
use crate::clock::Moment;
use crate::data::{Value, oversize};
use crate::diagnostic::Report;
use crate::shape::{Field, Shape};
use crate::source::Node;

/// Where an expression finds its values while a job runs.
pub trait Scope {
    /// The value of a root (`trigger`, `input`, `item`, an alias), or of one member of a root that
    /// has members of its own (`steps`, `vars`, `settings`). `None`: absent.
    fn find(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>>;
    /// The moment that `now` shows.
    fn now(&self) -> Moment;
    /// The zone of `today`, `format_date` and the like: an IANA name.
    fn timezone(&self) -> &str;
    /// The next `uuid` of this step: the same at every resumption.
    fn uuid(&self) -> String;
    /// Whether values may be withheld, because this is a preview.
    fn is_preview(&self) -> bool {
        false
    }
}

/// What the compiler knows about a root or a member of a root.
pub enum Known {
    /// It exists and has this shape; it may be absent if `maybe`.
    Shape {
        /// Its shape.
        shape: Shape,
        /// Whether it may be absent: a step in a branch, an optional input.
        maybe: bool,
    },
    /// No such name; the message and help say what was probably meant.
    Unknown {
        /// What is wrong.
        message: String,
        /// How to mend it.
        help: Option<String>,
    },
}

/// Which names an expression may use at one place of a file.
pub trait Names {
    /// Looks a root up; `member` is given for roots whose members stand alone (`steps`, `vars`,
    /// `settings`).
    fn look_up(&self, root: &str, member: Option<&str>) -> Known;
    /// The roots that may be used here, for "did you mean".
    fn roots(&self) -> Vec<String>;
}

/// An expression with what is known about its value.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The compiled expression.
    pub expression: Expression,
    /// The shape of its value.
    pub shape: Shape,
    /// Whether evaluating it may give an absent value, since a `?` allows it.
    pub maybe: bool,
}

/// A compiled value: data whose leaves may be paths, templates and helpers.
#[derive(Clone, Debug)]
pub struct Expression(Arc<Term>);

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationError {
    /// The expression as written.
    pub expression: String,
    /// What is wrong, and what was there instead.
    pub message: String,
    /// What would have to run first, if a preview withheld it: then nothing is wrong.
    pub withheld_by: Option<String>,
}

impl EvaluationError {
    fn new(expression: String, message: String) -> Self {
        Self {
            expression,
            message,
            withheld_by: None,
        }
    }

    /// A value that hangs on something a preview withheld.
    fn withheld(expression: String, by: &str) -> Self {
        Self {
            expression,
            message: format!("known when {by} has run"),
            withheld_by: Some(by.to_owned()),
        }
    }
}

/// What an expression refers to: a root and the names that follow it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The root: `steps`, `row`, an alias.
    pub root: String,
    /// The names after it, as far as they are fixed: `user`, `email`.
    pub path: Vec<String>,
}

impl Expression {
    /// An expression that is a fixed value.
    pub fn literal(value: Value) -> Self {
        Self::of(Term::Fixed(value))
    }

    /// Compiles the value of a node. With `expected`, its shape is checked member by member and
    /// missing, surplus and wrongly typed members are reported, as is a value that may be absent.
    /// Always gives something to go on with; findings are in the report.
    pub fn compile(
        node: &Node,
        names: &dyn Names,
        expected: Option<&Shape>,
        report: &mut Report,
    ) -> Typed {
        let mut around = surroundings(names, report, Use::Value);
        let inferred = compile::value(&mut around, node, expected);
        if expected.is_some() {
            compile::refuse_absence(&mut around, node, &inferred);
        }
        inferred.into_typed()
    }

    /// Compiles the value of a declared field: its limits are checked too, and it may be absent if
    /// the field is optional.
    pub fn compile_field(
        node: &Node,
        names: &dyn Names,
        field: &Field,
        report: &mut Report,
    ) -> Typed {
        let mut around = surroundings(names, report, Use::Value);
        compile::field(&mut around, node, field).into_typed()
    }

    /// Compiles a URL or a part of one: what is inserted is percent-encoded, unless the text
    /// begins with it (`{{connection.base_url}}/v1/users/{{input.id}}`).
    pub fn compile_url(node: &Node, names: &dyn Names, report: &mut Report) -> Typed {
        let mut around = surroundings(names, report, Use::Url);
        let inferred = compile::value(&mut around, node, Some(&Shape::String));
        compile::refuse_absence(&mut around, node, &inferred);
        inferred.into_typed()
    }

    /// The value; `None` if it is absent and may be.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Option<Value>, EvaluationError> {
        match &*self.0 {
            Term::Fixed(value) => Ok(Some(value.clone())),
            term => {
                let value = term.find(scope)?.into_value();
                match value.as_ref().and_then(oversize) {
                    None => Ok(value),
                    Some(why) => Err(EvaluationError::new(
                        term.source(),
                        format!("the value cannot be worked with: {why}"),
                    )),
                }
            }
        }
    }

    /// The expression with everything evaluated but what hangs on these roots.
    pub fn bind(&self, scope: &dyn Scope, open: &[&str]) -> Result<Self, EvaluationError> {
        bind::bind(&self.0, scope, open).map(Self::of)
    }

    /// Whether the expression mentions this root (and member, if one is named).
    pub fn mentions(&self, root: &str, member: Option<&str>) -> bool {
        self.0.mentions(root, member)
    }

    /// Everything the expression refers to, in the order it is written.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        self.0.references(&mut found);
        found
    }

    /// The value, if it is fixed.
    pub fn as_literal(&self) -> Option<&Value> {
        match &*self.0 {
            Term::Fixed(value) => Some(value),
            _ => None,
        }
    }

    /// The reference, if the expression is one plain path of names and nothing else.
    pub fn as_reference(&self) -> Option<Reference> {
        match &*self.0 {
            Term::Path(path) => path.plain_reference(),
            _ => None,
        }
    }

    fn of(term: Term) -> Self {
        Self(Arc::new(term))
    }
}

/// The expression as written, for messages and listings.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.source())
    }
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.expression, self.message)
    }
}

impl std::error::Error for EvaluationError {}

fn surroundings<'c>(names: &'c dyn Names, report: &'c mut Report, usage: Use) -> Surroundings<'c> {
    Surroundings {
        names,
        report,
        usage,
    }
}

impl Inferred {
    /// The same for those outside the room.
    fn into_typed(self) -> Typed {
        Typed {
            maybe: self.maybe(),
            shape: self.shape,
            expression: Expression::of(self.term),
        }
    }
}

#[cfg(test)]
mod tests;
