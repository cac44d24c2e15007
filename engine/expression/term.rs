//! What expressions are made of once they are compiled.
//!
//! Always true: a term knows the text it was written as, so that every error can show it.

use std::sync::Arc;

use jsonpath_rust::parser::model::JpQuery;
use regex::Regex;

use super::helpers::Helper;
use super::{EvaluationError, Reference};
use crate::data::Value;

/// A compiled value.
#[derive(Clone, Debug)]
pub(super) enum Term {
    /// A fixed value.
    Fixed(Value),
    /// Nothing: what an optional path bound to nothing leaves.
    Absent,
    /// What could not be evaluated when it was bound; fails when it is needed.
    Failed(EvaluationError),
    /// A path into a root.
    Path(Path),
    /// A helper and its arguments.
    Call(Call),
    /// Text with values inserted.
    Text(Text),
    /// A list of terms.
    List(Vec<Term>),
    /// An object of terms.
    Object(Vec<(String, Term)>),
}

/// A path into a root.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// The path as written.
    pub(super) source: Arc<str>,
    /// Its first name.
    pub(super) root: String,
    /// Its second name, if the root's members stand alone.
    pub(super) member: Option<String>,
    /// What follows.
    pub(super) segments: Vec<Segment>,
    /// Whether it may lead nowhere.
    pub(super) optional: bool,
}

/// One part of a path.
#[derive(Clone, Debug)]
pub(super) enum Segment {
    /// A member of an object.
    Name(String),
    /// An element of a list, counted from the end if negative.
    Index(i64),
    /// As templates write it: a member of an object, or digits for an element of a list.
    Key(String),
    /// Every element or member.
    Every,
    /// Several of the above at once.
    Union(Vec<Segment>),
    /// A filter, slice or descent, for the JSONPath library.
    Query(Arc<JpQuery>),
}

/// A helper with its arguments.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The call as written.
    pub(super) source: Arc<str>,
    /// The helper.
    pub(super) helper: &'static Helper,
    /// Its arguments.
    pub(super) arguments: Vec<Term>,
    /// Whether it may find nothing.
    pub(super) optional: bool,
    /// The regular expression, compiled if it is fixed.
    pub(super) pattern: Option<Regex>,
}

/// Text with values inserted.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// The template as written.
    pub(super) source: Arc<str>,
    /// Its parts in order.
    pub(super) parts: Vec<Part>,
}

/// A part of a text.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// Fixed text.
    Fixed(String),
    /// A value as it is.
    Plain(Term),
    /// A value that is percent-encoded.
    Encoded(Term),
}

impl Segment {
    /// Whether it leads to one place at most.
    pub(super) fn is_singular(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Index(_) | Self::Key(_))
    }
}

impl Path {
    /// Whether it leads to one place at most.
    pub(super) fn is_singular(&self) -> bool {
        self.segments.iter().all(Segment::is_singular)
    }

    /// What it refers to, if it is nothing but names.
    pub(super) fn plain_reference(&self) -> Option<Reference> {
        let plain = |segment: &Segment| matches!(segment, Segment::Name(_) | Segment::Key(_));
        self.segments.iter().all(plain).then(|| self.reference())
    }

    /// What it refers to: the root and the names that follow.
    fn reference(&self) -> Reference {
        let names = self.segments.iter().map_while(|segment| match segment {
            Segment::Name(name) | Segment::Key(name) => Some(name.clone()),
            _ => None,
        });
        Reference {
            root: self.root.clone(),
            path: self.member.iter().cloned().chain(names).collect(),
        }
    }
}

impl Term {
    /// Calls `visit` with every path in the term.
    pub(super) fn paths<'a>(&'a self, visit: &mut dyn FnMut(&'a Path)) {
        match self {
            Self::Fixed(_) | Self::Absent | Self::Failed(_) => {}
            Self::Path(path) => visit(path),
            Self::Call(call) => call.arguments.iter().for_each(|term| term.paths(visit)),
            Self::Text(text) => text.parts.iter().for_each(|part| match part {
                Part::Fixed(_) => {}
                Part::Plain(term) | Part::Encoded(term) => term.paths(visit),
            }),
            Self::List(terms) => terms.iter().for_each(|term| term.paths(visit)),
            Self::Object(members) => members.iter().for_each(|(_, term)| term.paths(visit)),
        }
    }

    /// Everything the term refers to.
    pub(super) fn references(&self, found: &mut Vec<Reference>) {
        self.paths(&mut |path| found.push(path.reference()));
    }

    /// Whether a path in the term begins with this root (and member, if one is named).
    pub(super) fn mentions(&self, root: &str, member: Option<&str>) -> bool {
        let mut found = false;
        self.paths(&mut |path| {
            found |= path.root == root
                && member.is_none_or(|member| {
                    path.reference()
                        .path
                        .first()
                        .is_some_and(|first| first == member)
                });
        });
        found
    }

    /// Allows that paths and calls in the term lead nowhere.
    pub(super) fn allow_absence(&mut self) {
        match self {
            Self::Path(path) => path.optional = true,
            Self::Call(call) => {
                call.optional = true;
                call.arguments.iter_mut().for_each(Self::allow_absence);
            }
            _ => {}
        }
    }

    /// Whether the term hangs on one of these roots.
    pub(super) fn hangs_on(&self, roots: &[&str]) -> bool {
        let mut found = false;
        self.paths(&mut |path| found |= roots.contains(&path.root.as_str()));
        found
    }

    /// The text of an error about the term.
    pub(super) fn source(&self) -> String {
        match self {
            Self::Path(path) => path.source.to_string(),
            Self::Call(call) => call.source.to_string(),
            Self::Text(text) => text.source.to_string(),
            Self::Failed(error) => error.expression.clone(),
            Self::Fixed(value) => value.to_string(),
            Self::Absent => "an absent value".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}
