//! What a vendor sends back of the sign-in goes no further.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::bench::{Bench, call};
use super::server::{Answer, Seen, Server};
use crate::interpret::Called;
use crate::step::Performed;

const TOP: &str = r#"
title: Vendor
connection: { base_url: string, key: { type: string, secret: true } }
base_url: "{{connection.base_url}}"
"#;

const ACTIONS: &str = r#"
actions:
  look:
    title: Look
    effect: read
    request: { get: /look }
    output: { id: integer, heard: string? }
  list:
    title: List
    effect: read
    request: { get: /list }
    pages: { by: next_url, next: $.reply.body.next? }
    items: $.reply.body.items
    output: { id: integer }
"#;

const OAUTH2: &str = r#"
sign_in:
  oauth2:
    grant: refresh_token
    token: /token
    send: basic
    client_id: me
    client_secret: "{{connection.key}}"
    refresh_token: "{{connection.key}}"
"#;

async fn bench(sign_in: &str, server: &Server) -> Bench {
    let connections = format!(
        "connections: {{ vendor: {{ base_url: '{}', key: {{ env: LONG_KEY }}, \
         allow_private: true }} }}",
        server.url
    );
    let connector = format!("{TOP}{sign_in}{ACTIONS}");
    let ledger = std::sync::Arc::new(super::super::Forgetful::default());
    Bench::with(&connector, &connections, ledger).await
}

/// Sends back the whole head of the request, in the field that the output takes and beside it.
fn echo(seen: &Seen, status: u16) -> Answer {
    let said = seen.head.lines().find(|line| line.starts_with("auth"));
    let body = json!({ "id": 1, "heard": said, "beside": { "also": [said] }, "error": said });
    Answer::Reply(status, "", body.to_string())
}

async fn ended(bench: &Bench) -> Called {
    let mut call = call("look", json!({}));
    call.action.keeps_raw = true;
    match bench.outbound.perform(&call).await {
        Performed::Ended(called) => called,
        later => panic!("{later:?}"),
    }
}

fn output(called: Called) -> Value {
    match called {
        Called::Done { output } => output,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn basic_credentials_are_taken_out_of_outputs_and_raw() {
    let server = Server::start(|seen, _| echo(seen, 200)).await;
    let basic = "sign_in: { basic: { username: me, password: '{{connection.key}}' } }\n";
    let output = output(ended(&bench(basic, &server).await).await);
    assert_eq!(output["heard"], "authorization: Basic ***");
    assert_eq!(
        output["raw"]["beside"]["also"][0],
        "authorization: Basic ***"
    );
    assert_eq!(output["id"], 1);
}

#[tokio::test]
async fn tokens_are_taken_out_of_outputs_and_failures() {
    let server = Server::start(|seen, before| match (&*seen.line, before) {
        ("POST /token", _) => {
            let tokens = r#"{"access_token":"access-token-1","refresh_token":"refresh-token-2"}"#;
            Answer::Reply(200, "", tokens.to_owned())
        }
        (_, 1) => echo(seen, 200),
        (_, 2) => echo(seen, 422),
        _ => {
            let body = json!({ "error": "no access-token-1, no refresh-token-2" });
            Answer::Reply(422, "", body.to_string())
        }
    })
    .await;
    let bench = bench(OAUTH2, &server).await;
    let first = output(ended(&bench).await);
    assert_eq!(first["heard"], "authorization: Bearer ***");
    let second = format!("{:?}", ended(&bench).await);
    assert!(second.contains("Bearer ***"), "{second}");
    assert!(!second.contains("access-token-1"), "{second}");
    assert_eq!(server.lines(), ["POST /token", "GET /look", "GET /look"]);
}

#[tokio::test]
async fn a_refused_sign_in_tells_nothing_of_what_it_was_signed_with() {
    let server = Server::start(|seen, _| {
        let said = seen.head.lines().find(|line| line.starts_with("auth"));
        let body = json!({ "error": format!("{said:?} {}", seen.body) });
        Answer::Reply(400, "", body.to_string())
    })
    .await;
    let bench = bench(OAUTH2, &server).await;
    // The second is told what the first was told, without asking again.
    for _ in 0..2 {
        let told = format!("{:?}", ended(&bench).await);
        assert!(told.contains("Basic ***"), "{told}");
        assert!(told.contains("refresh_token=***"), "{told}");
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_key_in_the_address_of_the_next_page_is_masked_and_sent_anew() {
    let server = Server::start(|seen, before| {
        let next = format!("{}&page=2", seen.line.trim_start_matches("GET "));
        let next = (before == 0).then_some(next);
        Answer::Reply(200, "", json!({ "items": [], "next": next }).to_string())
    })
    .await;
    let query = "sign_in: { query: { api_key: '{{connection.key}}' } }\n";
    let bench = bench(query, &server).await;
    let first = output(bench.ended("list", json!({})).await);
    let next = first["next"].to_string();
    assert!(next.contains("api_key=***&page=2"), "{next}");
    let mut second = call("list", json!({}));
    second.cursor = Some(first["next"].clone());
    bench.outbound.perform(&second).await;
    assert_eq!(
        server.lines(),
        [
            "GET /list?api_key=long+s3cr3t%2Fkey",
            "GET /list?page=2&api_key=long+s3cr3t%2Fkey"
        ]
    );
}

#[tokio::test]
async fn a_secret_is_found_however_the_vendor_spells_it() {
    let server = Server::start(|_, before| {
        let spelt = [
            "LONG S3CR3T/KEY".to_owned(),
            "long%20s3cr3t%2Fkey".to_owned(),
            BASE64_STANDARD.encode("you said long s3cr3t/key, did you?"),
        ];
        let said = json!({ "id": 1, "heard": spelt.join(" "), "error": spelt });
        Answer::Reply(if before == 0 { 200 } else { 422 }, "", said.to_string())
    })
    .await;
    let basic = "sign_in: { basic: { username: me, password: '{{connection.key}}' } }\n";
    let bench = bench(basic, &server).await;
    for told in [
        output(ended(&bench).await).to_string(),
        format!("{:?}", ended(&bench).await),
    ] {
        assert!(told.contains("***"), "{told}");
        let small = told.to_lowercase();
        assert!(!small.contains("s3cr3t"), "{told}");
        // A piece of the word in base64, from the middle of a longer text.
        assert!(!told.contains("M2NyM3Qva2"), "{told}");
    }
}
