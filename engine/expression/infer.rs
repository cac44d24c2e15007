//! What is known of a value before anything runs.
//!
//! In: paths and the names that exist at this place. Out: terms with shapes, and findings.
//! Always true: one mistake gives one finding; what was not understood is taken for anything.

use super::codes::{UNKNOWN_FIELD, UNKNOWN_NAME};
use super::path::Mistake;
use super::term::{Path, Segment, Term};
use super::{Known, Names, filter};
use crate::data::Value;
use crate::diagnostic::{Code, Report, did_you_mean};
use crate::shape::{Member, Shape, join};
use crate::source::Node;

/// One text while it is compiled.
pub(super) struct Compiler<'c> {
    /// The names that exist here.
    pub(super) names: &'c dyn Names,
    /// The text's node, for places.
    pub(super) node: &'c Node,
    /// Where findings go.
    pub(super) report: &'c mut Report,
}

/// A term with what is known of its value.
#[derive(Clone, Debug)]
pub(super) struct Inferred {
    /// The term.
    pub(super) term: Term,
    /// The shape of its value.
    pub(super) shape: Shape,
    /// Whether it may lead nowhere or find nothing.
    pub(super) nothing: bool,
    /// Whether an absent argument makes it absent.
    pub(super) passed: bool,
    /// Whether an argument that now must be there would make it absent if it were allowed to.
    pub(super) latent: bool,
}

impl Inferred {
    /// A fixed value.
    pub(super) fn fixed(value: Value) -> Self {
        Self {
            shape: Shape::of(&value),
            term: Term::Fixed(value),
            nothing: false,
            passed: false,
            latent: false,
        }
    }

    /// What was not understood and is already reported.
    pub(super) fn unknown() -> Self {
        Self {
            shape: Shape::Any,
            ..Self::fixed(Value::Null)
        }
    }

    /// Whether its evaluation may give an absent value.
    pub(super) fn maybe(&self) -> bool {
        self.passed || (self.nothing && self.asked())
    }

    /// Whether a `?` (or a forgiving helper around it) allows that it leads nowhere.
    fn asked(&self) -> bool {
        match &self.term {
            Term::Path(path) => path.optional,
            Term::Call(call) => call.optional,
            _ => false,
        }
    }

    /// Whether it could be absent if that were allowed at every level.
    pub(super) fn could_be_absent(&self) -> bool {
        self.nothing || self.passed || self.latent
    }

    /// Allows that it leads nowhere, as a `?` does, and its arguments too.
    pub(super) fn allow_absence(&mut self) {
        self.term.allow_absence();
        self.passed |= std::mem::take(&mut self.latent);
    }
}

/// What is known while a path is followed.
struct Walk {
    shape: Shape,
    /// Whether the path may lead nowhere, up to here.
    nothing: bool,
    /// Whether it leads to several places.
    many: bool,
}

impl Compiler<'_> {
    /// Records an error about a part of the text.
    pub(super) fn error(
        &mut self,
        code: Code,
        offset: usize,
        len: usize,
        message: String,
        help: impl Into<String>,
    ) {
        let span = self.node.part(offset, len);
        self.report.error(code, span, message).help(help);
    }

    /// Records a mistake and goes on with something that fits everywhere.
    pub(super) fn refuse(&mut self, mistake: Mistake) -> Inferred {
        self.error(
            mistake.code,
            mistake.offset,
            mistake.len,
            mistake.message,
            mistake.help,
        );
        Inferred::unknown()
    }

    /// Follows a path that stands at `offset` through the shapes of its names.
    pub(super) fn path(&mut self, path: Path, offset: usize) -> Inferred {
        let (shape, maybe) = match self.names.look_up(&path.root, path.member.as_deref()) {
            Known::Shape { shape, maybe } => (shape, maybe),
            Known::Unknown { message, help } => {
                self.unknown_name(&path, offset, message, help);
                return Inferred::unknown();
            }
        };
        let mut walk = Walk {
            shape,
            nothing: maybe,
            many: false,
        };
        let mut seen = seen_after(&path.source, 0, &path.root);
        if let Some(member) = &path.member {
            seen = seen_after(&path.source, seen, member);
        }
        for segment in &path.segments {
            let word = match segment {
                Segment::Name(name) | Segment::Key(name) => name.clone(),
                Segment::Index(index) => format!("[{index}]"),
                Segment::Every => "[*]".to_owned(),
                Segment::Union(_) | Segment::Query(_) => String::new(),
            };
            let before = seen;
            seen = seen_after(&path.source, seen, &word);
            if let Err((message, help)) = follow(&mut walk, segment, &path.source[..before]) {
                let start = seen - word.len().min(seen);
                let len = if word.is_empty() { 1 } else { word.len() };
                self.error(UNKNOWN_FIELD, offset + start, len, message, help);
                return Inferred::unknown();
            }
        }
        Inferred {
            shape: if walk.many {
                Shape::list_of(walk.shape)
            } else {
                walk.shape
            },
            nothing: walk.nothing,
            passed: false,
            latent: false,
            term: Term::Path(path),
        }
    }

    fn unknown_name(&mut self, path: &Path, offset: usize, message: String, help: Option<String>) {
        let roots = self.names.roots();
        let root_exists = roots.contains(&path.root);
        let word = match &path.member {
            Some(member) if root_exists => member,
            _ => &path.root,
        };
        let begin = if root_exists { path.root.len() } else { 0 };
        let end = seen_after(&path.source, begin, word);
        let start = end.saturating_sub(word.len());
        let close = || did_you_mean(&path.root, roots.iter().map(String::as_str));
        let help = help.unwrap_or_else(|| match close() {
            _ if root_exists => format!("check the spelling of `{word}`"),
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("a path here begins with one of: {}", roots.join(", ")),
        });
        self.error(UNKNOWN_NAME, offset + start, word.len(), message, help);
    }
}

/// Where a word ends in the source, looked for from `from` on.
fn seen_after(source: &str, from: usize, word: &str) -> usize {
    source
        .get(from..)
        .and_then(|rest| rest.find(word))
        .map_or(from, |at| from + at + word.len())
}

/// A message and help.
type Wrong = (String, String);

/// Follows one part of a path.
fn follow(walk: &mut Walk, segment: &Segment, before: &str) -> Result<(), Wrong> {
    match segment {
        Segment::Name(name) => follow_name(walk, name, before),
        Segment::Key(name) => match (&walk.shape, name.parse::<i64>()) {
            (Shape::List(_), Ok(index)) => follow(walk, &Segment::Index(index), before),
            _ => follow_name(walk, name, before),
        },
        Segment::Index(_) => match walk.shape.element() {
            Some(element) => {
                walk.shape = element.clone();
                walk.nothing |= !walk.many;
                Ok(())
            }
            None => Err((
                format!("{} is {} and has no elements", shown(before), walk.shape),
                "only lists have elements".to_owned(),
            )),
        },
        Segment::Every | Segment::Query(_) => {
            let inner = match &walk.shape {
                Shape::List(element) => (**element).clone(),
                Shape::Any | Shape::Object => Shape::Any,
                Shape::Fields(fields) => fields
                    .values()
                    .map(|field| field.shape.clone())
                    .reduce(|a, b| join(&a, &b))
                    .unwrap_or(Shape::Any),
                other => {
                    return Err((
                        format!("{} is {other} and has no elements", shown(before)),
                        "only lists and objects have elements".to_owned(),
                    ));
                }
            };
            if let Segment::Query(query) = segment
                && let Some((name, shape)) = filter::lacking(query, &inner)
            {
                return Err(lacks(&name, &shape, "the filter's `@`"));
            }
            walk.shape = if is_descent(segment) {
                Shape::Any
            } else {
                inner
            };
            walk.many = true;
            Ok(())
        }
        Segment::Union(segments) => {
            let mut joined = None;
            for segment in segments {
                let mut branch = Walk {
                    shape: walk.shape.clone(),
                    nothing: walk.nothing,
                    many: walk.many,
                };
                follow(&mut branch, segment, before)?;
                joined = Some(match joined {
                    Some(shape) => join(&shape, &branch.shape),
                    None => branch.shape,
                });
            }
            walk.shape = joined.unwrap_or(Shape::Any);
            walk.many = true;
            Ok(())
        }
    }
}

fn is_descent(segment: &Segment) -> bool {
    use jsonpath_rust::parser::model::Segment as Parsed;
    match segment {
        Segment::Query(query) => matches!(query.segments.first(), Some(Parsed::Descendant(_))),
        _ => false,
    }
}

fn follow_name(walk: &mut Walk, name: &str, before: &str) -> Result<(), Wrong> {
    let next = match walk.shape.member(name) {
        Member::Field(field) => {
            walk.nothing |= field.optional && field.default.is_none() && !walk.many;
            field.shape.clone()
        }
        Member::Unknown => {
            walk.nothing |= !walk.many;
            Shape::Any
        }
        Member::Missing => {
            return Err(lacks(name, &walk.shape, &shown(before)));
        }
        Member::NotAnObject => {
            let help = match &walk.shape {
                Shape::List(_) => format!(
                    "name the elements you mean: `[*].{name}` for all, `[0].{name}` for the first; \
                     a list has its length by `count`"
                ),
                _ => "only objects have fields".to_owned(),
            };
            let message = format!("{} is {} and has no `{name}`", shown(before), walk.shape);
            return Err((message, help));
        }
    };
    walk.shape = next;
    Ok(())
}

/// Says that something of this shape has no such field.
pub(super) fn lacks(name: &str, shape: &Shape, what: &str) -> Wrong {
    let known: Vec<&str> = match shape {
        Shape::Fields(fields) => fields.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let help = match did_you_mean(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => format!("it is {shape}"),
        None => format!("it has: {}", known.join(", ")),
    };
    (format!("{what} has no `{name}`"), help)
}

/// The path so far, for a message.
fn shown(before: &str) -> String {
    let before = before.trim_end_matches(['.', '[']);
    if before.is_empty() || before == "$" {
        return "this".to_owned();
    }
    format!("`{before}`")
}
