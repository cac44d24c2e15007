//! Cutting text into fixed parts and placeholders, before any parser sees it.
//!
//! In: text that may hold `{{ }}`. Out: its pieces with their offsets, or what is wrong.
//! Always true: length and nesting are bounded here; `\{{` and `\$.` write the characters.

use super::codes::{BAD_TEMPLATE, INDEX_IN_TEMPLATE, NO_BLOCKS};
use super::path::Mistake;

/// A piece of a text.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// Text as it is, escapes taken off.
    Fixed(String),
    /// What stands between `{{` and `}}`, and where it begins.
    Insert { offset: usize, inner: &'a str },
}

/// Stands for `?` in what the template library parses: a letter that nobody writes.
pub(super) const OPTIONAL: char = '\u{E0FF}';

/// Texts with placeholders are at most this long.
const LENGTH_MAX: usize = 64 * 1024;
/// Brackets inside a placeholder may nest this deep.
const DEPTH_MAX: usize = 32;

/// Whether the text holds a placeholder or an escape of one.
pub(super) fn has_braces(text: &str) -> bool {
    text.contains("{{")
}

/// The text without the escapes of `$.`.
pub(super) fn unescape(text: &str) -> String {
    text.replace("\\$.", "$.").replace("\\$[", "$[")
}

/// Cuts the text into pieces.
pub(super) fn cut(text: &str) -> Result<Vec<Piece<'_>>, Mistake> {
    if text.len() > LENGTH_MAX {
        return Err(mistake(
            0,
            0,
            "a text with `{{` is at most 64 kB long".to_owned(),
            "keep long texts in a lookup table or a setting",
        ));
    }
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let start = at + found;
        if text[..start].ends_with('\\') {
            fixed.push_str(&unescape(&text[at..start - 1]));
            fixed.push_str("{{");
            at = start + 2;
            continue;
        }
        fixed.push_str(&unescape(&text[at..start]));
        let offset = start + 2;
        refuse_blocks(text, offset)?;
        let len = end_of(text, offset)?;
        if !fixed.is_empty() {
            pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
        }
        pieces.push(Piece::Insert {
            offset,
            inner: &text[offset..offset + len],
        });
        at = offset + len + 2;
    }
    fixed.push_str(&unescape(&text[at..]));
    if !fixed.is_empty() {
        pieces.push(Piece::Fixed(fixed));
    }
    Ok(pieces)
}

fn mistake(offset: usize, len: usize, message: String, help: &str) -> Mistake {
    Mistake {
        code: BAD_TEMPLATE,
        offset,
        len,
        message,
        help: help.to_owned(),
    }
}

/// Refuses `{{#`, `{{>`, `{{{` and the like.
fn refuse_blocks(text: &str, offset: usize) -> Result<(), Mistake> {
    let rest = &text[offset..];
    let len = rest.find("}}").unwrap_or(rest.len());
    let word = rest[..len].trim();
    let (what, help) = match rest.chars().next() {
        Some('#' | '/' | '^') => (
            "blocks",
            "use a `transform` step, the helper `join` or the helper `if_else`",
        ),
        Some('>') => ("partials", "write the text here, or call a recipe"),
        Some('*') => ("decorators", "use `set` to give a value a name"),
        Some('!') => (
            "comments",
            "write the comment in YAML, after two spaces and `#`",
        ),
        Some('{' | '&') => (
            "three braces",
            "write two braces; nothing is ever escaped for HTML",
        ),
        Some('~') => ("white space control", "leave the `~` out"),
        _ if word == "else" || word.starts_with("else ") => {
            ("blocks", "use the helper `if_else` or a step's `when`")
        }
        _ => return Ok(()),
    };
    Err(Mistake {
        code: NO_BLOCKS,
        offset: offset - 2,
        len: (len + 4).min(text.len() + 2 - offset),
        message: format!("{what} are not part of templates"),
        help: help.to_owned(),
    })
}

/// The length of what stands before the closing braces.
fn end_of(text: &str, offset: usize) -> Result<usize, Mistake> {
    let rest = &text[offset..];
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if rest[at..].starts_with("}}") => return Ok(at),
            None => {}
        }
    }
    let (message, help) = match quote {
        Some(quote) => (
            format!("a text that begins with {quote} does not end"),
            "close the quote before `}}`",
        ),
        None => (
            "`{{` is not closed".to_owned(),
            "close it with `}}`, or write `\\{{` for the characters",
        ),
    };
    Err(mistake(offset - 2, 2, message, help))
}

/// Makes what stands in a placeholder fit for the template library: every `?` becomes a marker
/// that the library takes for a name.
pub(super) fn mark_optional(inner: &str) -> Result<String, Mistake> {
    if let Some(at) = inner.find(OPTIONAL) {
        let message = "this character cannot stand in a template".to_owned();
        return Err(mistake(at, OPTIONAL.len_utf8(), message, "leave it out"));
    }
    let mut out = String::with_capacity(inner.len() + 8);
    let mut opened: Vec<usize> = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    let mut in_key = false;
    let mut before = ' ';
    let mut depth = 0_usize;
    for (at, c) in inner.char_indices() {
        match c {
            '(' | '[' | '{' if quote.is_none() => depth += 1,
            ')' | ']' | '}' if quote.is_none() => depth = depth.saturating_sub(1),
            _ => {}
        }
        let next = inner[at + c.len_utf8()..].chars().next().unwrap_or(' ');
        let push = !(c == '?' && quote.is_none() && !in_key);
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if in_key => in_key = c != ']',
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '[' && (is_name(before) || before == ']') => {
                return Err(index(inner, at));
            }
            None if c == '[' => in_key = before == '.',
            None if c == '(' => opened.push(out.len()),
            None if c == ')' && next != '?' => {
                opened.pop();
            }
            None if c == '?' => optional(at, before, next, &mut out, &mut opened)?,
            None => {}
        }
        if push {
            out.push(c);
        }
        if depth > DEPTH_MAX {
            let message = "helpers nest too deeply".to_owned();
            return Err(mistake(at, 1, message, "use `set` to give parts a name"));
        }
        before = c;
    }
    Ok(out)
}

/// Replaces the `?` at `at` by the marker, or says why it stands wrong.
fn optional(
    at: usize,
    before: char,
    next: char,
    out: &mut String,
    opened: &mut Vec<usize>,
) -> Result<(), Mistake> {
    if !(next.is_whitespace() || next == ')') {
        let help = "write the `?` at the end: `steps.user.manager.email?`";
        let message = "a `?` stands at the end of a path".to_owned();
        return Err(mistake(at, 1, message, help));
    }
    if before == ')' {
        if let Some(start) = opened.pop() {
            out.insert_str(start, &format!("({OPTIONAL} "));
            out.push(')');
            return Ok(());
        }
    } else if is_name(before) || before == ']' {
        out.push('.');
        out.push(OPTIONAL);
        return Ok(());
    }
    let help = "write it after a path (`input.name?`) or after a bracket (`(first items)?`)";
    Err(mistake(at, 1, "this `?` follows nothing".to_owned(), help))
}

fn index(inner: &str, at: usize) -> Mistake {
    let len = inner[at..].find(']').map_or(1, |end| end + 1);
    let mut before = inner[..at].char_indices().rev();
    let start = before
        .find(|(_, c)| !is_name(*c) && *c != '.')
        .map_or(0, |(before, c)| before + c.len_utf8());
    let (path, key) = (
        &inner[start..at],
        inner[at..at + len].trim_matches(['[', ']', '\'', '"']),
    );
    Mistake {
        code: INDEX_IN_TEMPLATE,
        offset: at,
        len,
        message: "an index or name in brackets needs a dot before it in a template".to_owned(),
        help: match key {
            "*" => format!("use the path form as the whole value: `$.{path}[*]`, or `pluck`"),
            _ => format!("write `{path}.[{key}]`"),
        },
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | ':' | OPTIONAL)
}
