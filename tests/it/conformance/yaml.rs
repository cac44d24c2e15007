//! The YAML test suite, through the reader of all our files.
//!
//! In: texts, sound and unsound. Out: the same tree, or findings at a place in the text.
//! Always true: what the suite calls unsound is refused; what is sound is read as the suite says or
//! refused; the reader never panics.

use std::collections::BTreeMap;
use std::sync::Arc;

use recipe_engine::data::Value;
use recipe_engine::source::parse;
use serde::Deserialize;
use serde_json::json;

use super::{cases, compare};

#[derive(Deserialize)]
struct Case {
    id: String,
    name: String,
    yaml: String,
    #[serde(default)]
    fail: bool,
    json: Option<String>,
}

/// What the reader makes of a text: a tree, or its first finding.
fn read(case: &Case) -> Result<Value, String> {
    let (document, report) = parse(&Arc::from("file.yaml"), case.yaml.as_bytes());
    let lines = u32::try_from(case.yaml.lines().count()).expect("it is short");
    let has_errors = report.has_errors();
    let found = report.into_diagnostics();
    for finding in &found {
        let span = finding.place.span;
        let id = &case.id;
        assert!(finding.help.is_some(), "{id}: {}", finding.message);
        assert!(span.line >= 1 && span.column >= 1, "{id}: no place");
        assert!(
            span.line <= lines + 1,
            "{id}: line {} of {lines}",
            span.line
        );
        assert!(span.start + span.len <= case.yaml.len(), "{id}: {span:?}");
    }
    match (document, has_errors) {
        (Some(document), false) => Ok(document.root.to_value()),
        _ => {
            let finding = found.first().expect("there is a reason");
            Err(format!("{} {}", finding.code.0, finding.message))
        }
    }
}

/// The one document that a case holds, if it is one.
fn wanted(case: &Case) -> Option<Value> {
    let mut documents = serde_json::Deserializer::from_str(case.json.as_deref()?).into_iter();
    let first = documents.next()?.expect("the suite's JSON is sound");
    documents.next().is_none().then_some(first)
}

/// What the suite's events say of the cases for which it gives no JSON.
fn by_events(id: &str) -> Value {
    match id {
        "4ABK" => json!({ "unquoted": "separate", "http://foo.com": null, "omitted value": null }),
        "UKK6/02" => json!(""),
        _ => panic!("{id}: nobody has said what it means"),
    }
}

#[test]
fn every_text_is_read_right_or_refused_at_a_place() {
    let cases: Vec<Case> = cases("yaml");
    let mut ended = BTreeMap::new();
    let mut right = 0;
    for case in &cases {
        let end = match (read(case), wanted(case)) {
            (Err(_), _) if case.fail => None,
            (Ok(value), _) if case.fail => Some(("lenient", value.to_string())),
            (Err(finding), _) => Some(("refused", finding)),
            (Ok(value), Some(wanted)) if value == wanted => None,
            (Ok(value), Some(wanted)) => Some(("WRONG", format!("{value}, not {wanted}"))),
            (Ok(value), None) if value == by_events(&case.id) => {
                Some(("no JSON", value.to_string()))
            }
            (Ok(value), None) => Some(("WRONG", value.to_string())),
        };
        match end {
            None => right += 1,
            Some((outcome, detail)) => {
                let detail = format!("{}: {:?}: {detail}", case.name, case.yaml);
                ended.insert(case.id.clone(), (outcome.to_owned(), detail));
            }
        }
    }
    compare("yaml", &ended);
    assert_eq!((cases.len(), right), (402, 323));
}
