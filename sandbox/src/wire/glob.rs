//! Path patterns. In: a pattern and a path. Out: whether they match. `*` stands for any run of
//! characters without a slash, `**` for any run at all; everything else stands for itself.

pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**") {
        return (0..=path.len())
            .filter(|at| path.is_char_boundary(*at))
            .any(|at| matches(rest, &path[at..]));
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        let end = path.find('/').unwrap_or(path.len());
        return (0..=end)
            .filter(|at| path.is_char_boundary(*at))
            .any(|at| matches(rest, &path[at..]));
    }
    let Some(wanted) = pattern.chars().next() else {
        return path.is_empty();
    };
    path.strip_prefix(wanted)
        .is_some_and(|rest| matches(&pattern[wanted.len_utf8()..], rest))
}
