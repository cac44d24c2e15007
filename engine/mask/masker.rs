//! Looks for many texts at once and replaces them.
//!
//! In: the texts to hide. Out: other texts and values without them.
//! Always true: every occurrence goes, overlapping ones too; what holds none is handed on
//! untouched; if there are too many texts to look for, nothing at all is shown.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::mails::without_mails;
use super::{HIDDEN_CHARS_MIN, MASK, forms};
use crate::data::{Object, Value};

/// Takes hidden texts out of others.
#[derive(Clone, Debug, Default)]
pub struct Masker {
    finders: Vec<(Finder, Option<Arc<AhoCorasick>>)>,
    numbers: Arc<BTreeSet<String>>,
    hides_mails: bool,
}

#[derive(Clone, Debug)]
enum Finder {
    Found(Arc<AhoCorasick>),
    /// There are too many texts: everything counts as one of them.
    Everything,
}

impl Masker {
    /// A masker of these texts in all their forms. Numbers among them are hidden where they stand
    /// as numbers, too.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut numbers = BTreeSet::new();
        let mut all = Vec::new();
        for text in texts {
            if text.parse::<f64>().is_ok() {
                numbers.insert(text.to_owned());
            }
            all.extend(forms(text));
        }
        all.retain(|form| form.chars().count() >= HIDDEN_CHARS_MIN);
        let finders = match all.is_empty() {
            true => Vec::new(),
            false => vec![(finder(&all), None)],
        };
        Self {
            finders,
            numbers: Arc::new(numbers),
            hides_mails: false,
        }
    }

    /// Leaves these words whole, such as names of tables, where a hidden text is a part of one: a
    /// learner called Learner is not told of by the table `course-learners`. A hidden text that is
    /// the whole word, or reaches beyond it, goes as ever; so does what other maskers hide.
    #[must_use]
    pub fn sparing<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: BTreeSet<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        // Without what finds the words, none is spared.
        let spared = AhoCorasick::new(words).ok().map(Arc::new);
        for (_, spares) in &mut self.finders {
            *spares = spared.clone();
        }
        self
    }

    /// Hides whatever looks like an e-mail address, too.
    #[must_use]
    pub fn and_mails(mut self) -> Self {
        self.hides_mails = true;
        self
    }

    /// Hides what another one hides, too.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.finders.extend(other.finders.iter().cloned());
        let numbers = self.numbers.union(&other.numbers).cloned().collect();
        self.numbers = Arc::new(numbers);
        self.hides_mails |= other.hides_mails;
        self
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.finders.is_empty() && self.numbers.is_empty() && !self.hides_mails
    }

    /// The text without what is hidden.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let masked = self.replaced(text, &mut |_| MASK.to_owned());
        if !self.hides_mails {
            return masked;
        }
        match without_mails(&masked) {
            Cow::Borrowed(_) => masked,
            Cow::Owned(masked) => Cow::Owned(masked),
        }
    }

    /// The value without what is hidden, names of members included; it is taken apart only if
    /// something hidden is in it.
    pub fn value(&self, value: Value) -> Value {
        match self.is_empty() || !self.is_in(&value) {
            true => value,
            false => self.taken_apart(value),
        }
    }

    fn taken_apart(&self, value: Value) -> Value {
        match value {
            Value::String(text) => match self.text(&text) {
                Cow::Borrowed(_) => text.into(),
                Cow::Owned(masked) => masked.into(),
            },
            Value::Array(list) => list
                .into_iter()
                .map(|value| self.taken_apart(value))
                .collect(),
            Value::Object(object) => object
                .into_iter()
                .map(|(name, value)| (self.text(&name).into_owned(), self.taken_apart(value)))
                .collect::<Object>()
                .into(),
            Value::Number(number) if self.numbers.contains(&number.to_string()) => MASK.into(),
            other => other,
        }
    }

    fn is_in(&self, value: &Value) -> bool {
        let is_in_text = |text: &str| {
            self.finds(text) || (self.hides_mails && matches!(without_mails(text), Cow::Owned(_)))
        };
        match value {
            Value::String(text) => is_in_text(text),
            Value::Array(list) => list.iter().any(|value| self.is_in(value)),
            Value::Object(object) => object
                .iter()
                .any(|(name, value)| is_in_text(name) || self.is_in(value)),
            Value::Number(_) if self.numbers.is_empty() => false,
            Value::Number(number) => self.numbers.contains(&number.to_string()),
            Value::Null | Value::Bool(_) => false,
        }
    }

    /// The text with each hidden piece replaced by something else.
    pub fn replaced<'a>(
        &self,
        text: &'a str,
        with: &mut dyn FnMut(&str) -> String,
    ) -> Cow<'a, str> {
        let pieces = self.pieces(text);
        if pieces.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut replaced = String::with_capacity(text.len());
        let mut at = 0;
        for (from, to) in pieces {
            replaced.push_str(&text[at..from]);
            replaced.push_str(&with(&text[from..to]));
            at = to;
        }
        replaced.push_str(&text[at..]);
        Cow::Owned(replaced)
    }

    /// Whether a number is hidden where it stands as one.
    pub(super) fn hides_number(&self, number: &str) -> bool {
        self.numbers.contains(number)
    }

    /// Whether the text holds something hidden.
    pub fn finds(&self, text: &str) -> bool {
        self.finders.iter().any(|(finder, _)| match finder {
            Finder::Found(automaton) => automaton.is_match(text),
            Finder::Everything => !text.is_empty(),
        })
    }

    /// Where hidden texts stand, overlapping ones as one piece, in order.
    fn pieces(&self, text: &str) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (finder, spared) in &self.finders {
            match finder {
                Finder::Found(automaton) => {
                    let pieces = places(automaton, text);
                    // Words are looked for only where something hidden was found.
                    let spared = spared.as_ref().filter(|_| !pieces.is_empty());
                    let words = spared.map_or_else(Vec::new, |spared| words_in(spared, text));
                    let is_part = |(from, to): (usize, usize)| {
                        let inside = |word: &(usize, usize)| word.0 <= from && to <= word.1;
                        let is_part = |word: &&(usize, usize)| **word != (from, to);
                        words.iter().filter(is_part).any(inside)
                    };
                    found.extend(pieces.into_iter().filter(|piece| !is_part(*piece)));
                }
                Finder::Everything if !text.is_empty() => found.push((0, text.len())),
                Finder::Everything => {}
            }
        }
        found.sort_unstable();
        let mut pieces: Vec<(usize, usize)> = Vec::with_capacity(found.len());
        for (from, to) in found {
            match pieces.last_mut() {
                Some(last) if from < last.1 => last.1 = last.1.max(to),
                _ => pieces.push((from, to)),
            }
        }
        pieces
    }
}

/// Where texts stand, overlapping ones included.
fn places(automaton: &AhoCorasick, text: &str) -> Vec<(usize, usize)> {
    let found = automaton.find_overlapping_iter(text);
    found.map(|piece| (piece.start(), piece.end())).collect()
}

/// Where words stand as words of their own.
fn words_in(automaton: &AhoCorasick, text: &str) -> Vec<(usize, usize)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '@');
    let mut words = places(automaton, text);
    words
        .retain(|&(from, to)| !text[..from].ends_with(is_part) && !text[to..].starts_with(is_part));
    words
}

/// The library may look for texts up to this size with its fastest automaton, which takes longest to
/// build: minutes for some that are as long as a page.
const FAST_BYTES_MAX: usize = 4096;

fn finder(texts: &[String]) -> Finder {
    let bytes: usize = texts.iter().map(String::len).sum();
    let kind = (bytes > FAST_BYTES_MAX).then_some(AhoCorasickKind::ContiguousNFA);
    let built = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(kind)
        .build(texts);
    built.map_or(Finder::Everything, |automaton| {
        Finder::Found(Arc::new(automaton))
    })
}
