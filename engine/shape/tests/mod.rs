//! Shapes: reading, checking, describing. Comparing and converting have files of their own.

mod between;

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::diagnostic::{Report, Span};
use crate::source::{Key, Node, NodeKind};

fn node(value: &Value) -> Node {
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
                .map(|(name, value)| {
                    let text = name.as_str().into();
                    (
                        Key {
                            span: Span::default(),
                            text,
                        },
                        node(value),
                    )
                })
                .collect(),
        ),
    };
    Node {
        span: Span::default(),
        plain: true,
        kind,
    }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn parse(written: &Value) -> (Field, Vec<String>) {
    let mut report = Report::of(&Arc::from("recipe.yaml"));
    let field = Field::parse(&node(written), &mut report);
    let found = report.into_diagnostics();
    let shown = found
        .iter()
        .map(|d| {
            format!(
                "{}: {} | {}",
                d.code.0,
                d.message,
                d.help.as_deref().unwrap_or("NO HELP")
            )
        })
        .collect();
    (field, shown)
}

fn shape(written: &Value) -> Shape {
    let (field, found) = parse(written);
    assert!(found.is_empty(), "{written}: {found:?}");
    field.shape
}

#[test]
fn types_are_read_in_all_their_forms() {
    assert_eq!(shape(&json!("string")), Shape::String);
    assert_eq!(shape(&json!(["integer"])), Shape::list_of(Shape::Integer));
    assert_eq!(shape(&json!("[integer]?")), Shape::list_of(Shape::Integer));
    assert_eq!(
        shape(&json!({"enum": ["a", 1]})),
        Shape::Enum(vec![json!("a"), json!(1)])
    );
    let two = Shape::object_of([
        ("type", Field::required(Shape::String)),
        ("label", Field::optional(Shape::String)),
    ]);
    assert_eq!(shape(&json!({"type": "string", "label": "string?"})), two);
    assert_eq!(
        shape(&json!({"type": "date", "label": "Since"})),
        Shape::Date
    );
    let field = parse(&json!("email?")).0;
    assert!(field.optional && field.shape == Shape::Email);
    let (field, found) = parse(&json!({
        "type": "integer?", "description": "How many.", "default": 5, "example": 7, "minimum": 1,
        "maximum": 10, "label": "Count", "personal": true, "secret": false
    }));
    assert_eq!(found, <[&str; 0]>::default());
    assert_eq!(
        field,
        Field {
            description: Some("How many.".to_owned()),
            default: Some(json!(5)),
            example: Some(json!(7)),
            minimum: Some(1.0),
            maximum: Some(10.0),
            label: Some("Count".to_owned()),
            personal: true,
            ..Field::optional(Shape::Integer)
        }
    );
    assert!(
        parse(&json!({"type": "string", "pattern": "[A-Z]+"}))
            .0
            .pattern
            .is_some()
    );
}

const WRONG: &[(&str, &str)] = &[
    (
        r#""strng""#,
        "R150: there is no type `strng` | did you mean `string`?",
    ),
    (
        r#""int""#,
        "R150: there is no type `int` | did you mean `integer`?",
    ),
    (
        r#""list""#,
        "R150: there is no type `list` | did you mean `[any]`?",
    ),
    (
        r#"["integer", "string"]"#,
        "R151: a list type holds exactly one type | write \
          `[string]`; for fixed values write `{ enum: [a, b] }`",
    ),
    (
        r#"["integer?"]"#,
        "R151: elements of a list cannot be optional | leave the `?` out; \
          absent elements are dropped",
    ),
    (
        r#"{"name?": "string"}"#,
        "R151: the `?` belongs to the type | write `name: string?`",
    ),
    (
        r#"5"#,
        "R151: expected a type, not a whole number | the types are string, integer, \
          number, boolean, date, datetime, email, object, any",
    ),
    (
        r#"{"type": "string", "descripton": "x", "label": "y"}"#,
        "R152: a type has no detail \
          `descripton` | did you mean `description`?",
    ),
    (
        r#"{"type": "string", "pattern": "("}"#,
        "R153: `(` is not a pattern: unclosed group | a \
          pattern is a regular expression, such as `[A-Z]{2}[0-9]+`",
    ),
    (
        r#"{"type": "string", "minimum": 5}"#,
        "R153: `minimum` says nothing about text | \
          `pattern` is for text, `minimum` and `maximum` are for numbers",
    ),
    (
        r#"{"type": "integer", "default": "5"}"#,
        "R154: the default does not fit: expected a \
          whole number, not text (`5`) | give a whole number here, or change the type",
    ),
    (
        r#"{"type": "integer", "default": 5, "maximum": 4}"#,
        "R154: the default does not fit: 5 \
          is too great; the most is 4 | give a whole number here, or change the type",
    ),
    (
        r#"{"type": "integer", "enum": ["a"]}"#,
        "R153: `\"a\"` is not a whole number | the \
          allowed values must be of the declared type",
    ),
    (
        r#"{"enum": []}"#,
        "R153: `enum` is a list of texts or numbers | write `enum: [first, \
          second]`",
    ),
    (
        r#"{"type": "string", "secret": "yes"}"#,
        "R153: `secret` is true or false, not text | \
          write true or false here",
    ),
];

#[test]
fn wrong_types_are_told() {
    for &(written, expected) in WRONG {
        assert_eq!(parse(&value(written)).1, [expected], "{written}");
    }
}

fn user() -> Shape {
    shape(&json!({
        "id": "integer",
        "email": { "type": "email", "personal": true },
        "code": { "type": "string?", "pattern": "[A-Z]{2}" },
        "level": { "type": "integer", "default": 1, "minimum": 1, "maximum": 3 },
        "mode": { "enum": ["skip", "overwrite"], "optional": true },
        "since": "date?",
        "groups": "[integer]?",
        "extra": "any?",
    }))
}

#[test]
fn values_are_checked_everywhere_at_once() {
    assert_eq!(
        user().check(
            &json!({"id": 1, "email": "a@example.com", "extra": null}),
            ""
        ),
        []
    );
    let found = user().check(
        &json!({
            "id": "1", "email": "nobody", "code": "abc", "level": 4, "mode": "Skip",
            "since": "2026-02-30", "groups": [1, "2", 3, 4.0], "extr": 1
        }),
        "input",
    );
    let found: Vec<String> = found.iter().map(Misfit::to_string).collect();
    assert_eq!(
        found,
        [
            "`input.id`: expected a whole number, not text (`1`)",
            "`input.email`: expected an e-mail address, not `nobody`",
            "`input.code`: `abc` does not match the pattern `[A-Z]{2}`",
            "`input.level`: 4 is too great; the most is 3",
            "`input.mode`: expected one of `skip`, `overwrite`, not `Skip`; did you mean `skip`?",
            "`input.since`: expected a date such as 2026-03-01, not `2026-02-30`",
            "`input.groups[1]`: expected a whole number, not text (`2`)",
            "`input.groups[3]`: expected a whole number, not 4.0",
            "`input.extr`: is not expected here; did you mean `extra`?",
        ]
    );
    let found = user().check(&json!({"email": "a@example.com", "code": null}), "");
    let found: Vec<String> = found.iter().map(Misfit::to_string).collect();
    assert_eq!(
        found,
        [
            "`id`: is missing; expected a whole number",
            "`code`: expected text, not null"
        ]
    );
    assert_eq!(
        user().check(&json!([]), "")[0].message,
        "expected an object with `id`, `email`, \
        `code`, `level`, ..., not a list"
    );
}

#[test]
fn scalars_are_taken_strictly() {
    for (word, fitting, others) in [
        (
            "date",
            vec!["2026-03-01"],
            vec!["2026-3-1", "2026-13-01", "2026-03-01T00:00:00Z", ""],
        ),
        (
            "datetime",
            vec![
                "2026-03-01T10:00:00Z",
                "2026-03-01T10:00:00.123+01:00",
                "2026-03-01T10:00:00-0500",
            ],
            vec![
                "2026-03-01T10:00:00",
                "2026-03-01 10:00:00Z",
                "2026-03-01",
                "20260301T100000Z",
            ],
        ),
        (
            "email",
            vec!["a@example.com", "a.b+c@sub.example.org", "ü@exämple.com"],
            vec![
                "a",
                "a@b",
                "a b@example.com",
                "@example.com",
                "a@@example.com",
                "a@ex..com",
            ],
        ),
    ] {
        let shape = shape(&json!(word));
        for text in fitting {
            assert!(shape.fits(&json!(text)), "{word} {text}");
        }
        for text in others {
            assert!(!shape.fits(&json!(text)), "{word} {text}");
        }
    }
    assert!(Shape::Number.fits(&json!(1)) && !Shape::Integer.fits(&json!(1.0)));
    assert!(Shape::Object.fits(&json!(null)) && !shape(&json!({"a": "any"})).fits(&json!(null)));
}

#[test]
fn defaults_fill_what_is_absent() {
    let filled = fill_defaults(&user(), json!({"email": "a@example.com", "id": 1, "x": 1}));
    assert_eq!(
        filled,
        json!({"id": 1, "email": "a@example.com", "level": 1, "x": 1})
    );
    let listed = Shape::list_of(user());
    assert_eq!(
        fill_defaults(&listed, json!([{"level": 2}, {}])),
        json!([{"level": 2}, {"level": 1}])
    );
}

#[test]
fn shapes_describe_themselves() {
    assert_eq!(
        Shape::list_of(Shape::Integer).to_string(),
        "a list of whole numbers"
    );
    assert_eq!(
        shape(&json!([{"a": "string"}])).to_string(),
        "a list of objects with `a`"
    );
    assert_eq!(
        user().to_json_schema(),
        json!({
            "type": "object",
            "properties": {
                "id": { "type": "integer" },
                "email": { "type": "string", "format": "email" },
                "code": { "type": "string", "pattern": "^(?:[A-Z]{2})$" },
                "level": { "type": "integer", "default": 1, "minimum": 1, "maximum": 3 },
                "mode": { "enum": ["skip", "overwrite"] },
                "since": { "type": "string", "format": "date" },
                "groups": { "type": "array", "items": { "type": "integer" } },
                "extra": {}
            },
            "required": ["id", "email"],
            "additionalProperties": false
        })
    );
}
