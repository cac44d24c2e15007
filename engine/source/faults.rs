//! Why a file is no YAML, in an admin's words.
//!
//! In: the parser's error and the text. Out: one finding at the right place.
//! Always true: the mistakes that people really make are recognised by what stands at the place.

use serde_saphyr::Error;

use super::codes;
use super::raw::span_of;
use crate::diagnostic::{Report, Span};

/// What most often breaks a file.
const NOT_YAML_HELP: &str = "look at the indentation, the quotes and the brackets here and in the \
                             line above; a text with `: ` in it needs quotes";

/// How to do without a tag.
const TAG_HELP: &str = "remove it, or put the text into quotes";

/// Reports bytes that are no UTF-8.
pub(super) fn not_text(bytes: &[u8], at: usize, report: &mut Report) {
    let before = String::from_utf8_lossy(&bytes[..at]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    let span = Span {
        start: at,
        len: 1,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
    };
    let message = format!("byte {at} (hex {:02x}) is not UTF-8", bytes[at]);
    report
        .error(codes::NOT_TEXT, span, message)
        .help("save the file as UTF-8");
}

/// Reports a tag that is not used here.
pub(super) fn tag(tag: &str, span: Span, report: &mut Report) {
    let message = format!("the tag `{tag}` has no meaning here");
    report.error(codes::TAG, span, message).help(TAG_HELP);
}

/// Reports what the parser refused.
pub(super) fn not_yaml(text: &str, error: &Error, report: &mut Report) {
    let error = error.without_snippet();
    let span = error.location().map_or_else(
        || at_line_and_column(text, 1, 1),
        |l| {
            let span = span_of(&l);
            at_line_and_column(text, span.line, span.column)
        },
    );
    let (code, message, help) = describe(error);
    if code == codes::TOO_COMPLEX {
        report.error(code, span, message).help(
            "at most 64 levels, 200,000 values and 20,000 values repeated by aliases are read",
        );
        return;
    }
    if is_template(text, span) {
        report
            .error(codes::UNQUOTED_TEMPLATE, span, "a template without quotes")
            .help("put the whole value into quotes: \"{{...}}\"");
        return;
    }
    if is_path_in_braces(text, span) {
        report
            .error(
                codes::UNQUOTED_PATH,
                span,
                "a path with brackets without quotes inside `{ }` or `[ ]`",
            )
            .help("put the path into quotes: \"$.steps.found.items[*].id\"");
        return;
    }
    if let Some(span) = tab(text, span, &error.to_string()) {
        report
            .error(code, span, "a tab stands here")
            .help("use spaces: YAML is not indented with tabs, and many editors show them alike");
        return;
    }
    let found = report.error(code, span, message);
    if let Some(help) = help {
        found.help(help);
    }
}

fn describe(error: &Error) -> (crate::diagnostic::Code, String, Option<&'static str>) {
    match error {
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => (
            codes::TOO_COMPLEX,
            "the file is nested too deeply, or its aliases repeat too much".to_owned(),
            None,
        ),
        Error::AliasError { error, .. } => describe(error),
        Error::RecursiveReferencesRequireWeakTypes { .. } => (
            codes::TOO_COMPLEX,
            "an alias stands inside of what it repeats".to_owned(),
            None,
        ),
        Error::MultipleDocuments { .. } => (
            codes::MANY_DOCUMENTS,
            "a second document begins here".to_owned(),
            Some("put it into a file of its own, or remove the `---` line"),
        ),
        Error::NonFiniteFloat { value, .. } => (
            codes::NUMBER_TOO_LARGE,
            format!("`{value}` is not a number that JSON can hold"),
            Some("put it into quotes if the text is meant"),
        ),
        Error::NullIntoString { .. } | Error::Unexpected { .. } => (
            codes::KEY_NOT_TEXT,
            "this key is not text".to_owned(),
            Some("a key is a word or a text in quotes"),
        ),
        other => {
            let message = other.to_string();
            if message.starts_with("!!binary") || message.contains("tagged scalar") {
                let message = "the tag before this has no meaning here".to_owned();
                return (codes::TAG, message, Some(TAG_HELP));
            }
            if message.contains("tag `") || message.contains("unsupported tag") {
                let tag = message.split('`').nth(1).unwrap_or("!").to_owned();
                return (
                    codes::TAG,
                    format!("the tag `{tag}` has no meaning here"),
                    Some(TAG_HELP),
                );
            }
            let is_deep = ["nesting", "recursion", "too deep", "depth"]
                .iter()
                .any(|word| message.contains(word));
            if is_deep {
                return (
                    codes::TOO_COMPLEX,
                    "the file is nested too deeply".to_owned(),
                    None,
                );
            }
            (codes::NOT_YAML, in_words(&message), Some(NOT_YAML_HELP))
        }
    }
}

/// The parser's sentence without its place, which the finding carries itself.
fn in_words(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    let message = message.replace("`:'", "`:`").replace('\n', " ");
    for (begins, words) in [
        (
            "while parsing a flow mapping",
            "a `{` is not closed, or a `,` is missing before this",
        ),
        (
            "while parsing a flow sequence",
            "a `[` is not closed, or a `,` is missing before this",
        ),
        (
            "while parsing a block collection",
            "this stands neither in the list nor beside it",
        ),
        (
            "while parsing a block mapping",
            "this stands neither in the mapping nor beside it",
        ),
        (
            "invalid indentation in multiline quoted",
            "a quote is not closed before this",
        ),
    ] {
        if message.starts_with(begins) {
            return words.to_owned();
        }
    }
    let mut message = message.trim().trim_end_matches('.').to_owned();
    if message.starts_with("mapping values are not allowed") {
        "a second `: ` in one line, or an indentation that does not match".clone_into(&mut message);
    }
    message
}

/// Where the tab stands that the parser stumbled over, if it was one: it names the beginning of
/// what it was reading, and the tab may stand in a later line.
fn tab(text: &str, span: Span, message: &str) -> Option<Span> {
    let mut words = message.split(|letter: char| !letter.is_alphanumeric());
    let is_named = words.any(|word| matches!(word, "tab" | "tabs"));
    // Only in a block does the indentation count.
    if !is_named && !message.starts_with("while parsing a block") {
        return None;
    }
    let before = |line: &str| Some(line.split_once('\t')?.0.chars().count());
    let of_indentation = |line: &str| {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        line[spaces..].starts_with('\t').then_some(spaces)
    };
    let seen = if is_named { usize::MAX } else { 1 };
    let lines = || {
        (span.line..)
            .zip(text.lines().skip(span.line as usize - 1))
            .take(seen)
    };
    let indented = lines().find_map(|(line, text)| Some((line, of_indentation(text)?)));
    let anywhere = || lines().find_map(|(line, text)| Some((line, before(text)?)));
    let (line, column) = indented.or_else(|| anywhere().filter(|_| is_named))?;
    let column = u32::try_from(column).unwrap_or(u32::MAX - 1);
    Some(at_line_and_column(text, line, column + 1))
}

/// An unquoted `{{` at the place, or before it in the same line.
fn is_template(text: &str, span: Span) -> bool {
    let line = line_of(text, span.line);
    let before: String = line.chars().take(span.column as usize + 1).collect();
    before.match_indices("{{").any(|(at, _)| {
        let head = before[..at].trim_end();
        let is_even = |quote: char| head.matches(quote).count().is_multiple_of(2);
        let is_open = is_even('"') && is_even('\'');
        is_open && (head.is_empty() || head.ends_with([':', '-', ',', '[', '{']))
    })
}

/// A bracket that follows an unquoted path, with an open `{` or `[` before it.
fn is_path_in_braces(text: &str, span: Span) -> bool {
    let line = line_of(text, span.line);
    let before: String = line.chars().take(span.column as usize).collect();
    let Some(at) = before.rfind("$.") else {
        return false;
    };
    let (head, path) = before.split_at(at);
    let is_path = path.contains('[') && !path.contains([' ', ',', '"', '\'']);
    is_path && (head.contains(['{', '[']) || head.trim_start().len() < head.len())
}

fn line_of(text: &str, line: u32) -> &str {
    text.lines().nth(line.max(1) as usize - 1).unwrap_or("")
}

fn at_line_and_column(text: &str, line: u32, column: u32) -> Span {
    let start_of_line = text
        .split_inclusive('\n')
        .take(line.max(1) as usize - 1)
        .map(str::len)
        .sum::<usize>();
    let in_line = line_of(text, line);
    let before: usize = in_line
        .chars()
        .take(column.max(1) as usize - 1)
        .map(char::len_utf8)
        .sum();
    Span {
        start: start_of_line + before,
        len: usize::from(before < in_line.len()),
        line: line.max(1),
        column: column.max(1),
    }
}
