//! Values as written in files, compiled once and evaluated many times.
//!
//! In: nodes of a file. Out: [`Expression`]s and [`Condition`]s, checked for names and types.
//! Always true: evaluation is pure; a value that is not there is an error unless `?` allows it.

use std::sync::Arc;

use crate::clock::Moment;
use crate::data::Value;
use crate::diagnostic::Report;
use crate::shape::Shape;
use crate::source::Node;

/// Where an expression finds its values while a job runs.
pub trait Scope {
    /// The value of a root (`trigger`, `input`, `item`, an alias), or of one member of a root that
    /// has members of its own (`steps`, `vars`). `None`: absent.
    fn find(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>>;
    /// The moment that `now` shows.
    fn now(&self) -> Moment;
    /// The zone of `today`, `format_date` and the like: an IANA name.
    fn timezone(&self) -> &str;
    /// The next `uuid` of this step: the same at every resumption.
    fn uuid(&self) -> String;
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
    /// Looks a root up; `member` is given for roots whose members stand alone (`steps`, `vars`).
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
    /// Whether it may be absent.
    pub maybe: bool,
}

/// A compiled value: data whose leaves may be paths, templates and helpers.
#[derive(Clone, Debug)]
pub struct Expression(Value);

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationError {
    /// The expression as written.
    pub expression: String,
    /// What is wrong, and what was there instead.
    pub message: String,
}

impl Expression {
    /// An expression that is a fixed value.
    pub fn literal(value: Value) -> Self {
        Self(value)
    }

    /// Compiles the value of a node. With `expected`, its shape is checked member by member and
    /// missing, surplus and wrongly typed members are reported. Always gives something to go on
    /// with; findings are in the report.
    pub fn compile(
        _node: &Node,
        _names: &dyn Names,
        _expected: Option<&Shape>,
        _report: &mut Report,
    ) -> Typed {
        unimplemented!()
    }

    /// The value; `None` if it is absent and may be.
    pub fn evaluate(&self, _scope: &dyn Scope) -> Result<Option<Value>, EvaluationError> {
        unimplemented!()
    }

    /// The expression with everything evaluated but what hangs on these roots.
    pub fn bind(&self, _scope: &dyn Scope, _open: &[&str]) -> Result<Self, EvaluationError> {
        unimplemented!()
    }

    /// Whether the expression mentions this root (and member, if one is named).
    pub fn mentions(&self, _root: &str, _member: Option<&str>) -> bool {
        unimplemented!()
    }
}

/// A compiled test: `if`, `when`, `where`, `until`.
#[derive(Clone, Debug)]
pub struct Condition(Value);

impl Condition {
    /// Compiles a condition; findings are in the report.
    pub fn compile(_node: &Node, _names: &dyn Names, _report: &mut Report) -> Self {
        unimplemented!()
    }

    /// Whether it holds.
    pub fn holds(&self, _scope: &dyn Scope) -> Result<bool, EvaluationError> {
        unimplemented!()
    }

    /// The condition with everything evaluated but what hangs on these roots.
    pub fn bind(&self, _scope: &dyn Scope, _open: &[&str]) -> Result<Self, EvaluationError> {
        unimplemented!()
    }

    /// Whether the condition mentions this root (and member, if one is named).
    pub fn mentions(&self, _root: &str, _member: Option<&str>) -> bool {
        unimplemented!()
    }
}
