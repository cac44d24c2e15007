//! Whatever looks like an e-mail address.
//!
//! Always true: a text without `@` in one of its forms costs one look through it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::MASK;

/// A local part, an `@` as it is or as addresses and markup write it, a domain with a dot.
static MAIL: LazyLock<Regex> = LazyLock::new(|| {
    let local = r"[\p{L}\p{N}._%+'~-]+";
    let domain = r"[\p{L}\p{N}.-]+\.\p{L}{2}[\p{L}-]*";
    #[expect(
        clippy::expect_used,
        reason = "the pattern is fixed, and a test uses it"
    )]
    Regex::new(&format!(r"(?i){local}(?:@|%40|&#64;|\\u0040){domain}")).expect("a sound pattern")
});

/// The text with everything masked that looks like an e-mail address.
pub fn without_mails(text: &str) -> Cow<'_, str> {
    mails(text, &mut |_| MASK.to_owned())
}

/// The text with something else in place of everything that looks like an e-mail address.
pub(super) fn mails<'a>(text: &'a str, with: &mut dyn FnMut(&str) -> String) -> Cow<'a, str> {
    let may_hold_one = text.contains('@')
        || ["%40", "&#64;", "\\u0040"]
            .iter()
            .any(|at| text.contains(at));
    if may_hold_one {
        return MAIL.replace_all(text, |found: &Captures<'_>| with(&found[0]));
    }
    Cow::Borrowed(text)
}
