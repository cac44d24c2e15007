//! What is wrong in a file: code, severity, place, message and help.
//!
//! In: findings of the rooms that read files. Out: a [`Report`] that keeps them all.
//! Always true: a finding says where, what, and how to mend it; reading never stops at the first.

mod print;

use std::fmt;
use std::sync::Arc;

pub use print::{Look, print};
use serde::Serialize;

/// A stretch of a file's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// Where it begins, in bytes from the start of the file.
    pub start: usize,
    /// Its length in bytes.
    pub len: usize,
    /// The line it begins on, from 1.
    pub line: u32,
    /// The column it begins at, from 1, in characters.
    pub column: u32,
}

/// A stretch of a named file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, as a path below the workspace.
    pub file: Arc<str>,
    /// The stretch.
    pub span: Span,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.span.line, self.span.column)
    }
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but something in it will surprise.
    Warning,
    /// A habit that pays off later.
    Advice,
}

/// The stable name of a kind of finding, such as `R010`, with a page of the documentation each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Code(pub &'static str);

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The kind of finding.
    pub code: Code,
    /// How grave it is.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// What is wrong: lower case, no full stop, names in backticks.
    pub message: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Other places that belong to it, such as where a key was written first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// Another place that belongs to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Where it is.
    pub place: Place,
    /// What stands there, in a few words.
    pub message: String,
}

/// All findings about one or more files, gathered while reading goes on.
#[derive(Debug, Default)]
pub struct Report {
    file: Option<Arc<str>>,
    found: Vec<Diagnostic>,
}

impl Report {
    /// An empty report about one file.
    pub fn of(file: &Arc<str>) -> Self {
        Self {
            file: Some(file.clone()),
            found: Vec::new(),
        }
    }

    /// The file that findings are placed in.
    pub fn file(&self) -> Arc<str> {
        self.file.clone().unwrap_or_else(|| Arc::from(""))
    }

    /// Records an error; the answer lets the caller add help.
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.add(code, Severity::Error, span, message.into())
    }

    /// Records a warning; the answer lets the caller add help.
    pub fn warning(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(code, Severity::Warning, span, message.into())
    }

    /// Records advice; the answer lets the caller add help.
    pub fn advice(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(code, Severity::Advice, span, message.into())
    }

    /// Takes in the findings about another file.
    pub fn absorb(&mut self, other: Report) {
        self.found.extend(other.found);
    }

    /// Puts findings into another light, such as another place.
    pub fn relocate(&mut self, change: impl FnMut(&mut Diagnostic)) {
        self.found.iter_mut().for_each(change);
    }

    /// Whether anything found keeps the file from being used.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// What keeps the file from being used.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        let found = self.found.iter();
        found.filter(|found| found.severity == Severity::Error)
    }

    /// The findings in the order of files and places.
    pub fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.found
            .sort_by(|a, b| (&a.place, a.code).cmp(&(&b.place, b.code)));
        self.found.dedup();
        self.found
    }

    #[expect(
        clippy::expect_used,
        reason = "the finding was pushed on the line before"
    )]
    fn add(
        &mut self,
        code: Code,
        severity: Severity,
        span: Span,
        message: String,
    ) -> &mut Diagnostic {
        let place = Place {
            file: self.file(),
            span,
        };
        self.found.push(Diagnostic {
            code,
            severity,
            place,
            message,
            help: None,
            related: Vec::new(),
        });
        self.found.last_mut().expect("just pushed")
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Advice => "advice",
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.0;
        write!(
            f,
            "{}: {}[{code}]: {}",
            self.place, self.severity, self.message
        )
    }
}

impl Diagnostic {
    /// Adds how to mend it.
    pub fn help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }

    /// Adds another place of the same file.
    pub fn related(&mut self, span: Span, message: impl Into<String>) -> &mut Self {
        let place = Place {
            file: self.place.file.clone(),
            span,
        };
        self.related.push(Related {
            place,
            message: message.into(),
        });
        self
    }
}

/// The known name that was probably meant, if one is close enough.
pub fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let most = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (distance(written, name), name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be added, removed, replaced or swapped to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
