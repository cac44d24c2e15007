//! Stand-ins for what must not be shown: other values in its place that look like it.
//!
//! In: a [`Masker`], and values. Out: the values with stand-ins; what of a text is hidden still.
//! Always true: the same text has the same stand-in wherever it turns up, so that what belonged
//! together still does; a stand-in tells nothing of what it stands for but its kind. What is too
//! short to be hidden by value has its stand-in wherever it is a value of its own, once it was met
//! where it is declared.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::hidden::put_in_place;
use super::mails::mails;
use super::{Marked, Masker};
use crate::data::{Object, Value};
use crate::shape::Shape;

/// What ordinary texts are called; the first that is not hidden itself is taken.
const WORDS: [&str; 4] = ["Sample", "Pretend", "Somebody", "Alias"];

/// Texts that stand for others.
#[derive(Debug)]
pub struct StandIns {
    masker: Masker,
    known: Known,
}

/// The stand-ins that were given out.
#[derive(Debug, Default)]
struct Known {
    /// By what they stand for, in lower case.
    by_text: BTreeMap<String, String>,
    all: BTreeSet<String>,
    word: &'static str,
}

impl StandIns {
    /// Stand-ins for all that this hides.
    pub fn of(masker: Masker) -> Self {
        let is_shown = |word: &&&str| !masker.finds(word);
        let word = WORDS.iter().find(is_shown).copied().unwrap_or("X");
        Self {
            masker,
            known: Known {
                word,
                ..Known::default()
            },
        }
    }

    /// The value with stand-ins for all that is hidden by value or declared to be so.
    pub fn value(&mut self, shape: &Shape, value: Value) -> Value {
        let marked = Marked::SecretOrPersonal;
        let value = put_in_place(shape, value, marked, &mut |value| self.whole(value));
        self.by_value(value)
    }

    /// A value that is hidden as a whole.
    pub fn whole(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) if text.trim().is_empty() || self.known.all.contains(&text) => {
                Value::String(text)
            }
            Value::String(text) => self.known.stand_in(text.trim()).into(),
            Value::Number(number) => self.known.number(&number),
            Value::Array(list) => list.into_iter().map(|value| self.whole(value)).collect(),
            Value::Object(object) => object
                .into_iter()
                .map(|(name, value)| (name, self.whole(value)))
                .collect::<Object>()
                .into(),
            other => other,
        }
    }

    /// The text with stand-ins.
    pub fn text(&mut self, text: &str) -> String {
        let Self { masker, known } = self;
        let shown = known.apart(text, &mut |text, known| {
            masker
                .replaced(text, &mut |piece| known.stand_in(piece))
                .into_owned()
        });
        let is_made = |mail: &str, known: &Known| known.all.contains(&mail.to_lowercase());
        mails(&shown, &mut |mail| match is_made(mail, known) {
            true => mail.to_owned(),
            false => known.stand_in(mail),
        })
        .into_owned()
    }

    /// What a value still tells of what is hidden, if it does. What is allowed is no finding: what
    /// the recipes themselves say.
    pub fn told_by(&self, value: &Value, is_allowed: &dyn Fn(&str) -> bool) -> Option<String> {
        match value {
            Value::String(text) => self.told_by_text(text, is_allowed),
            Value::Number(number) => {
                let text = number.to_string();
                let is_told = self.masker.hides_number(&text) && !self.known.all.contains(&text);
                is_told.then_some(text)
            }
            Value::Array(list) => list
                .iter()
                .find_map(|value| self.told_by(value, is_allowed)),
            Value::Object(object) => object.iter().find_map(|(name, value)| {
                let told = self.told_by_text(name, is_allowed);
                told.or_else(|| self.told_by(value, is_allowed))
            }),
            Value::Null | Value::Bool(_) => None,
        }
    }

    fn told_by_text(&self, text: &str, is_allowed: &dyn Fn(&str) -> bool) -> Option<String> {
        let mut told = self.known.whole(text).map(|_| text.to_owned());
        told = told.filter(|text| !self.known.all.contains(text) && !is_allowed(text));
        let mut see = |piece: &str| {
            if told.is_none() && !is_allowed(piece) {
                told = Some(piece.to_owned());
            }
            String::new()
        };
        for part in self.known.parts(text) {
            let Err(part) = part else { continue };
            self.masker.replaced(part, &mut see);
            mails(part, &mut see);
        }
        told
    }

    fn by_value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => match self.known.whole(&text) {
                Some(stand_in) => stand_in.into(),
                None => self.text(&text).into(),
            },
            Value::Number(number) => {
                let text = number.to_string();
                match self.masker.hides_number(&text) && !self.known.all.contains(&text) {
                    true => self.known.number(&number),
                    false => Value::Number(number),
                }
            }
            Value::Array(list) => list.into_iter().map(|value| self.by_value(value)).collect(),
            Value::Object(object) => object
                .into_iter()
                .map(|(name, value)| (self.text(&name), self.by_value(value)))
                .collect::<Object>()
                .into(),
            other => other,
        }
    }
}

impl Known {
    /// The stand-in of a text, a new one if it has none yet.
    fn stand_in(&mut self, text: &str) -> String {
        let plain = text.replace("%40", "@").to_lowercase();
        if let Some(known) = self.by_text.get(&plain) {
            return known.clone();
        }
        let number = self.by_text.len() + 1;
        let made = made(&plain, number, self.word);
        self.by_text.insert(plain, made.clone());
        self.all.insert(made.clone());
        made
    }

    /// The stand-in of a text that has one as a whole, however short it is.
    fn whole(&self, text: &str) -> Option<&str> {
        let plain = text.trim().to_lowercase();
        let stand_in = self.by_text.get(&plain)?;
        plain
            .contains(char::is_alphabetic)
            .then_some(stand_in.as_str())
    }

    fn number(&mut self, number: &serde_json::Number) -> Value {
        let stand_in = self.stand_in(&number.to_string());
        let read: Result<Value, _> = serde_json::from_str(&stand_in);
        read.unwrap_or_else(|_| stand_in.into())
    }

    /// The text with what is no stand-in yet put through this.
    fn apart(&mut self, text: &str, put: &mut dyn FnMut(&str, &mut Self) -> String) -> String {
        let parts: Vec<Result<String, String>> = self
            .parts(text)
            .into_iter()
            .map(|part| part.map(str::to_owned).map_err(str::to_owned))
            .collect();
        let shown = parts.into_iter().map(|part| match part {
            Ok(stand_in) => stand_in,
            Err(other) => put(&other, self),
        });
        shown.collect()
    }

    /// A text as stand-ins and what is none, in order.
    fn parts<'a>(&self, text: &'a str) -> Vec<Result<&'a str, &'a str>> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((at, len)) = self.first_in(rest) {
            parts.push(Err(&rest[..at]));
            parts.push(Ok(&rest[at..at + len]));
            rest = &rest[at + len..];
        }
        parts.push(Err(rest));
        parts
    }

    /// Where the first stand-in stands in a text, the longest of those that begin there, and how
    /// long it is. Of many thousands, only a few are looked at for each place.
    fn first_in(&self, text: &str) -> Option<(usize, usize)> {
        let mut places = text.char_indices().map(|(at, _)| at);
        places.find_map(|at| Some((at, self.at_the_start_of(&text[at..])?)))
    }

    /// How long the longest stand-in is that the text begins with. In their order, one that the
    /// text begins with stands before it, with none in between but those that begin with it.
    fn at_the_start_of(&self, text: &str) -> Option<usize> {
        let mut text = text;
        loop {
            let upto = (Bound::Unbounded, Bound::Included(text));
            let before = self.all.range::<str, _>(upto).next_back()?;
            if text.starts_with(before.as_str()) {
                return Some(before.len());
            }
            let same = text.chars().zip(before.chars());
            let same = same.take_while(|(one, other)| one == other);
            text = &text[..same.map(|(one, _)| one.len_utf8()).sum()];
            if text.is_empty() {
                return None;
            }
        }
    }
}

/// A text of the same kind: an address for an address, a number for a number.
fn made(plain: &str, number: usize, word: &str) -> String {
    let is_mail =
        matches!(mails(plain, &mut |_| String::new()), Cow::Owned(rest) if rest.is_empty());
    if is_mail {
        return format!("person{number}@example.com");
    }
    if plain.starts_with("http://") || plain.starts_with("https://") {
        return format!("https://example.com/{number}");
    }
    let digits = plain.trim_start_matches('+');
    if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
        // As many digits, so that a number of eight stays one, and none that begins with zero.
        let width = digits.len().clamp(4, 15) - 1;
        let sign = if plain.starts_with('+') { "+" } else { "" };
        return format!("{sign}9{number:0width$}");
    }
    if plain.parse::<f64>().is_ok() {
        return format!("9{number:03}.5");
    }
    if is_day(plain.get(..10).unwrap_or_default()) {
        let (month, day) = (1 + number / 28 % 12, 1 + number % 28);
        return format!("2001-{month:02}-{day:02}{}", plain[10..].to_uppercase());
    }
    let is_uuid = plain.len() == 36 && plain.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-');
    if is_uuid {
        return format!("00000000-0000-4000-8000-{number:012}");
    }
    format!("{word}{number}")
}

fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.char_indices().all(|(at, c)| match at {
            4 | 7 => c == '-',
            _ => c.is_ascii_digit(),
        })
}
