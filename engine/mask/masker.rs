//! Looks for many texts at once and replaces them.
//!
//! In: the texts to hide. Out: other texts and values without them.
//! Always true: every occurrence goes, overlapping ones too; what holds none is handed on
//! untouched; if there are too many texts to look for, nothing at all is shown.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use super::mails::without_mails;
use super::{HIDDEN_CHARS_MIN, MASK, forms};
use crate::data::{Object, Value};

/// Takes hidden texts out of others.
#[derive(Clone, Debug, Default)]
pub struct Masker {
    finders: Vec<Finder>,
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
            false => vec![finder(&all)],
        };
        Self {
            finders,
            numbers: Arc::new(numbers),
            hides_mails: false,
        }
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

    /// Whether the text holds something hidden.
    pub fn finds(&self, text: &str) -> bool {
        self.finders.iter().any(|finder| match finder {
            Finder::Found(automaton) => automaton.is_match(text),
            Finder::Everything => !text.is_empty(),
        })
    }

    /// Where hidden texts stand, overlapping ones as one piece, in order.
    fn pieces(&self, text: &str) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for finder in &self.finders {
            match finder {
                Finder::Found(automaton) => found.extend(
                    automaton
                        .find_overlapping_iter(text)
                        .map(|piece| (piece.start(), piece.end())),
                ),
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

fn finder(texts: &[String]) -> Finder {
    let built = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(texts);
    built.map_or(Finder::Everything, |automaton| {
        Finder::Found(Arc::new(automaton))
    })
}
