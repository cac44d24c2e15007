//! Comparing what is looked up in the way it is stored.

use std::sync::Arc;

use super::super::term::Term;
use super::{Clause, Condition, Relation, Test};
use crate::data::Value;

impl Condition {
    /// The condition with every fixed text that a column of `root` is compared with for equality
    /// (`equals`, `in` and their negations) changed: a table normalises what it looks up. Bind the
    /// condition first.
    #[must_use]
    pub fn with_compared_texts(
        &self,
        root: &str,
        change: &dyn Fn(&str, &str) -> Option<String>,
    ) -> Self {
        Self(Arc::new(clause(&self.0, root, change)))
    }
}

type Change<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

fn clause(part: &Clause, root: &str, change: Change<'_>) -> Clause {
    let all = |parts: &[Clause]| {
        parts
            .iter()
            .map(|part| clause(part, root, change))
            .collect()
    };
    match part {
        Clause::All(parts) => Clause::All(all(parts)),
        Clause::Any(parts) => Clause::Any(all(parts)),
        Clause::Not(part) => Clause::Not(Box::new(clause(part, root, change))),
        Clause::Test(part) => Clause::Test(test(part, root, change)),
        Clause::Fixed(_) | Clause::Truth(_) => part.clone(),
    }
}

fn test(part: &Test, root: &str, change: Change<'_>) -> Test {
    let mut part = part.clone();
    let compares = matches!(
        part.relation,
        Relation::Equals | Relation::NotEquals | Relation::In | Relation::NotIn
    );
    let Term::Path(path) = &part.subject else {
        return part;
    };
    let Some(reference) = path
        .plain_reference()
        .filter(|found| compares && found.root == root)
    else {
        return part;
    };
    let ([column], Term::Fixed(operand)) = (reference.path.as_slice(), &mut part.operand) else {
        return part;
    };
    let change_one = |value: &mut Value| {
        if let Value::String(text) = value
            && let Some(changed) = change(column, text)
        {
            *text = changed;
        }
    };
    match operand {
        Value::Array(list) => list.iter_mut().for_each(change_one),
        value => change_one(value),
    }
    part
}
