//! The small world that the tests of this room share.

mod expected;
mod places;
mod random;
mod mistakes;
mod values;

use std::cell::Cell;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::diagnostic::{Diagnostic, Span};
use crate::source::{Key, NodeKind};

/// Names and values of one imaginary place of a recipe.
pub(super) struct World {
    pub(super) values: Value,
    pub(super) zone: &'static str,
    uuids: Cell<u32>,
}

fn input_shape() -> Shape {
    let manager = Shape::object_of([("email", Field::required(Shape::Email))]);
    Shape::object_of([
        ("email", Field::required(Shape::Email)),
        ("name", Field::optional(Shape::String)),
        ("id", Field::required(Shape::Integer)),
        ("score", Field::required(Shape::Number)),
        ("active", Field::required(Shape::Boolean)),
        ("day", Field::required(Shape::Date)),
        ("at", Field::required(Shape::DateTime)),
        (
            "kind",
            Field::required(Shape::Enum(vec![json!("course"), json!("plan")])),
        ),
        ("tags", Field::required(Shape::list_of(Shape::String))),
        ("ids", Field::required(Shape::list_of(Shape::Integer))),
        ("manager", Field::optional(manager)),
    ])
}

fn found_shape() -> Shape {
    let group = Shape::object_of([
        ("id", Field::required(Shape::Integer)),
        ("name", Field::required(Shape::String)),
    ]);
    let item = Shape::object_of([
        ("id", Field::required(Shape::Integer)),
        ("group", Field::required(group)),
        ("email", Field::optional(Shape::String)),
    ]);
    Shape::object_of([
        ("items", Field::required(Shape::list_of(item))),
        ("count", Field::required(Shape::Integer)),
    ])
}

impl Names for World {
    fn look_up(&self, root: &str, member: Option<&str>) -> Known {
        let known = |shape| Known::Shape {
            shape,
            maybe: false,
        };
        match (root, member) {
            ("input", _) => known(input_shape()),
            ("steps", Some("found")) => known(found_shape()),
            ("steps", Some("branch")) => Known::Shape {
                shape: found_shape(),
                maybe: true,
            },
            ("steps", Some(member)) => Known::Unknown {
                message: format!("there is no step `{member}` before this one"),
                help: None,
            },
            ("settings", Some("accredible")) => known(Shape::object_of([(
                "MODE",
                Field::required(Shape::Enum(vec![json!("skip"), json!("overwrite")])),
            )])),
            ("row", _) => known(Shape::object_of([
                ("group_id", Field::required(Shape::Integer)),
                ("name", Field::required(Shape::String)),
                ("is_active", Field::required(Shape::Boolean)),
                ("since", Field::optional(Shape::Date)),
            ])),
            ("trigger" | "item" | "vars" | "user", _) => known(Shape::Any),
            _ => Known::Unknown {
                message: format!("there is no `{root}` here"),
                help: None,
            },
        }
    }

    fn roots(&self) -> Vec<String> {
        [
            "trigger", "input", "steps", "vars", "settings", "item", "row", "user",
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

impl Scope for World {
    fn find(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>> {
        let value = self.values.get(root)?;
        let value = match member {
            Some(member) => value.get(member)?,
            None => value,
        };
        Some(Arc::new(value.clone()))
    }

    fn now(&self) -> Moment {
        Moment::parse("2026-11-21T23:30:00Z").unwrap()
    }

    fn timezone(&self) -> &str {
        self.zone
    }

    fn uuid(&self) -> String {
        self.uuids.set(self.uuids.get() + 1);
        format!("uuid-{}", self.uuids.get())
    }
}

pub(super) fn world() -> World {
    World {
        values: json!({
            "input": {
                "email": "Ada@Example.com", "id": 7, "score": 61.5, "active": true,
                "day": "2026-03-01", "at": "2026-03-01T23:30:00Z", "kind": "course",
                "tags": ["b", "a", "b"], "ids": [3, 7, 3]
            },
            "steps": { "found": { "count": 2, "items": [
                { "id": 1, "group": { "id": 10, "name": "Safety" }, "email": "x@example.com" },
                { "id": 2, "group": { "id": 20, "name": "Fire" } }
            ] } },
            "settings": { "accredible": { "MODE": "skip" } },
            "trigger": {
                "body": { "payloads": [{ "user_id": 1 }, { "user_id": 2, "x": null }],
                          "n": null, "text": "it's", "0": "zero" },
                "headers": { "x-signature": "abc", "full name": "Ada" }
            },
            "item": { "rows": [{ "a": 1, "kind": "p" }, { "a": 2, "kind": "q" }, { "a": 3 }] },
            "vars": { "gone": [1, 2], "zone": "Asia/Tokyo" }
        }),
        zone: "Europe/Rome",
        uuids: Cell::new(0),
    }
}

/// A node as if it stood in a file, on line 1 from column 1.
pub(super) fn node(value: &Value) -> Node {
    let kind = match value {
        Value::Null => NodeKind::Null,
        Value::Bool(bool) => NodeKind::Bool(*bool),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => NodeKind::Integer(integer),
            None => NodeKind::Number(number.as_f64().unwrap()),
        },
        Value::String(text) => NodeKind::Text(text.as_str().into()),
        Value::Array(list) => NodeKind::List(list.iter().map(node).collect()),
        Value::Object(object) => NodeKind::Map(
            object
                .iter()
                .map(|(key, value)| {
                    (
                        Key {
                            span: span(key.len()),
                            text: key.as_str().into(),
                        },
                        node(value),
                    )
                })
                .collect(),
        ),
    };
    let len = value.as_str().map_or(1, str::len);
    Node {
        span: span(len),
        plain: true,
        kind,
    }
}

fn span(len: usize) -> Span {
    Span {
        start: 0,
        len,
        line: 1,
        column: 1,
    }
}

pub(super) fn compile(value: &Value, expected: Option<&Shape>) -> (Typed, Vec<Diagnostic>) {
    let mut report = Report::of(&Arc::from("recipe.yaml"));
    let typed = Expression::compile(&node(value), &world(), expected, &mut report);
    (typed, report.into_diagnostics())
}

/// What a value evaluates to; absent is the text `(absent)`, an error begins with `error:`.
pub(super) fn evaluated(value: &Value) -> Value {
    let (typed, found) = compile(value, None);
    assert_eq!(found, [], "{value}");
    match typed.expression.evaluate(&world()) {
        Ok(Some(value)) => value,
        Ok(None) => json!("(absent)"),
        Err(error) => json!(format!("error: {error}")),
    }
}

/// The findings about a value as `code column+length: message | help`.
pub(super) fn findings(value: &Value, expected: Option<&Shape>) -> Vec<String> {
    compile(value, expected).1.iter().map(shown).collect()
}

pub(super) fn shown(found: &Diagnostic) -> String {
    format!(
        "{} {}+{}: {} | {}",
        found.code.0,
        found.place.span.column,
        found.place.span.len,
        found.message,
        found.help.as_deref().unwrap_or("NO HELP")
    )
}
