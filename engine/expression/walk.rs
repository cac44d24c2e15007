//! Following a path into a value.
//!
//! Always true: an error says how far the path led and what was there instead.

use jsonpath_rust::query::js_path_process;

use super::term::{Path, Segment};
use crate::data::{Value, is_withheld, kind_of, withheld_by};
use crate::diagnostic::did_you_mean;

/// Paths with `[*]`, filters and the like may lead to this many places.
const PLACES_MAX: usize = 1_000_000;

/// What one step into a value gave.
enum Step<'v> {
    /// A value.
    There(&'v Value),
    /// Nothing there: no such member or element, or the parent is null.
    Missing,
    /// The parent is of a kind that has no such thing.
    WrongKind,
}

/// The value at the end of a path that was followed before.
pub(super) fn leaf<'v>(root: &'v Value, path: &Path) -> Option<&'v Value> {
    let mut value = root;
    for segment in &path.segments {
        match step(value, segment) {
            Step::There(next) => value = next,
            _ => return None,
        }
    }
    Some(value)
}

/// What a preview would have to run before the path leads anywhere: the path meets a value that is
/// not known, or spreads over some.
pub(super) fn withheld_on<'v>(root: &'v Value, path: &Path) -> Option<&'v str> {
    let mut value = root;
    for segment in &path.segments {
        if is_withheld(value) || !segment.is_singular() {
            return withheld_by(value);
        }
        match step(value, segment) {
            Step::There(next) => value = next,
            _ => return None,
        }
    }
    None
}

/// Follows a path that leads to one place at most.
pub(super) fn follow<'v>(root: &'v Value, path: &Path) -> Result<Option<&'v Value>, String> {
    let mut value = root;
    for (index, segment) in path.segments.iter().enumerate() {
        match step(value, segment) {
            Step::There(next) => value = next,
            Step::Missing if path.optional => return Ok(None),
            _ => return Err(nowhere(path, index, value, segment)),
        }
    }
    Ok(Some(value))
}

/// Follows a path that may lead to several places; a place that lacks the rest is an error, or
/// left out if the path is optional.
pub(super) fn gather(root: &Value, path: &Path) -> Result<Option<Vec<Value>>, String> {
    let mut values = vec![root];
    let mut many = false;
    for (index, segment) in path.segments.iter().enumerate() {
        if segment.is_singular() {
            let mut next = Vec::with_capacity(values.len());
            for value in values {
                match step(value, segment) {
                    Step::There(found) => next.push(found),
                    Step::Missing if path.optional => {}
                    _ => return Err(nowhere(path, index, value, segment)),
                }
            }
            values = next;
            if values.is_empty() && !many {
                return Ok(None);
            }
            continue;
        }
        let mut next = Vec::new();
        for value in &values {
            if value.is_null() && path.optional {
                continue;
            }
            if !value.is_array() && !value.is_object() {
                return Err(nowhere(path, index, value, segment));
            }
            spread(value, segment, path, index, &mut next)?;
            if next.len() > PLACES_MAX {
                return Err(format!("the path leads to more than {PLACES_MAX} places"));
            }
        }
        if !many && path.optional && values.iter().all(|value| value.is_null()) {
            return Ok(None);
        }
        values = next;
        many = true;
    }
    Ok(Some(values.into_iter().cloned().collect()))
}

/// All places that one segment leads to from a list or an object.
fn spread<'v>(
    value: &'v Value,
    segment: &Segment,
    path: &Path,
    index: usize,
    next: &mut Vec<&'v Value>,
) -> Result<(), String> {
    match segment {
        Segment::Every => match value {
            Value::Array(list) => next.extend(list),
            Value::Object(object) => next.extend(object.values()),
            _ => {}
        },
        Segment::Query(query) => {
            let found = js_path_process(query, value)
                .map_err(|_| "the filter cannot be applied to this value".to_owned())?;
            next.extend(found.into_iter().map(|found| found.val));
        }
        Segment::Union(segments) => {
            for segment in segments {
                if !segment.is_singular() {
                    spread(value, segment, path, index, next)?;
                    continue;
                }
                match step(value, segment) {
                    Step::There(found) => next.push(found),
                    Step::Missing if path.optional => {}
                    _ => return Err(nowhere(path, index, value, segment)),
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn step<'v>(value: &'v Value, segment: &Segment) -> Step<'v> {
    let found = match (segment, value) {
        (_, Value::Null) => None,
        (Segment::Name(name) | Segment::Key(name), Value::Object(object)) => object.get(name),
        (Segment::Index(index), Value::Array(list)) => element(list, *index),
        (Segment::Key(name), Value::Array(list)) => match name.parse() {
            Ok(index) => element(list, index),
            Err(_) => return Step::WrongKind,
        },
        _ => return Step::WrongKind,
    };
    found.map_or(Step::Missing, Step::There)
}

fn element(list: &[Value], index: i64) -> Option<&Value> {
    match usize::try_from(index) {
        Ok(index) => list.get(index),
        Err(_) => {
            let back = usize::try_from(index.unsigned_abs()).ok()?;
            list.get(list.len().checked_sub(back)?)
        }
    }
}

/// Says where a path ended and what was there instead.
fn nowhere(path: &Path, index: usize, value: &Value, segment: &Segment) -> String {
    let before = so_far(path, index);
    if let (Some(integration), Segment::Name(key) | Segment::Key(key)) = (setting_of(path), segment)
    {
        return format!(
            "the setting {key} is not given; add a row to the table `integration-settings` with \
             Integration {}, Key {key} and a value",
            integration.to_uppercase()
        );
    }
    match (segment, value) {
        (Segment::Name(name) | Segment::Key(name), Value::Object(object)) => {
            let known = || object.keys().map(String::as_str);
            match did_you_mean(name, known()) {
                Some(meant) => format!("{before} has no `{name}`; did you mean `{meant}`?"),
                None if object.is_empty() => format!("{before} has no `{name}`; it is empty"),
                None => {
                    let some: Vec<&str> = known().take(10).collect();
                    let more = if object.len() > 10 { ", ..." } else { "" };
                    format!("{before} has no `{name}`; it has {}{more}", some.join(", "))
                }
            }
        }
        (Segment::Index(_) | Segment::Key(_), Value::Array(list)) if is_place(segment) => {
            let count = list.len();
            format!(
                "{before} has {count} elements and none at {}",
                shown(segment)
            )
        }
        (Segment::Name(name) | Segment::Key(name), Value::Array(_)) => format!(
            "{before} is a list and has no `{name}`; write `[*].{name}` for all or `[0].{name}` for \
             the first"
        ),
        (Segment::Name(name) | Segment::Key(name), other) => {
            format!("{before} is {} and has no `{name}`", kind_of(other))
        }
        (_, other) => format!("{before} is {} and has no elements", kind_of(other)),
    }
}

fn is_place(segment: &Segment) -> bool {
    match segment {
        Segment::Key(name) => name.parse::<i64>().is_ok(),
        segment => matches!(segment, Segment::Index(_)),
    }
}

/// The path up to a segment, as an admin would write it.
/// The integration of a path to a setting. Which settings there are is known before anything runs, so
/// that one that is not there has no value and no default.
fn setting_of(path: &Path) -> Option<&str> {
    match (
        path.root.as_str(),
        path.member.as_deref(),
        path.segments.as_slice(),
    ) {
        ("settings", Some(integration), [_]) => Some(integration),
        ("settings", None, [Segment::Name(integration) | Segment::Key(integration), _]) => {
            Some(integration)
        }
        _ => None,
    }
}

fn so_far(path: &Path, index: usize) -> String {
    let mut text = path.root.clone();
    if let Some(member) = &path.member {
        text.push('.');
        text.push_str(member);
    }
    for segment in &path.segments[..index] {
        match segment {
            Segment::Name(_) | Segment::Key(_) => {
                text.push('.');
                text.push_str(&shown(segment));
            }
            other => text.push_str(&shown(other)),
        }
    }
    format!("`{text}`")
}

fn shown(segment: &Segment) -> String {
    match segment {
        Segment::Name(name) | Segment::Key(name) => name.clone(),
        Segment::Index(index) => format!("[{index}]"),
        Segment::Every => "[*]".to_owned(),
        Segment::Union(_) | Segment::Query(_) => "[...]".to_owned(),
    }
}
