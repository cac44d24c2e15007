//! From bytes to a tree with places.
//!
//! In: the bytes of one file. Out: a [`Document`], or findings that say why there is none.
//! Always true: what YAML tools disagree about is a finding, never a guess; the work is bounded by
//! the limits below whatever the file holds.

use std::sync::Arc;

use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};

use super::raw::{Raw, RawKind};
use super::{Document, Key, Node, NodeKind, codes, faults};
use crate::diagnostic::{Report, Span};

/// The most bytes a file may have.
pub const FILE_BYTES_MAX: usize = 1 << 20;
/// The deepest nesting a file may have.
const DEPTH_MAX: usize = 64;
/// Enough for `DEPTH_MAX` levels in an unoptimised build, four times over.
const STACK_BYTES: usize = 16 << 20;
/// The most values a file may hold.
const NODES_MAX: usize = 200_000;
/// The most values that all aliases together may repeat.
const REPEATED_MAX: usize = 20_000;
/// The most aliases (`*name`) a file may use.
const ALIASES_MAX: usize = 1_000;

/// Reads a file. A document may be given even if there are findings, so that more can be found.
pub fn parse(file: &Arc<str>, bytes: &[u8]) -> (Option<Document>, Report) {
    parse_up_to(file, bytes, FILE_BYTES_MAX)
}

/// Reads a file that may have more bytes than those that people write, or fewer.
pub fn parse_up_to(file: &Arc<str>, bytes: &[u8], bytes_max: usize) -> (Option<Document>, Report) {
    let mut report = Report::of(file);
    if bytes.len() > bytes_max {
        let message = format!("the file is larger than {} MiB", bytes_max >> 20);
        let help = match bytes_max {
            FILE_BYTES_MAX => "import many rows as CSV instead, or split the file",
            _ => "take what is not needed any more out of it, or put it back as it was",
        };
        report
            .error(codes::TOO_LARGE, start_of_file(), message)
            .help(help);
        return (None, report);
    }
    let text: Arc<str> = match std::str::from_utf8(bytes) {
        Ok(text) => Arc::from(text),
        Err(error) => {
            faults::not_text(bytes, error.valid_up_to(), &mut report);
            return (None, report);
        }
    };
    match with_room(|| serde_saphyr::from_str_with_options::<Raw>(&text, options(bytes_max))) {
        Ok(raw) => {
            let root = Builder {
                text: &text,
                report: &mut report,
            }
            .node(raw);
            if matches!(root.kind, NodeKind::Null) {
                report
                    .error(codes::EMPTY, start_of_file(), "the file is empty")
                    .help("write what it is for, or remove it");
                return (None, report);
            }
            let file = file.clone();
            (Some(Document { file, text, root }), report)
        }
        Err(error) => {
            faults::not_yaml(&text, &error, &mut report);
            (None, report)
        }
    }
}

/// Runs the parser on a stack of its own: it recurses, and what it gets must not depend on how
/// much of the caller's stack is left.
fn with_room<T: Send>(work: impl Fn() -> T + Sync) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        match thread.spawn_scoped(scope, &work) {
            Ok(thread) => match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            },
            // No thread to be had: the caller's stack has to do.
            Err(_) => work(),
        }
    })
}

fn options(bytes_max: usize) -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        budget: serde_saphyr::budget! {
            max_nodes: NODES_MAX,
            max_depth: DEPTH_MAX,
            max_aliases: ALIASES_MAX,
            max_documents: 2,
            max_total_scalar_bytes: 4 * bytes_max,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: REPEATED_MAX,
        },
    }
}

fn start_of_file() -> Span {
    Span {
        start: 0,
        len: 0,
        line: 1,
        column: 1,
    }
}

/// Turns what the parser saw into nodes and looks at the text behind it.
struct Builder<'a> {
    text: &'a str,
    report: &'a mut Report,
}

impl Builder<'_> {
    fn node(&mut self, raw: Raw) -> Node {
        let mut span = raw.span;
        let is_scalar = !matches!(raw.kind, RawKind::List(_) | RawKind::Map(_));
        let style = self.style(span);
        let plain = is_scalar && style == Style::Plain;
        if is_scalar {
            self.check_tag(span);
        }
        let kind = match raw.kind {
            RawKind::Null => {
                if span.len == 0 {
                    self.check_nothing(span);
                }
                NodeKind::Null
            }
            RawKind::Bool(value) => NodeKind::Bool(value),
            RawKind::Integer(value) => {
                self.check_base(span);
                NodeKind::Integer(value)
            }
            RawKind::Number(value) => self.number(value, span),
            RawKind::TooLarge => self.too_large(span),
            RawKind::Text(text) => {
                if plain {
                    self.check_plain(&text, span);
                } else if style == Style::Block {
                    span = self.first_line(span);
                }
                NodeKind::Text(Arc::from(text))
            }
            RawKind::List(elements) => {
                let mut nodes: Vec<Node> = elements.into_iter().map(|raw| self.node(raw)).collect();
                // The tree is kept as long as the file, a thousand times over.
                nodes.shrink_to_fit();
                NodeKind::List(nodes)
            }
            RawKind::Map(entries) => NodeKind::Map(self.map(entries)),
        };
        Node { span, plain, kind }
    }

    /// Keeps the first of several equal keys, and takes in what `<<` brings.
    fn map(&mut self, entries: Vec<(Key, Raw)>) -> Vec<(Key, Node)> {
        let mut kept: indexmap::IndexMap<Arc<str>, (Key, Node)> = indexmap::IndexMap::new();
        let mut merged = Vec::new();
        for (key, raw) in entries {
            self.check_tag(key.span);
            let node = self.node(raw);
            if &*key.text == "<<" && !matches!(node.kind, NodeKind::Text(_)) {
                merged.push(node);
            } else if let Some((first, _)) = kept.get(&key.text) {
                let message = format!("`{}` is written twice", key.text);
                self.report
                    .error(codes::DUPLICATE_KEY, key.span, message)
                    .related(first.span, "written first")
                    .help(format!("it stands in line {} already", first.span.line));
            } else {
                kept.insert(key.text.clone(), (key, node));
            }
        }
        for node in merged {
            let maps = match node.kind {
                NodeKind::List(maps) => maps,
                _ => vec![node],
            };
            for map in maps {
                let NodeKind::Map(entries) = map.kind else {
                    self.report
                        .error(codes::NOT_YAML, map.span, "`<<` takes a mapping")
                        .help("write `<<: *name`, where `&name` stands before a mapping");
                    continue;
                };
                for (key, node) in entries {
                    kept.entry(key.text.clone()).or_insert((key, node));
                }
            }
        }
        let mut entries: Vec<_> = kept.into_values().collect();
        entries.shrink_to_fit();
        entries
    }

    fn number(&mut self, value: f64, span: Span) -> NodeKind {
        let written = self.slice(span);
        let is_whole = written
            .trim_start_matches(['-', '+'])
            .bytes()
            .all(|b| b.is_ascii_digit());
        if is_whole && !written.is_empty() {
            return self.too_large(span);
        }
        NodeKind::Number(value)
    }

    fn too_large(&mut self, span: Span) -> NodeKind {
        let written = self.slice(span).to_owned();
        self.report
            .error(
                codes::NUMBER_TOO_LARGE,
                span,
                format!("`{written}` is too large for a whole number"),
            )
            .help(format!(
                "put it into quotes to keep it as text: \"{written}\""
            ));
        NodeKind::Text(Arc::from(written))
    }

    /// Refuses tags before a scalar but those that say what it is anyway: the parser would decode
    /// `!!binary` and make `!!null` of any word.
    fn check_tag(&mut self, span: Span) {
        let before = self.text.get(..span.start).unwrap_or("");
        let Some(tag) = tag_at_end(before) else {
            return;
        };
        let name = tag
            .strip_prefix("!<tag:yaml.org,2002:")
            .and_then(|rest| rest.strip_suffix('>'))
            .or_else(|| tag.strip_prefix("!!"));
        if tag != "!" && !matches!(name, Some("str" | "int" | "float" | "bool" | "map" | "seq")) {
            faults::tag(tag, span, self.report);
        }
    }

    /// Refuses `0x1F`, `0o17` and `0b1`, which only some tools take for numbers.
    fn check_base(&mut self, span: Span) {
        let written = self.slice(span).trim_start_matches(['-', '+']);
        if written.len() > 1 && written.starts_with('0') {
            let written = self.slice(span).to_owned();
            self.leading_zero(&written, span);
        }
    }

    fn leading_zero(&mut self, text: &str, span: Span) {
        let message = format!("`{text}` begins with a zero");
        self.report
            .error(codes::LEADING_ZERO, span, message)
            .help(format!(
                "put it into quotes to keep it as it is: \"{text}\""
            ));
    }

    fn check_plain(&mut self, text: &str, span: Span) {
        let lower = text.to_ascii_lowercase();
        if let "yes" | "no" | "on" | "off" | "y" | "n" = &*lower {
            let truth = matches!(&*lower, "yes" | "on" | "y");
            self.report
                .error(
                    codes::YES_NO_WORD,
                    span,
                    format!("`{text}` means different things to different tools"),
                )
                .help(format!("write {truth}, or \"{text}\" for the text"));
        }
        let digits = text.trim_start_matches(['-', '+']);
        let is_number = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let has_base = ["0x", "0X", "0o", "0O", "0b", "0B"].iter().any(|base| {
            let rest = digits.strip_prefix(base).unwrap_or("");
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_hexdigit())
        });
        let is_zero_first = digits.len() > 1 && digits.starts_with('0');
        if has_base || is_number && is_zero_first && !digits.starts_with("0.") {
            self.leading_zero(text, span);
        }
        if text.find('#').is_some_and(|at| at > 0) {
            self.report
                .error(
                    codes::TOUCHING_HASH,
                    span,
                    "a `#` touches the word before it",
                )
                .help("put the text into quotes, or write two blanks before a comment");
        }
        let after = &self.text[span.start + span.len..];
        if let Some(lost) = after.strip_prefix(" #") {
            self.cut_short(span, lost);
        }
    }

    /// `color: #fff` gives nothing at all.
    fn check_nothing(&mut self, span: Span) {
        let after = self.text[span.start..].trim_start_matches(':');
        if let Some(lost) = after.strip_prefix(" #")
            && lost.starts_with(|c: char| !c.is_whitespace() && c != '#')
        {
            self.cut_short(span, lost);
        }
    }

    fn cut_short(&mut self, span: Span, lost: &str) {
        let lost: String = lost.lines().next().unwrap_or("").chars().take(40).collect();
        self.report
            .error(
                codes::CUT_SHORT,
                span,
                format!("`#` begins a comment here: `#{lost}` is lost"),
            )
            .help("put the whole text into quotes, or write two blanks before a comment");
    }

    fn slice(&self, span: Span) -> &str {
        self.text
            .get(span.start..span.start + span.len)
            .unwrap_or("")
    }

    fn first_line(&self, span: Span) -> Span {
        let len = self.slice(span).lines().next().map_or(0, str::len);
        Span { len, ..span }
    }

    fn style(&self, span: Span) -> Style {
        let before = self.text.get(..span.start).unwrap_or("");
        let head = before.trim_end();
        let is_below = before[head.len()..].contains('\n');
        // Never the whole line: a file may be one line of many values.
        let mark = head.rsplit([' ', '\t', '\n']).next().unwrap_or("");
        if is_below && mark.starts_with(['|', '>']) && mark.len() <= 3 {
            return Style::Block;
        }
        match self.slice(span).as_bytes().first() {
            Some(b'"' | b'\'') => Style::Quoted,
            _ => Style::Plain,
        }
    }
}

/// The tag that a text ends with, if it ends with one: what lies between is an anchor, the mark of
/// a block scalar or a comment.
fn tag_at_end(before: &str) -> Option<&str> {
    let mut rest = before.trim_end_matches([' ', '\t']);
    loop {
        if rest.ends_with(['\n', '\r']) {
            rest = rest.trim_end();
            let line = &rest[rest.rfind('\n').map_or(0, |at| at + 1)..];
            if let Some(at) = line.find(" #") {
                rest = rest[..rest.len() - line.len() + at].trim_end();
            }
        }
        let token = rest.rsplit([' ', '\t', '\n', '\r']).next()?;
        if token.starts_with(['&', '|', '>']) {
            rest = rest[..rest.len() - token.len()].trim_end_matches([' ', '\t']);
            continue;
        }
        let is_tag = token.starts_with('!') && !token.ends_with(':');
        let is_verbatim = token.starts_with("!<");
        let no_tag: &[char] = if is_verbatim {
            &['"', '\'']
        } else {
            &[',', '[', ']', '{', '}', '"', '\'']
        };
        return (is_tag && !token.contains(no_tag)).then_some(token);
    }
}

/// How a scalar is written.
#[derive(PartialEq, Eq)]
enum Style {
    /// Without anything around it.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// On lines of its own after `|` or `>`.
    Block,
}
