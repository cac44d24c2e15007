//! What values evaluate to.

use serde_json::json;

use super::*;

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
        (
            json!("{{default (lowercase input.name) \"x\"}}"),
            json!("x"),
        ),
        (
            json!("{{(lowercase (first vars.none))?}}"),
            json!("(absent)"),
        ),
        (json!("{{is_blank (trim trigger.body.none)}}"), json!(true)),
        (json!("Dear {{input.name?}}!"), json!("Dear !")),
        (json!(["$.input.name?", 1]), json!([1])),
        (json!({"a": "$.input.name?", "b": 1}), json!({"b": 1})),
    ] {
        assert_eq!(evaluated(&written), expected, "{written}");
    }
}

const NOWHERE: &[(&str, &str)] = &[
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
];

#[test]
fn a_path_that_leads_nowhere_says_what_was_there() {
    for &(written, expected) in NOWHERE {
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
