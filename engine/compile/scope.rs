//! Which names an expression may use at one place of a recipe.
//!
//! In: what was compiled before the place. Out: answers to the expression room's questions.
//! Always true: a name that is not known here gets a message that says where it would be known.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::{Span, did_you_mean};
use crate::expression::{Known, Names};
use crate::shape::{Field, Shape};

/// What holds for the whole recipe.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The roots that every step may use.
    pub(super) roots: IndexMap<String, Shape>,
    /// Why a usual root is not there: `trigger` in a function.
    pub(super) missing: BTreeMap<&'static str, &'static str>,
    /// Every written id, with its line and what kind of step it is.
    pub(super) ids: BTreeMap<Arc<str>, (Span, String)>,
    /// The shape of every variable, over all places that set it.
    pub(super) vars: BTreeMap<String, Shape>,
}

/// A step's result as later steps see it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Shared, since what is visible is copied for every branch.
    pub(super) shape: Arc<Shape>,
    pub(super) maybe: bool,
}

/// A variable as later steps see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenVar {
    pub(super) maybe: bool,
    /// How many loops that run several at once stood around the place that set it first.
    pub(super) depth: usize,
}

/// What the steps so far have made visible.
#[derive(Clone, Debug, Default)]
pub(super) struct Visible {
    pub(super) steps: BTreeMap<Arc<str>, Seen>,
    pub(super) vars: BTreeMap<String, SeenVar>,
    /// Aliases and other roots that are open here, innermost last.
    pub(super) open: Vec<(String, Seen)>,
}

impl Visible {
    /// The same with one more root.
    pub(super) fn with_root(&self, name: &str, shape: Shape) -> Self {
        let mut visible = self.clone();
        let (shape, maybe) = (Arc::new(shape), false);
        visible.open.push((name.to_owned(), Seen { shape, maybe }));
        visible
    }

    /// Everything new since `before` may not be there.
    pub(super) fn doubt_since(&mut self, before: &Self) {
        for (id, seen) in &mut self.steps {
            seen.maybe |= !before.steps.contains_key(id);
        }
        for (name, seen) in &mut self.vars {
            let was_maybe = before.vars.get(name).is_none_or(|before| before.maybe);
            seen.maybe |= was_maybe;
        }
    }

    /// Takes in what alternative branches made visible; a branch that ends the recipe does not
    /// count, since nothing comes after it.
    pub(super) fn merge(&mut self, branches: Vec<(Self, bool)>) {
        let going_on: Vec<Self> = branches
            .into_iter()
            .filter(|(_, ends)| !ends)
            .map(|(visible, _)| visible)
            .collect();
        let count = going_on.len();
        let mut steps: BTreeMap<Arc<str>, (Seen, usize)> = BTreeMap::new();
        let mut vars: BTreeMap<String, (SeenVar, usize)> = BTreeMap::new();
        for branch in going_on {
            for (id, seen) in branch.steps {
                let entry = steps.entry(id).or_insert_with(|| (seen.clone(), 0));
                entry.0.maybe |= seen.maybe;
                entry.1 += 1;
            }
            for (name, seen) in branch.vars {
                let entry = vars.entry(name).or_insert((seen, 0));
                entry.0.maybe |= seen.maybe;
                entry.1 += 1;
            }
        }
        for (id, (mut seen, times)) in steps {
            seen.maybe |= times < count;
            self.steps.insert(id, seen);
        }
        for (name, (mut seen, times)) in vars {
            seen.maybe |= times < count;
            self.vars.insert(name, seen);
        }
    }
}

/// The names at one place.
pub(super) struct Scope<'a> {
    pub(super) facts: &'a Facts,
    pub(super) visible: &'a Visible,
    /// Where the place is, to tell "later" from "out of sight".
    pub(super) here: Span,
    /// The roots that this field may use, if not all.
    pub(super) only: Option<&'static [&'static str]>,
}

impl Names for Scope<'_> {
    fn look_up(&self, root: &str, member: Option<&str>) -> Known {
        if let Some((_, seen)) = self
            .visible
            .open
            .iter()
            .rev()
            .find(|(name, _)| name == root)
        {
            return member_of(root, &seen.shape, seen.maybe, member);
        }
        if self.only.is_some_and(|only| !only.contains(&root)) {
            return self.not_open(root);
        }
        match (root, member) {
            ("steps", Some(id)) => self.step(id),
            ("vars", Some(name)) => self.variable(name),
            ("steps" | "vars", None) => Known::Unknown {
                message: format!("`{root}` alone is no value"),
                help: Some(format!("name one of them: `{root}.name`")),
            },
            _ => match self.facts.roots.get(root) {
                Some(shape) => member_of(root, shape, false, member),
                None => self.not_open(root),
            },
        }
    }

    fn roots(&self) -> Vec<String> {
        let mut roots: Vec<String> = match self.only {
            Some(only) => only.iter().map(|&root| root.to_owned()).collect(),
            None => {
                let known = self.facts.roots.keys().cloned();
                known
                    .chain(["steps".to_owned(), "vars".to_owned()])
                    .collect()
            }
        };
        for (name, _) in &self.visible.open {
            if !roots.contains(name) {
                roots.push(name.clone());
            }
        }
        roots
    }
}

impl Scope<'_> {
    fn step(&self, id: &str) -> Known {
        if let Some(seen) = self.visible.steps.get(id) {
            return Known::Shape {
                shape: Shape::clone(&seen.shape),
                maybe: seen.maybe,
            };
        }
        if let Some((span, kind)) = self.facts.ids.get(id) {
            let (message, help) = if span.start >= self.here.start {
                (
                    format!("step `{id}` has not run here yet"),
                    format!(
                        "it stands in line {}; move it up, or read it later",
                        span.line
                    ),
                )
            } else {
                (
                    format!("step `{id}` cannot be seen from here"),
                    format!(
                        "it stands in line {} (`{kind}`), inside a loop or a branch of its own; a loop \
                         gives results outward through `collect` and `tally`",
                        span.line
                    ),
                )
            };
            let help = Some(help);
            return Known::Unknown { message, help };
        }
        let known = self.visible.steps.keys().map(|id| &**id);
        Known::Unknown {
            message: format!("there is no step `{id}`"),
            help: meant(id, known, "steps before this one"),
        }
    }

    fn variable(&self, name: &str) -> Known {
        match self.visible.vars.get(name) {
            Some(seen) => Known::Shape {
                shape: self.facts.vars.get(name).cloned().unwrap_or(Shape::Any),
                maybe: seen.maybe,
            },
            None if self.facts.vars.contains_key(name) => Known::Unknown {
                message: format!("variable `{name}` has no value here"),
                help: Some(
                    "it is set later, or inside a loop, where it lives for one iteration".into(),
                ),
            },
            None => Known::Unknown {
                message: format!("there is no variable `{name}`"),
                help: meant(
                    name,
                    self.visible.vars.keys().map(String::as_str),
                    "variables set before this step",
                ),
            },
        }
    }

    fn not_open(&self, root: &str) -> Known {
        if let Some(reason) = self.facts.missing.get(root) {
            return Known::Unknown {
                message: format!("`{root}` is not known here"),
                help: Some((*reason).to_owned()),
            };
        }
        let roots = self.roots();
        let usual = [
            "item", "index", "row", "error", "loop", "input", "trigger", "steps", "vars",
        ];
        let message = if usual.contains(&root) || self.facts.roots.contains_key(root) {
            format!("`{root}` cannot be used in this place")
        } else {
            format!("`{root}` is not known here")
        };
        let help = meant(root, roots.iter().map(String::as_str), "known here");
        Known::Unknown { message, help }
    }
}

/// A root's own shape, or that of one of its members.
pub(super) fn member_of(root: &str, shape: &Shape, maybe: bool, member: Option<&str>) -> Known {
    let shape = shape.clone();
    let Some(member) = member else {
        return Known::Shape { shape, maybe };
    };
    match &shape {
        Shape::Fields(fields) => match fields.get(member) {
            Some(field) => Known::Shape {
                shape: field.shape.clone(),
                maybe: maybe || field.optional,
            },
            None => Known::Unknown {
                message: format!("`{root}` has no `{member}`"),
                help: meant(member, fields.keys().map(String::as_str), "it has"),
            },
        },
        _ => Known::Shape {
            shape: Shape::Any,
            maybe: true,
        },
    }
}

fn meant<'a>(
    written: &str,
    known: impl Iterator<Item = &'a str>,
    introduction: &str,
) -> Option<String> {
    let known: Vec<&str> = known.collect();
    if let Some(meant) = did_you_mean(written, known.iter().copied()) {
        return Some(format!("did you mean `{meant}`?"));
    }
    if known.is_empty() {
        return None;
    }
    let names: Vec<String> = known
        .iter()
        .take(12)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = if known.len() > 12 { ", ..." } else { "" };
    Some(format!("{introduction}: {}{more}", names.join(", ")))
}

/// Declared fields as they are read: one with a default is always there.
pub(super) fn as_read(shape: &Shape) -> Shape {
    let Shape::Fields(fields) = shape else {
        return shape.clone();
    };
    let read = |field: &Field| Field {
        optional: field.optional && field.default.is_none(),
        ..field.clone()
    };
    Shape::Fields(
        fields
            .iter()
            .map(|(name, field)| (name.clone(), read(field)))
            .collect(),
    )
}
