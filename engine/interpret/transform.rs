//! Pure list work. Each part sees the result of the one before.

use std::cmp::Ordering;

use crate::compile::{Into, Transform};
use crate::data::{Object, Value, kind_of, same};
use crate::expression::{Expression, Scope};
use crate::journal::Failure;
use crate::table::Sort;

use super::block::item_scope;
use super::preview::check_value;
use super::{Exit, Flow};

/// Runs the parts: `{ items, count }`, or `{ object, count }`.
pub(super) fn run(work: &Transform, scope: &dyn Scope) -> Flow<Value> {
    let from = work.from.evaluate(scope)?;
    check_value(scope, from.as_ref().unwrap_or(&Value::Null))?;
    let mut items = match from {
        Some(Value::Array(items)) => items,
        None => Vec::new(),
        Some(other) => return Err(wrong("`from` needs a list", &other)),
    };
    if work.filter.is_some() || work.select.is_some() {
        items = filtered_and_selected(work, items, scope)?;
    }
    if let Some(by) = &work.distinct_by {
        items = distinct(by, items, scope)?;
    }
    if !work.sort_by.is_empty() {
        items = sorted(&work.sort_by, items, scope)?;
    }
    if let Some(limit) = &work.limit {
        let limit = limit.evaluate(scope)?;
        let limit = limit.as_ref().map_or(Some(u64::MAX), Value::as_u64);
        let Some(limit) = limit else {
            return Err(Failure::new("wrong_type", "`limit` needs a whole number").into());
        };
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let count = items.len();
    Ok(match &work.into {
        None => serde_json::json!({ "items": items, "count": count }),
        Some(Into::Groups(key)) => {
            let groups = groups(key, items, scope)?;
            serde_json::json!({ "count": groups.len(), "items": groups })
        }
        Some(Into::Index(key)) => {
            serde_json::json!({ "object": keyed(key, None, items, scope)?, "count": count })
        }
        Some(Into::Object { key, value }) => {
            serde_json::json!({ "object": keyed(key, Some(value), items, scope)?, "count": count })
        }
    })
}

fn filtered_and_selected(
    work: &Transform,
    items: Vec<Value>,
    scope: &dyn Scope,
) -> Flow<Vec<Value>> {
    let mut kept = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let scope = item_scope(scope, item, index);
        if let Some(filter) = &work.filter
            && !filter.holds(&scope)?
        {
            continue;
        }
        match &work.select {
            Some(select) => kept.extend(select.evaluate(&scope)?),
            None => kept.push((*scope.item).clone()),
        }
    }
    Ok(kept)
}

fn distinct(by: &Expression, items: Vec<Value>, scope: &dyn Scope) -> Flow<Vec<Value>> {
    let mut seen = std::collections::HashSet::new();
    let mut kept = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let value = by.evaluate(&item_scope(scope, item.clone(), index))?;
        if seen.insert(value.map(|value| canonical(&value))) {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn sorted(by: &[Sort], items: Vec<Value>, scope: &dyn Scope) -> Flow<Vec<Value>> {
    let mut keyed = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let scope = item_scope(scope, item.clone(), index);
        let keys = by
            .iter()
            .map(|sort| Ok(sort.value.evaluate(&scope)?))
            .collect::<Flow<Vec<_>>>()?;
        keyed.push((keys, item));
    }
    let mut trouble = None;
    keyed.sort_by(|(a, _), (b, _)| {
        for ((a, b), sort) in a.iter().zip(b).zip(by) {
            let order = compare(a.as_ref(), b.as_ref()).unwrap_or_else(|exit| {
                trouble.get_or_insert(exit);
                Ordering::Equal
            });
            let order = if sort.descending {
                order.reverse()
            } else {
                order
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    });
    match trouble {
        Some(exit) => Err(exit),
        None => Ok(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}

/// The order of two sort values; absent ones come last, different types do not compare.
fn compare(a: Option<&Value>, b: Option<&Value>) -> Flow<Ordering> {
    match (a, b) {
        (None, None) => Ok(Ordering::Equal),
        (None, Some(_)) => Ok(Ordering::Greater),
        (Some(_), None) => Ok(Ordering::Less),
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            let order = match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                _ => a.as_f64().partial_cmp(&b.as_f64()),
            };
            Ok(order.unwrap_or(Ordering::Equal))
        }
        (Some(Value::String(a)), Some(Value::String(b))) => Ok(a.cmp(b)),
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => Ok(a.cmp(b)),
        (Some(a), Some(b)) if same(a, b) => Ok(Ordering::Equal),
        (Some(a), Some(b)) => {
            let message = format!(
                "`sort_by` cannot compare {} with {}",
                kind_of(a),
                kind_of(b)
            );
            Err(Failure::new("wrong_type", message).into())
        }
    }
}

fn groups(key: &Expression, items: Vec<Value>, scope: &dyn Scope) -> Flow<Vec<Value>> {
    let mut places = std::collections::HashMap::new();
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let value = key
            .evaluate(&item_scope(scope, item.clone(), index))?
            .unwrap_or(Value::Null);
        let place = *places.entry(canonical(&value)).or_insert_with(|| {
            groups.push((value, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(item);
    }
    let group = |(key, items)| serde_json::json!({ "key": key, "items": items });
    Ok(groups.into_iter().map(group).collect())
}

fn keyed(
    key: &Expression,
    value: Option<&Expression>,
    items: Vec<Value>,
    scope: &dyn Scope,
) -> Flow<Object> {
    let mut object = Object::new();
    for (index, item) in items.into_iter().enumerate() {
        let scope = item_scope(scope, item, index);
        let name = match key.evaluate(&scope)? {
            Some(Value::String(text)) => text,
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            other => {
                return Err(wrong(
                    "a key must be text or a number",
                    &other.unwrap_or_default(),
                ));
            }
        };
        if object.contains_key(&name) {
            let message = format!("the key `{name}` occurs twice; use `distinct_by` or `group_by`");
            return Err(Failure::new("key_occurs_twice", message).into());
        }
        let value = match value {
            Some(value) => value.evaluate(&scope)?,
            None => Some((*scope.item).clone()),
        };
        if let Some(value) = value {
            object.insert(name, value);
        }
    }
    Ok(object)
}

/// Text that is the same for values that are the same: numbers by value, keys in order.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.as_i64().is_none() && float.fract() == 0.0 => {
                format!("{float:.0}")
            }
            _ => number.to_string(),
        },
        Value::Array(list) => {
            format!(
                "[{}]",
                list.iter().map(canonical).collect::<Vec<_>>().join(",")
            )
        }
        Value::Object(object) => {
            let mut fields: Vec<String> = object
                .iter()
                .map(|(key, value)| format!("{key:?}:{}", canonical(value)))
                .collect();
            fields.sort();
            format!("{{{}}}", fields.join(","))
        }
        other => other.to_string(),
    }
}

fn wrong(what: &str, found: &Value) -> Exit {
    Failure::new("wrong_type", format!("{what}, found {}", kind_of(found))).into()
}
