//! The request that is made of an action and its input.

use serde_json::json;

use super::*;
use crate::clock::Moment;

/// A connector whose one action sends the request.
const AROUND: &str = "\
headers: { Accept: application/json }
actions:
  act:
    title: Act
    effect: read
    output: {}
    input: { a: any?, b: any?, list: '[any]?' }
    request: ";

/// A request as text: method, path, headers and body; or why there is none.
fn sent(request: &str, input: Value, also_send: Option<&Value>) -> String {
    let connector = sound(&format!("{AROUND}{request}\n"));
    let values = Values::new(Moment(0), "k")
        .with("connection", Arc::new(json!({})))
        .with("input", Arc::new(input));
    let made = plan(&Arguments {
        connector: &connector,
        action: &connector.actions["act"],
        values: &values,
        also_send,
        page: &Page::default(),
        base_url: None,
    });
    let plan = match made {
        Ok(plan) => plan,
        Err(trouble) => return format!("{}: {}", trouble.code, trouble.message),
    };
    let headers: Vec<String> = plan
        .headers
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let body = match plan.body {
        PlannedBody::None => String::new(),
        PlannedBody::Json(value) => value.to_string(),
        PlannedBody::Form(fields) => format!("{fields:?}"),
        PlannedBody::Text { content_type, text } => format!("{content_type}: {text}"),
    };
    let path = plan
        .url
        .as_str()
        .trim_start_matches("https://api.example.com/v1");
    format!("{} {path} {} {body}", plan.method, headers.join(","))
}

#[test]
fn requests_are_made_as_described() {
    let (cases, report) = parse(&Arc::from("requests.yaml"), include_bytes!("requests.yaml"));
    assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
    let cases = cases.expect("a document").root.to_value();
    for case in cases.as_array().expect("a list") {
        let request = case["request"].as_str().expect("a request");
        let sent = sent(request, case["input"].clone(), case.get("also_send"));
        assert_eq!(Some(sent.as_str()), case["sent"].as_str(), "{request}");
    }
}

#[test]
fn a_plan_prints_no_secrets() {
    let plan = RequestPlan {
        method: "GET".to_owned(),
        url: "https://h.example/p?key=s3cr3t".parse().expect("a URL"),
        headers: vec![("A".to_owned(), "s3cr3t".to_owned())],
        body: PlannedBody::None,
    };
    assert_eq!(format!("{plan:?}"), "RequestPlan(GET /p)");
}

#[test]
fn a_base_url_is_one() {
    for (written, is_sound) in [
        ("https://a.example", true),
        ("http://a.example:8080/sub/", true),
        ("a.example", false),
        ("ftp://a.example", false),
        ("https://user:word@a.example", false),
        ("https://a.example?x=1", false),
    ] {
        assert_eq!(
            super::super::plan::parse_base(written).is_ok(),
            is_sound,
            "{written}"
        );
    }
}
