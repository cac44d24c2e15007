//! What recipes may use: connectors, tables, projects, and each other.
//!
//! In: what was read of a workspace. Out: a [`Catalogue`] that compilation looks names up in.
//! Always true: a recipe with mistakes still has a signature, so that its callers can be checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::connector::Connector;
use crate::diagnostic::{Report, Span};
use crate::names::{ConnectorName, RecipeName, TableName};
use crate::recipe::{RecipeFile, targets};
use crate::shape::Shape;
use crate::source::{Node, NodeKind};
use crate::table::Table;

use super::Project;

/// Everything that recipes may name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Connectors, the built-in ones included.
    pub connectors: BTreeMap<ConnectorName, Arc<Connector>>,
    /// Lookup tables.
    pub tables: BTreeMap<TableName, Arc<Table>>,
    /// Projects by folder name.
    pub projects: BTreeMap<String, Arc<Project>>,
    /// What each recipe takes, gives and calls.
    pub signatures: BTreeMap<RecipeName, Arc<Signature>>,
}

/// What other recipes must know of a recipe.
#[derive(Clone, Debug)]
pub struct Signature {
    /// What sets it off: `function`, `manual`, ...; empty if that could not be read.
    pub trigger: String,
    /// What it takes.
    pub input: Shape,
    /// What it gives back.
    pub output: Shape,
    /// The recipes it calls, each with a place.
    pub calls: Vec<(RecipeName, Span)>,
    /// The recipes of which it starts jobs, each with a place.
    pub starts: Vec<(RecipeName, Span)>,
}

impl Signature {
    /// The signature of a recipe whose file cannot be read: nothing of it is known, so whoever
    /// calls it is not blamed for anything.
    pub fn unknown() -> Self {
        Self {
            trigger: String::new(),
            input: Shape::Any,
            output: Shape::Any,
            calls: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// Whether those who call a recipe see no difference between the two, wherever their parts
    /// stand in the file.
    pub fn is_like(&self, other: &Self) -> bool {
        let same_shape = self.input == other.input && self.output == other.output;
        self.trigger == other.trigger && same_shape && self.reaches().eq(other.reaches())
    }

    /// The recipes that it calls or starts as written, each as often as it does.
    pub fn reaches(&self) -> impl Iterator<Item = &RecipeName> {
        let reached = self.calls.iter().chain(&self.starts);
        reached.map(|(name, _)| name)
    }

    /// Reads the signature of a recipe file; mistakes in types are reported when it is compiled.
    pub fn of(file: &RecipeFile) -> Self {
        let mut unheard = Report::of(&file.document.file);
        let (trigger, input, output) = match file.trigger() {
            Some((kind, node)) => (
                kind.to_owned(),
                fields(node.get("input"), &mut unheard),
                fields(node.get("output"), &mut unheard),
            ),
            None => (String::new(), Shape::Any, Shape::Any),
        };
        let (root, project) = (&file.document.root, file.name.project());
        let named = |key: &str| {
            let named = targets(root, key).into_iter();
            named
                .filter_map(|node| Some((resolve(node.as_text()?, project)?, node.span)))
                .collect()
        };
        Self {
            trigger,
            input,
            output,
            calls: named("call"),
            starts: named("start"),
        }
    }
}

/// Declared fields; none if nothing is declared.
pub(super) fn fields(node: Option<&Node>, report: &mut Report) -> Shape {
    match node {
        Some(node) if matches!(node.kind, NodeKind::Map(_)) => {
            Shape::Fields(Shape::parse_fields(node, report))
        }
        _ => Shape::Fields(indexmap::IndexMap::new()),
    }
}

/// A recipe's name as a call writes it.
pub(super) fn resolve(written: &str, project: &str) -> Option<RecipeName> {
    if written.contains('/') {
        RecipeName::new(written).ok()
    } else {
        RecipeName::of(project, written).ok()
    }
}
