//! Helpers: what each gives, and what it refuses.

use serde_json::{Value, json};

use super::super::tests::{compile, evaluated, findings};
use super::*;
use crate::shape::Shape;

#[test]
fn helpers_give_what_they_promise() {
    let mut wrong = Vec::new();
    for (written, expected) in [
        ("default input.name \"x\"", json!("x")),
        ("is_present input.email", json!(true)),
        ("is_present input.name", json!(false)),
        ("is_blank trigger.body.n", json!(true)),
        ("lowercase 'ÄB'", json!("äb")),
        ("uppercase \"ab\"", json!("AB")),
        ("trim \" a b \\n\"", json!("a b")),
        ("replace \"a-b-c\" \"-\" \"\"", json!("abc")),
        ("split \"a,b,\" \",\"", json!(["a", "b", ""])),
        ("split \"\" \",\"", json!([])),
        ("join input.ids \", \"", json!("3, 7, 3")),
        ("join input.tags \"\\n\"", json!("b\na\nb")),
        ("join input.tags '\\n'", json!("b\na\nb")),
        ("starts_with input.email \"Ada\"", json!(true)),
        ("ends_with input.email \"Ada\"", json!(false)),
        ("contains input.ids 7", json!(true)),
        ("contains input.email \"@\"", json!(true)),
        ("length \"äöü\"", json!(3)),
        ("length input.ids", json!(3)),
        ("slug \"Event - to X!\"", json!("event-to-x")),
        ("truncate \"äöü\" 2", json!("äö")),
        ("matches \"AB12\" \"^[A-Z]{2}\"", json!(true)),
        ("matches \"xAB12\" \"^[A-Z]{2}\"", json!(false)),
        ("to_text 7", json!("7")),
        ("to_text input.active", json!("true")),
        ("add 1 2", json!(3)),
        ("add 1 2 3.5", json!(6.5)),
        ("subtract 1 2", json!(-1)),
        ("multiply 3 4", json!(12)),
        ("divide 6 2", json!(3.0)),
        ("round 2.5", json!(3)),
        ("round 2.345 2", json!(2.35)),
        ("round 7", json!(7)),
        ("to_integer \" 42 \"", json!(42)),
        ("to_integer 3.0", json!(3)),
        ("to_number \"4.5\"", json!(4.5)),
        ("to_number \"4\"", json!(4)),
        ("eq 1 1.0", json!(true)),
        ("eq \"1\" 1", json!(false)),
        ("ne \"1\" 1", json!(true)),
        ("lt 9 10", json!(true)),
        ("lt \"9\" \"10\"", json!(false)),
        (
            "lt \"2026-03-01T00:30:00+02:00\" \"2026-02-28T23:00:00Z\"",
            json!(true),
        ),
        ("ge input.day \"2026-03-01\"", json!(true)),
        ("le 1 1", json!(true)),
        ("gt input.name? \"a\"", json!(false)),
        ("and true (not false)", json!(true)),
        ("and false trigger.body.none", json!(false)),
        ("or true trigger.body.none", json!(true)),
        ("or false false", json!(false)),
        (
            "if_else input.active \"yes\" trigger.body.none",
            json!("yes"),
        ),
        ("if_else false 1 2", json!(2)),
        ("now", json!("2026-11-21T23:30:00Z")),
        ("today", json!("2026-11-22")),
        ("today \"UTC\"", json!("2026-11-21")),
        ("to_date input.at", json!("2026-03-02")),
        ("to_date input.at \"UTC\"", json!("2026-03-01")),
        ("to_date \"2026-03-01 10:00:00\"", json!("2026-03-01")),
        ("to_datetime input.day", json!("2026-02-28T23:00:00Z")),
        (
            "to_datetime input.day vars.zone",
            json!("2026-02-28T15:00:00Z"),
        ),
        (
            "to_datetime \"2026-07-01 10:00:00\"",
            json!("2026-07-01T08:00:00Z"),
        ),
        (
            "format_date input.at \"%d.%m.%Y %H:%M\"",
            json!("02.03.2026 00:30"),
        ),
        (
            "format_date input.at \"%H:%M %Z\" \"UTC\"",
            json!("23:30 UTC"),
        ),
        ("format_date input.day \"%A\"", json!("Sunday")),
        ("add_days today 30", json!("2026-12-22")),
        ("add_days input.at -1", json!("2026-02-28T23:30:00Z")),
        ("add_hours now 1", json!("2026-11-22T00:30:00Z")),
        ("add_minutes now -30", json!("2026-11-21T23:00:00Z")),
        ("add_months \"2026-01-31\" 1", json!("2026-02-28")),
        (
            "add_months (in_timezone \"2026-01-31T23:30:00Z\" \"Europe/Rome\") 1",
            json!("2026-03-01T00:30:00+01:00"),
        ),
        ("days_between \"2026-03-01\" \"2026-02-27\"", json!(-2)),
        (
            "days_between \"2026-03-01T12:00:00Z\" \"2026-03-03T11:00:00Z\"",
            json!(1),
        ),
        (
            "in_timezone input.at \"America/New_York\"",
            json!("2026-03-01T18:30:00-05:00"),
        ),
        ("epoch \"1970-01-02\"", json!(86400)),
        ("first input.ids", json!(3)),
        ("last input.ids", json!(3)),
        ("count input.tags", json!(3)),
        ("count steps.found", json!(2)),
        ("sum input.ids", json!(13)),
        ("sum (split \"\" \",\")", json!(0)),
        ("min input.ids", json!(3)),
        ("max input.tags", json!("b")),
        ("unique input.ids", json!([3, 7])),
        ("unique input.tags", json!(["b", "a"])),
        (
            "flatten (values steps.found.items.[0])",
            json!([1, {"id": 10, "name": "Safety"}, "x@example.com"]),
        ),
        ("compact (split \"a,,b\" \",\")", json!(["a", "b"])),
        ("pluck steps.found.items \"id\"", json!([1, 2])),
        ("keys steps.found.items.[0].group", json!(["id", "name"])),
        ("values steps.found.items.[0].group", json!([10, "Safety"])),
        (
            "pick steps.found.items.[0] \"id\" \"email\"",
            json!({"id": 1, "email": "x@example.com"}),
        ),
        (
            "omit steps.found.items.[0] \"group\" \"email\"",
            json!({"id": 1}),
        ),
        (
            "merge (pick steps.found \"count\") steps.found.items.[1].group",
            json!({"count": 2, "id": 20, "name": "Fire"}),
        ),
        (
            "get steps.found.items.[0].group (lowercase \"NAME\")",
            json!("Safety"),
        ),
        ("get input.ids -2", json!(7)),
        (
            "to_json (pick steps.found \"count\")",
            json!("{\"count\":2}"),
        ),
        ("parse_json '{\"a\": [1]}'", json!({"a": [1]})),
        ("base64 \"abc\"", json!("YWJj")),
        ("url_encode \"a b/ü\"", json!("a%20b%2F%C3%BC")),
        (
            "sha256 \"abc\"",
            json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ),
        ("soql_quote trigger.body.text", json!("'it\\'s'")),
        ("soql_quote input.tags", json!("('b', 'a', 'b')")),
        ("uuid", json!("uuid-1")),
    ] {
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
            "`%Q!` is no format; write for example `%d.%m.%Y %H:%M`",
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
        for found in findings(&json!(helper.example), None) {
            // The examples speak of an input that the tests do not declare.
            let undeclared = ["R102", "R103"].iter().any(|code| found.starts_with(code));
            assert!(undeclared, "{}: {found}", helper.name);
        }
        assert!(helper.doc.ends_with('.'), "{}", helper.name);
    }
    let names: Vec<&str> = helpers().iter().map(|helper| helper.name).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
    assert_eq!(Value::from(names.len()), json!(63));
}
