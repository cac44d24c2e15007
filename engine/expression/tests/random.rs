//! What must hold for whatever is written: nothing panics, every finding helps, and our own walk
//! agrees with the library.

use jsonpath_rust::JsonPath;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::*;

/// Pieces that texts are made of, sound and unsound.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "$.",
    "$[",
    "$",
    ".",
    "?",
    "[",
    "]",
    "(",
    ")",
    "*",
    "'",
    "\"",
    " ",
    ",",
    "@",
    "\\",
    "==",
    "&&",
    "-",
    "0",
    "7",
    "-1",
    "1:2",
    "true",
    "null",
    "input",
    "id",
    "tags",
    "item",
    "rows",
    "kind",
    "steps",
    "found",
    "items",
    "trigger",
    "body",
    "n",
    "x",
    "today",
    "now",
    "lowercase",
    "add_days",
    "join",
    "default",
    "first",
    "get",
    "if_else",
    "#each",
    "this",
    "../",
    "|",
    "ü",
    "matches",
    "format_date",
    "%Y",
    "[*]",
    "[?@.a==1]",
    "..",
    "/",
    "input.email",
    "$.item.rows",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_panics_and_every_finding_helps(pieces in prop::collection::vec(select(PIECES), 1..12)) {
        for text in [pieces.concat(), format!("{{{{{}}}}}", pieces.join(" ")), format!("$.{}", pieces.concat())] {
            let (typed, found) = compile(&json!(text), None);
            for finding in &found {
                prop_assert!(finding.help.is_some(), "{}: {}", text, shown(finding));
                prop_assert!(codes::ALL.iter().any(|(code, ..)| *code == finding.code));
                let span = finding.place.span;
                prop_assert!(span.start + span.len <= text.len() + 1, "{}: {:?}", text, span);
            }
            if found.is_empty() {
                let evaluated = typed.expression.evaluate(&world());
                if let Ok(Some(value)) = &evaluated
                    && typed.shape != Shape::Any {
                    prop_assert!(typed.shape.accepts(&Shape::of(value)) != crate::shape::Fit::Never,
                        "{}: {} is not {}", text, value, typed.shape);
                }
                if let Ok(None) = evaluated {
                    prop_assert!(typed.maybe, "{} is absent unexpectedly", text);
                }
            }
        }
    }

    #[test]
    fn conditions_never_panic(pieces in prop::collection::vec(select(PIECES), 1..6), test in select(&[
        "equals", "in", "contains", "matches", "less_than", "before", "is", "none",
    ][..]), operand in select(&["a", "2026-01-01", "present", "$.input.id", "(", "7"][..])) {
        let condition = json!({ format!("$.{}", pieces.concat()): { test: operand } });
        let mut report = Report::default();
        let compiled = Condition::compile(&node(&condition), &world(), &mut report);
        if !report.has_errors() {
            let _ = compiled.holds(&world());
        }
    }

    #[test]
    fn what_is_read_as_plain_names_is_what_the_library_reads(
        names in prop::collection::vec("[a-c_0-9ü '*$-]{0,3}|steps|true|null", 1..5),
    ) {
        let path = format!("$.{}", names.join("."));
        if let Some(names) = plain::names(&path) {
            let theirs = path::segments(&path).ok();
            prop_assert_eq!(theirs.map(|theirs| format!("{theirs:?}")), Some(format!("{names:?}")), "{}", path);
        }
    }

    #[test]
    fn our_walk_agrees_with_the_library(
        value in values(),
        steps in prop::collection::vec(select(&[".a", ".b", "['c d']", "[0]", "[1]", "[-1]", "[*]"][..]), 0..5),
    ) {
        let mut world = world();
        world.values = json!({ "item": value });
        let path = format!("$.item{}", steps.concat());
        let (typed, found) = compile(&json!(path), None);
        prop_assert_eq!(found, []);
        let theirs: Vec<Value> =
            world.values.query(&path).unwrap().into_iter().cloned().collect();
        match typed.expression.evaluate(&world) {
            Ok(Some(ours)) if path.contains("[*]") => prop_assert_eq!(ours, Value::Array(theirs.clone())),
            Ok(ours) => prop_assert_eq!(ours, theirs.first().cloned()),
            // Ours is stricter: some place lacked the rest of the path.
            Err(_) => {}
        }
        let (typed, _) = compile(&json!(format!("{path}?")), None);
        match typed.expression.evaluate(&world) {
            Ok(ours) if path.contains("[*]") => {
                prop_assert_eq!(ours.unwrap_or(json!([])), Value::Array(theirs));
            }
            Ok(ours) => prop_assert_eq!(ours, theirs.first().cloned()),
            Err(_) => {}
        }
    }
}

/// Small values whose members the paths above may find.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(null)), Just(json!(1)), Just(json!("x"))];
    leaf.prop_recursive(4, 32, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(select(&["a", "b", "c d"][..]), inner, 0..3)
                .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}
