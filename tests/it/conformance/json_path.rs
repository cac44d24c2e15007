//! The JSONPath compliance suite (RFC 9535), from the text in a recipe to the value it gives.
//!
//! In: selectors with their documents. Out: the same nodes, or a finding, or an error of the job.
//! Always true: the document is the root `document`, since our paths begin with a root; a trailing
//! `?` lets a path lead nowhere, which is what the RFC always allows.

use std::collections::BTreeMap;
use std::sync::Arc;

use recipe_engine::clock::Moment;
use recipe_engine::data::Value;
use recipe_engine::diagnostic::Report;
use recipe_engine::expression::{Expression, Known, Names, Scope};
use recipe_engine::shape::Shape;
use recipe_engine::source::parse;
use serde::Deserialize;
use serde_json::json;

use super::{cases, compare};

#[derive(Deserialize)]
struct Case {
    name: String,
    selector: String,
    #[serde(default)]
    document: Value,
    result: Option<Vec<Value>>,
    results: Option<Vec<Vec<Value>>>,
    #[serde(default)]
    invalid_selector: bool,
}

/// A place where only the document is known.
struct Place(Arc<Value>);

impl Names for Place {
    fn look_up(&self, root: &str, _: Option<&str>) -> Known {
        match root {
            "document" => Known::Shape {
                shape: Shape::Any,
                maybe: false,
            },
            _ => Known::Unknown {
                message: format!("there is no `{root}` here"),
                help: None,
            },
        }
    }

    fn roots(&self) -> Vec<String> {
        vec!["document".to_owned()]
    }
}

impl Scope for Place {
    fn find(&self, root: &str, _: Option<&str>) -> Option<Arc<Value>> {
        (root == "document").then(|| self.0.clone())
    }

    fn now(&self) -> Moment {
        Moment(0)
    }

    fn timezone(&self) -> &'static str {
        "UTC"
    }

    fn uuid(&self) -> String {
        String::new()
    }
}

/// How a selector ended.
enum End {
    /// A finding when the recipe is checked.
    Refused(String),
    /// An error when the step runs.
    Failed(String),
    /// Text like any other: no path of ours.
    Text,
    /// The nodes it leads to.
    Nodes(Vec<Value>),
}

/// What becomes of a selector in a recipe's file.
fn run(case: &Case) -> End {
    let path = match case.selector.strip_prefix('$') {
        Some(rest) => format!("$.document{rest}?"),
        None => case.selector.clone(),
    };
    // JSON is YAML: quoted so, the path reaches the engine as it is, through the file's reader.
    let file = json!({ "value": path })
        .to_string()
        .replace("\u{7f}", "\\u007f");
    let (document, mut report) = parse(&Arc::from("recipe.yaml"), file.as_bytes());
    let found = |report: Report| {
        let found = report.into_diagnostics();
        for finding in &found {
            assert!(finding.help.is_some(), "{}: {}", case.name, finding.message);
        }
        found
            .first()
            .map(|finding| format!("{} {}", finding.code.0, finding.message))
    };
    let Some(document) = document else {
        return End::Refused(found(report).expect("there is a reason"));
    };
    let place = Place(Arc::new(case.document.clone()));
    let node = document.root.get("value").expect("it is there");
    let typed = Expression::compile(node, &place, None, &mut report);
    if let Some(finding) = found(report) {
        return End::Refused(finding);
    }
    if let Some(text) = typed.expression.as_literal() {
        assert_eq!(*text, path, "{}", case.name);
        return End::Text;
    }
    match (typed.expression.evaluate(&place), typed.shape) {
        (Err(error), _) => End::Failed(error.message),
        (Ok(None), _) => End::Nodes(Vec::new()),
        (Ok(Some(Value::Array(nodes))), Shape::List { .. }) => End::Nodes(nodes),
        (Ok(Some(value)), _) => End::Nodes(vec![value]),
    }
}

#[test]
fn every_selector_is_right_or_refused() {
    let cases: Vec<Case> = cases("json-path");
    let mut ended = BTreeMap::new();
    let mut right = 0;
    for case in &cases {
        let wanted: Vec<Vec<Value>> = match (&case.result, &case.results) {
            (Some(result), _) => vec![result.clone()],
            (None, Some(results)) => results.clone(),
            (None, None) => Vec::new(),
        };
        let end = match run(case) {
            End::Refused(_) if case.invalid_selector => None,
            End::Refused(finding) => Some(("refused", finding)),
            End::Failed(message) => Some(("fails", message)),
            End::Text => Some(("text", case.selector.clone())),
            End::Nodes(nodes) if wanted.contains(&nodes) => None,
            End::Nodes(nodes) => Some(("WRONG", format!("{}: {nodes:?}", case.selector))),
        };
        match end {
            None => right += 1,
            Some((outcome, detail)) => {
                ended.insert(case.name.clone(), (outcome.to_owned(), detail));
            }
        }
    }
    compare("json-path", &ended);
    assert_eq!((cases.len(), right), (687, 632));
}
