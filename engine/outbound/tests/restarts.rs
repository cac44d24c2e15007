//! What crashes cost, and what vendors say of their own budgets.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::super::*;
use super::bench::{Bench, HEADER, shown};
use super::limits::{Kept, connections, told};
use super::server::{Answer, Server};

const ACTIONS: &str = r#"
budget: [{ calls: 100, per: 1h }]
allowance: { remaining: "$.reply.headers['x-left']", resets: "$.reply.headers['x-resets']" }
actions:
  look: { title: Look, effect: read, request: { get: /look }, output: {} }
  alone:
    { title: Alone, effect: read, exclusive: tree, request: { get: /alone }, output: {} }
"#;

/// The next process on the same ledger.
async fn process(server: &Server, ledger: &Arc<Kept>) -> Bench {
    let connector = format!("{HEADER}{ACTIONS}");
    Bench::with(&connector, &connections(&server.url), ledger.clone()).await
}

#[tokio::test]
async fn a_crash_spends_a_call_and_no_share_of_the_budget() {
    let server = Server::always(200, "{}").await;
    let ledger = Arc::new(Kept::default());
    for _ in 0..40 {
        let bench = process(&server, &ledger).await;
        assert_eq!(shown(&bench.ended("look", json!({})).await), "done {}");
    }
    let bench = process(&server, &ledger).await;
    let mut count = 0;
    while let Performed::Ended(_) = bench.call("look", json!({})).await {
        count += 1;
    }
    assert_eq!(count, 60, "of 100 calls 40 were made");
}

#[tokio::test]
async fn a_vendor_is_left_alone_after_a_restart_too() {
    let server =
        Server::start(|_, _| Answer::Reply(503, "Retry-After: 30\r\n", "{}".to_owned())).await;
    let ledger = Arc::new(Kept::default());
    let before = process(&server, &ledger).await;
    let start = before.clock.now();
    let first = before.call("look", json!({})).await;
    assert_eq!(told(&first, start), "retry vendor_error 30s");
    let after = process(&server, &ledger).await;
    assert_eq!(told(&after.call("alone", json!({})).await, start), "in 30s");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn what_the_vendor_says_is_left_counts() {
    for (resets, expected) in [
        ("X-Resets: 30\r\n", "in 30s"),
        ("X-Resets: 1772359230\r\n", "in 30s"),
        ("X-Resets: 2026-03-01T10:00:30Z\r\n", "in 30s"),
        ("X-Resets: Sun, 01 Mar 2026 10:00:30 GMT\r\n", "in 30s"),
        // A year is cut to a day; nonsense is passed over.
        ("X-Resets: 31536000\r\n", "in 86400s"),
        ("X-Resets: whenever\r\n", "done {}"),
        ("X-Resets: -5\r\n", "done {}"),
    ] {
        let headers: &'static str = Box::leak(format!("X-Left: 1\r\n{resets}").into_boxed_str());
        let server = Server::start(move |_, before| match before {
            0 => Answer::Reply(200, headers, "{}".to_owned()),
            _ => Answer::Reply(200, "", "{}".to_owned()),
        })
        .await;
        let bench = process(&server, &Arc::default()).await;
        let start = bench.clock.now();
        for wanted in ["done {}", "done {}", expected] {
            let called = bench.call("look", json!({})).await;
            assert_eq!(told(&called, start), wanted, "{resets}");
        }
    }
}

#[tokio::test]
async fn a_group_stays_taken_when_its_call_broke_off() {
    let server = Server::start(|_, before| match before {
        0 => Answer::Close,
        _ => Answer::Reply(200, "", "{}".to_owned()),
    })
    .await;
    let bench = process(&server, &Arc::default()).await;
    let start = bench.clock.now();
    let first = bench.call("alone", json!({})).await;
    assert_eq!(told(&first, start), "retry connection_lost 0s");
    assert_eq!(told(&bench.call("alone", json!({})).await, start), "in 22s");
    bench.clock.advance(Duration::from_secs(22));
    let again = bench.call("alone", json!({})).await;
    assert_eq!(told(&again, start), "done {}");
}
