//! Signing in: tokens, their end, and one request for many calls.

use std::time::Duration;

use serde_json::json;

use super::bench::{Bench, shown};
use super::server::{Answer, Server};
use crate::interpret::Called;

const CONNECTOR: &str = r#"
title: Vendor
connection: { base_url: string, key: { type: string, secret: true } }
base_url: "{{connection.base_url}}"
sign_in:
  oauth2:
    grant: GRANT
    token: /token
    send: SEND
    client_id: me
    client_secret: "{{connection.key}}"
    refresh_token: first
    scope: api
    refresh_before: 60s
actions:
  look: { title: Look, effect: read, request: { get: /look }, output: { id: integer } }
"#;

fn connector(grant: &str, send: &str) -> String {
    CONNECTOR.replace("GRANT", grant).replace("SEND", send)
}

/// Gives tokens t0, t1, ... and answers calls that carry the newest.
async fn vendor(lifetime: &'static str) -> Server {
    let given = std::sync::atomic::AtomicUsize::new(0);
    Server::start(move |seen, _| {
        use std::sync::atomic::Ordering::SeqCst;
        if seen.line == "POST /token" {
            let n = given.fetch_add(1, SeqCst);
            let body = format!(
                r#"{{"access_token":"t{n}","refresh_token":"r{n}","expires_in":{lifetime}}}"#
            );
            return Answer::Reply(200, "", body);
        }
        let newest = format!("Bearer t{}", given.load(SeqCst).wrapping_sub(1));
        let status = if seen.head.contains(&newest) {
            200
        } else {
            401
        };
        Answer::Reply(status, "", r#"{"id":1}"#.to_owned())
    })
    .await
}

fn tokens(server: &Server) -> usize {
    server
        .lines()
        .iter()
        .filter(|line| *line == "POST /token")
        .count()
}

#[tokio::test]
async fn many_calls_share_one_token_request() {
    let server = vendor("\"3600\"").await;
    let bench = Bench::new(&connector("client_credentials", "form"), &server.url).await;
    let calls = (0..8).map(|_| bench.ended("look", json!({})));
    for called in futures_util::future::join_all(calls).await {
        assert_eq!(shown(&called), r#"done {"id":1}"#);
    }
    assert_eq!(tokens(&server), 1);
    assert_eq!(
        server.seen()[0].body,
        "grant_type=client_credentials&client_id=me&client_secret=s3cr3t&scope=api"
    );
}

#[tokio::test]
async fn a_token_is_renewed_shortly_before_its_end() {
    let server = vendor("3600").await;
    let bench = Bench::new(&connector("client_credentials", "basic"), &server.url).await;
    bench.ended("look", json!({})).await;
    bench.clock.advance(Duration::from_secs(3539));
    bench.ended("look", json!({})).await;
    assert_eq!(tokens(&server), 1);
    bench.clock.advance(Duration::from_secs(2));
    bench.ended("look", json!({})).await;
    assert_eq!(tokens(&server), 2);
    // "me:s3cr3t"
    assert!(
        server.seen()[0]
            .head
            .contains("authorization: Basic bWU6czNjcjN0")
    );
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = Server::start(|seen, _| match seen.line.as_str() {
        "POST /token" => Answer::Reply(200, "", r#"{"access_token":"t"}"#.to_owned()),
        _ => Answer::Reply(401, "", "{}".to_owned()),
    })
    .await;
    let bench = Bench::new(&connector("client_credentials", "json"), &server.url).await;
    let called = bench.ended("look", json!({})).await;
    assert_eq!(shown(&called), "failed sign_in_failed");
    assert_eq!(
        server.lines(),
        ["POST /token", "GET /look", "POST /token", "GET /look"]
    );
}

#[tokio::test]
async fn a_rotated_refresh_token_is_the_one_sent_next() {
    let server = vendor("100").await;
    let bench = Bench::new(&connector("refresh_token", "form"), &server.url).await;
    bench.ended("look", json!({})).await;
    bench.clock.advance(Duration::from_secs(200));
    bench.ended("look", json!({})).await;
    let bodies: Vec<String> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert!(bodies[0].contains("refresh_token=first"), "{}", bodies[0]);
    assert!(bodies[2].contains("refresh_token=r0"), "{}", bodies[2]);
}

#[tokio::test]
async fn a_web_page_is_no_token() {
    let server = Server::start(|_, _| {
        Answer::Reply(
            200,
            "Content-Type: text/html\r\n",
            "<html>s3cr3t</html>".to_owned(),
        )
    })
    .await;
    let bench = Bench::new(&connector("client_credentials", "form"), &server.url).await;
    let Called::Failed { failure, retry } = bench.ended("look", json!({})).await else {
        panic!("it cannot work");
    };
    assert_eq!(retry, None);
    assert_eq!(
        failure.message,
        "signing in to Vendor failed: the token request was answered 200 with a web page instead \
         of JSON; is the address right?"
    );
}

#[tokio::test]
async fn a_refused_sign_in_is_not_hammered() {
    let server = Server::always(400, r#"{"error":"invalid_client"}"#).await;
    let bench = Bench::new(&connector("client_credentials", "form"), &server.url).await;
    for _ in 0..5 {
        let called = bench.ended("look", json!({})).await;
        assert_eq!(shown(&called), "failed sign_in_failed");
    }
    assert_eq!(tokens(&server), 1);
    bench.clock.advance(Duration::from_secs(11));
    bench.ended("look", json!({})).await;
    assert_eq!(tokens(&server), 2);
}
