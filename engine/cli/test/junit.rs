//! What came of tests, in the form that build servers read (JUnit XML).
//!
//! In: tests that were run. Out: one `testsuite` a file, one `testcase` a test.
//! Always true: it is well-formed XML 1.0 whatever the tests say; characters that XML has no way to
//! write are replaced.

use std::fmt::Write;
use std::time::Duration;

use super::Ran;
use super::tell::{self, Layout};
use crate::diagnostic::Look;

/// The report.
pub(super) fn report(ran: &[Ran]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let head = |name: &str, ran: &[Ran]| {
        let failed = ran.iter().filter(|ran| !ran.has_passed()).count();
        let took = ran.iter().map(|ran| ran.took).sum();
        format!(
            "name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{}\"",
            escaped(name),
            ran.len(),
            seconds(took)
        )
    };
    let _ = writeln!(text, "<testsuites {}>", head("recipes test", ran));
    for suite in ran.chunk_by(|one, next| one.file == next.file) {
        let file = suite.first().map_or("", |ran| &*ran.file);
        let _ = writeln!(text, "  <testsuite {}>", head(file, suite));
        suite.iter().for_each(|ran| case(ran, &mut text));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(ran: &Ran, text: &mut String) {
    let result = &ran.result;
    let _ = write!(
        text,
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{}\"",
        escaped(&ran.recipe.replace('/', ".")),
        escaped(&result.title),
        escaped(&ran.file),
        result.place.span.line,
        seconds(ran.took)
    );
    if ran.has_passed() {
        text.push_str("/>\n");
        return;
    }
    let first = result.problems.first().map_or("", String::as_str);
    let _ = writeln!(
        text,
        ">\n      <failure type=\"expectation\" message=\"{}\">{}</failure>\n    </testcase>",
        escaped(first.lines().next().unwrap_or_default()),
        escaped(&format!(
            "at {}\n{}",
            result.place,
            tell::why(ran, Layout::Lines(Look::Plain))
        ))
    );
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

/// Text as it may stand in an attribute or an element.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            c => escaped.push(c),
        }
    }
    escaped
}
