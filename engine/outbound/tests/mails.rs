//! Mails, against a server that speaks just enough SMTP.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::super::*;
use super::bench::{Bench, HEADER, call, shown};
use crate::names::{ConnectionName, ConnectorName};
use crate::store::NoticeClaim;

/// Takes mails and keeps their texts. The first one for somebody called "silent" it takes and hangs
/// up without a word.
pub(super) async fn post_office() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let kept = mails.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let _ = stream.write_all(b"220 here\r\n").await;
            let (mut mail, mut is_in_data) = (String::new(), false);
            let mut line = String::new();
            while stream
                .read_line(&mut line)
                .await
                .is_ok_and(|count| count > 0)
            {
                let said = std::mem::take(&mut line);
                let answer = if is_in_data {
                    mail.push_str(&said);
                    if said != ".\r\n" {
                        continue;
                    }
                    is_in_data = false;
                    let mail = std::mem::take(&mut mail);
                    let is_hung_up = mail.contains("silent@");
                    let mut kept = kept.lock().expect("no panic");
                    kept.push(mail);
                    if is_hung_up && kept.len() == 1 {
                        break;
                    }
                    "250 taken\r\n"
                } else if said.starts_with("DATA") {
                    is_in_data = true;
                    "354 go on\r\n"
                } else if said.contains("nobody@") {
                    "550 no such person\r\n"
                } else if said.starts_with("QUIT") {
                    "221 bye\r\n"
                } else {
                    "250 fine\r\n"
                };
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    (port, mails)
}

async fn bench(connection: &str) -> Bench {
    let connector = format!("{HEADER}actions: {{}}");
    Bench::with(&connector, connection, Arc::new(Forgetful::default())).await
}

/// A call that is to send a mail, by its key.
fn named(key: &str, input: Value) -> Call {
    let mut call = call("send", input);
    call.action.connector = ConnectorName::new("mail").expect("a name");
    call.action.connection = ConnectionName::new("mail").expect("a name");
    call.call_key = key.to_owned();
    call
}

async fn send(bench: &Bench, key: &str, input: Value) -> String {
    match bench.outbound.perform(&named(key, input)).await {
        Performed::Ended(called) => shown(&called),
        later => panic!("{later:?}"),
    }
}

#[tokio::test]
async fn mails_go_out_and_notices_once() {
    let (port, mails) = post_office().await;
    let bench = bench(&format!(
        "connections: {{ mail: {{ host: 127.0.0.1, port: {port}, encryption: none, \
         from: 'Recipes <recipes@example.com>', allow_private: true }} }}"
    ))
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
    // A repeated try of the same call is the same mail; another job's is held back.
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
    let mails = mails.lock().expect("no panic").clone();
    assert_eq!(mails.len(), 3);
    for part in [
        "Message-ID: <one@example.com>",
        "Subject: Two lines",
        "To: a@example.com, B <b@example.com>",
        "Date: Sun, 01 Mar 2026 10:00:00",
        "name  n",
        "Ann   1",
        "Hello &lt;you&gt;",
        "filename=\"list.csv\"",
        "'=1+1",
    ] {
        assert!(mails[0].contains(part), "{part} in {}", mails[0]);
    }
}

#[tokio::test]
async fn refusals_are_told() {
    let (port, _) = post_office().await;
    let allowed = format!(
        "connections: {{ mail: {{ host: 127.0.0.1, port: {port}, encryption: none, \
         from: recipes@example.com, allow_private: true }} }}"
    );
    let guarded = allowed.replace(", allow_private: true", "");
    let mail = |to: Value| json!({ "to": to, "subject": "s", "text": "t" });
    let cases = [
        (
            allowed.as_str(),
            mail(json!("nobody@example.com")),
            "failed mail_failed",
        ),
        (
            &allowed,
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
        let bench = bench(connections).await;
        assert_eq!(send(&bench, "k", input).await, expected);
    }
}

#[tokio::test]
async fn a_mail_that_was_not_sent_holds_nothing_back() {
    let (port, mails) = post_office().await;
    let connection = |port: u16| {
        format!(
            "connections: {{ mail: {{ host: 127.0.0.1, port: {port}, encryption: none, \
             from: recipes@example.com, allow_private: true }} }}"
        )
    };
    let ledger = Arc::new(Forgetful::default());
    let process = async |port| {
        let connector = format!("{HEADER}actions: {{}}");
        Bench::with(&connector, &connection(port), ledger.clone()).await
    };
    let alert = |to: &str| json!({ "to": to, "subject": "s", "text": "t", "once": { "key": "k" } });
    let good = process(port).await;
    // Nobody listens at the port 1: it may be tried again. The other one is refused for good.
    let away = process(1).await;
    assert_eq!(
        send(&away, "one", alert("a@example.com")).await,
        "retry mail_failed 0s"
    );
    assert_eq!(
        send(&good, "two", alert("nobody@example.com")).await,
        "failed mail_failed"
    );
    assert_eq!(
        send(&good, "three", alert("a@example.com")).await,
        r#"done {"sent":true}"#
    );
    // A try that fails after the mail was sent, as after a crash, takes nothing back.
    assert_eq!(
        send(&away, "three", alert("a@example.com")).await,
        "retry mail_failed 0s"
    );
    assert_eq!(
        send(&good, "one", alert("a@example.com")).await,
        r#"done {"sent":false}"#
    );
    assert_eq!(mails.lock().expect("no panic").len(), 1);
}

#[tokio::test]
async fn a_mail_that_may_have_been_sent_is_sent_by_nobody_else() {
    let (port, mails) = post_office().await;
    let bench = bench(&format!(
        "connections: {{ mail: {{ host: 127.0.0.1, port: {port}, encryption: none, \
         from: recipes@example.com, allow_private: true }} }}"
    ))
    .await;
    let alert = json!({
        "to": "silent@example.com", "subject": "s", "text": "t", "once": { "key": "k" },
    });
    assert_eq!(
        send(&bench, "one", alert.clone()).await,
        "retry mail_failed 0s"
    );
    // Another call waits for what becomes of it.
    let other = named("two", alert.clone());
    assert!(matches!(
        bench.outbound.perform(&other).await,
        Performed::Later(_)
    ));
    assert_eq!(
        send(&bench, "one", alert.clone()).await,
        r#"done {"sent":true}"#
    );
    assert_eq!(send(&bench, "two", alert).await, r#"done {"sent":false}"#);
    let mails = mails.lock().expect("no panic");
    let ids: std::collections::BTreeSet<_> = mails
        .iter()
        .filter_map(|mail| mail.lines().find(|line| line.starts_with("Message-ID")))
        .collect();
    assert_eq!((mails.len(), ids.len()), (2, 1), "{mails:?}");
}

#[tokio::test]
async fn a_mail_waits_for_the_same_mail_of_another_job() {
    let (port, _) = post_office().await;
    let ledger = Arc::new(Forgetful::default());
    let connection = format!(
        "connections: {{ mail: {{ host: 127.0.0.1, port: {port}, encryption: none, \
         from: recipes@example.com, allow_private: true }} }}"
    );
    let connector = format!("{HEADER}actions: {{}}");
    let bench = Bench::with(&connector, &connection, ledger.clone()).await;
    let now = bench.clock.now();
    let until = now.after(std::time::Duration::from_secs(90));
    let claimed = ledger.claim_notice("k".into(), "other".into(), now, until);
    assert_eq!(claimed.await, Ok(NoticeClaim::Granted));
    let mut call = call(
        "send",
        json!({ "to": "a@example.com", "subject": "s", "text": "t", "once": { "key": "k" } }),
    );
    call.action.connector = ConnectorName::new("mail").expect("a name");
    call.action.connection = ConnectionName::new("mail").expect("a name");
    match bench.outbound.perform(&call).await {
        Performed::Later(again) => assert!(again > now && again < until),
        ended => panic!("{ended:?}"),
    }
    // Whoever claimed it is gone without a word: then it is sent after all.
    bench.clock.set(until);
    match bench.outbound.perform(&call).await {
        Performed::Ended(called) => assert_eq!(shown(&called), r#"done {"sent":true}"#),
        later => panic!("{later:?}"),
    }
}
