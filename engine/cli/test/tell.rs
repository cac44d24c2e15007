//! What came of tests, for people and for programs.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::json;

use super::super::beside::{Row, columns};
use super::{Ran, painted};
use crate::data::Value;
use crate::diagnostic::Look;
use crate::library::{Library, Made};
use crate::trial::{Difference, Line, Side, side_by_side};

/// How expected and found are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Below one another: what was expected with `-`, what was found with `+`.
    Lines(Look),
    /// In two columns of a page that is as wide as this.
    Columns(u16),
}

/// What stands left of a failed test's lines.
const MARGIN: &str = "      ";

/// A page that is narrower has no room for two columns.
const COLUMNS_FROM: u16 = 100;

impl Layout {
    /// What suits a terminal as wide as this; none if it is no terminal.
    pub(super) fn of(terminal: Option<u16>, look: Look) -> Self {
        let wide = terminal.filter(|width| *width >= COLUMNS_FROM);
        wide.map_or(Self::Lines(look), Self::Columns)
    }
}

/// One test in words; of one that failed, what was expected and what was found.
pub(super) fn in_words(ran: &Ran, layout: Layout) -> String {
    let result = &ran.result;
    let name = format!("{}: {}", ran.recipe, result.title);
    if result.problems.is_empty() {
        return format!("ok    {name}\n");
    }
    let mut text = format!("FAIL  {name}\n      at {}\n", result.place);
    text.push_str(&why(ran, layout));
    text
}

/// Why a test failed.
pub(super) fn why(ran: &Ran, layout: Layout) -> String {
    let result = &ran.result;
    let mut text = String::new();
    let mut line = |line: &str| {
        let line = line.replace('\n', &format!("\n{MARGIN}"));
        let _ = writeln!(text, "{MARGIN}{line}");
    };
    if result.differences.is_empty() {
        result.problems.iter().for_each(|problem| line(problem));
        return text;
    }
    result.troubles.iter().for_each(|trouble| line(trouble));
    if let Some(failure) = &result.failure {
        line(&format!("the job ended with {failure}"));
    }
    if let Layout::Lines(look) = layout {
        line(&format!(
            "{}   {}",
            painted(look, "31", "- expected"),
            painted(look, "32", "+ found")
        ));
    }
    for difference in &result.differences {
        line(&format!("{}:", difference.part));
        match layout {
            Layout::Lines(look) => {
                for one in lines(difference, look) {
                    line(&format!("  {one}"));
                }
            }
            Layout::Columns(width) => line(&in_columns(difference, width)),
        }
    }
    text
}

fn lines(difference: &Difference, look: Look) -> Vec<String> {
    side_by_side(&difference.expected, &difference.found)
        .into_iter()
        .map(|line| match line.side {
            Side::Both | Side::LeftOut(_) => format!("  {}", said(&line)),
            Side::Expected => painted(look, "31", &format!("- {}", line.text)),
            Side::Found => painted(look, "32", &format!("+ {}", line.text)),
        })
        .collect()
}

/// Expected and found in two columns: what is the same stands in one row, and so does, as far as it
/// goes, what stands in its place on the other side.
pub(super) fn in_columns(difference: &Difference, width: u16) -> String {
    let lines = side_by_side(&difference.expected, &difference.found);
    let lines: Vec<(Side, String)> = lines.iter().map(|line| (line.side, said(line))).collect();
    let is_same = |side: Side| matches!(side, Side::Both | Side::LeftOut(_));
    let mut rows = Vec::new();
    for stretch in lines.chunk_by(|one, next| is_same(one.0) == is_same(next.0)) {
        let of = |wanted: Side| {
            let own = stretch.iter();
            let own = own.filter(move |(side, _)| is_same(*side) || *side == wanted);
            own.map(|(_, text)| &**text).collect::<Vec<&str>>()
        };
        let (expected, found) = (of(Side::Expected), of(Side::Found));
        for at in 0..expected.len().max(found.len()) {
            rows.push(Row {
                cells: [&expected, &found].map(|side| side.get(at).copied().unwrap_or_default()),
                is_same: stretch.iter().all(|(side, _)| is_same(*side)),
            });
        }
    }
    let margin = u16::try_from(MARGIN.len()).unwrap_or_default();
    columns(["EXPECTED", "FOUND"], rows, width.saturating_sub(margin)).to_string()
}

/// A line as it is shown.
fn said(line: &Line) -> String {
    match line.side {
        Side::LeftOut(1) => "... (1 line is the same)".to_owned(),
        Side::LeftOut(count) => format!("... ({count} lines are the same)"),
        _ => line.text.clone(),
    }
}

/// Which recipes of the workspace were tested in place of bundled ones, where tests failed.
pub(super) fn customised(library: &Library, ran: &[Ran]) -> String {
    let failed = ran.iter().filter(|ran| !ran.has_passed());
    let failed = failed.filter_map(|ran| ran.recipe.split_once('/'));
    let projects: BTreeSet<&str> = failed.map(|(project, _)| project).collect();
    let mut text = String::new();
    for project in projects {
        let own = library.written.iter().filter(|(name, _)| {
            name.project() == project && matches!(library.made(name), Some(Made::Customised(_)))
        });
        let files: Vec<&str> = own.map(|(_, written)| &*written.file).collect();
        if !files.is_empty() {
            let _ = writeln!(
                text,
                "tested in place of the bundled recipes, since they are customised here: {}\nwhere a \
                 bundled test does not fit your change, put a changed copy of it into \
                 recipes/{project}/tests/, under the same name",
                files.join(", ")
            );
        }
    }
    text
}

/// All tests as data.
pub(super) fn as_json(ran: &[Ran]) -> Value {
    let failed = ran.iter().filter(|ran| !ran.has_passed()).count();
    let tests: Vec<Value> = ran.iter().map(one).collect();
    json!({ "passed": ran.len() - failed, "failed": failed, "tests": tests })
}

fn one(ran: &Ran) -> Value {
    let result = &ran.result;
    let differences: Vec<Value> = result
        .differences
        .iter()
        .map(|one| json!({ "part": one.part, "expected": one.expected, "found": one.found }))
        .collect();
    json!({
        "recipe": ran.recipe,
        "title": result.title,
        "file": &*ran.file,
        "line": result.place.span.line,
        "passed": ran.has_passed(),
        "updated": ran.is_updated,
        "took_ms": u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX),
        "problems": result.problems,
        "differences": differences,
    })
}
