//! What the way out remembers in the store, over a restart.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::super::*;
use super::bench::{Bench, call, shown};
use super::post::{Post, sent};
use super::server::{Answer, Server};
use crate::store::Store;

const CONNECTOR: &str = r#"
title: Vendor
connection: { base_url: string, key: { type: string, secret: true } }
base_url: "{{connection.base_url}}"
sign_in:
  oauth2:
    grant: refresh_token
    token: /token
    send: form
    client_id: me
    client_secret: "{{connection.key}}"
    refresh_token: first
budget: [{ calls: 4, per: 10s }]
actions:
  look: { title: Look, effect: read, request: { get: /look }, output: {} }
  alone:
    { title: Alone, effect: read, exclusive: tree, request: { get: /alone }, output: {} }
"#;

/// Gives rotating tokens, is silent when asked for `alone`, else answers.
async fn vendor() -> Server {
    Server::start(|seen, before| match &*seen.line {
        "POST /token" => Answer::Reply(
            200,
            "",
            json!({ "access_token": "a", "refresh_token": format!("rotated{before}") }).to_string(),
        ),
        "GET /alone" => Answer::Silence,
        _ => Answer::Reply(200, "", "{}".to_owned()),
    })
    .await
}

/// A process: its way out over the store in this file.
async fn process(path: &Path, server: &Server, post: u16) -> (Bench, Arc<Store>) {
    let connections = format!(
        "connections: {{ vendor: {{ base_url: '{}', key: {{ env: KEY }}, allow_private: true }}, \
         mail: {{ host: 127.0.0.1, port: {post}, encryption: none, from: 'a@example.com', \
         allow_private: true }} }}",
        server.url
    );
    let store = Arc::new(Store::open(path).await.expect("a store"));
    let bench = Bench::with(CONNECTOR, &connections, store.clone()).await;
    (bench, store)
}

/// Sends the notice and says what came of it.
async fn notice(bench: &Bench, key: &str) -> String {
    let input =
        json!({ "to": "b@example.com", "subject": "s", "text": "t", "once": { "key": "k" } });
    sent(bench, key, input).await.0
}

#[tokio::test]
async fn budgets_holds_tokens_and_notices_outlive_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("recipes.db");
    let server = vendor().await;
    let post = Post::open().await;
    let (before, store) = process(&path, &server, post.sandbox.smtp_port).await;
    assert_eq!(shown(&before.ended("look", json!({})).await), "done {}");
    assert_eq!(notice(&before, "one").await, r#"done {"sent":true}"#);
    {
        let call = call("alone", json!({}));
        let mut performing = std::pin::pin!(before.outbound.perform(&call));
        while server.seen().len() < 3 {
            assert!(futures_util::poll!(&mut performing).is_pending());
            tokio::task::yield_now().await;
        }
    }
    drop(before);
    store.close().await;

    let (after, _store) = process(&path, &server, post.sandbox.smtp_port).await;
    let start = after.clock.now();
    assert_eq!(notice(&after, "two").await, r#"done {"sent":false}"#);
    // The call that sent it is resumed without having heard of that.
    assert_eq!(notice(&after, "one").await, r#"done {"sent":true}"#);
    assert_eq!(post.mails().len(), 1);
    // One token request and two calls were made; the token was only kept in memory.
    match after.call("look", json!({})).await {
        Performed::Later(until) => assert_eq!(until.since(start), Duration::from_secs(10)),
        ended => panic!("{ended:?}"),
    }
    assert_eq!(server.seen()[3].line, "POST /token");
    assert!(server.seen()[3].body.contains("refresh_token=rotated0"));
    after.clock.advance(Duration::from_secs(10));
    match after.call("alone", json!({})).await {
        Performed::Later(until) => assert_eq!(until.since(start), Duration::from_secs(22)),
        ended => panic!("{ended:?}"),
    }
    assert_eq!(shown(&after.ended("look", json!({})).await), "done {}");
}
