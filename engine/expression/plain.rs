//! Paths that are nothing but names: nearly all of them.
//!
//! In: a path. Out: its names, or nothing if it is of any other kind.
//! Always true: what comes out is what the JSONPath library would read. Its parser took about a third
//! of the time in which ten thousand recipes are read, while somebody waits.

use super::term::Segment;

/// The names of a path such as `$.trigger.body.user_id`, in the shorthand of RFC 9535.
pub(super) fn names(path: &str) -> Option<Vec<Segment>> {
    let names = path.strip_prefix("$.")?.split('.');
    names
        .map(|name| is_name(name).then(|| Segment::Name(name.to_owned())))
        .collect()
}

/// Only what is a name for sure; other letters than those of ASCII are left to the library.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
