//! The settings file of a workspace, and what is said in it and elsewhere.
//!
//! In: `settings.yaml`, variables, arguments. Out: texts, each with its place in the file if it
//! stands there.
//! Always true: what is wrong in the file is told with line and column; no value of it is passed
//! over in silence.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{FILE, KEYS, environment};
use crate::diagnostic::{Span, did_you_mean};
use crate::source::{self, Node, NodeKind};

/// What is wrong with what the server is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Wrong {
    /// What it is, and how to mend it.
    pub message: String,
    /// Where it stands, if it stands in the settings file.
    pub span: Option<Span>,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = self.span {
            write!(f, "`{FILE}`:{}:{}: ", span.line, span.column)?;
        }
        f.write_str(&self.message)
    }
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self {
            message,
            span: None,
        }
    }
}

/// All that is wrong with it: in the order of the file, what is said elsewhere first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Wrong>);

impl Mistakes {
    /// What was read, if it could be; otherwise the reason is kept.
    pub(super) fn take<T>(&mut self, read: Result<T, impl Into<Self>>) -> Option<T> {
        read.map_err(|why| self.0.extend(why.into().0)).ok()
    }

    /// What was read if nothing was wrong, or else all that was.
    pub(super) fn unless_any<T>(mut self, read: Option<T>) -> Result<T, Self> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            _ => {
                self.0
                    .sort_by_key(|wrong| wrong.span.map(|span| span.start));
                Err(self)
            }
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Wrong::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

impl From<Wrong> for Mistakes {
    fn from(wrong: Wrong) -> Self {
        Self(vec![wrong])
    }
}

impl From<String> for Mistakes {
    fn from(message: String) -> Self {
        Wrong::from(message).into()
    }
}

/// A setting as it is given.
pub(super) struct Said {
    key: &'static str,
    text: String,
    span: Option<Span>,
}

impl Said {
    /// What an argument says, or else a variable, or else the file.
    pub(super) fn find(
        argument: Option<String>,
        variable: &str,
        file: &SettingsFile,
        key: &'static str,
    ) -> Result<Option<Self>, Wrong> {
        match argument.or_else(|| environment(variable)) {
            Some(text) => Ok(Some(Self {
                key,
                text,
                span: None,
            })),
            None => file.said(key),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What it means, or what is wrong with it.
    pub(super) fn read<T>(&self, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Wrong> {
        read(&self.text).map_err(|why| Wrong {
            message: format!("`{}`: {why}", self.key),
            span: self.span,
        })
    }
}

/// The settings file of a workspace; empty if there is none.
pub(super) struct SettingsFile(Option<Node>);

impl SettingsFile {
    /// Reads it, if every key in it is one.
    pub(super) fn read(workspace: &Path) -> Result<Self, Mistakes> {
        let (file, mistakes) = Self::look(workspace)?;
        mistakes.unless_any(Some(file))
    }

    /// Reads it, with the keys that are none.
    pub(super) fn look(workspace: &Path) -> Result<(Self, Mistakes), Wrong> {
        let path = workspace.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok((Self(None), Mistakes::default()));
            }
            Err(error) => {
                return Err(format!("`{}` cannot be read: {error}", path.display()).into());
            }
        };
        let (document, report) = source::parse(&Arc::from(FILE), &bytes);
        let found = report.into_diagnostics();
        let Some(document) = document else {
            return Err(match found.first() {
                None => format!("`{}`: it is not YAML", path.display()).into(),
                Some(found) => {
                    let help = found.help.as_ref();
                    let help = help.map_or(String::new(), |help| format!("; {help}"));
                    Wrong {
                        message: format!("{}{help}", found.message),
                        span: Some(found.place.span),
                    }
                }
            });
        };
        let keys = document.root.as_map().unwrap_or_default().iter();
        let unknown = keys.filter(|(key, _)| !KEYS.contains(&&*key.text));
        let unknown = unknown.map(|(key, _)| Wrong {
            message: format!("`{}` is no setting; {}", key.text, meant(&key.text)),
            span: Some(key.span),
        });
        let unknown = Mistakes(unknown.collect());
        Ok((Self(Some(document.root)), unknown))
    }

    fn node(&self, key: &str) -> Option<&Node> {
        let node = self.0.as_ref()?.get(key)?;
        (!matches!(node.kind, NodeKind::Null)).then_some(node)
    }

    fn said(&self, key: &'static str) -> Result<Option<Said>, Wrong> {
        let Some(node) = self.node(key) else {
            return Ok(None);
        };
        let text = match &node.kind {
            NodeKind::Text(text) => text.to_string(),
            NodeKind::Integer(number) => number.to_string(),
            NodeKind::Number(number) => number.to_string(),
            _ => {
                return Err(Wrong {
                    message: format!("`{key}` is one text or number, not {}", node.kind_name()),
                    span: Some(node.span),
                });
            }
        };
        Ok(Some(Said {
            key,
            text,
            span: Some(node.span),
        }))
    }

    /// The elements of a list of texts, each on its own; one text counts as a list of one.
    pub(super) fn texts(&self, key: &'static str) -> Result<Vec<Said>, Mistakes> {
        let Some(node) = self.node(key) else {
            return Ok(Vec::new());
        };
        let one = |node: &Node| match node.as_text() {
            Some(text) => Ok(Said {
                key,
                text: text.to_string(),
                span: Some(node.span),
            }),
            None => Err(Wrong {
                message: format!("`{key}` is a list of texts, such as [erp.internal, 10.1.2.3]"),
                span: Some(node.span),
            }),
        };
        match &node.kind {
            NodeKind::List(elements) => {
                let mut mistakes = Mistakes::default();
                let read = elements.iter().filter_map(|node| mistakes.take(one(node)));
                let read = read.collect();
                mistakes.unless_any(Some(read))
            }
            _ => Ok(vec![one(node)?]),
        }
    }
}

/// The settings that were probably meant by a key that is none.
fn meant(written: &str) -> String {
    if let Some(meant) = did_you_mean(written, KEYS) {
        return format!("did you mean `{meant}`?");
    }
    fn first_word(key: &str) -> &str {
        key.split('_').next().unwrap_or(key)
    }
    let first = did_you_mean(first_word(written), KEYS.map(first_word));
    let near = KEYS.iter().filter(|key| Some(first_word(key)) == first);
    let near: Vec<String> = near.map(|key| format!("`{key}`")).collect();
    match near.is_empty() {
        true => format!("known are: {}", KEYS.join(", ")),
        false => format!("did you mean {}?", near.join(" or ")),
    }
}
