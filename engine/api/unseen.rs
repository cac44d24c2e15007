//! Lines of the log that iterations left behind which were folded since.
//!
//! In: lines, and the recipes' own words. Out: the lines without any other words.
//! Always true: what only a folded iteration knew is known to nobody any more, nor is whom it is
//! about; so every word of such a line that no recipe wrote counts as personal, unless it is a
//! number, a day or a moment.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::{Object, Value};
use crate::journal::{Entry, Heads};
use crate::mask::{MASK, is_plain};

/// The lines of a job that were left behind, and the words that may be shown of them.
pub(super) struct Unseen<'a> {
    heads: Heads<'a>,
    words: BTreeSet<&'a str>,
}

impl<'a> Unseen<'a> {
    pub(super) fn of(entries: &'a [Entry], sources: &'a BTreeMap<String, String>) -> Self {
        let heads = Heads::among(entries);
        let words = match heads.is_empty() {
            true => BTreeSet::new(),
            false => sources.values().flat_map(|text| words(text)).collect(),
        };
        Self { heads, words }
    }

    /// Whether the iteration that an entry belongs to was folded.
    pub(super) fn holds(&self, entry: &Entry) -> bool {
        !self.heads.is_empty() && self.heads.cover(&entry.key)
    }

    /// The text without words that no recipe wrote.
    pub(super) fn text(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        for word in words(text) {
            let Some((before, after)) = rest.split_once(word) else {
                continue;
            };
            let is_known = self.words.contains(word) || is_plain(&word.into());
            shown.push_str(before);
            shown.push_str(if is_known { word } else { MASK });
            rest = after;
        }
        shown.push_str(rest);
        shown
    }

    /// The value without words that no recipe wrote, but for the names of its members.
    pub(super) fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text).into(),
            Value::Array(list) => list.into_iter().map(|value| self.value(value)).collect(),
            Value::Object(object) => object
                .into_iter()
                .map(|(name, value)| (name, self.value(value)))
                .collect::<Object>()
                .into(),
            other => other,
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '+' | '@' | ':');
    text.split(move |c| !is_part(c))
        .map(|word| word.trim_matches(['.', ':', '-']))
        .filter(|word| !word.is_empty())
}
