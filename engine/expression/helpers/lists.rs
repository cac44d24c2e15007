//! Helpers for lists and objects.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::logic::number_ordering;
use super::numbers::fold_values;
use super::{Arguments, Given, Helper, Kind, Mode, Run, helper, parameter, required, shapes};
use crate::data::{Object, Value, is_blank, kind_of, same};
use crate::diagnostic::did_you_mean;
use crate::shape::Shape;

const LIST: &[super::Parameter] = &[required("list", Kind::List)];

pub(super) const HELPERS: &[Helper] = &[
    finder(
        "first",
        LIST,
        shapes::element,
        |given| Ok(given.list(0).first().cloned()),
        (
            "The first element of a list; an empty list is an error unless `?` allows it.",
            "first steps.found.items",
        ),
    ),
    finder(
        "last",
        LIST,
        shapes::element,
        |given| Ok(given.list(0).last().cloned()),
        (
            "The last element of a list; an empty list is an error unless `?` allows it.",
            "last steps.found.items",
        ),
    ),
    helper(
        "count",
        &[required("value", Kind::ListOrObject)],
        shapes::integer,
        |given| {
            Ok(Some(Value::from(match given.any(0) {
                Value::Object(object) => object.len(),
                _ => given.list(0).len(),
            })))
        },
        (
            "How many elements a list has, or members an object.",
            "count steps.found.items",
        ),
    ),
    helper(
        "sum",
        LIST,
        shapes::total,
        sum,
        ("The sum of a list of numbers.", "sum input.points"),
    ),
    finder(
        "min",
        LIST,
        shapes::element,
        |given| extreme(given, Ordering::Less),
        (
            "The least number (or text, or date) of a list.",
            "min input.points",
        ),
    ),
    finder(
        "max",
        LIST,
        shapes::element,
        |given| extreme(given, Ordering::Greater),
        (
            "The greatest number (or text, or date) of a list.",
            "max input.points",
        ),
    ),
    helper(
        "unique",
        LIST,
        shapes::same,
        unique,
        (
            "The list without repetitions; the first of each stays.",
            "unique input.user_ids",
        ),
    ),
    helper(
        "flatten",
        LIST,
        shapes::flat,
        flatten,
        ("A list of lists as one list.", "flatten steps.pages.items"),
    ),
    helper(
        "compact",
        LIST,
        shapes::same,
        |given| {
            Ok(Some(
                given
                    .list(0)
                    .iter()
                    .filter(|v| !is_blank(v))
                    .cloned()
                    .collect(),
            ))
        },
        ("The list without blank elements.", "compact input.emails"),
    ),
    helper(
        "pluck",
        &[
            required("list", Kind::List),
            required("name", Kind::ElementMember),
        ],
        shapes::plucked,
        pluck,
        (
            "What stands under a name in each element; an element without it is an error.",
            "pluck steps.found.items \"id\"",
        ),
    ),
    helper(
        "keys",
        &[required("object", Kind::Object)],
        shapes::texts,
        |given| {
            Ok(Some(
                object(given, 0)
                    .keys()
                    .map(|key| Value::from(key.as_str()))
                    .collect(),
            ))
        },
        (
            "The names of an object's members as a list.",
            "keys input.fields",
        ),
    ),
    helper(
        "values",
        &[required("object", Kind::Object)],
        shapes::values,
        |given| Ok(Some(object(given, 0).values().cloned().collect())),
        (
            "What an object's members hold, as a list.",
            "values input.fields",
        ),
    ),
    helper(
        "merge",
        &[
            required("object", Kind::Object),
            parameter("more", Kind::Object, Mode::Rest),
        ],
        shapes::merged,
        merge,
        (
            "One object with the members of all; later ones count.",
            "merge input.fields steps.extra.object",
        ),
    ),
    helper(
        "pick",
        &[
            required("object", Kind::Object),
            parameter("name", Kind::Members, Mode::Rest),
        ],
        shapes::picked,
        |given| choose(given, |names, name| names.contains(&name)),
        (
            "The object with only these members.",
            "pick input.user \"id\" \"email\"",
        ),
    ),
    helper(
        "omit",
        &[
            required("object", Kind::Object),
            parameter("name", Kind::Members, Mode::Rest),
        ],
        shapes::omitted,
        |given| choose(given, |names, name| !names.contains(&name)),
        (
            "The object without these members.",
            "omit input.user \"password\"",
        ),
    ),
    finder(
        "get",
        &[
            required("value", Kind::ListOrObject),
            required("key", Kind::Key),
        ],
        shapes::member,
        get,
        (
            "The member of an object by a computed name, or the element of a list by its place from 0.",
            "get steps.by_id.object (to_text input.id)",
        ),
    ),
    finder(
        "look_up",
        &[
            required("list", Kind::List),
            required("name", Kind::ElementMember),
            required("value", Kind::Scalar),
            required("wanted", Kind::ElementMember),
        ],
        shapes::looked_up,
        look_up,
        (
            "Looks for the first element in which `name` is `value`, and gives what stands there under \
             `wanted`. Text and numbers are never the same.",
            "look_up steps.found.items \"id\" input.id \"email\"",
        ),
    ),
];

/// A helper that may find nothing.
const fn finder(
    name: &'static str,
    parameters: &'static [super::Parameter],
    result: fn(&[Given<'_>]) -> Shape,
    run: fn(&Arguments<'_>) -> Result<Option<Value>, String>,
    documentation: (&'static str, &'static str),
) -> Helper {
    Helper {
        name,
        parameters,
        result,
        may_find_nothing: true,
        run: Run::Eager(run),
        doc: documentation.0,
        example: documentation.1,
    }
}

fn object<'a>(given: &Arguments<'a>, index: usize) -> &'a Object {
    static EMPTY: std::sync::LazyLock<Object> = std::sync::LazyLock::new(Object::new);
    given.any(index).as_object().unwrap_or(&EMPTY)
}

fn sum(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let list = given.list(0);
    for (index, value) in list.iter().enumerate() {
        if !value.is_number() {
            return Err(format!(
                "element [{index}] is {}, not a number",
                kind_of(value)
            ));
        }
    }
    let total = fold_values(list.iter(), i64::checked_add, |a, b| a + b)?;
    Ok(Some(total.unwrap_or_else(|| Value::from(0))))
}

fn extreme(given: &Arguments<'_>, wanted: Ordering) -> Result<Option<Value>, String> {
    let mut best: Option<&Value> = None;
    for (index, value) in given.list(0).iter().enumerate() {
        let order = match (best, value) {
            (None, Value::Number(_) | Value::String(_)) => wanted,
            (Some(best @ Value::Number(_)), Value::Number(_)) => number_ordering(value, best),
            (Some(Value::String(best)), Value::String(text)) => text.cmp(best),
            _ => {
                let what = kind_of(value);
                return Err(format!(
                    "element [{index}] is {what}; all must be numbers, or all text"
                ));
            }
        };
        if order == wanted {
            best = Some(value);
        }
    }
    Ok(best.cloned())
}

fn unique(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    // Equal values have equal fingerprints; the few that share one are compared.
    let mut seen: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    let mut kept = Vec::new();
    for value in given.list(0) {
        let bucket = seen.entry(fingerprint(value)).or_default();
        if !bucket.iter().any(|known| same(known, value)) {
            bucket.push(value);
            kept.push(value.clone());
        }
    }
    Ok(Some(Value::Array(kept)))
}

/// The same text for values that are the same.
fn fingerprint(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("n{:?}", number.as_f64()),
        Value::String(text) => format!("s{text}"),
        Value::Array(list) => format!("l{}", list.len()),
        Value::Object(object) => {
            let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
            names.sort_unstable();
            let id = object.get("id").map(fingerprint).unwrap_or_default();
            format!("o{}:{id}", names.join(","))
        }
        other => other.to_string(),
    }
}

fn flatten(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let mut flat = Vec::new();
    for value in given.list(0) {
        match value {
            Value::Array(inner) => flat.extend(inner.iter().cloned()),
            other => flat.push(other.clone()),
        }
    }
    Ok(Some(Value::Array(flat)))
}

fn pluck(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let name = given.text(1);
    let mut plucked = Vec::with_capacity(given.list(0).len());
    for (index, value) in given.list(0).iter().enumerate() {
        let Value::Object(object) = value else {
            return Err(format!(
                "element [{index}] is {}, not an object",
                kind_of(value)
            ));
        };
        let found = object.get(name).ok_or_else(|| {
            let meant = did_you_mean(name, object.keys().map(String::as_str));
            let hint = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
            format!("element [{index}] has no `{name}`{hint}")
        })?;
        plucked.push(found.clone());
    }
    Ok(Some(Value::Array(plucked)))
}

fn merge(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let mut merged = Object::new();
    for index in 0..given.values.len() {
        for (name, value) in object(given, index) {
            merged.insert(name.clone(), value.clone());
        }
    }
    Ok(Some(Value::Object(merged)))
}

fn choose(given: &Arguments<'_>, keep: fn(&[&str], &str) -> bool) -> Result<Option<Value>, String> {
    let mut names = Vec::new();
    for index in 1..given.values.len() {
        match given.any(index) {
            Value::Array(list) => names.extend(list.iter().filter_map(Value::as_str)),
            other => names.extend(other.as_str()),
        }
    }
    let kept = object(given, 0)
        .iter()
        .filter(|(name, _)| keep(&names, name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Ok(Some(Value::Object(kept)))
}

fn get(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    match (given.any(0), given.any(1)) {
        (Value::Object(object), Value::String(name)) => Ok(object.get(name).cloned()),
        (Value::Array(list), Value::Number(place)) => {
            let place = place.as_i64().unwrap_or(i64::MAX);
            let index = match usize::try_from(place) {
                Ok(index) => Some(index),
                Err(_) => usize::try_from(place.unsigned_abs())
                    .ok()
                    .and_then(|back| list.len().checked_sub(back)),
            };
            Ok(index.and_then(|index| list.get(index)).cloned())
        }
        (Value::Object(_), _) => {
            Err("an object's member is named by text; use `to_text`".to_owned())
        }
        _ => Err("a list's element is named by a whole number".to_owned()),
    }
}

fn look_up(given: &Arguments<'_>) -> Result<Option<Value>, String> {
    let (name, wanted) = (given.text(1), given.text(3));
    let is_meant = |element: &&Value| {
        let member = element.get(name);
        member.is_some_and(|member| same(member, given.any(2)))
    };
    let found = given.list(0).iter().find(is_meant);
    Ok(found.and_then(|element| element.get(wanted)).cloned())
}
