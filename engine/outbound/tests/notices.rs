//! Notices: one mail for a problem, however many meet it, and however sending goes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::super::*;
use super::bench::{Bench, shown};
use super::post::{Post, performed, sent};
use crate::store::{NoticeClaim, Store};

/// How many elements meet the problem, and of how many we look on.
const MANY: usize = 20_000;
const FEW: usize = 500;

fn alert(key: &str, to: &str) -> Value {
    json!({ "to": to, "subject": "s", "text": "t", "once": { "key": key, "within": "1h" } })
}

async fn tell(bench: &Bench, call: &str) -> String {
    sent(bench, call, alert("k", "a@example.com")).await.0
}

#[tokio::test]
async fn twenty_thousand_at_once_are_one_mail_and_one_more_when_its_time_is_up() {
    let post = Post::open().await;
    let bench = post
        .bench(&post.plain(""), Arc::new(Forgetful::default()))
        .await;
    for (round, count) in [(1, MANY), (2, FEW)] {
        let names: Vec<String> = (0..count).map(|index| format!("{round}-{index}")).collect();
        let asked = names
            .iter()
            .map(|name| performed(&bench, name, alert("k", "a@example.com")));
        let mut sent = 0;
        let mut later = Vec::new();
        for (name, ended) in names.iter().zip(join_all(asked).await) {
            match ended {
                Performed::Ended(called) => {
                    assert_eq!(shown(&called), r#"done {"sent":true}"#);
                    sent += 1;
                }
                Performed::Later(_) => later.push(name),
            }
        }
        assert_eq!(sent, 1);
        for name in later.into_iter().take(FEW) {
            assert_eq!(tell(&bench, name).await, r#"done {"sent":false}"#);
        }
        assert_eq!(post.mails().len(), round);
        bench.clock.advance(Duration::from_secs(3_600));
    }
}

#[tokio::test]
async fn one_after_the_other_over_a_store_are_one_mail() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("recipes.db")).await;
    let store = Arc::new(store.expect("a store"));
    let post = Post::open().await;
    let bench = post.bench(&post.plain(""), store).await;
    let mut ends = Vec::new();
    for call in 0..FEW {
        ends.push(tell(&bench, &call.to_string()).await);
    }
    assert_eq!(ends[0], r#"done {"sent":true}"#);
    assert!(ends[1..].iter().all(|end| end == r#"done {"sent":false}"#));
    assert_eq!(post.mails().len(), 1);
}

#[tokio::test]
async fn another_problem_and_other_people_are_another_mail() {
    let post = Post::open().await;
    let bench = post
        .bench(&post.plain(""), Arc::new(Forgetful::default()))
        .await;
    let cases = [
        ("k", "a@example.com", true),
        ("k", " A@Example.com", false),
        ("other", "a@example.com", true),
        // The address was wrong, and is mended.
        ("k", "b@example.com", true),
        ("k", "b@example.com", false),
    ];
    for (index, (key, to, is_sent)) in cases.into_iter().enumerate() {
        let (ended, why) = sent(&bench, &index.to_string(), alert(key, to)).await;
        let expected = json!({ "sent": is_sent });
        assert_eq!(ended, format!("done {expected}"), "{key} {to}: {why}");
    }
    assert_eq!(post.mails().len(), 3);
}

#[tokio::test]
async fn a_notice_that_cannot_be_sent_is_tried_by_one_and_nobody_waits_long() {
    let post = Post::open().await;
    let bench = post
        .bench(&post.plain(""), Arc::new(Forgetful::default()))
        .await;
    let waits = async |call: &str| {
        let performed = performed(&bench, call, alert("k", "a@example.com")).await;
        assert!(matches!(performed, Performed::Later(_)), "{performed:?}");
    };
    post.refuse("DATA", 451).await;
    assert_eq!(tell(&bench, "first").await, "retry mail_failed 0s");
    waits("second").await;
    // Whoever tried first goes on trying; after a minute the others go on without the notice.
    bench.clock.advance(Duration::from_secs(59));
    post.refuse("DATA", 451).await;
    assert_eq!(tell(&bench, "first").await, "retry mail_failed 0s");
    waits("second").await;
    bench.clock.advance(Duration::from_secs(1));
    let (ended, why) = sent(&bench, "second", alert("k", "a@example.com")).await;
    assert_eq!(ended, "failed notice_failed_before");
    assert!(
        why.contains("451 4.3.0") && why.contains("10:05:59"),
        "{why}"
    );
    assert_eq!(tell(&bench, "first").await, r#"done {"sent":true}"#);
    assert_eq!(tell(&bench, "second").await, r#"done {"sent":false}"#);
    assert_eq!(post.mails().len(), 1);
}

#[tokio::test]
async fn what_is_refused_for_good_is_told_to_all_at_once() {
    let post = Post::open().await;
    let bench = post
        .bench(&post.plain(""), Arc::new(Forgetful::default()))
        .await;
    post.refuse("RCPT", 550).await;
    assert_eq!(tell(&bench, "first").await, "failed recipient_refused");
    assert_eq!(tell(&bench, "second").await, "failed notice_failed_before");
    // After a while the next one tries, and at once if connections are changed.
    bench.clock.advance(Duration::from_secs(300));
    post.refuse("RCPT", 550).await;
    assert_eq!(tell(&bench, "second").await, "failed recipient_refused");
    assert_eq!(tell(&bench, "third").await, "failed notice_failed_before");
    let accounts = Accounts::clone(&bench.outbound.accounts());
    bench.outbound.replace(accounts, || ());
    assert_eq!(tell(&bench, "third").await, r#"done {"sent":true}"#);
    assert_eq!(post.mails().len(), 1);
    // A mail that cannot even be written keeps nobody waiting either.
    let (ended, _) = sent(&bench, "sixth", alert("k", "no address")).await;
    assert_eq!(ended, "failed invalid_request");
    let (ended, _) = sent(&bench, "seventh", alert("k", "no address")).await;
    assert_eq!(ended, "failed notice_failed_before");
}

#[tokio::test]
async fn an_unclear_end_is_cleared_up_by_the_same_call_alone() {
    let post = Post::open().await;
    let ledger: Arc<dyn Ledger> = Arc::new(Forgetful::default());
    let bench = post.bench(&post.plain(""), Arc::clone(&ledger)).await;
    post.fault("DOT", json!("reset_after")).await;
    assert_eq!(tell(&bench, "first").await, "retry connection_lost 0s");
    let waits = performed(&bench, "second", alert("k", "a@example.com")).await;
    assert!(matches!(waits, Performed::Later(_)), "{waits:?}");
    // Another process, too, leaves it to the call that began it.
    let other = post.bench(&post.plain(""), ledger).await;
    let waits = performed(&other, "third", alert("k", "a@example.com")).await;
    assert!(matches!(waits, Performed::Later(_)), "{waits:?}");
    assert_eq!(tell(&other, "first").await, r#"done {"sent":true}"#);
    assert_eq!(tell(&other, "third").await, r#"done {"sent":false}"#);
    // The server has it twice, as the same mail.
    let mails = post.mails();
    let ids: BTreeSet<&str> = mails.iter().map(|mail| &*mail.message_id).collect();
    assert_eq!((mails.len(), ids.len()), (2, 1));
}

#[tokio::test]
async fn a_notice_waits_for_the_same_one_of_another_job() {
    let post = Post::open().await;
    let ledger = Arc::new(Forgetful::default());
    let away = post.bench(&post.plain(""), ledger.clone()).await;
    let until = away.clock.now().after(Duration::from_secs(90));
    let bench = post.bench(&post.plain(""), ledger.clone()).await;
    assert_eq!(tell(&away, "gone").await, r#"done {"sent":true}"#);
    let mail = &post.mails()[0];
    assert_eq!(mail.message_id, "<gone@example.com>");
    assert_eq!(tell(&bench, "one").await, r#"done {"sent":false}"#);

    // Whoever claims one and is gone without a word: then it is sent after all.
    let key = crate::data::digest(b"other\na@example.com");
    let now = bench.clock.now();
    let claimed = ledger.claim_notice(key, "lost".into(), now, until).await;
    assert_eq!(claimed, Ok(NoticeClaim::Granted));
    match performed(&bench, "two", alert("other", "a@example.com")).await {
        Performed::Later(again) => assert!(again > now && again < until),
        ended => panic!("{ended:?}"),
    }
    bench.clock.set(until);
    let (ended, _) = sent(&bench, "two", alert("other", "a@example.com")).await;
    assert_eq!(ended, r#"done {"sent":true}"#);
}
