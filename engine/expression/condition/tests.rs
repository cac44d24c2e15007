//! Conditions: what holds, what is refused, what can be shipped to a store.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::tests::{node, shown, world};
use super::*;

fn compile(condition: &Value) -> (Condition, Vec<String>) {
    let mut report = Report::of(&Arc::from("recipe.yaml"));
    let compiled = Condition::compile(&node(condition), &world(), &mut report);
    (
        compiled,
        report.into_diagnostics().iter().map(shown).collect(),
    )
}

fn outcome(condition: &Value) -> String {
    let (compiled, found) = compile(condition);
    assert!(found.is_empty(), "{condition}: {found:?}");
    match compiled.holds(&world()) {
        Ok(holds) => holds.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn tests_hold_or_not() {
    for (condition, expected) in [
        (json!({"$.input.kind": {"equals": "course"}}), "true"),
        (json!({"$.input.kind": {"not_equals": "course"}}), "false"),
        (json!({"$.input.kind": {"in": ["plan", "course"]}}), "true"),
        (json!({"$.input.id": {"in": "$.input.ids"}}), "true"),
        (json!({"$.input.id": {"not_in": [1, 2]}}), "true"),
        (json!({"$.input.id": {"in": []}}), "false"),
        (json!({"$.input.tags": {"contains": "a"}}), "true"),
        (json!({"$.input.email": {"contains": "@"}}), "true"),
        (json!({"$.input.tags": {"not_contains": "z"}}), "true"),
        (json!({"$.input.email": {"starts_with": "Ada"}}), "true"),
        (json!({"$.input.email": {"ends_with": ".com"}}), "true"),
        (json!({"$.input.email": {"matches": "^[A-Z].*@"}}), "true"),
        (
            json!({"$.input.score": {"at_least": 61.5, "less_than": 62}}),
            "true",
        ),
        (json!({"$.input.id": {"at_most": 7.0}}), "true"),
        (json!({"$.input.id": {"greater_than": 7}}), "false"),
        (json!({"$.input.day": {"before": "2026-03-02"}}), "true"),
        (
            json!({"$.input.day": {"on_or_after": "2026-03-01"}}),
            "true",
        ),
        (
            json!({"$.input.at": {"after": "2026-03-01T23:29:59Z"}}),
            "true",
        ),
        // 23:30 in UTC is the next day in Rome.
        (
            json!({"$.input.at": {"on_or_before": "2026-03-01"}}),
            "false",
        ),
        (
            json!({"$.input.at": {"on_or_before": "2026-03-02"}}),
            "true",
        ),
        (json!({"$.input.active": {"is": true}}), "true"),
        (json!({"$.input.active": {"is": false}}), "false"),
        (json!({"$.trigger.body.n": {"is": null}}), "true"),
        (json!({"$.input.name": {"is": "blank"}}), "true"),
        (json!({"$.input.name": {"is": "present"}}), "false"),
        (json!({"$.steps.branch.items": {"is": "blank"}}), "true"),
        (json!({"$.input.email": {"is": "present"}}), "true"),
        (
            json!({"{{lowercase input.email}}": {"equals": "ada@example.com"}}),
            "true",
        ),
        (
            json!({"all": [{"$.input.id": {"equals": 7}}, {"$.input.id": {"equals": 8}}]}),
            "false",
        ),
        (
            json!({"any": [{"$.input.id": {"equals": 8}}, {"$.input.id": {"equals": 7}}]}),
            "true",
        ),
        (json!({"not": {"$.input.id": {"equals": 8}}}), "true"),
        (
            json!({"$.input.id": {"equals": 7}, "$.input.active": {"is": true}}),
            "true",
        ),
        (json!("{{gt (count steps.found.items) 0}}"), "true"),
        (json!("$.input.active"), "true"),
        (json!(true), "true"),
    ] {
        assert_eq!(outcome(&condition), expected, "{condition}");
    }
}

#[test]
fn absent_and_null_equal_nothing() {
    for subject in ["$.input.name?", "$.trigger.body.none?"] {
        for (test, expected) in [
            (json!({"equals": "a"}), "false"),
            (json!({"not_equals": "a"}), "true"),
            (json!({"in": ["a"]}), "false"),
            (json!({"not_in": ["a"]}), "true"),
            (json!({"contains": "a"}), "false"),
            (json!({"not_contains": "a"}), "true"),
            (json!({"starts_with": "a"}), "false"),
            (json!({"matches": "."}), "false"),
            (json!({"is": "blank"}), "true"),
            (json!({"is": "present"}), "false"),
            (json!({"equals": "$.input.name?"}), "false"),
        ] {
            assert_eq!(
                outcome(&json!({subject: test})),
                expected,
                "{subject} {test}"
            );
        }
    }
    for (test, expected) in [
        (json!({"is": true}), "false"),
        (json!({"is": false}), "false"),
        (json!({"is": null}), "false"),
        (json!({"less_than": 1}), "false"),
        (json!({"before": "2026-01-01"}), "false"),
    ] {
        assert_eq!(
            outcome(&json!({"$.trigger.body.none?": test})),
            expected,
            "absent {test}"
        );
    }
    assert_eq!(
        outcome(&json!({"$.trigger.body.n": {"equals": "a"}})),
        "false"
    );
    assert_eq!(
        outcome(&json!({"$.trigger.body.n": {"equals": null}})),
        "true"
    );
}

#[test]
fn types_are_never_mixed_silently() {
    for (condition, expected) in [
        (
            json!({"$.trigger.body.text": {"equals": 123}}),
            "error: `$.trigger.body.text`: text \
          (`it's`) cannot be compared with a whole number (123); both must be of one type",
        ),
        (
            json!({"$.trigger.body.text": {"in": [1, 2]}}),
            "error: `$.trigger.body.text`: text \
          (`it's`) cannot be compared with a whole number (1); both must be of one type",
        ),
        (
            json!({"$.trigger.body.text": {"less_than": 3}}),
            "error: `$.trigger.body.text`: expected \
          a number, not text (`it's`)",
        ),
        (
            json!({"$.trigger.body.text": {"before": "2026-01-01"}}),
            "error: `$.trigger.body.text`: \
          expected a date such as 2026-03-01 or a time such as 2026-03-01T10:00:00Z, not text \
          (`it's`)",
        ),
        (
            json!({"$.trigger.body.text": {"is": true}}),
            "error: `$.trigger.body.text`: expected true \
          or false, not text (`it's`)",
        ),
        (
            json!("$.trigger.body.text"),
            "error: `$.trigger.body.text`: expected true or false, not \
          text",
        ),
        (
            json!({"$.input.name": {"equals": "a"}}),
            "error: `$.input.name`: `input` has no `name`; \
          it has email, id, score, active, day, at, kind, tags, ids",
        ),
    ] {
        assert_eq!(outcome(&condition), expected, "{condition}");
    }
}

const MISTAKES: &[(&str, &str)] = &[
    (
        r#"{"$.input.kind": "course"}"#,
        "R120 1+6: `$.input.kind` has a value here but no test \
          | write `$.input.kind: { equals: course }`",
    ),
    (
        r#"{"$.input.active": true}"#,
        "R120 1+1: `$.input.active` has a value here but no test \
          | write `$.input.active: { is: true }`",
    ),
    (
        r#"{"$.input.kind": {"equal": "course"}}"#,
        "R121 1+5: there is no test `equal` | did \
          you mean `equals`?",
    ),
    (
        r#"{"$.input.kind": {"exists": true}}"#,
        "R121 1+6: there is no test `exists` | did you \
          mean `is: present`?",
    ),
    (
        r#"{"$.input.kind": {"equals": "cours"}}"#,
        "R122 1+5: `equals`: expected one of \
          `course`, `plan`, not `cours`; did you mean `course`? | the value can only be one of \
          these, letter for letter",
    ),
    (
        r#"{"$.input.kind": {"in": ["course", "plans"]}}"#,
        "R122 1+1: `in`: expected one of \
          `course`, `plan`, not `plans`; did you mean `plan`? | the value can only be one of these, \
          letter for letter",
    ),
    (
        r#"{"$.input.id": {"equals": "0123"}}"#,
        "R122 1+4: `equals`: a whole number is never \
          text | take the quotes off, or convert with `to_text`",
    ),
    (
        r#"{"$.input.email": {"greater_than": 3}}"#,
        "R122 1+1: `greater_than`: expected a \
          number, not an e-mail address | dates are tested with `before`, `after`, `on_or_before`, \
          `on_or_after`; text is converted with `to_number`",
    ),
    (
        r#"{"$.input.day": {"before": "01.03.2026"}}"#,
        "R122 1+10: `before`: \"01.03.2026\" is \
          no date | write a date such as 2026-03-01, or a time such as 2026-03-01T10:00:00Z",
    ),
    (
        r#"{"$.input.id": {"before": "2026-01-01"}}"#,
        "R122 1+10: `before`: expected a date, \
          not a whole number | write a date such as 2026-03-01, or a time such as \
          2026-03-01T10:00:00Z",
    ),
    (
        r#"{"$.input.tags": {"equals": "a"}}"#,
        "R122 1+1: `equals`: a list of texts is never \
          text | a list is tested with `contains`, or by its `count`",
    ),
    (
        r#"{"$.input.email": {"is": "yes"}}"#,
        "R121 1+3: `is` takes true, false, null, present \
          or blank, not `yes` | write `is: true`",
    ),
    (
        r#"{"$.input.email": {"is": true}}"#,
        "R122 1+1: `$.input.email` is an e-mail address, \
          never true or false | test it with `equals`, or with `is: present` or `is: blank`",
    ),
    (
        r#"{"$.input.email": {"matches": "["}}"#,
        "R124 1+1: `[` is no regular expression: \
          unclosed character class | write for example `^[A-Z]{2}[0-9]+$`",
    ),
    (
        r#"{"input.kind": {"equals": "course"}}"#,
        "R123 1+10: `input.kind` is not a value that \
          can be tested | a path begins with `$.`: write `$.input.kind`",
    ),
    (
        r#"{"equals": "course"}"#,
        "R123 1+6: `equals` is not a value that can be tested | say \
          which value is tested: `$.steps.user.email: { equals: ... }`",
    ),
    (
        r#"[{"$.input.active": {"is": true}}]"#,
        "R123 1+1: a list is not a condition | write \
          `all: [...]` if all must hold, `any: [...]` if one must",
    ),
    (
        r#""$.input.email""#,
        "R122 1+13: a condition is true or false, but this is an e-mail \
          address | add a test: `{ $.input.email: { is: present } }`",
    ),
    (
        r#""$.trigger.body.flag?""#,
        "R110 1+20: this may be absent, neither true nor false | \
          say what then: `{ $.trigger.body.flag?: { is: true } }` does not hold if absent",
    ),
    (
        r#""present""#,
        "R123 1+7: a fixed text is not a condition | write a path (`$.present`) \
          with a test, or true or false",
    ),
    (
        r#"{"all": {"$.input.id": {"equals": 7}}}"#,
        "R123 1+1: `all` takes a list of conditions \
          | write `all: [{ ... }, { ... }]`",
    ),
    (
        r#"{"$.input.emial": {"is": "present"}}"#,
        "R103 9+5: `$.input` has no `emial` | did you \
          mean `email`?",
    ),
    (
        r#"{}"#,
        "R123 1+1: a mapping is not a condition | write `{ $.steps.user.email: { is: \
          present } }` or a value that is true or false",
    ),
];

#[test]
fn mistakes_are_told() {
    let mut wrong = Vec::new();
    for &(condition, expected) in MISTAKES {
        let found = compile(&serde_json::from_str(condition).unwrap()).1;
        if found != [expected] {
            wrong.push(format!("{condition}\n  {found:?}\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_row_condition_is_shipped_with_everything_else_evaluated() {
    let (condition, found) = compile(&json!({
        "$.row.group_id": { "in": "$.vars.gone" },
        "$.row.is_active": { "is": true },
        "$.row.name": { "equals": "{{lowercase input.email}}" },
        "any": [{ "$.row.since?": { "before": "{{add_days today -30}}" } },
                { "$.row.name": { "equals": "x" } }],
        "$.input.id": { "equals": 7 }
    }));
    assert!(found.is_empty(), "{found:?}");
    let bound = condition.bind(&world(), &["row"]).unwrap();
    let roots: Vec<String> = bound.references().into_iter().map(|r| r.root).collect();
    assert!(roots.iter().all(|root| root == "row"), "{roots:?}");
    assert_eq!(
        bound.row_equalities("row"),
        [
            ("group_id".to_owned(), vec![json!(1), json!(2)]),
            ("is_active".to_owned(), vec![json!(true)]),
            ("name".to_owned(), vec![json!("ada@example.com")]),
        ]
    );
    let mut rows = world();
    for (row, expected) in [
        (
            json!({"group_id": 2, "is_active": true, "name": "ada@example.com", "since": "2026-01-01"}),
            true,
        ),
        (
            json!({"group_id": 3, "is_active": true, "name": "ada@example.com", "since": "2026-01-01"}),
            false,
        ),
        (
            json!({"group_id": 2, "is_active": true, "name": "ada@example.com"}),
            false,
        ),
    ] {
        rows.values = json!({ "row": row });
        assert_eq!(bound.holds(&rows), Ok(expected), "{row}");
    }
}

#[test]
fn what_fails_while_binding_fails_only_where_it_is_needed() {
    let (condition, _) = compile(&json!({
        "$.row.is_active": { "is": true },
        "$.row.name": { "equals": "$.input.name" }
    }));
    let bound = condition.bind(&world(), &["row"]).unwrap();
    let mut rows = world();
    rows.values = json!({ "row": { "is_active": false, "name": "a" } });
    assert_eq!(bound.holds(&rows), Ok(false));
    rows.values = json!({ "row": { "is_active": true, "name": "a" } });
    assert!(bound.holds(&rows).is_err());
}

#[test]
fn comparisons_with_fixed_values_can_be_listed() {
    let (condition, _) = compile(&json!({ "any": [
        { "$.trigger.body.event": { "equals": "a.b" } },
        { "$.trigger.body.event": { "in": ["c", "d"] } },
    ]}));
    let values: Vec<Value> = condition
        .comparisons()
        .into_iter()
        .flat_map(|c| c.values)
        .collect();
    assert_eq!(values, [json!("a.b"), json!("c"), json!("d")]);
    assert!(condition.row_equalities("trigger").is_empty());
}
