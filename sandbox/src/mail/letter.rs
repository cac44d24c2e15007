//! What a mail says. In: its bytes, as MIME wraps them up. Out: headers, subject, text and files, decoded.
//! Always true: whatever is no sound MIME is shown as it came, never refused; parts nest only so deep.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use quoted_printable::ParseMode;
use serde::Serialize;

/// How deep parts may stand within parts.
const DEPTH_MAX: usize = 8;

/// Base64 of every kind, padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A file that came with a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// What kind it is, such as `text/csv`.
    pub media: String,
    /// What is in it, as text.
    pub text: String,
}

/// A mail, unwrapped.
#[derive(Debug, Default)]
pub(super) struct Letter {
    /// By name in lower case; of several of one name, one per line.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) text: String,
    pub(super) html: Option<String>,
    pub(super) attachments: Vec<Attachment>,
}

/// Unwraps a mail.
pub(super) fn read(raw: &[u8]) -> Letter {
    let (headers, body) = split(raw);
    let mut letter = Letter::default();
    for (name, value) in &headers {
        let value = words(value);
        let entry = letter.headers.entry(name.clone());
        entry
            .and_modify(|before| *before = format!("{before}\n{value}"))
            .or_insert(value);
    }
    part(&headers, body, 0, &mut letter);
    letter
}

type Headers = Vec<(String, String)>;

fn part(headers: &Headers, body: &[u8], depth: usize, letter: &mut Letter) {
    let header = |wanted: &str| headers.iter().find(|(name, _)| name == wanted);
    let value = |wanted: &str| header(wanted).map_or("", |(_, value)| value.as_str());
    let (media, parameters) = parameters(value("content-type"));
    let media = if media.is_empty() {
        "text/plain"
    } else {
        &media
    };
    let boundary = parameters.get("boundary");
    if let Some(boundary) =
        boundary.filter(|_| media.starts_with("multipart/") && depth < DEPTH_MAX)
    {
        for raw in between(body, boundary) {
            let (headers, body) = split(raw);
            part(&headers, body, depth + 1, letter);
        }
        return;
    }
    let bytes = decoded(value("content-transfer-encoding"), body);
    let text = text_of(
        &bytes,
        parameters.get("charset").map_or("utf-8", String::as_str),
    );
    let text = text.replace("\r\n", "\n");
    let (disposition, given) = self::parameters(value("content-disposition"));
    let name = given.get("filename").or_else(|| parameters.get("name"));
    match (media, name) {
        ("text/plain", None) if disposition != "attachment" => {
            letter.text.push_str(text.trim_end_matches('\n'));
        }
        ("text/html", None) if disposition != "attachment" => letter.html = Some(text),
        (media, name) => letter.attachments.push(Attachment {
            name: name.map(|name| words(name)).unwrap_or_default(),
            media: media.to_owned(),
            text,
        }),
    }
}

/// The headers, unfolded, with names in lower case; and the body.
fn split(raw: &[u8]) -> (Headers, &[u8]) {
    let mut headers = Headers::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at(end);
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return (headers, after);
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        } else {
            return (headers, rest);
        }
        rest = after;
    }
    (headers, rest)
}

/// The parts between the lines of a boundary.
fn between<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let mark = format!("--{boundary}");
    let mut parts = Vec::new();
    let (mut at, mut began) = (0, None);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let after = line.strip_prefix(mark.as_bytes());
        let tail = after.map(|after| String::from_utf8_lossy(after).trim().to_owned());
        if let Some(tail) = tail.filter(|tail| tail.is_empty() || tail == "--") {
            if let Some(began) = began {
                // The end of the line before the boundary belongs to the boundary.
                let part: &[u8] = &body[began..at];
                let part = part.strip_suffix(b"\n").unwrap_or(part);
                parts.push(part.strip_suffix(b"\r").unwrap_or(part));
            }
            began = (tail.is_empty()).then_some(at + line.len());
        }
        at += line.len();
    }
    parts
}

/// The first word of a header in lower case, and the parameters that follow it.
fn parameters(value: &str) -> (String, BTreeMap<String, String>) {
    let mut pieces = pieces(value).into_iter();
    let word = pieces
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let mut found = BTreeMap::new();
    for piece in pieces {
        let Some((name, value)) = piece.split_once('=') else {
            continue;
        };
        let value = value.trim();
        let inner = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        let value = inner.map_or_else(|| value.to_owned(), |inner| inner.replace('\\', ""));
        let name = name.trim().to_ascii_lowercase();
        match name.split_once('*') {
            None => found.insert(name, value),
            // `name*=utf-8''caf%C3%A9` (RFC 2231), in one piece or in several.
            Some((name, _)) => {
                let value = value.rsplit('\'').next().unwrap_or_default();
                let decoded = crate::wire::params::decode(&value.replace('+', "%2B"));
                let before = found.remove(name).unwrap_or_default();
                found.insert(name.to_owned(), before + &decoded)
            }
        };
    }
    (word, found)
}

/// A header cut at its semicolons, save those in quotes.
fn pieces(value: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut is_quoted = false;
    for c in value.chars() {
        is_quoted ^= c == '"';
        match pieces.last_mut() {
            Some(last) if c != ';' || is_quoted => last.push(c),
            _ => pieces.push(String::new()),
        }
    }
    pieces
}

fn decoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    match encoding.to_ascii_lowercase().as_str() {
        "base64" => {
            let dense: Vec<u8> = body
                .iter()
                .copied()
                .filter(|byte| byte.is_ascii_graphic())
                .collect();
            BASE64.decode(dense).unwrap_or_else(|_| body.to_vec())
        }
        "quoted-printable" => {
            quoted_printable::decode(body, ParseMode::Robust).unwrap_or_else(|_| body.to_vec())
        }
        _ => body.to_vec(),
    }
}

fn text_of(bytes: &[u8], charset: &str) -> String {
    match charset.to_ascii_lowercase().as_str() {
        "iso-8859-1" | "latin1" => bytes.iter().copied().map(char::from).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A header with its encoded words (RFC 2047) read; the blanks between two of them are none.
fn words(value: &str) -> String {
    let mut said = String::new();
    let mut rest = value;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some((word, after)) = word(from) else {
            said.push_str(before);
            said.push_str("=?");
            rest = &from[2..];
            continue;
        };
        said.push_str(before);
        said.push_str(&word);
        let next = after.trim_start();
        rest = if next.starts_with("=?") { next } else { after };
    }
    said + rest
}

/// The encoded word at the beginning of a text, and what follows it.
fn word(text: &str) -> Option<(String, &str)> {
    let mut parts = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (coded, after) = rest.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => general_purpose::STANDARD.decode(coded).ok()?,
        "Q" | "q" => {
            let spaced = coded.replace('_', "=20");
            quoted_printable::decode(spaced, ParseMode::Robust).ok()?
        }
        _ => return None,
    };
    Some((text_of(&bytes, charset), after))
}
