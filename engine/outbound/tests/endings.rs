//! How a call ends, by what the vendor does and what the action may suffer.

use std::time::Duration;

use serde_json::json;

use super::bench::{Bench, HEADER, call, shown};
use super::server::{Answer, Server};
use crate::interpret::{Called, Verified};
use crate::step::{Asked, Performed};

const ACTIONS: &str = r#"
actions:
  look:
    title: Look
    effect: read
    input: { id: integer, filter: string?, tags: "[string]?" }
    request:
      get: "/things/{{input.id}}/{{default input.filter? 'all'}}"
      query: { "tag[]": $.input.tags?, filter: $.input.filter? }
    output: { id: integer, is_on: { type: boolean?, from: $.item.on? }, at: datetime? }
  create:
    title: Create
    effect: once
    input: { name: string, note: string?, labels: "[string]?" }
    request:
      post: /things
      body:
        name: $.input.name
        note: $.input.note?
        key: $.call.key
        labels: { each: $.input.labels?, give: { text: $.item } }
    replies:
      - { status: 503, verdict: retry, not_applied: true }
    output: { id: integer }
    verify:
      action: find
      with: { name: $.input.name }
      pick: { $.item.name: { equals: $.input.name } }
      output: { id: $.verify.picked.id }
  put:
    title: Put
    effect: repeatable
    input: { name: string }
    request: { put: "/things/{{input.name}}", form: { name: $.input.name } }
    output: { id: integer }
  find:
    title: Find
    effect: read
    input: { name: string }
    request: { get: /find, query: { name: $.input.name } }
    pages: { by: page_number, send: query.page, more: $.reply.body.more }
    items: $.reply.body.items
    output: { id: integer, name: string }
  maybe:
    title: Maybe
    effect: read
    request: { get: /maybe }
    replies: [{ status: 404, verdict: absent }]
    output: { id: integer }
"#;

async fn bench(url: &str) -> Bench {
    Bench::new(&format!("{HEADER}{ACTIONS}"), url).await
}

#[tokio::test]
async fn a_request_holds_what_was_said_and_nothing_else() {
    let server = Server::always(
        200,
        r#"{"id":"7","on":"1","at":"2026-03-01 09:00:00","more":"ignored"}"#,
    )
    .await;
    let bench = bench(&server.url).await;
    let called = bench
        .ended(
            "look",
            json!({ "id": 7, "filter": "a/b c", "tags": ["x", "y"] }),
        )
        .await;
    assert_eq!(
        shown(&called),
        r#"done {"id":7,"is_on":true,"at":"2026-03-01T09:00:00Z"}"#
    );
    bench
        .ended("create", json!({ "name": "n", "labels": ["a", "b"] }))
        .await;
    let seen = server.seen();
    assert_eq!(
        seen[0].line,
        "GET /things/7/a%2Fb%20c?tag%5B%5D=x&tag%5B%5D=y&filter=a%2Fb+c"
    );
    assert!(
        seen[0].head.contains("authorization: Key s3cr3t"),
        "{}",
        seen[0].head
    );
    assert_eq!(
        seen[1].body,
        r#"{"name":"n","key":"key-1","labels":[{"text":"a"},{"text":"b"}]}"#
    );
}

/// What the vendor answers: a name, status, headers and body; and how a read, a once and a
/// repeatable call end then. Status 0 closes the connection, 1 breaks the reply off.
type Ending = (
    &'static str,
    u16,
    &'static str,
    &'static str,
    [&'static str; 3],
);

const LOST: [&str; 3] = [
    "retry connection_lost 0s",
    "doubtful connection_lost",
    "retry connection_lost 0s",
];
const UNREADABLE: [&str; 3] = [
    "retry unexpected_reply 0s",
    "doubtful unexpected_reply",
    "retry unexpected_reply 0s",
];
const UNFIT: [&str; 3] = [
    "failed unexpected_reply",
    "doubtful unexpected_reply",
    "failed unexpected_reply",
];
const BROKEN: [&str; 3] = [
    "retry vendor_error 0s",
    "doubtful vendor_error",
    "retry vendor_error 0s",
];

const ENDINGS: [Ending; 13] = [
    ("closes", 0, "", "", LOST),
    ("breaks off", 1, "", "", LOST),
    ("is no JSON", 200, "", r#"{"id": 1"#, UNREADABLE),
    ("does not fit", 200, "", r#"{"id": "one"}"#, UNFIT),
    ("lacks the field", 200, "", "{}", UNFIT),
    ("fails", 500, "", "{}", BROKEN),
    (
        "fails before it began",
        503,
        "",
        "{}",
        ["retry vendor_error 0s"; 3],
    ),
    (
        "is busy",
        429,
        "Retry-After: 7\r\n",
        "{}",
        ["retry too_many_requests 7s"; 3],
    ),
    (
        "is vague",
        429,
        "Retry-After: soon\r\n",
        "{}",
        ["retry too_many_requests 0s"; 3],
    ),
    ("refuses", 422, "", "{}", ["failed invalid"; 3]),
    ("knows it not", 404, "", "{}", ["failed not_found"; 3]),
    (
        "redirects",
        302,
        "Location: /\r\n",
        "",
        ["failed refused"; 3],
    ),
    ("knows us not", 401, "", "{}", ["failed sign_in_failed"; 3]),
];

#[tokio::test]
async fn each_end_is_told_as_what_it_is() {
    let calls = [
        ("look", json!({ "id": 1 })),
        ("create", json!({ "name": "n" })),
        ("put", json!({ "name": "n" })),
    ];
    for (name, status, headers, body, expected) in ENDINGS {
        let server = Server::start(move |_, _| match status {
            0 => Answer::Close,
            1 => Answer::Truncated,
            _ => Answer::Reply(status, headers, body.to_owned()),
        })
        .await;
        for ((action, input), expected) in calls.iter().zip(expected) {
            // A bench of its own, since a busy vendor holds up the whole connection.
            let called = bench(&server.url).await.ended(action, input.clone()).await;
            assert_eq!(shown(&called), expected, "{name}: {action}");
        }
        assert_eq!(server.seen().len(), 3, "{name}");
    }
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let server = Server::start(|_, _| Answer::Silence).await;
    let bench = bench(&server.url).await;
    for (action, expected) in [
        ("create", "doubtful timed_out"),
        ("put", "retry timed_out 0s"),
    ] {
        let mut call = call(action, json!({ "name": "n" }));
        call.timeout = Some(Duration::from_millis(50));
        match bench.outbound.perform(&call).await {
            Performed::Ended(called) => assert_eq!(shown(&called), expected),
            later => panic!("{later:?}"),
        }
    }
}

#[tokio::test]
async fn what_was_never_sent_is_no_doubt() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let bench = bench(&format!("http://127.0.0.1:{port}")).await;
    let called = bench.ended("create", json!({ "name": "n" })).await;
    assert_eq!(shown(&called), "retry unreachable 0s");
}

#[tokio::test]
async fn private_addresses_are_refused_unless_allowed() {
    let server = Server::always(200, r#"{"id":1}"#).await;
    let port = server.url.rsplit(':').next().expect("a port").to_owned();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "localhost",
    ] {
        let connections = format!(
            "connections: {{ vendor: {{ base_url: 'http://{host}:{port}', key: {{ env: KEY }} }} }}"
        );
        let ledger = std::sync::Arc::new(super::super::Forgetful::default());
        let bench = Bench::with(&format!("{HEADER}{ACTIONS}"), &connections, ledger).await;
        let called = bench.ended("look", json!({ "id": 1 })).await;
        assert_eq!(shown(&called), "failed address_not_allowed", "{host}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn absence_is_an_answer() {
    let server = Server::start(|_, before| match before {
        0 => Answer::Reply(404, "", "{}".to_owned()),
        _ => Answer::Reply(200, "", r#"{"id":3}"#.to_owned()),
    })
    .await;
    let bench = bench(&server.url).await;
    assert_eq!(
        shown(&bench.ended("maybe", json!({})).await),
        r#"done {"found":false}"#
    );
    assert_eq!(
        shown(&bench.ended("maybe", json!({})).await),
        r#"done {"found":true,"id":3}"#
    );
}

#[tokio::test]
async fn a_vendors_words_are_told_without_secrets() {
    let server = Server::always(400, r#"{"errors":{"key":["s3cr3t is wrong"],"a":"b"}}"#).await;
    let bench = bench(&server.url).await;
    let Called::Failed { failure, .. } = bench.ended("look", json!({ "id": 1 })).await else {
        panic!("it cannot work");
    };
    assert_eq!(
        failure.message,
        "Vendor answered 400: key: *** is wrong; a: b"
    );
    assert_eq!(failure.status, Some(400));
    assert!(!format!("{failure:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn a_doubtful_call_is_asked_about() {
    let cases = [
        (
            r#"{"items":[{"id":1,"name":"other"}],"more":false}"#,
            "not applied",
        ),
        (
            r#"{"items":[{"id":1,"name":"n"}],"more":0}"#,
            "applied {\"id\":1}",
        ),
        (r#"{"wrong":1}"#, "unknown unexpected_reply"),
    ];
    for (body, expected) in cases {
        let server = Server::always(200, body).await;
        let bench = bench(&server.url).await;
        let verified = bench
            .outbound
            .ask(&call("create", json!({ "name": "n" })))
            .await;
        let told = match verified {
            Asked::Answered(Verified::Applied(output)) => format!("applied {output}"),
            Asked::Answered(Verified::NotApplied) => "not applied".to_owned(),
            Asked::Answered(Verified::Unknown(failure)) => format!("unknown {}", failure.code),
            Asked::Later(until) => format!("later {until}"),
        };
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn a_verification_looks_through_all_pages() {
    let server = Server::start(|seen, _| {
        let body = match seen.line.contains("page=2") {
            false => r#"{"items":[{"id":1,"name":"other"}],"more":true}"#,
            true => r#"{"items":[{"id":2,"name":"n"}],"more":false}"#,
        };
        Answer::Reply(200, "", body.to_owned())
    })
    .await;
    let bench = bench(&server.url).await;
    let verified = bench
        .outbound
        .ask(&call("create", json!({ "name": "n" })))
        .await;
    let Asked::Answered(Verified::Applied(output)) = verified else {
        panic!("{verified:?}");
    };
    assert_eq!(output, json!({ "id": 2 }));
}
