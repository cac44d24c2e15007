//! The request that is made of an action and its input.

use serde_json::json;

use super::*;
use crate::clock::Moment;

/// An action's request as text: method, URL, headers and body.
fn planned(request: &str, input: Value, also_send: Option<Value>) -> String {
    let connector = sound(&format!(
        "headers: {{ Accept: application/json }}\nconnection: {{ url: string? }}\nactions:\n  act:\n    \
         title: Act\n    effect: read\n    output: {{}}\n    input: {{ a: any?, b: any?, list: '[any]?' }}\n    \
         request: {request}\n"
    ));
    let values = Values::new(Moment(0), "k")
        .with("connection", Arc::new(json!({})))
        .with("input", Arc::new(input));
    let made = plan(&Arguments {
        connector: &connector,
        action: &connector.actions["act"],
        values: &values,
        also_send: also_send.as_ref(),
        page: &Page::default(),
        base_url: None,
    });
    match made {
        Ok(plan) => {
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
        Err(trouble) => format!("{}: {}", trouble.code, trouble.message),
    }
}

#[test]
fn requests_are_made_as_described() {
    let json = "Accept=application/json";
    let cases: Vec<(&str, Value, Option<Value>, String)> = vec![
        ("{ get: '/x/{{input.a}}' }", json!({ "a": "ü/?#&" }), None, format!("GET /x/%C3%BC%2F%3F%23%26 {json} ")),
        ("{ get: '/x/{{input.a}}' }", json!({ "a": ".." }), None, "invalid_request: `..` cannot stand in a path".to_owned()),
        ("{ get: '/x/{{input.a}}' }", json!({ "a": "" }), None, "invalid_request: `` cannot stand in a path".to_owned()),
        ("{ get: /x, query: { q: $.input.a?, 'l[]': $.input.list? } }", json!({ "list": [1, true, "c"] }), None, format!("GET /x?l%5B%5D=1&l%5B%5D=true&l%5B%5D=c {json} ")),
        ("{ get: /x, query: { q: $.input.a? } }", json!({ "a": null, "list": [] }), None, format!("GET /x {json} ")),
        ("{ get: /x, query: { q: $.input.a } }", json!({ "a": {} }), None, "invalid_request: query field `q`: an object cannot be sent here; use `to_json` or name its fields".to_owned()),
        ("{ get: /x, headers: { accept: text/csv, X-B: $.input.b? } }", json!({ "b": 1 }), None, "GET /x accept=text/csv,X-B=1 ".to_owned()),
        ("{ post: /x, body: { a: $.input.a?, in: { b: $.input.b? }, l: [1, $.input.b?], n: null } }", json!({}), None, format!("POST /x {json} {{\"a\":null,\"in\":{{}},\"l\":[1],\"n\":null}}").replace("\"a\":null,", "")),
        ("{ post: /x, body: { a: 1 } }", json!({}), Some(json!({ "more": [2], "a": 3 })), format!("POST /x {json} {{\"a\":3,\"more\":[2]}}")),
        ("{ post: /x }", json!({}), Some(json!({ "more": 1 })), format!("POST /x {json} {{\"more\":1}}")),
        ("{ post: /x }", json!({}), Some(json!([1])), "invalid_request: `also_send` must be an object, not a list".to_owned()),
        ("{ put: /x, form: { a: $.input.list?, k: $.call.key } }", json!({ "list": ["p", 2] }), None, format!("PUT /x {json} [(\"a\", \"p\"), (\"a\", \"2\"), (\"k\", \"k\")]")),
        ("{ post: /x, body: { rows: { each: $.input.list?, give: { v: $.item, k: $.input.a? } } } }", json!({ "list": [1, 2], "a": "z" }), None, format!("POST /x {json} {{\"rows\":[{{\"v\":1,\"k\":\"z\"}},{{\"v\":2,\"k\":\"z\"}}]}}")),
        ("{ post: /x, body: { rows: { each: $.input.list?, give: { v: $.item } } } }", json!({}), None, format!("POST /x {json} {{}}")),
        ("{ post: /x, csv: { columns: [a, b], rows: $.input.list } }", json!({ "list": [{ "b": "x,y", "a": 1 }] }), None, format!("POST /x {json} text/csv; charset=utf-8: a,b\n1,\"x,y\"\n")),
        ("{ post: /x, graphql: { query: 'query q { q }', variables: { a: $.input.a? } } }", json!({ "a": 1 }), None, format!("POST /x {json} {{\"query\":\"query q {{ q }}\",\"variables\":{{\"a\":1}}}}")),
        ("{ post: /x, raw: { content_type: text/xml, text: '<a>{{input.a}}</a>' } }", json!({ "a": 5 }), None, format!("POST /x {json} text/xml: <a>5</a>")),
        ("{ method: $.input.a, path: $.input.b }", json!({ "a": "patch", "b": "y/z?w=1" }), None, format!("PATCH /y/z?w=1 {json} ")),
        ("{ method: GET, path: $.input.b }", json!({ "b": "https://evil.example/" }), None, "foreign_host: `evil.example` is not the connection's host".to_owned()),
        ("{ method: GET, path: $.input.b }", json!({ "b": "https://api.example.com/v1/ok" }), None, format!("GET /ok {json} ")),
    ];
    for (request, input, also_send, expected) in cases {
        assert_eq!(planned(request, input, also_send), expected, "{request}");
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
