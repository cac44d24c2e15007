//! Expressions: compiling, evaluating, diagnosing. Also the small world that the tests of this
//! room share.

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

#[test]
fn texts_are_paths_templates_or_themselves() {
    for (written, expected) in [
        (json!("$.input.email"), json!("Ada@Example.com")),
        (json!("$.input.id"), json!(7)),
        (json!("$['input']['id']"), json!(7)),
        (json!("$.input.tags[-1]"), json!("b")),
        (json!("$.steps.found.items[1].group.name"), json!("Fire")),
        (json!("$.steps.found.items[*].group.id"), json!([10, 20])),
        (json!("$.trigger.headers['x-signature']"), json!("abc")),
        (json!("$.settings.accredible.MODE"), json!("skip")),
        (json!("{{input.id}}"), json!(7)),
        (json!("  {{ input.id }} "), json!(7)),
        (json!("{{steps.found.items.[1].group.name}}"), json!("Fire")),
        (json!("{{steps.found.items.0.id}}"), json!(1)),
        (json!("{{trigger.headers.x-signature}}"), json!("abc")),
        (json!("{{trigger.headers.[full name]}}"), json!("Ada")),
        (json!("{{trigger.body.0}}"), json!("zero")),
        (
            json!("id {{input.id}}, {{input.active}}!"),
            json!("id 7, true!"),
        ),
        (json!("{{input.id}}/{{input.id}}"), json!("7/7")),
        (json!("<{{trigger.body.text}}>"), json!("<it's>")),
        (json!("costs $5.00"), json!("costs $5.00")),
        (json!("$5.00"), json!("$5.00")),
        (
            json!("\\$.input.id is a path"),
            json!("$.input.id is a path"),
        ),
        (json!("\\{{input.id}} stays"), json!("{{input.id}} stays")),
        (
            json!({"a": ["$.input.id", 1, {"b": "{{input.email}}"}]}),
            json!({"a": [7, 1, {"b": "Ada@Example.com"}]}),
        ),
    ] {
        assert_eq!(evaluated(&written), expected, "{written}");
    }
}

#[test]
fn a_question_mark_allows_absence_at_every_level() {
    for (written, expected) in [
        (json!("$.input.name?"), json!("(absent)")),
        (json!("$.input.manager.email?"), json!("(absent)")),
        (json!("$.steps.branch.items?"), json!("(absent)")),
        (json!("$.steps.branch.items[*].id?"), json!("(absent)")),
        (json!("$.trigger.body.n.deep?"), json!("(absent)")),
        (json!("$.trigger.body.n?"), json!(null)),
        (
            json!("$.steps.found.items[*].email?"),
            json!(["x@example.com"]),
        ),
        (json!("$.item.rows[*].kind?"), json!(["p", "q"])),
        (json!("{{input.name?}}"), json!("(absent)")),
        (json!("{{trigger.headers.[none such]?}}"), json!("(absent)")),
        (json!("{{lowercase input.name?}}"), json!("(absent)")),
        (json!("{{default input.name \"nobody\"}}"), json!("nobody")),
        (json!("{{default trigger.body.n 1}}"), json!(1)),
        (json!("{{(first vars.none?)?}}"), json!("(absent)")),
        (json!("{{default (get vars.gone 9) 0}}"), json!(0)),
        (json!("Dear {{input.name?}}!"), json!("Dear !")),
        (json!(["$.input.name?", 1]), json!([1])),
        (json!({"a": "$.input.name?", "b": 1}), json!({"b": 1})),
    ] {
        assert_eq!(evaluated(&written), expected, "{written}");
    }
}

#[test]
fn a_path_that_leads_nowhere_says_what_was_there() {
    for (written, expected) in [
        (
            "$.input.name",
            "error: `$.input.name`: `input` has no `name`; it has email, id, score, \
                          active, day, at, kind, tags, ids",
        ),
        (
            "$.trigger.body.payload",
            "error: `$.trigger.body.payload`: `trigger.body` has no \
                                    `payload`; did you mean `payloads`?",
        ),
        (
            "$.trigger.body.text.length",
            "error: `$.trigger.body.text.length`: `trigger.body.text` is \
                                        text and has no `length`",
        ),
        (
            "$.trigger.body.n.x",
            "error: `$.trigger.body.n.x`: `trigger.body.n` is null and has no \
                                `x`",
        ),
        (
            "$.item.rows[*].knd",
            "error: `$.item.rows[*].knd`: `item.rows[*]` has no `knd`; did you \
                                mean `kind`?",
        ),
        (
            "$.item.rows[*].kind",
            "error: `$.item.rows[*].kind`: `item.rows[*]` has no `kind`; it has \
                                 a",
        ),
        (
            "$.item.rows.kind",
            "error: `$.item.rows.kind`: `item.rows` is a list and has no `kind`; \
                              write `[*].kind` for all or `[0].kind` for the first",
        ),
        (
            "$.item.rows[9]",
            "error: `$.item.rows[9]`: `item.rows` has 3 elements and none at [9]",
        ),
        (
            "$.trigger.body.text[*]",
            "error: `$.trigger.body.text[*]`: `trigger.body.text` is text \
                                    and has no elements",
        ),
        (
            "$.steps.branch.items",
            "error: `$.steps.branch.items`: the step `branch` has no result: \
                                  it did not run or gives none",
        ),
        (
            "{{first vars.none}}",
            "error: `vars.none`: `vars.none` is absent",
        ),
        (
            "{{get vars.gone 9}}",
            "error: `get vars.gone 9`: `get`: the list has 2 elements and none \
                                 at 9",
        ),
        (
            "n: {{trigger.body.n}}",
            "error: `trigger.body.n`: null cannot stand inside text; a `?` at \
                                   the end of the path leaves it out",
        ),
        (
            "{{lowercase trigger.body.payloads}}",
            "error: `lowercase trigger.body.payloads`: \
          `lowercase`: `text`: expected text, not a list",
        ),
    ] {
        assert_eq!(evaluated(&json!(written)), json!(expected), "{written}");
    }
}

#[test]
fn filters_slices_and_unions_follow_the_standard() {
    for (written, expected) in [
        ("$.item.rows[?@.kind=='q'].a", json!([2])),
        ("$.item.rows[?@.a>1 && @.kind].a", json!([2])),
        ("$.item.rows[?!@.kind].a", json!([3])),
        ("$.item.rows[0:2].a", json!([1, 2])),
        ("$.item.rows[::-1].a", json!([3, 2, 1])),
        ("$.item.rows[0,2].a", json!([1, 3])),
        ("$.item..a", json!([1, 2, 3])),
        ("$.item.rows[?@.kind=='none'].a", json!([])),
        ("$.item.rows[?length(@.kind)==1].a", json!([1, 2])),
        ("$.item.rows[?match(@.kind,'[pq]')].a", json!([1, 2])),
        ("$.item[*][0].a", json!([1])),
    ] {
        assert_eq!(evaluated(&json!(written)), expected, "{written}");
    }
}

#[test]
fn mistakes_get_their_own_message() {
    let mut wrong = Vec::new();
    for (written, expected) in [
        (
            "Hello $.input.email, welcome",
            "R111 7+13: this path will not be replaced, since it \
          stands inside a longer text | write `{{input.email}}`; `\\$.` writes the characters",
        ),
        (
            "steps.found.count",
            "R112 1+17: `steps.found.count` looks like a path, but is taken as \
          text | write `$.steps.found.count`; for the text itself write \
          `{{to_text \"steps.found.count\"}}`",
        ),
        (
            "{{#each input.tags}}x{{/each}}",
            "R113 1+20: blocks are not part of templates | use a \
          `transform` step, the helper `join` or the helper `if_else`",
        ),
        (
            "{{input.tags[0]}}",
            "R114 13+3: an index or name in brackets needs a dot before it in a \
          template | write `input.tags.[0]`",
        ),
        (
            "{{lowercas input.email}}",
            "R104 3+8: there is no helper `lowercas` | did you mean \
          `lowercase`?",
        ),
        (
            "{{lowercase input.email 1}}",
            "R105 3+9: `lowercase` takes one argument, not 2 | for \
          example `{{lowercase input.email}}`",
        ),
        (
            "{{lowercase input.id}}",
            "R106 13+8: `lowercase`: `text` is text, not a whole number | \
          `to_text` makes text of a number; `join` of a list",
        ),
        (
            "$.steps.found.items[*].groop.id",
            "R103 24+5: `$.steps.found.items[*]` has no `groop` | \
          did you mean `group`?",
        ),
        (
            "$.steps.found.items.id",
            "R103 21+2: `$.steps.found.items` is a list of objects with \
          `id`, `group`, `email` and has no `id` | name the elements you mean: `[*].id` for all, \
          `[0].id` for the first; a list has its length by `count`",
        ),
        (
            "$.steps.fund.items",
            "R102 9+4: there is no step `fund` before this one | a path here \
          begins with one of: trigger, input, steps, vars, settings, item, row, user",
        ),
        (
            "$.inptu.email",
            "R102 3+5: there is no `inptu` here | did you mean `input`?",
        ),
        (
            "{{inptu.email}}",
            "R102 3+5: there is no `inptu` here | did you mean `input`?",
        ),
        (
            "$.input.a-b",
            "R100 9+3: `$.input.a-b` is not a path that can be read | write \
          `$.input['a-b']`",
        ),
        (
            "$.input.tags.0",
            "R100 14+1: `$.input.tags.0` is not a path that can be read | an element \
          is written `[0]`",
        ),
        (
            "$.input?.name",
            "R100 8+1: `$.input?.name` is not a path that can be read | the `?` \
          stands at the end: `$.input.name?`",
        ),
        (
            "$.input.email is it",
            "R100 14+6: a path ends at the first space | inside text write \
          `{{steps.user.email}}`; a name with a space is written `$.row['full name']`",
        ),
        (
            "$.item.rows[?@.a==$.input.id]",
            "R115 1+29: comparing with other data (`$`) inside a \
          filter is not offered in paths | use a `transform` step with `from` and `where`",
        ),
        (
            "$.item.rows[?@[?@.a>1]]",
            "R115 1+23: anything but names and indexes after `@` is not \
          offered in paths | use a `transform` step with `from` and `where`",
        ),
        (
            "$.item..['a','d']",
            "R115 1+17: several selectors after `..` is not offered in paths | \
          ask for one name after `..`, or name the place: `$.steps.x.items[*]`",
        ),
        (
            "{{input.id == 7}}",
            "R101 3+13: `{{input.id == 7}}` cannot be read | there is no `==`; \
          write the helper first: `{{eq a b}}`",
        ),
        (
            "{{input.email | lowercase}}",
            "R101 3+23: `{{input.email | lowercase}}` cannot be read | \
          there is no `|`; the helper comes first: `{{lowercase input.email}}`",
        ),
        (
            "{{$.input.id}}",
            "R101 3+10: inside `{{ }}` a path has no `$.` | write `{{input.id}}`",
        ),
        (
            "{{this.id}}",
            "R101 3+7: `this.id` is not a path | a path begins with a root, such as \
          `input.email`; there is no `this` and no `../`",
        ),
        (
            "{{input.id",
            "R101 1+2: `{{` is not closed | close it with `}}`, or write `\\{{` for the \
          characters",
        ),
        (
            "all: {{input.tags}}",
            "R116 8+10: a list of texts cannot stand inside text | join it: \
          `{{join input.tags \", \"}}`",
        ),
        (
            "{{matches input.email \"(\"}}",
            "R124 23+3: `(` is no regular expression: unclosed group \
          | write for example `^[A-Z]{2}[0-9]+$`",
        ),
        (
            "{{today \"Rome\"}}",
            "R106 9+6: `today`: `zone`: `Rome` is no time zone; write for \
          example Europe/Rome or UTC | time zones have IANA names: UTC, Europe/Rome, \
          America/New_York",
        ),
        (
            "{{if input.active 1 2}}",
            "R104 3+2: there is no helper `if` | did you mean `if_else`?",
        ),
        (
            "$.steps",
            "R102 1+7: `steps` is no value of its own | name the step you mean: \
          `$.steps.name`",
        ),
    ] {
        let found = findings(&json!(written), None);
        if found != [expected] {
            wrong.push(format!("{written}\n  {found:?}\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_mistake_is_left_alone() {
    for written in [
        "user.created",
        "course.enrollment.completed",
        "input.csv",
        "Step steps.found",
        "a $.50 fee",
        "{{add_days today 30}}",
        "{{if_else (gt (count steps.found.items) 0) \"a\" 'b \"c\"'}}",
    ] {
        let expected: &[&str] = match written {
            "user.created" => &[
                "R112 1+12: `user.created` looks like a path, but is taken as text \
                | write `$.user.created`; for the text itself write `{{to_text \"user.created\"}}`",
            ],
            _ => &[],
        };
        assert_eq!(findings(&json!(written), None), expected, "{written}");
    }
}
