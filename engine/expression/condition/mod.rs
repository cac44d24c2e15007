//! Conditions: `if`, `when`, `where`, `until`.
//!
//! In: a mapping from values to tests. Out: a [`Condition`] that holds or not in a scope.
//! Always true: values of different types are never compared silently; absent equals nothing.

mod compile;
mod evaluate;
mod normalise;
mod suit;

pub use compile::test_names;

use std::sync::Arc;

use regex::Regex;

use super::leaf::Use;
use super::term::Term;
use super::{EvaluationError, Names, Reference, Scope, Surroundings, bind};
use crate::data::Value;
use crate::diagnostic::Report;
use crate::source::Node;

/// A compiled test: `if`, `when`, `where`, `until`.
#[derive(Clone, Debug)]
pub struct Condition(Arc<Clause>);

/// A comparison of a plain path with fixed values, for indexes and listings.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub reference: Reference,
    /// What it may equal.
    pub values: Vec<Value>,
}

/// A condition or a part of one.
#[derive(Clone, Debug)]
enum Clause {
    /// Known from the start.
    Fixed(bool),
    /// All must hold.
    All(Vec<Clause>),
    /// One must hold.
    Any(Vec<Clause>),
    /// It must not hold.
    Not(Box<Clause>),
    /// A value that is true or false.
    Truth(Term),
    /// A value and a test.
    Test(Test),
}

/// A value and a test.
#[derive(Clone, Debug)]
struct Test {
    /// What is tested.
    subject: Term,
    /// The test.
    relation: Relation,
    /// What it is tested against.
    operand: Term,
    /// The regular expression, compiled if it is fixed.
    pattern: Option<Regex>,
}

/// What a test asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equals,
    NotEquals,
    In,
    NotIn,
    Contains,
    NotContains,
    StartsWith,
    EndsWith,
    Matches,
    LessThan,
    AtMost,
    GreaterThan,
    AtLeast,
    Before,
    After,
    OnOrBefore,
    OnOrAfter,
    IsTrue,
    IsFalse,
    IsNull,
    IsPresent,
    IsBlank,
}

impl Condition {
    /// Compiles a condition; findings are in the report.
    pub fn compile(node: &Node, names: &dyn Names, report: &mut Report) -> Self {
        let mut around = Surroundings {
            names,
            report,
            usage: Use::Value,
        };
        Self(Arc::new(compile::condition(&mut around, node, 0)))
    }

    /// A condition that always or never holds.
    pub fn fixed(holds: bool) -> Self {
        Self(Arc::new(Clause::Fixed(holds)))
    }

    /// Whether it holds.
    pub fn holds(&self, scope: &dyn Scope) -> Result<bool, EvaluationError> {
        evaluate::holds(&self.0, scope)
    }

    /// The condition with everything evaluated but what hangs on these roots.
    pub fn bind(&self, scope: &dyn Scope, open: &[&str]) -> Result<Self, EvaluationError> {
        bind_clause(&self.0, scope, open).map(|clause| Self(Arc::new(clause)))
    }

    /// Whether the condition mentions this root (and member, if one is named).
    pub fn mentions(&self, root: &str, member: Option<&str>) -> bool {
        let mut found = false;
        visit_terms(&self.0, &mut |term| found |= term.mentions(root, member));
        found
    }

    /// Everything the condition refers to, in the order it is written.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        visit_terms(&self.0, &mut |term| term.references(&mut found));
        found
    }

    /// The columns of `root` that must equal one of some fixed values for the condition to hold,
    /// for indexes: `(column, values)`. Bind the condition first.
    pub fn row_equalities(&self, root: &str) -> Vec<(String, Vec<Value>)> {
        let mut found = Vec::new();
        necessary(&self.0, &mut |test| {
            let Some(comparison) = test.comparison() else {
                return;
            };
            if let [column] = comparison.reference.path.as_slice()
                && comparison.reference.root == root
            {
                found.push((column.clone(), comparison.values));
            }
        });
        found
    }

    /// Every comparison of a plain path with fixed values, wherever it stands in the condition.
    pub fn comparisons(&self) -> Vec<Comparison> {
        let mut found = Vec::new();
        visit_tests(&self.0, &mut |test| found.extend(test.comparison()));
        found
    }
}

impl Test {
    /// The comparison, if the test is one of a plain path with fixed values.
    fn comparison(&self) -> Option<Comparison> {
        let Term::Path(path) = &self.subject else {
            return None;
        };
        let reference = path.plain_reference()?;
        let values = match (self.relation, &self.operand) {
            (Relation::Equals, Term::Fixed(value)) => vec![value.clone()],
            (Relation::In, Term::Fixed(Value::Array(list))) => list.clone(),
            (Relation::IsTrue, _) => vec![Value::Bool(true)],
            (Relation::IsFalse, _) => vec![Value::Bool(false)],
            _ => return None,
        };
        Some(Comparison { reference, values })
    }
}

/// Calls `visit` with every test that must hold for the whole to hold.
fn necessary(clause: &Clause, visit: &mut dyn FnMut(&Test)) {
    match clause {
        Clause::All(clauses) => clauses.iter().for_each(|clause| necessary(clause, visit)),
        Clause::Any(clauses) if clauses.len() == 1 => necessary(&clauses[0], visit),
        Clause::Test(test) => visit(test),
        _ => {}
    }
}

/// Calls `visit` with every test.
fn visit_tests(clause: &Clause, visit: &mut dyn FnMut(&Test)) {
    match clause {
        Clause::All(clauses) | Clause::Any(clauses) => {
            clauses.iter().for_each(|clause| visit_tests(clause, visit));
        }
        Clause::Not(clause) => visit_tests(clause, visit),
        Clause::Test(test) => visit(test),
        Clause::Fixed(_) | Clause::Truth(_) => {}
    }
}

/// Calls `visit` with every term.
fn visit_terms(clause: &Clause, visit: &mut dyn FnMut(&Term)) {
    match clause {
        Clause::Fixed(_) => {}
        Clause::All(clauses) | Clause::Any(clauses) => {
            clauses.iter().for_each(|clause| visit_terms(clause, visit));
        }
        Clause::Not(clause) => visit_terms(clause, visit),
        Clause::Truth(term) => visit(term),
        Clause::Test(test) => {
            visit(&test.subject);
            visit(&test.operand);
        }
    }
}

fn bind_clause(
    clause: &Clause,
    scope: &dyn Scope,
    open: &[&str],
) -> Result<Clause, EvaluationError> {
    let all = |clauses: &[Clause]| {
        clauses
            .iter()
            .map(|clause| bind_clause(clause, scope, open))
            .collect::<Result<_, _>>()
    };
    Ok(match clause {
        Clause::Fixed(holds) => Clause::Fixed(*holds),
        Clause::All(clauses) => Clause::All(all(clauses)?),
        Clause::Any(clauses) => Clause::Any(all(clauses)?),
        Clause::Not(clause) => Clause::Not(Box::new(bind_clause(clause, scope, open)?)),
        Clause::Truth(term) => Clause::Truth(bind_term(term, scope, open)?),
        Clause::Test(test) => {
            let operand = bind_term(&test.operand, scope, open)?;
            let pattern = match (&test.pattern, test.relation, &operand) {
                (None, Relation::Matches, Term::Fixed(Value::String(text))) => {
                    crate::data::pattern(text).ok()
                }
                (pattern, ..) => pattern.clone(),
            };
            Clause::Test(Test {
                subject: bind_term(&test.subject, scope, open)?,
                relation: test.relation,
                operand,
                pattern,
            })
        }
    })
}

/// Binds a term; what fails now fails when the test is reached, which may be never.
/// What cannot be evaluated fails where it is looked at, unless a preview does not know it.
fn bind_term(term: &Term, scope: &dyn Scope, open: &[&str]) -> Result<Term, EvaluationError> {
    match bind::bind(term, scope, open) {
        Err(error) if error.withheld_by.is_none() => Ok(Term::Failed(error)),
        bound => bound,
    }
}

#[cfg(test)]
mod tests;
