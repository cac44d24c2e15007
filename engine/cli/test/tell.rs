//! What came of tests, for people and for programs.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::json;

use super::{Ran, painted};
use crate::data::Value;
use crate::diagnostic::Look;
use crate::library::{Library, Made};
use crate::trial::{Difference, Side, side_by_side};

/// One test in words; of one that failed, what was expected and what was found.
pub(super) fn in_words(ran: &Ran, look: Look) -> String {
    let result = &ran.result;
    let name = format!("{}: {}", ran.recipe, result.title);
    if result.problems.is_empty() {
        return format!("ok    {name}\n");
    }
    let mut text = format!("FAIL  {name}\n      at {}\n", result.place);
    text.push_str(&why(ran, look));
    text
}

/// Why a test failed.
pub(super) fn why(ran: &Ran, look: Look) -> String {
    let result = &ran.result;
    let mut text = String::new();
    let mut line = |line: &str| {
        let _ = writeln!(text, "      {}", line.replace('\n', "\n      "));
    };
    if result.differences.is_empty() {
        result.problems.iter().for_each(|problem| line(problem));
        return text;
    }
    result.troubles.iter().for_each(|trouble| line(trouble));
    if let Some(failure) = &result.failure {
        line(&format!("the job ended with {failure}"));
    }
    line(&format!(
        "{}   {}",
        painted(look, "31", "- expected"),
        painted(look, "32", "+ found")
    ));
    for difference in &result.differences {
        line(&format!("{}:", difference.part));
        for one in lines(difference, look) {
            line(&format!("  {one}"));
        }
    }
    text
}

fn lines(difference: &Difference, look: Look) -> Vec<String> {
    side_by_side(&difference.expected, &difference.found)
        .into_iter()
        .map(|line| match line.side {
            Side::Both => format!("  {}", line.text),
            Side::Expected => painted(look, "31", &format!("- {}", line.text)),
            Side::Found => painted(look, "32", &format!("+ {}", line.text)),
            Side::LeftOut(1) => "  ... (1 line is the same)".to_owned(),
            Side::LeftOut(count) => format!("  ... ({count} lines are the same)"),
        })
        .collect()
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
