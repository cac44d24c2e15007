//! Stories as read, placeholders, rows that count, and trees that grow.

use std::sync::Arc;

use recipe_sandbox::{SERVERS, STORIES, WORLDS};
use serde_json::json;

use super::fill::{fill, fill_text};
use super::play::holds;
use super::story::{Known, Story};
use super::tree::{Growing, What};
use crate::data::Value;
use crate::source::parse;

const KNOWN: Known<'_> = Known {
    servers: &SERVERS,
    worlds: &WORLDS,
};

/// A whole story but for the scenes.
const HEAD: &str = "title: T\nservers: [docebo]\nconnections: {}\nstart: { one: p/one }\n";

fn findings(text: &str) -> Vec<String> {
    let (document, report) = parse(&Arc::from("story.yaml"), text.as_bytes());
    let mut found = report.into_diagnostics();
    if let Some(document) = document {
        found.extend(Story::read(&document, &KNOWN).1.into_diagnostics());
    }
    found
        .iter()
        .map(|found| {
            let help = found.help.as_deref().unwrap_or("no help");
            format!(
                "{} {}: {}; {help}",
                found.place, found.code.0, found.message
            )
        })
        .collect()
}

#[test]
fn bundled_stories_have_no_findings() {
    for story in STORIES {
        assert_eq!(findings(story.text), Vec::<String>::new(), "{}", story.name);
    }
}

#[test]
fn mistakes_of_stories_are_found_with_their_places() {
    let cases = [
        (
            "scenes: [{ title: S, steps: [{ sned: docebo, post: actions/x }] }]",
            "did you mean `send`?",
        ),
        (
            "scenes: [{ title: S, steps: [{ send: docbo, post: actions/x }] }]",
            "story.yaml:5:38 R027: `docbo` is no stand-in of this story; did you mean `docebo`?",
        ),
        (
            "scenes: [{ title: S, steps: [{ await: two, jobs: 1 }] }]",
            "`two` is no started recipe",
        ),
        (
            "scenes: [{ title: S, steps: [{ say: \"{{oen.title}}\" }] }]",
            "story.yaml:5:40 R027: nothing is called `oen` here; did you mean `one`?",
        ),
        (
            "scenes: [{ title: S, steps: [{ say: \"{{row.id}}\" }] }]",
            "nothing is called `row` here",
        ),
        (
            "scenes: [{ title: S, steps: [{ check: docebo, rows: users, means: s }] }]",
            "`count` is missing",
        ),
        ("scenes: []\nworld: trainign", "did you mean `training`?"),
    ];
    for (scenes, wanted) in cases {
        let found = findings(&format!("{HEAD}{scenes}\n"));
        assert!(
            found.iter().any(|line| line.contains(wanted)),
            "{scenes}: {found:?}"
        );
    }
}

#[test]
fn answers_can_be_used_from_the_step_that_keeps_them() {
    let scenes = "scenes: [{ title: S, steps: [\
                  { send: docebo, post: actions/x, keep: answer }, { say: \"{{answer.id}}\" }] }]";
    assert_eq!(findings(&format!("{HEAD}{scenes}")), Vec::<String>::new());
}

#[test]
fn placeholders_keep_the_kind_of_a_whole_value() {
    let known = json!({ "a": { "id": 7, "list": [1, "x"], "none": null } });
    let known = known.as_object().expect("an object");
    let filled = fill(
        &json!({ "id": "{{ a.id }}", "text": "no. {{a.id}}!" }),
        known,
    );
    assert_eq!(filled, Ok(json!({ "id": 7, "text": "no. 7!" })));
    assert_eq!(
        fill_text("{{a.list.1}} {{a.none}}{{ open", known),
        Ok("x {{ open".to_owned())
    );
    let why = fill_text("{{a.di}}", known).expect_err("nothing is called so");
    assert!(why.starts_with("`{{a.di}}`: there is no `di`"), "{why}");
}

#[test]
fn a_row_holds_what_is_named() {
    let row = json!({ "id": 1, "who": { "email": "a@b.c", "name": "A" }, "gone": null });
    let cases = [
        (json!(null), true),
        (json!({ "id": 1.0 }), true),
        (json!({ "who": { "email": "a@b.c" } }), true),
        (json!({ "who": { "email": "x" } }), false),
        (json!({ "gone": null }), true),
        (json!({ "id": null }), false),
        (json!({ "missing": 1 }), false),
    ];
    for (wanted, is_held) in cases {
        assert_eq!(holds(&row, &wanted), is_held, "{wanted}");
    }
}

#[test]
fn a_tree_is_told_once_and_in_order() {
    let done = |key: &str| {
        json!({ "key": key, "id": key, "kind": "transform", "state": "succeeded",
                "began_at": "2026-03-01T10:00:00Z", "ended_at": "2026-03-01T10:00:00.25Z" })
    };
    let open = |key: &str, steps: Vec<Value>| json!({ "key": key, "id": key, "steps": steps });
    let mut growing = Growing::default();
    let mut told = |steps: Value| -> Vec<String> {
        let lines = growing.lines(&json!({ "steps": steps }));
        lines
            .into_iter()
            .map(|line| match line.what {
                What::Opens { name, .. } => format!("{}+{name}", line.depth),
                What::Closes => format!("{}-", line.depth),
                What::Done { name, .. } => format!("{}={name}", line.depth),
                What::Failed { name, .. } => format!("{}!{name}", line.depth),
            })
            .collect()
    };
    assert_eq!(
        told(json!([done("a"), open("b", vec![done("c")])])),
        ["0=a", "0+b", "1=c"]
    );
    let more = json!([done("a"), open("b", vec![done("c"), done("d")])]);
    assert_eq!(told(more.clone()), ["1=d"]);
    assert_eq!(told(more), [""; 0]);
    let mut closed = done("b");
    closed["steps"] = json!([done("c"), done("d")]);
    assert_eq!(told(json!([done("a"), closed, done("e")])), ["0-", "0=e"]);
}
