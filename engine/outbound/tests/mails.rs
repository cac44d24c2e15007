//! What mails say, and notices that are sent once.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::*;
use super::bench::Bench;
use super::post::{Post, sent};

async fn send(bench: &Bench, key: &str, input: Value) -> String {
    sent(bench, key, input).await.0
}

#[tokio::test]
async fn mails_go_out_and_notices_once() {
    let post = Post::open().await;
    let bench = post
        .bench(&post.plain(""), Arc::new(Forgetful::default()))
        .await;
    let input = json!({
        "to": ["a@example.com", "B <b@example.com>"],
        "subject": "Two\nlines",
        "text": "Hello <you>",
        "table": [{ "name": "Ann", "n": 1 }, { "name": "=1+1", "n": 22 }],
        "attach_csv": { "name": "list", "rows": [{ "name": "=1+1" }] },
        "once": { "key": "k", "within": "1h" },
    });
    assert_eq!(
        send(&bench, "one", input.clone()).await,
        r#"done {"sent":true}"#
    );
    // A repeated try of a call that sent it sends nothing; another job's is held back.
    assert_eq!(
        send(&bench, "one", input.clone()).await,
        r#"done {"sent":true}"#
    );
    assert_eq!(
        send(&bench, "two", input.clone()).await,
        r#"done {"sent":false}"#
    );
    bench.clock.advance(std::time::Duration::from_secs(3601));
    assert_eq!(send(&bench, "two", input).await, r#"done {"sent":true}"#);
    let mails = post.mails();
    assert_eq!(mails.len(), 2);
    let mail = &mails[0];
    assert_eq!(mail.message_id, "<one@example.com>");
    assert_eq!(mail.subject, "Two lines");
    assert_eq!(mail.to, ["a@example.com", "b@example.com"]);
    assert_eq!(mail.headers["to"], "a@example.com, B <b@example.com>");
    assert!(mail.headers["date"].starts_with("Sun, 01 Mar 2026 10:00:00"));
    assert!(mail.text.contains("Hello <you>") && mail.text.contains("name  n"));
    assert!(mail.text.contains("Ann   1"), "{}", mail.text);
    let html = mail.html.as_deref().expect("the table as markup");
    assert!(html.contains("Hello &lt;you&gt;"), "{html}");
    let csv = &mail.attachments[0];
    assert_eq!(
        (csv.name.as_str(), csv.text.as_str()),
        ("list.csv", "name\n'=1+1\n")
    );
}

#[tokio::test]
async fn refusals_are_told() {
    let post = Post::open().await;
    let allowed = post.plain("");
    let guarded = allowed.replace("allow_private: true, ", "");
    let mail = |to: Value| json!({ "to": to, "subject": "s", "text": "t" });
    let cases = [
        (
            allowed.as_str(),
            mail(json!("no address")),
            "failed invalid_request",
        ),
        (&allowed, mail(json!([])), "failed invalid_request"),
        (
            &guarded,
            mail(json!("a@example.com")),
            "failed address_not_allowed",
        ),
        (
            "connections: {}",
            mail(json!("a@example.com")),
            "failed no_connection",
        ),
    ];
    for (connections, input, expected) in cases {
        assert_eq!(post.send(connections, input).await.0, expected);
    }
}
