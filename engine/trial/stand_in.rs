//! Stand-in values for what must not be shown.
//!
//! In: what is hidden, and values that hold it. Out: the same values with others in its place.
//! Always true: the same text gets the same stand-in wherever it stands, whatever its case; a name
//! of several words gets that of each word, so that what was put together stays put together.

use std::collections::BTreeMap;

use crate::data::{Object, Value};
use crate::mask::Masker;

/// What looks like a mail address.
const MAIL: &str = r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+";

/// The stand-ins of one job.
pub(super) struct StandIns {
    masker: Masker,
    known: BTreeMap<String, String>,
}

impl StandIns {
    /// Stand-ins for hidden texts, and for mail addresses wherever they are among these values.
    pub(super) fn of(masker: &Masker, hidden: &[String], values: &[&Value]) -> Self {
        let mut mails = Vec::new();
        if let Ok(mail) = regex::Regex::new(MAIL) {
            for value in values {
                let text = value.to_string();
                mails.extend(mail.find_iter(&text).map(|found| found.as_str().to_owned()));
            }
        }
        let mut stand_ins = Self {
            masker: masker
                .clone()
                .and(&Masker::of(mails.iter().map(String::as_str))),
            known: BTreeMap::new(),
        };
        // In a fixed order, so that a job recorded twice gives the same file.
        for text in hidden.iter().chain(&mails) {
            stand_in(&mut stand_ins.known, text);
        }
        stand_ins
    }

    /// The value with stand-ins; names of members are looked at, too.
    pub(super) fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(list) => list.iter().map(|value| self.value(value)).collect(),
            Value::Object(object) => object
                .iter()
                .map(|(name, value)| (self.text(name), self.value(value)))
                .collect::<Object>()
                .into(),
            Value::Number(number) => {
                let known = self.known.get(&number.to_string());
                let known = known.and_then(|text| text.parse::<i64>().ok());
                known.map_or_else(|| value.clone(), Value::from)
            }
            other => other.clone(),
        }
    }

    /// The text with stand-ins.
    pub(super) fn text(&mut self, text: &str) -> String {
        // A short name is hidden only where it is all there is.
        if self.known.contains_key(&text.trim().to_lowercase()) {
            return stand_in(&mut self.known, text);
        }
        let known = &mut self.known;
        let replaced = self
            .masker
            .replaced(text, &mut |found| stand_in(known, found));
        replaced.into_owned()
    }
}

/// The stand-in of a text, which it gets now if it has none.
fn stand_in(known: &mut BTreeMap<String, String>, text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    if words.len() > 1 {
        let words = words.iter().map(|word| match word.trim().is_empty() {
            true => (*word).to_owned(),
            false => stand_in(known, word),
        });
        return words.collect::<Vec<String>>().join(" ");
    }
    let number = known.len() + 1;
    let own = known
        .entry(text.to_lowercase())
        .or_insert_with(|| fresh(text, number));
    in_case_of(text, own)
}

fn fresh(text: &str, number: usize) -> String {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_day = text.len() >= 10 && text.is_char_boundary(10) && {
        let day = &text[..10];
        day.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
            && day.contains('-')
    };
    if text.contains('@') {
        format!("person-{number}@example.com")
    } else if is_day {
        format!("2000-01-{:02}{}", number % 28 + 1, &text[10..])
    } else if is_digits && text.len() < 16 {
        let width = text.len().saturating_sub(1);
        format!("9{number:0width$}")
    } else if text.starts_with("http") {
        format!("https://example.com/{number}")
    } else {
        format!("stand-in-{number}")
    }
}

/// Capital letters where the text has them: all, or the first.
fn in_case_of(text: &str, own: &str) -> String {
    let has_small = text.chars().any(char::is_lowercase);
    match text.chars().any(char::is_uppercase) {
        false => own.to_owned(),
        true if !has_small => own.to_uppercase(),
        true => {
            let mut chars = own.chars();
            let first = chars.next().into_iter().flat_map(char::to_uppercase);
            first.chain(chars).collect()
        }
    }
}
