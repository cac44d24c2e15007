//! Helpers: what each gives, and what it refuses.

use serde_json::{Value, json};

use super::super::tests::{compile, evaluated, node};
use super::super::{Expression, Known, Names};
use super::*;
use crate::diagnostic::Report;
use crate::shape::Shape;

/// A place where every name exists, of any type.
struct Anything;

impl Names for Anything {
    fn look_up(&self, _: &str, _: Option<&str>) -> Known {
        Known::Shape {
            shape: Shape::Any,
            maybe: false,
        }
    }

    fn roots(&self) -> Vec<String> {
        vec!["input".to_owned(), "steps".to_owned(), "trigger".to_owned()]
    }
}

const RESULTS: &[(&str, &str)] = &[
    ("default input.name \"x\"", r#""x""#),
    ("is_present input.email", r#"true"#),
    ("is_present input.name", r#"false"#),
    ("is_blank trigger.body.n", r#"true"#),
    ("lowercase 'ÄB'", r#""äb""#),
    ("uppercase \"ab\"", r#""AB""#),
    ("trim \" a b \\n\"", r#""a b""#),
    ("replace \"a-b-c\" \"-\" \"\"", r#""abc""#),
    ("split \"a,b,\" \",\"", r#"["a", "b", ""]"#),
    ("split \"\" \",\"", r#"[]"#),
    ("join input.ids \", \"", r#""3, 7, 3""#),
    ("join input.tags \"\\n\"", r#""b\na\nb""#),
    ("join input.tags '\\n'", r#""b\na\nb""#),
    ("starts_with input.email \"Ada\"", r#"true"#),
    ("ends_with input.email \"Ada\"", r#"false"#),
    ("contains input.ids 7", r#"true"#),
    ("contains input.email \"@\"", r#"true"#),
    ("length \"äöü\"", r#"3"#),
    ("length input.ids", r#"3"#),
    ("slug \"Event - to X!\"", r#""event-to-x""#),
    ("truncate \"äöü\" 2", r#""äö""#),
    ("matches \"AB12\" \"^[A-Z]{2}\"", r#"true"#),
    ("matches \"xAB12\" \"^[A-Z]{2}\"", r#"false"#),
    ("to_text 7", r#""7""#),
    ("to_text input.active", r#""true""#),
    ("add 1 2", r#"3"#),
    ("add 1 2 3.5", r#"6.5"#),
    ("subtract 1 2", r#"-1"#),
    ("multiply 3 4", r#"12"#),
    ("divide 6 2", r#"3.0"#),
    ("round 2.5", r#"3"#),
    ("round 2.345 2", r#"2.35"#),
    ("round 7", r#"7"#),
    ("to_integer \" 42 \"", r#"42"#),
    ("to_integer 3.0", r#"3"#),
    ("to_number \"4.5\"", r#"4.5"#),
    ("to_number \"4\"", r#"4"#),
    ("eq 1 1.0", r#"true"#),
    ("eq \"1\" 1", r#"false"#),
    ("ne \"1\" 1", r#"true"#),
    ("lt 9 10", r#"true"#),
    ("lt \"9\" \"10\"", r#"false"#),
    (
        "lt \"2026-03-01T00:30:00+02:00\" \"2026-02-28T23:00:00Z\"",
        r#"true"#,
    ),
    ("ge input.day \"2026-03-01\"", r#"true"#),
    ("le 1 1", r#"true"#),
    ("gt input.name? \"a\"", r#"false"#),
    ("and true (not false)", r#"true"#),
    ("and false trigger.body.none", r#"false"#),
    ("or true trigger.body.none", r#"true"#),
    ("or false false", r#"false"#),
    ("if_else input.active \"yes\" trigger.body.none", r#""yes""#),
    ("if_else false 1 2", r#"2"#),
    ("now", r#""2026-11-21T23:30:00Z""#),
    ("today", r#""2026-11-22""#),
    ("today \"UTC\"", r#""2026-11-21""#),
    ("to_date input.at", r#""2026-03-02""#),
    ("to_date input.at \"UTC\"", r#""2026-03-01""#),
    ("to_date \"2026-03-01 10:00:00\"", r#""2026-03-01""#),
    ("to_datetime input.day", r#""2026-02-28T23:00:00Z""#),
    (
        "to_datetime input.day vars.zone",
        r#""2026-02-28T15:00:00Z""#,
    ),
    (
        "to_datetime \"2026-07-01 10:00:00\"",
        r#""2026-07-01T08:00:00Z""#,
    ),
    (
        "format_date input.at \"%d.%m.%Y %H:%M\"",
        r#""02.03.2026 00:30""#,
    ),
    (
        "format_date input.at \"%H:%M %Z\" \"UTC\"",
        r#""23:30 UTC""#,
    ),
    ("format_date input.day \"%A\"", r#""Sunday""#),
    ("add_days today 30", r#""2026-12-22""#),
    ("add_days input.at -1", r#""2026-02-28T23:30:00Z""#),
    ("add_hours now 1", r#""2026-11-22T00:30:00Z""#),
    ("add_minutes now -30", r#""2026-11-21T23:00:00Z""#),
    ("add_months \"2026-01-31\" 1", r#""2026-02-28""#),
    (
        "add_months (in_timezone \"2026-01-31T23:30:00Z\" \"Europe/Rome\") 1",
        r#""2026-03-01T00:30:00+01:00""#,
    ),
    ("days_between \"2026-03-01\" \"2026-02-27\"", r#"-2"#),
    (
        "days_between \"2026-03-01T12:00:00Z\" \"2026-03-03T11:00:00Z\"",
        r#"1"#,
    ),
    (
        "in_timezone input.at \"America/New_York\"",
        r#""2026-03-01T18:30:00-05:00""#,
    ),
    ("epoch \"1970-01-02\"", r#"86400"#),
    ("first input.ids", r#"3"#),
    ("last input.ids", r#"3"#),
    ("count input.tags", r#"3"#),
    ("count steps.found", r#"2"#),
    ("sum input.ids", r#"13"#),
    ("sum (split \"\" \",\")", r#"0"#),
    ("min input.ids", r#"3"#),
    ("max input.tags", r#""b""#),
    ("unique input.ids", r#"[3, 7]"#),
    ("unique input.tags", r#"["b", "a"]"#),
    (
        "flatten (values steps.found.items.[0])",
        r#"[1, {"id": 10, "name": "Safety"}, "x@example.com"]"#,
    ),
    ("compact (split \"a,,b\" \",\")", r#"["a", "b"]"#),
    ("pluck steps.found.items \"id\"", r#"[1, 2]"#),
    ("keys steps.found.items.[0].group", r#"["id", "name"]"#),
    ("values steps.found.items.[0].group", r#"[10, "Safety"]"#),
    (
        "pick steps.found.items.[0] \"id\" \"email\"",
        r#"{"id": 1, "email": "x@example.com"}"#,
    ),
    (
        "omit steps.found.items.[0] \"group\" \"email\"",
        r#"{"id": 1}"#,
    ),
    (
        "merge (pick steps.found \"count\") steps.found.items.[1].group",
        r#"{"count": 2, "id": 20, "name": "Fire"}"#,
    ),
    (
        "get steps.found.items.[0].group (lowercase \"NAME\")",
        r#""Safety""#,
    ),
    ("get input.ids -2", r#"7"#),
    (
        "look_up steps.found.items \"id\" 1 \"email\"",
        r#""x@example.com""#,
    ),
    (
        "default (look_up steps.found.items \"id\" \"1\" \"email\") \"none\"",
        r#""none""#,
    ),
    (
        "default (look_up steps.found.items \"email\" \"nobody\" \"id\") 0",
        r#"0"#,
    ),
    ("to_json (pick steps.found \"count\")", r#""{\"count\":2}""#),
    ("parse_json '{\"a\": [1]}'", r#"{"a": [1]}"#),
    ("base64 \"abc\"", r#""YWJj""#),
    ("url_encode \"a b/ü\"", r#""a%20b%2F%C3%BC""#),
    (
        "sha256 \"abc\"",
        r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#,
    ),
    ("soql_quote trigger.body.text", r#""'it\\'s'""#),
    ("soql_quote input.tags", r#""('b', 'a', 'b')""#),
    ("uuid", r#""uuid-1""#),
];

#[test]
fn helpers_give_what_they_promise() {
    let mut wrong = Vec::new();
    for &(written, expected) in RESULTS {
        let expected: Value = serde_json::from_str(expected).unwrap();
        let found = evaluated(&json!(format!("{{{{{written}}}}}")));
        if found != expected {
            wrong.push(format!("{written}: {found}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn helpers_refuse_what_they_cannot_do() {
    for (written, expected) in [
        ("divide 1 (subtract 1 1)", "nothing can be divided by 0"),
        ("add 9223372036854775807 1", "the result is too great"),
        (
            "to_integer 2.5",
            "2.5 is no whole number; `round` makes it one",
        ),
        ("to_integer \"a\"", "`a` is no whole number"),
        (
            "to_number \"1,5\"",
            "`1,5` is no number; write it as 1234.5",
        ),
        (
            "lt trigger.body.text 1",
            "text and a whole number have no order; convert one of them",
        ),
        ("first (split \"\" \",\")", "the list is empty"),
        (
            "look_up steps.found.items \"id\" 9 \"email\"",
            "no element has 9 under \"id\", or it has no \"email\"",
        ),
        (
            "sum trigger.body.payloads",
            "element [0] is an object, not a number",
        ),
        (
            "pluck trigger.body.payloads \"usr_id\"",
            "element [0] has no `usr_id`; did you mean \
          `user_id`?",
        ),
        (
            "join trigger.body.payloads \",\"",
            "element [0] is an object, not text",
        ),
        (
            "to_date trigger.body.text",
            "`it's` is no date such as 2026-03-01 and no time such as \
          2026-03-01T10:00:00Z",
        ),
        (
            "add_hours input.day 1",
            "`2026-03-01` is a date without a time; use `to_datetime`",
        ),
        (
            "format_date now (get trigger.body \"0\")",
            "`format`: `zero` is no date format; write for example `%d.%m.%Y %H:%M`",
        ),
        (
            "today (get trigger.body \"text\")",
            "`zone`: `it's` is no time zone; write for example \
          Europe/Rome or UTC",
        ),
        (
            "parse_json trigger.body.text",
            "this is no JSON: expected value at line 1 column 1",
        ),
        ("truncate \"a\" -1", "a length is not negative"),
        ("matches \"a\" (get trigger.body \"text\")", ""),
    ] {
        let found = evaluated(&json!(format!("{{{{{written}}}}}")));
        let text = found.to_string().replace("\\\"", "\"");
        let expected = if expected.is_empty() {
            "false".to_owned()
        } else {
            format!(": {expected}\"")
        };
        assert!(text.ends_with(&expected), "{written}: {text}");
    }
}

#[test]
fn results_have_the_promised_shape() {
    for (written, expected) in [
        ("add input.id 1", Shape::Integer),
        ("add input.id 1.5", Shape::Number),
        ("divide 6 2", Shape::Number),
        ("add_days today 1", Shape::Date),
        ("add_days input.at 1", Shape::DateTime),
        ("first steps.found.items.[0].group", Shape::Any),
        ("count input.ids", Shape::Integer),
        ("unique input.ids", Shape::list_of(Shape::Integer)),
        (
            "pluck steps.found.items \"id\"",
            Shape::list_of(Shape::Integer),
        ),
        ("default input.name \"x\"", Shape::String),
        ("if_else input.active 1 2.5", Shape::Number),
        ("get (first steps.found.items) \"id\"", Shape::Integer),
        (
            "look_up steps.found.items \"email\" \"x\" \"id\"",
            Shape::Integer,
        ),
        ("gt input.id 1", Shape::Boolean),
        ("max input.ids", Shape::Integer),
    ] {
        let (typed, _) = compile(&json!(format!("{{{{{written}}}}}")), None);
        assert_eq!(typed.shape, expected, "{written}");
    }
    let (typed, _) = compile(&json!("{{default (first input.ids) 0}}"), None);
    assert!(!typed.maybe);
    let (typed, _) = compile(&json!("{{(first input.ids)?}}"), None);
    assert!(typed.maybe);
}

#[test]
fn every_listed_example_compiles() {
    for helper in helpers() {
        let mut report = Report::default();
        Expression::compile(&node(&json!(helper.example)), &Anything, None, &mut report);
        assert_eq!(report.into_diagnostics(), [], "{}", helper.name);
        assert!(helper.doc.ends_with('.'), "{}", helper.name);
    }
    let names: Vec<&str> = helpers().iter().map(|helper| helper.name).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
    assert_eq!(Value::from(names.len()), json!(70));
}
