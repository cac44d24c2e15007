//! The forms in which a text may turn up in another one.
//!
//! In: a text. Out: itself and its forms in JSON, addresses, markup and base64.
//! Always true: letters of the Latin alphabet are compared in any case by whoever looks for the
//! forms; other letters stand here in both cases. What is hashed, compressed, encrypted or cut into
//! pieces is not found.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

/// Shorter pieces of base64 would be found in texts that have nothing to do with the original.
const BASE64_CHARS_MIN: usize = 8;

/// All forms of a text, each once, the text itself first.
pub fn forms(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    if !text.is_ascii() {
        all.extend([text.to_lowercase(), text.to_uppercase()]);
        all.dedup();
    }
    for index in 0..all.len() {
        let plain = all[index].clone();
        all.extend([
            in_json(&plain),
            in_json(&in_json(&plain)),
            in_ascii_json(&plain),
            in_query(&plain),
            in_query(&plain).replace('+', "%20"),
            in_markup(&plain),
        ]);
    }
    all.extend(in_base64(text.as_bytes()));
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|form| seen.insert(form.clone()));
    all
}

fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As JSON is written by those who keep to ASCII.
fn in_ascii_json(text: &str) -> String {
    use std::fmt::Write;
    let mut ascii = String::with_capacity(text.len());
    for unit in in_json(text).encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => ascii.push(char::from(byte)),
            _ => {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

fn in_query(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn in_markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// What base64 makes of the text wherever it begins in a longer one, without the characters at the
/// ends, which its neighbours have a part in.
fn in_base64(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for before in 0..3 {
        let mut shifted = vec![0; before];
        shifted.extend_from_slice(bytes);
        // Whole bits of the text only: six bits a character.
        let from = (before * 8).div_ceil(6);
        let to = shifted.len() * 8 / 6;
        for engine in [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&shifted);
            found.extend(
                encoded
                    .get(from..to)
                    .filter(|inner| inner.len() >= BASE64_CHARS_MIN)
                    .map(str::to_owned),
            );
        }
    }
    found
}
