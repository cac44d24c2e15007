//! The body of a request.
//!
//! In: a body as described and the values. Out: a [`PlannedBody`].
//! Always true: absent values drop their key or element; a mapping that becomes empty stays.

use std::fmt;
use std::sync::Arc;

use super::plan::{PlannedBody, evaluated, invalid, text, texts};
use super::request::{Body, Tree};
use super::roots::Values;
use super::trouble::Trouble;
use crate::data::{Object, Value, kind_of};

/// The body to send.
pub(super) fn body(body: &Body, values: &Values) -> Result<PlannedBody, Trouble> {
    Ok(match body {
        Body::None => PlannedBody::None,
        Body::Json(tree) => match grown(tree, values)? {
            Some(value) => PlannedBody::Json(value),
            None => PlannedBody::None,
        },
        Body::Form(fields) => {
            let mut form = Vec::new();
            for (name, value) in fields {
                if let Some(value) = evaluated(value, values)? {
                    form.extend(texts(&value)?.into_iter().map(|text| (name.clone(), text)));
                }
            }
            PlannedBody::Form(form)
        }
        Body::Csv { columns, rows } => PlannedBody::Text {
            content_type: "text/csv; charset=utf-8".to_owned(),
            text: csv(columns, evaluated(rows, values)?)?,
        },
        Body::Graphql { query, variables } => {
            let variables = grown(variables, values)?.unwrap_or_default();
            PlannedBody::Json(serde_json::json!({ "query": query, "variables": variables }))
        }
        Body::Raw {
            content_type,
            text: raw,
        } => PlannedBody::Text {
            content_type: text(content_type, values)?,
            text: text(raw, values)?,
        },
    })
}

/// The value of a tree; absent parts are left out.
fn grown(tree: &Tree, values: &Values) -> Result<Option<Value>, Trouble> {
    Ok(Some(match tree {
        Tree::Value(value) => return evaluated(value, values),
        Tree::Map(entries) => {
            let mut object = Object::new();
            for (name, tree) in entries {
                object.extend(grown(tree, values)?.map(|value| (name.clone(), value)));
            }
            Value::Object(object)
        }
        Tree::List(elements) => {
            let mut list = Vec::new();
            for element in elements {
                list.extend(grown(element, values)?);
            }
            Value::Array(list)
        }
        Tree::Each { list, give } => {
            let elements = match evaluated(list, values)? {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::Array(elements)) => elements,
                Some(other) => {
                    return Err(invalid(format!(
                        "`each` needs a list, not {}",
                        kind_of(&other)
                    )));
                }
            };
            let mut copies = Vec::with_capacity(elements.len());
            for element in elements {
                copies.extend(grown(give, &values.with("item", Arc::new(element)))?);
            }
            Value::Array(copies)
        }
    }))
}

fn csv(columns: &[String], rows: Option<Value>) -> Result<String, Trouble> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let broken = |why: &dyn fmt::Display| invalid(format!("the rows do not make a CSV: {why}"));
    writer.write_record(columns).map_err(|why| broken(&why))?;
    for row in rows
        .as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let mut record = Vec::with_capacity(columns.len());
        for column in columns {
            let cell = row.get(column).map(texts).transpose()?.unwrap_or_default();
            record.push(cell.join(", "));
        }
        writer.write_record(&record).map_err(|why| broken(&why))?;
    }
    let bytes = writer.into_inner().map_err(|why| broken(&why))?;
    String::from_utf8(bytes).map_err(|why| broken(&why))
}

/// Puts a value deep into a JSON body or flat into a form, making the parents that are missing.
pub(super) fn put_into_body(
    body: &mut PlannedBody,
    path: &[String],
    value: Value,
) -> Result<(), Trouble> {
    if let PlannedBody::Form(fields) = body {
        let name = path.join(".");
        fields.retain(|(known, _)| *known != name);
        fields.extend(texts(&value)?.into_iter().map(|text| (name.clone(), text)));
        return Ok(());
    }
    if matches!(body, PlannedBody::None) {
        *body = PlannedBody::Json(Value::Object(Object::new()));
    }
    let PlannedBody::Json(tree) = body else {
        return Err(invalid("a page cannot be put into this kind of body"));
    };
    let mut here = tree;
    for name in path {
        if here.is_null() {
            *here = Value::Object(Object::new());
        }
        let Value::Object(object) = here else {
            let path = path.join(".");
            return Err(invalid(format!("`{path}` does not lead into objects")));
        };
        here = object.entry(name.clone()).or_insert(Value::Null);
    }
    *here = value;
    Ok(())
}

/// Adds fields to the top level of a body.
pub(super) fn merge(body: &mut PlannedBody, also_send: &Value) -> Result<(), Trouble> {
    let Value::Object(more) = also_send else {
        let there = kind_of(also_send);
        return Err(invalid(format!(
            "`also_send` must be an object, not {there}"
        )));
    };
    if more.is_empty() {
        return Ok(());
    }
    match body {
        PlannedBody::Json(Value::Object(object)) => {
            object.extend(more.clone());
            Ok(())
        }
        PlannedBody::None => {
            *body = PlannedBody::Json(Value::Object(more.clone()));
            Ok(())
        }
        PlannedBody::Form(fields) => {
            for (name, value) in more {
                fields.extend(texts(value)?.into_iter().map(|text| (name.clone(), text)));
            }
            Ok(())
        }
        _ => Err(invalid(
            "`also_send` needs an action whose body is an object or a form",
        )),
    }
}
