//! Bytes as values of a recipe: paths, templates, URLs and conditions.
//!
//! In: bytes: a kind, an expression, a line break, and data in JSON. Out: nothing.
//! Always true: compiling and evaluating never panic; findings help; a value is of the shape that
//! the compiler says, and absent only if it says so; binding first changes no result.

use std::sync::Arc;

use recipe_engine::clock::Moment;
use recipe_engine::data::Value;
use recipe_engine::diagnostic::{Report, Span};
use recipe_engine::expression::{Condition, Expression, Known, Names, Scope};
use recipe_engine::shape::{Field, Fit, Shape};
use recipe_engine::source::{Key, Node, NodeKind};
use serde_json::json;

use super::check_finding;

/// Compiles and evaluates the bytes.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut characters = text.chars();
    let Some(kind) = characters.next() else {
        return;
    };
    let rest = characters.as_str();
    let (written, data) = rest.split_once('\n').unwrap_or((rest, ""));
    let place = Place(serde_json::from_str(data).unwrap_or_else(|_| sample()));
    match kind {
        'c' => check_condition(written, &place),
        'u' => check_url(written, &place),
        'p' => check_value(&format!("$.{written}"), &place),
        't' => check_value(&format!("{{{{{written}}}}}"), &place),
        _ => check_value(written, &place),
    }
}

fn check_value(written: &str, place: &Place) {
    let mut report = Report::of(&Arc::from("recipe.yaml"));
    let typed = Expression::compile(&text(written), place, None, &mut report);
    if !is_sound(report, written) {
        return;
    }
    let value = typed.expression.evaluate(place);
    match &value {
        Ok(Some(value)) if typed.shape != Shape::Any => {
            let fit = typed.shape.accepts(&Shape::of(value));
            assert!(
                fit != Fit::Never,
                "`{written}`: {value} is not {}",
                typed.shape
            );
        }
        Ok(None) => assert!(typed.maybe, "`{written}` is absent unexpectedly"),
        _ => {}
    }
    let bound = typed.expression.bind(place, &["item"]);
    match (value, bound) {
        (Ok(value), Ok(bound)) => {
            let later = bound.evaluate(place);
            assert_eq!(
                later.ok(),
                Some(value),
                "`{written}` changes when it is bound"
            );
        }
        (Ok(value), Err(error)) => panic!("`{written}` is {value:?}, but bound: {error}"),
        (Err(_), _) => {}
    }
}

fn check_url(written: &str, place: &Place) {
    let mut report = Report::of(&Arc::from("recipe.yaml"));
    let typed = Expression::compile_url(&text(written), place, &mut report);
    if is_sound(report, written) {
        let url = typed.expression.evaluate(place);
        let is_text = matches!(url, Ok(Some(Value::String(_))) | Err(_));
        assert!(is_text, "`{written}` is no text: {url:?}");
    }
}

/// A condition on a value, with every test that takes a text.
fn check_condition(written: &str, place: &Place) {
    let (value, operand) = written.split_once('|').unwrap_or((written, "x"));
    for test in recipe_engine::expression::test_names() {
        let operand = serde_json::from_str(operand).unwrap_or_else(|_| json!(operand));
        let condition = node(&json!({ value: { test: operand } }));
        let mut report = Report::of(&Arc::from("recipe.yaml"));
        let compiled = Condition::compile(&condition, place, &mut report);
        if is_sound(report, written) {
            let _ = compiled.holds(place);
        }
    }
}

fn is_sound(report: Report, written: &str) -> bool {
    let has_errors = report.has_errors();
    for finding in report.into_diagnostics() {
        check_finding(&finding, written.len().max(1));
    }
    !has_errors
}

/// A place of a recipe with data of any shape and some of a known one.
struct Place(Value);

impl Names for Place {
    fn look_up(&self, root: &str, member: Option<&str>) -> Known {
        let (shape, maybe) = match (root, member) {
            ("input", None) => (input(), false),
            ("steps", Some("found")) => (input(), true),
            ("trigger" | "item", None) | ("vars", Some(_)) => (Shape::Any, false),
            _ => {
                let message = format!("there is no `{root}` here");
                return Known::Unknown {
                    message,
                    help: Some("use `input`".to_owned()),
                };
            }
        };
        Known::Shape { shape, maybe }
    }

    fn roots(&self) -> Vec<String> {
        ["input", "item", "steps", "trigger", "vars"]
            .map(str::to_owned)
            .to_vec()
    }
}

impl Scope for Place {
    fn find(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>> {
        match (root, member) {
            // What has a shape has that shape; the data are anything.
            ("input", None) => Some(Arc::new(sample())),
            ("trigger" | "item", None) => Some(Arc::new(self.0.clone())),
            ("vars", Some(name)) => self.0.get(name).cloned().map(Arc::new),
            _ => None,
        }
    }

    fn now(&self) -> Moment {
        Moment(1_790_000_000_000_000)
    }

    fn timezone(&self) -> &'static str {
        "Europe/Rome"
    }

    fn uuid(&self) -> String {
        "00000000-0000-4000-8000-000000000000".to_owned()
    }
}

fn input() -> Shape {
    let inner = Shape::object_of([
        ("id", Field::required(Shape::Integer)),
        ("name", Field::optional(Shape::String)),
    ]);
    Shape::object_of([
        ("email", Field::required(Shape::Email)),
        ("id", Field::required(Shape::Integer)),
        ("score", Field::required(Shape::Number)),
        ("active", Field::required(Shape::Boolean)),
        ("day", Field::required(Shape::Date)),
        ("at", Field::required(Shape::DateTime)),
        ("tags", Field::required(Shape::list_of(Shape::String))),
        ("rows", Field::required(Shape::list_of(inner))),
        ("gone", Field::optional(Shape::String)),
    ])
}

fn sample() -> Value {
    json!({
        "email": "Ada@Example.com", "id": 7, "score": 61.5, "active": true, "day": "2026-03-01",
        "at": "2026-03-01T23:30:00Z", "tags": ["b", "a", "b"],
        "rows": [{ "id": 1, "name": "x" }, { "id": 2 }]
    })
}

fn text(written: &str) -> Node {
    node(&json!(written))
}

/// A value as if it stood in a file, on its first line.
fn node(value: &Value) -> Node {
    let span = |len| Span {
        start: 0,
        len,
        line: 1,
        column: 1,
    };
    let kind = match value {
        Value::Null => NodeKind::Null,
        Value::Bool(bool) => NodeKind::Bool(*bool),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => NodeKind::Integer(integer),
            None => NodeKind::Number(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => NodeKind::Text(text.as_str().into()),
        Value::Array(list) => NodeKind::List(list.iter().map(node).collect()),
        Value::Object(object) => {
            let entry = |(key, value): (&String, &Value)| {
                let text = key.as_str().into();
                (
                    Key {
                        span: span(key.len()),
                        text,
                    },
                    node(value),
                )
            };
            NodeKind::Map(object.iter().map(entry).collect())
        }
    };
    let len = value.as_str().map_or(1, str::len);
    Node {
        span: span(len),
        plain: true,
        kind,
    }
}
