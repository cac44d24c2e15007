//! What the YAML parser sees, before anything is judged.
//!
//! In: the parser's events through serde. Out: a tree of [`Raw`] values.
//! Always true: every value and key carries the place where it is used (of an alias: `*name`).

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::Key;
use crate::diagnostic::Span;

/// A value with its place.
pub(super) struct Raw {
    pub(super) span: Span,
    pub(super) kind: RawKind,
}

/// A value.
pub(super) enum RawKind {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    TooLarge,
    Text(String),
    List(Vec<Raw>),
    Map(Vec<(Key, Raw)>),
}

/// The parser's place as ours.
pub(super) fn span_of(location: &Location) -> Span {
    let span = location.span();
    let number = |n: u64| usize::try_from(n).unwrap_or(0);
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
    Span {
        start: number(span.byte_offset().unwrap_or(0)),
        len: number(span.byte_len().unwrap_or(0)),
        line: small(location.line()),
        column: small(location.column()),
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<RawKind>::deserialize(deserializer)?;
        Ok(Self {
            span: span_of(&spanned.referenced),
            kind: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for RawKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = RawKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<RawKind, E> {
        Ok(RawKind::Null)
    }

    fn visit_none<E: Error>(self) -> Result<RawKind, E> {
        Ok(RawKind::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<RawKind, E> {
        Ok(RawKind::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<RawKind, E> {
        Ok(RawKind::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<RawKind, E> {
        Ok(i64::try_from(value).map_or(RawKind::TooLarge, RawKind::Integer))
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<RawKind, E> {
        Ok(RawKind::TooLarge)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<RawKind, E> {
        Ok(RawKind::TooLarge)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<RawKind, E> {
        Ok(RawKind::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<RawKind, E> {
        Ok(RawKind::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<RawKind, E> {
        Ok(RawKind::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<RawKind, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(RawKind::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<RawKind, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = access.next_entry::<Spanned<String>, Raw>()? {
            let span = span_of(&key.referenced);
            let text = Arc::from(key.value);
            entries.push((Key { span, text }, value));
        }
        Ok(RawKind::Map(entries))
    }
}
