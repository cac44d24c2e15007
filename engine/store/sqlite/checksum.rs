//! Checksums at the end of stored texts.
//!
//! In: a column text. Out: the same with its checksum, or without, if it is right.
//! Always true: a text that was changed behind our back is never taken for a good one.

use std::fmt::Write;

use crate::store::StoreError;

/// How long the checksum at the end of a column text is: `#` and eight digits.
const SEAL_BYTES: usize = 9;

/// The column text with its checksum.
pub(super) fn sealed(mut text: String) -> String {
    let sum = crc32fast::hash(text.as_bytes());
    // Writing to a text cannot fail.
    let _ = write!(text, "#{sum:08x}");
    text
}

/// The column text without its checksum, which must be right. What has none was written by hand.
pub(super) fn unsealed(text: &str) -> Result<&str, StoreError> {
    let end = text.len().saturating_sub(SEAL_BYTES);
    let Some(sum) = text.get(end..).and_then(|seal| seal.strip_prefix('#')) else {
        return Ok(text);
    };
    let body = &text[..end];
    if u32::from_str_radix(sum, 16) == Ok(crc32fast::hash(body.as_bytes())) {
        return Ok(body);
    }
    Err(StoreError::Corrupt(
        "a stored value is not as it was written: its checksum is wrong".to_owned(),
    ))
}
