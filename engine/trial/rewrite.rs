//! A test file with other expectations, and otherwise as it is.
//!
//! In: a file and what its tests would have to expect. Out: its text, in which only that is changed
//! which has to be: comments, order and formatting stay.
//! Always true: the new text was read again and says what it should; one that does not is refused.

use std::sync::Arc;

use crate::data::{Value, same};
use crate::source::{Document, Node, NodeKind, parse};

use super::align::{Aligned, align, joined};
use super::yaml::{block, element, flow, member, on_one_line};

/// The width that files keep to.
const WIDTH: usize = 120;

/// Why a file cannot be rewritten, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRewritten(pub String);

/// The text of a test file in which the named cases (by their number in the file) expect this.
pub fn updated(document: &Document, expected: &[(usize, Value)]) -> Result<String, NotRewritten> {
    let unusual = || {
        NotRewritten(format!(
            "what was found cannot be put in place of what `{}` expects: a recipe that failed gives \
             nothing to expect, and some ways of writing cannot be kept; mend the recipe, or change \
             the file by hand",
            document.file
        ))
    };
    let mut writer = Writer {
        text: &document.text,
        edits: Vec::new(),
    };
    let mut wanted = document.root.to_value();
    for (number, value) in expected {
        let case = document.root.get("cases").and_then(Node::as_list);
        let case = case
            .and_then(|cases| cases.get(*number))
            .and_then(Node::as_map);
        let node = case.and_then(|case| case.iter().find(|(key, _)| &*key.text == "expect"));
        let (key, node) = node.ok_or_else(unusual)?;
        let begins = writer.value_of_key(key.span.start).ok_or_else(unusual)?;
        let indent = writer.column(key.span.start);
        writer
            .change(node, value, Around { begins, indent })
            .ok_or_else(unusual)?;
        wanted["cases"][*number]["expect"] = value.clone();
    }
    let text = writer.done().ok_or_else(unusual)?;
    let (read, _) = parse(&Arc::clone(&document.file), text.as_bytes());
    match read {
        Some(read) if same(&read.root.to_value(), &wanted) => Ok(text),
        _ => Err(unusual()),
    }
}

/// Where a value stands: what is before it ends here, and its key or dash has this column.
#[derive(Clone, Copy)]
struct Around {
    begins: usize,
    indent: usize,
}

/// A stretch of the text, and what comes in its place.
struct Edit {
    from: usize,
    to: usize,
    text: String,
}

struct Writer<'a> {
    text: &'a str,
    edits: Vec<Edit>,
}

impl Writer<'_> {
    /// The text with all changes.
    fn done(mut self) -> Option<String> {
        self.edits.sort_by_key(|edit| edit.from);
        let mut text = String::with_capacity(self.text.len());
        let mut at = 0;
        for edit in self.edits {
            text.push_str(self.text.get(at..edit.from)?);
            text.push_str(&edit.text);
            at = edit.to;
        }
        text.push_str(self.text.get(at..)?);
        Some(text)
    }

    /// Makes a value say something else, by as few changes as can be.
    fn change(&mut self, node: &Node, wanted: &Value, around: Around) -> Option<()> {
        if same(&node.to_value(), wanted) {
            return Some(());
        }
        let before = self.edits.len();
        let is_done = match (&node.kind, wanted, self.first(node)) {
            (_, _, Some('*')) => false,
            (NodeKind::Map(entries), Value::Object(new), _)
                if !entries.is_empty() && !new.is_empty() =>
            {
                self.change_map(node, wanted).is_some()
            }
            (NodeKind::List(elements), Value::Array(new), _)
                if !elements.is_empty() && !new.is_empty() =>
            {
                self.change_list(node, elements, new).is_some()
            }
            _ => false,
        };
        if !is_done {
            self.edits.truncate(before);
            self.replace(node, wanted, around)?;
        }
        Some(())
    }

    fn change_map(&mut self, node: &Node, wanted: &Value) -> Option<()> {
        let (entries, new) = (node.as_map()?, wanted.as_object()?);
        let is_flow = self.first(node) == Some('{');
        let has_all = |(key, _): &(crate::source::Key, Node)| new.contains_key(&*key.text);
        if is_flow && (new.len() != entries.len() || !entries.iter().all(has_all)) {
            return None;
        }
        let indent = self.column(entries.first()?.0.span.start);
        for (key, value) in entries {
            let begins = self.value_of_key(key.span.start)?;
            match new.get(&*key.text) {
                Some(wanted) => self.change(value, wanted, Around { begins, indent })?,
                None => {
                    let from = self.line_begin(key.span.start);
                    let to = self.end(value)?.max(begins);
                    self.remove_lines(from, key.span.start, to)?;
                }
            }
        }
        let mut place = None;
        for (name, value) in new {
            match entries.iter().find(|(key, _)| *key.text == **name) {
                Some((key, old)) => {
                    let end = self.end(old)?.max(self.value_of_key(key.span.start)?);
                    place = Some(self.line_end(end));
                }
                None => {
                    let first = self.line_begin(entries.first()?.0.span.start);
                    let is_own_line = self.is_blank(first, entries.first()?.0.span.start);
                    let at = place.or(is_own_line.then_some(first))?;
                    self.insert(at, &member(name, value, indent, WIDTH));
                }
            }
        }
        Some(())
    }

    fn change_list(&mut self, node: &Node, elements: &[Node], new: &[Value]) -> Option<()> {
        let is_same = |i: usize, j: usize| same(&elements[i].to_value(), &new[j]);
        let aligned = align(elements.len(), new.len(), &is_same);
        let aligned = joined(&aligned, &|i, j| is_like(&elements[i], &new[j]));
        let is_both = |one: &Aligned| matches!(one, Aligned::Both(..));
        if self.first(node) == Some('[') {
            // Inside brackets elements are changed, but none comes or goes.
            if !aligned.iter().all(is_both) {
                return None;
            }
            let around = |node: &Node| Around {
                begins: node.span.start,
                indent: 0,
            };
            for (old, wanted) in elements.iter().zip(new) {
                self.change(old, wanted, around(old))?;
            }
            return Some(());
        }
        let dashes: Option<Vec<usize>> = elements.iter().map(|node| self.dash(node)).collect();
        let dashes = dashes?;
        let indent = self.column(*dashes.first()?);
        let mut place = None;
        for one in aligned {
            match one {
                Aligned::Both(i, j) => {
                    let begins = dashes[i] + 1;
                    self.change(&elements[i], &new[j], Around { begins, indent })?;
                    place = Some(self.line_end(self.end(&elements[i])?));
                }
                Aligned::Left(i) => {
                    let from = self.line_begin(dashes[i]);
                    let to = self.end(&elements[i])?.max(dashes[i] + 1);
                    self.remove_lines(from, dashes[i], to)?;
                    place = Some(self.line_end(to));
                }
                Aligned::Right(j) => {
                    let first = self.line_begin(dashes[0]);
                    let at = place.or(self.is_blank(first, dashes[0]).then_some(first))?;
                    self.insert(at, &element(&new[j], indent, WIDTH));
                }
            }
        }
        Some(())
    }

    /// Writes a whole value anew.
    fn replace(&mut self, node: &Node, wanted: &Value, around: Around) -> Option<()> {
        let Around { begins, indent } = around;
        let (start, to) = (node.span.start.max(begins), self.end(node)?.max(begins));
        let is_in_brackets = begins == node.span.start && begins > 0;
        let is_same_line = !self.text.get(begins..start)?.contains('\n');
        let column = self.column(start.min(begins + 1));
        let line = match is_in_brackets || self.is_between_brackets(begins) {
            true => Some(flow(wanted)),
            false => on_one_line(wanted, column, WIDTH),
        };
        let from = match is_same_line && !self.is_block_text(node) {
            true => start,
            false => begins,
        };
        let text = match line {
            Some(line) if from == begins && !is_in_brackets => format!(" {line}"),
            Some(line) => line,
            None => format!(
                "\n{}",
                block(wanted, indent + 2, WIDTH).trim_end_matches('\n')
            ),
        };
        // What goes on below begins where the blanks before it stood.
        let from = match text.starts_with('\n') {
            true => begins,
            false => from,
        };
        self.edits.push(Edit { from, to, text });
        Some(())
    }

    fn insert(&mut self, at: usize, lines: &str) {
        let is_below = at == 0 || self.text[..at].ends_with('\n');
        let text = match is_below {
            true => lines.to_owned(),
            // The file's last line has no end.
            false => format!("\n{}", lines.trim_end_matches('\n')),
        };
        self.edits.push(Edit {
            from: at,
            to: at,
            text,
        });
    }

    /// Takes whole lines out, if nothing else begins on the first of them.
    fn remove_lines(&mut self, from: usize, start: usize, to: usize) -> Option<()> {
        let is_alone = self.is_blank(from, start);
        let to = self.line_end(to);
        let text = String::new();
        is_alone.then(|| self.edits.push(Edit { from, to, text }))
    }

    fn first(&self, node: &Node) -> Option<char> {
        self.text.get(node.span.start..)?.chars().next()
    }

    /// Where a value ends.
    fn end(&self, node: &Node) -> Option<usize> {
        let start = node.span.start;
        let rest = self.text.get(start..)?;
        let inner = match &node.kind {
            _ if rest.starts_with('*') => {
                let len = rest.find(|c: char| c.is_whitespace() || ",]}".contains(c));
                return Some(start + len.unwrap_or(rest.len()));
            }
            NodeKind::Map(entries) => {
                let mut ends = Vec::new();
                for (key, value) in entries {
                    ends.push(self.end(value)?.max(self.value_of_key(key.span.start)?));
                }
                ends.into_iter().max()
            }
            NodeKind::List(elements) => {
                let ends: Option<Vec<usize>> = elements.iter().map(|node| self.end(node)).collect();
                ends?.into_iter().max()
            }
            NodeKind::Text(_) if self.is_block_text(node) => return Some(self.block_end(node)),
            _ => return Some(start + node.span.len),
        };
        match rest.chars().next()? {
            '{' | '[' => self.closing(inner.unwrap_or(start + 1)),
            _ => inner,
        }
    }

    /// The place after the bracket that closes what ends here.
    fn closing(&self, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let rest = self.text.get(at..)?;
            match rest.chars().next()? {
                '}' | ']' => return Some(at + 1),
                '#' => at += rest.find('\n')?,
                c if c.is_whitespace() || c == ',' => at += c.len_utf8(),
                _ => return None,
            }
        }
    }

    /// Whether a text stands on lines of its own, after `|` or `>`.
    fn is_block_text(&self, node: &Node) -> bool {
        let is_quoted = matches!(self.first(node), Some('"' | '\''));
        matches!(node.kind, NodeKind::Text(_)) && !node.plain && !is_quoted
    }

    fn block_end(&self, node: &Node) -> usize {
        let indent = self.column(node.span.start);
        let mut end = self.line_end(node.span.start);
        let mut last = end;
        while let Some(line) = self.text[end..].split_inclusive('\n').next() {
            let blanks = line.len() - line.trim_start_matches(' ').len();
            if !line.trim().is_empty() && blanks < indent {
                break;
            }
            end += line.len();
            if !line.trim().is_empty() {
                last = end;
            }
        }
        // The end of the last line stays.
        last - usize::from(self.text[..last].ends_with('\n'))
    }

    /// Where the value after a key begins: after its colon.
    fn value_of_key(&self, key: usize) -> Option<usize> {
        let rest = self.text.get(key..)?;
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let name = match quote {
            Some(quote) => 2 + rest[1..].find(quote)?,
            None => 0,
        };
        let colon = rest[name..].match_indices(':').find(|(at, _)| {
            let next = rest[name + at + 1..].chars().next();
            quote.is_some() || next.is_none_or(|c| c.is_whitespace() || ",]}".contains(c))
        });
        colon.map(|(at, _)| key + name + at + 1)
    }

    /// Where the dash of an element stands.
    fn dash(&self, node: &Node) -> Option<usize> {
        let before = self.text.get(..node.span.start)?;
        let dash = before.rfind('-')?;
        let between = &before[dash + 1..];
        let is_own = between.trim().is_empty() || between.trim_start().starts_with(['&', '|', '>']);
        is_own.then_some(dash)
    }

    fn is_between_brackets(&self, at: usize) -> bool {
        let line = &self.text[self.line_begin(at)..at];
        let opened = |c: char| line.matches(c).count();
        opened('{') > opened('}') || opened('[') > opened(']')
    }

    fn is_blank(&self, from: usize, to: usize) -> bool {
        self.text
            .get(from..to)
            .is_some_and(|text| text.trim().is_empty())
    }

    fn column(&self, at: usize) -> usize {
        at - self.line_begin(at)
    }

    fn line_begin(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    /// Where the next line begins.
    fn line_end(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        at + rest.find('\n').map_or(rest.len(), |end| end + 1)
    }
}

/// Whether an element is rather changed than replaced: both are mappings and begin with one key.
fn is_like(old: &Node, new: &Value) -> bool {
    match (old.as_map(), new) {
        (Some(entries), Value::Object(object)) => {
            let names = entries.first().zip(object.keys().next());
            names.is_some_and(|((key, _), name)| *key.text == **name)
        }
        (old, new) => old.is_none() && !new.is_object() && old.is_some() == new.is_array(),
    }
}
