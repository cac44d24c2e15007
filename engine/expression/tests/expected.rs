//! Values checked against what is expected, and what can be asked of compiled ones.

use serde_json::json;

use super::*;

/// What a step expects: required, optional, listed, limited and nested values.
fn wanted() -> Shape {
    let user = Shape::object_of([
        ("email", Field::required(Shape::Email)),
        ("name", Field::optional(Shape::String)),
    ]);
    let limited = Field {
        minimum: Some(1.0),
        maximum: Some(100.0),
        ..Field::optional(Shape::Integer)
    };
    let mode = Shape::Enum(vec![json!("skip"), json!("overwrite")]);
    Shape::object_of([
        ("id", Field::required(Shape::Integer)),
        ("ids", Field::optional(Shape::list_of(Shape::Integer))),
        ("day", Field::optional(Shape::Date)),
        ("at", Field::optional(Shape::DateTime)),
        ("mode", Field::optional(mode)),
        ("user", Field::optional(user)),
        ("limit", Field::optional(Shape::Integer)),
        ("page_size", limited),
        ("text", Field::optional(Shape::String)),
        ("flag", Field::optional(Shape::Boolean)),
        ("data", Field::optional(Shape::Any)),
        ("object", Field::optional(Shape::Object)),
    ])
}

#[test]
fn what_fits_is_accepted() {
    for given in [
        json!({"id": 1}),
        json!({"id": "$.input.id", "ids": ["$.input.id", 2, "$.trigger.body.x?"]}),
        json!({"id": "{{to_integer \"4\"}}", "ids": "$.steps.found.items[*].id"}),
        json!({"id": "$.trigger.body.id", "day": "2026-03-01", "at": "2026-03-01T10:00:00Z"}),
        json!({"id": 1, "day": "$.input.day", "at": "{{now}}", "mode": "skip"}),
        json!({"id": 1, "mode": "$.settings.accredible.MODE", "text": "$.input.kind"}),
        json!({"id": 1, "user": {"email": "$.input.email", "name": "$.input.name?"}}),
        json!({"id": 1, "user": {"email": "a@example.com"}, "flag": "$.input.active"}),
        json!({"id": 1, "user": {"email": "{{lowercase input.email}}"}}),
        json!({"id": 1, "limit": "$.steps.branch.count?", "data": null, "object": {"a": [1]}}),
        json!({"id": "$.steps.branch.count", "page_size": 50, "text": "{{input.id}} is it"}),
        json!({"id": 1, "data": {"a": "$.input.id"}, "object": "$.input.manager"}),
    ] {
        assert_eq!(
            findings(&given, Some(&wanted())),
            <[&str; 0]>::default(),
            "{given}"
        );
    }
}

const MISFITS: &[(&str, &str)] = &[
    (
        r#"{}"#,
        "R108 1+1: `id` is missing | add `id:` with a whole number",
    ),
    (
        r#"{"id": 1, "dey": "x"}"#,
        "R109 1+3: `dey` is not expected here | did you mean `day`?",
    ),
    (
        r#"{"id": "7"}"#,
        "R107 1+1: expected a whole number, not text (`7`) | write a whole \
          number, or a path such as `$.input.name`",
    ),
    (
        r#"{"id": 1.5}"#,
        "R107 1+1: expected a whole number, not 1.5 | write a whole number, or \
          a path such as `$.input.name`",
    ),
    (
        r#"{"id": "$.input.email"}"#,
        "R107 1+13: expected a whole number, but this is an e-mail \
          address | convert it: `{{to_integer ...}}`",
    ),
    (
        r#"{"id": "$.steps.branch.count?"}"#,
        "R110 1+21: this may be absent, and a value is \
          required here | leave the `?` out to fail with a clear error when it is absent, or give \
          another value: `{{default steps.x.y \"...\"}}`",
    ),
    (
        r#"{"id": 1, "ids": "$.input.id"}"#,
        "R107 1+10: expected a list of whole numbers, but \
          this is a whole number | put it in brackets to make a list of one: `[...]`",
    ),
    (
        r#"{"id": 1, "limit": "$.input.ids"}"#,
        "R107 1+11: expected a whole number, but this is \
          a list of whole numbers | take one element: `{{first ...}}` or a path with `[0]`, or loop \
          with `foreach`",
    ),
    (
        r#"{"id": 1, "ids": [1, "two"]}"#,
        "R107 1+3: expected a whole number, not text (`two`) | \
          write a whole number, or a path such as `$.input.name`",
    ),
    (
        r#"{"id": 1, "day": "01.03.2026"}"#,
        "R107 1+10: expected a date such as 2026-03-01, not \
          `01.03.2026` | write a date, or a path such as `$.input.name`",
    ),
    (
        r#"{"id": 1, "day": "$.input.at"}"#,
        "R107 1+10: expected a date, but this is a date and \
          time | take its day: `{{to_date ...}}`",
    ),
    (
        r#"{"id": 1, "mode": "Skip"}"#,
        "R107 1+4: expected one of `skip`, `overwrite`, not \
          `Skip`; did you mean `skip`? | write one of `skip`, `overwrite`, or a path such as \
          `$.input.name`",
    ),
    (
        r#"{"id": 1, "mode": "$.input.kind"}"#,
        "R107 1+12: expected one of `skip`, `overwrite`, \
          but this is one of `course`, `plan` | give a value of this type",
    ),
    (
        r#"{"id": 1, "user": {"emial": "a@example.com", "email": "nobody"}}"#,
        "R109 1+5: `emial` is not expected here | did you mean `email`?; R107 1+6: expected an \
             e-mail address, not `nobody` | write an e-mail address, or a path such as \
             `$.input.name`",
    ),
    (
        r#"{"id": 1, "user": "$.steps.found.items[0].group"}"#,
        "R107 1+28: this does not fit: \
          `email` is missing | give exactly the declared fields: `{{pick ...}}`; R107 1+28: this \
          does not fit: `id` is not expected here; known are: email, name | give exactly the \
          declared fields: `{{pick ...}}`",
    ),
    (
        r#"{"id": 1, "page_size": 500}"#,
        "R107 1+1: 500 is too great; the most is 100 | give a \
          value within the declared limits",
    ),
    (
        r#"{"id": 1, "text": 5}"#,
        "R107 1+1: expected text, not a whole number (5) | put it in \
          quotes",
    ),
    (
        r#"{"id": 1, "text": "$.input.id"}"#,
        "R107 1+10: expected text, but this is a whole \
          number | convert it: `{{to_text ...}}`",
    ),
    (
        r#"{"id": 1, "flag": "yes"}"#,
        "R107 1+3: expected true or false, not text (`yes`) | \
          write true, without quotes",
    ),
    (
        r#"{"id": 1, "limit": null}"#,
        "R107 1+1: expected a whole number, not null | an \
          optional value is left out, key and all",
    ),
    (
        r#"{"id": 1, "user": [1]}"#,
        "R107 1+1: expected an object with `email`, `name`, not a \
          list | write a mapping: `name: value`",
    ),
    (
        r#"{"id": "$.input.idd"}"#,
        "R103 9+3: `$.input` has no `idd` | did you mean `id`?",
    ),
    (
        r#"{"id": 1, "limit": "input.id"}"#,
        "R107 1+8: expected a whole number, not text \
          (`input.id`) | write a whole number, or a path such as `$.input.name`; R112 1+8: \
          `input.id` looks like a path, but is taken as text | write `$.input.id`; for the text \
          itself write `{{to_text \"input.id\"}}`",
    ),
    (
        r#"{"id": 1, "data": {"{{input.id}}": 1}}"#,
        "R117 1+12: `{{input.id}}` is a name and is \
          not replaced | only values hold paths; `transform` with `to_object` computes names",
    ),
];

#[test]
fn what_does_not_fit_is_told_at_its_place() {
    let mut wrong = Vec::new();
    for &(given, expected) in MISFITS {
        let found = findings(&serde_json::from_str(given).unwrap(), Some(&wanted())).join("; ");
        if found != expected {
            wrong.push(format!("{given}\n  {found}\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn shapes_are_inferred() {
    for (written, expected) in [
        (
            json!("$.steps.found.items[*].group.id"),
            Shape::list_of(Shape::Integer),
        ),
        (json!("$.steps.found.items[0].email?"), Shape::String),
        (
            json!("$.steps.found.items[?@.id==1].id"),
            Shape::list_of(Shape::Integer),
        ),
        (json!("$.input.manager.email"), Shape::Email),
        (json!("$.trigger.body"), Shape::Any),
        (json!("{{input.score}} points"), Shape::String),
        (json!([1, "$.input.score"]), Shape::list_of(Shape::Number)),
    ] {
        assert_eq!(compile(&written, None).0.shape, expected, "{written}");
    }
    for (written, maybe) in [
        ("$.input.name?", true),
        ("$.input.name", false),
        ("$.input.email?", false),
        ("$.trigger.body.x?", true),
        ("$.steps.branch.count?", true),
        ("{{lowercase input.name?}}", true),
        ("{{default input.name? \"x\"}}", false),
        ("{{eq input.name? \"x\"}}", false),
        ("{{(lowercase input.name)?}}", true),
        ("{{(lowercase input.email)?}}", false),
    ] {
        assert_eq!(compile(&json!(written), None).0.maybe, maybe, "{written}");
    }
}

#[test]
fn urls_are_percent_encoded_where_values_are_inserted() {
    for (written, expected) in [
        ("/v1/groups/{{input.id}}", "/v1/groups/7"),
        (
            "/users/{{input.email}}/x?q={{trigger.body.text}}",
            "/users/Ada%40Example.com/x?q=it%27s",
        ),
        (
            "{{trigger.body.text}}/v1/{{trigger.body.text}}",
            "it's/v1/it%27s",
        ),
    ] {
        let mut report = Report::default();
        let typed = Expression::compile_url(&node(&json!(written)), &world(), &mut report);
        assert_eq!(report.into_diagnostics(), [], "{written}");
        assert_eq!(
            typed.expression.evaluate(&world()),
            Ok(Some(json!(expected))),
            "{written}"
        );
    }
}

#[test]
fn references_are_listed_and_found() {
    let written = json!({
        "a": "$.steps.found.items[*].id",
        "b": "{{default vars.gone.x input.name}} and {{now}}",
        "c": ["$.trigger.body['user id'].x"],
    });
    let expression = compile(&written, None).0.expression;
    let listed: Vec<String> = expression
        .references()
        .into_iter()
        .map(|reference| format!("{}:{}", reference.root, reference.path.join("/")))
        .collect();
    assert_eq!(
        listed,
        [
            "steps:found/items",
            "vars:gone/x",
            "input:name",
            "trigger:body/user id/x"
        ]
    );
    assert!(expression.mentions("steps", Some("found")) && expression.mentions("vars", None));
    assert!(!expression.mentions("steps", Some("items")) && !expression.mentions("row", None));
}

#[test]
fn binding_evaluates_everything_but_the_open_roots() {
    let written = json!({
        "fixed": "$.input.id",
        "gone": "$.input.name?",
        "open": "{{row.name}} of {{input.email}}",
        "choice": "{{if_else row.is_active row.name input.name}}",
        "day": "{{format_date (default row.since today) \"%d %Z\"}}",
    });
    let expression = compile(&written, None).0.expression;
    let bound = expression.bind(&world(), &["row"]).unwrap();
    assert!(!bound.mentions("input", None));
    let mut rows = world();
    rows.values = json!({ "row": { "name": "Safety", "is_active": true } });
    rows.zone = "UTC";
    assert_eq!(
        bound.evaluate(&rows),
        Ok(Some(json!({
            "fixed": 7, "open": "Safety of Ada@Example.com", "choice": "Safety", "day": "22 CET",
        })))
    );
    rows.values = json!({ "row": { "name": "Safety", "is_active": false } });
    assert!(bound.evaluate(&rows).is_err());
}

#[test]
fn brackets_nest_so_deep_and_no_deeper() {
    let helpers = |depth: usize| {
        let (open, close) = ("(lowercase ".repeat(depth), ")".repeat(depth));
        format!("{{{{lowercase {open}'A'{close}}}}}")
    };
    let path = |depth: usize| {
        let (open, close) = ("(".repeat(depth), ")".repeat(depth));
        format!("$.item[?{open}@.a == 1{close}]")
    };
    for (text, message) in [
        (helpers(32), None),
        (helpers(33), Some("helpers nest too deeply")),
        (helpers(3_000), Some("helpers nest too deeply")),
        (path(15), None),
        (path(16), Some("brackets nest too deeply")),
        (path(500), Some("brackets nest too deeply")),
    ] {
        let found = findings(&json!(text), None);
        match message {
            None => assert!(found.is_empty(), "{found:?}"),
            Some(message) => {
                assert_eq!(found.len(), 1, "{found:?}");
                assert!(found[0].contains(message), "{found:?}");
            }
        }
    }
}

#[test]
fn huge_and_deep_texts_are_refused_quickly() {
    for text in [
        format!(
            "{{{{{}input.id{}}}}}",
            "(lowercase ".repeat(5000),
            ")".repeat(5000)
        ),
        format!("$.item{}", "[0]".repeat(5000)),
        format!("$.item[?{}@.a{}]", "(".repeat(1000), ")".repeat(1000)),
        format!("{{{{input.id}}}}{}", "x".repeat(70_000)),
        format!("{{{{lowercase {}}}}}", "[".repeat(20_000)),
        "{{".repeat(20_000),
        format!(
            "{{{{lowercase {}1{}}}}}",
            "[".repeat(9000),
            "]".repeat(9000)
        ),
        format!(
            "{{{{lowercase {}1{} }}}}",
            "{\"a\":".repeat(9000),
            "}".repeat(9000)
        ),
        format!("{{{{{}}}}}", "{\"a\":".repeat(5000)),
    ] {
        let found = findings(&json!(text), None);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
