//! SMTP as RFC 5321 has it: commands and their order, lines, dots; faults; what a mail says.

use serde_json::json;

use super::wire::Talk;
use crate::harness::{Rig, reply};

#[tokio::test]
async fn a_mail_is_taken_and_shown() {
    let rig = Rig::start().await;
    let mut talk = Talk::begin(&rig).await;
    let hello = talk.say("ehlo test.example").await;
    let lines = [
        "250-mail.sandbox greets test.example",
        "250-SIZE 26214400",
        "250-8BITMIME",
        "250-PIPELINING",
        "250-ENHANCEDSTATUSCODES",
        "250-STARTTLS",
        "250 AUTH PLAIN LOGIN",
    ];
    assert_eq!(hello, lines.join("\r\n"));
    let from = "mail from:<recipes@example.com> SIZE=100 BODY=8BITMIME";
    assert_eq!(talk.say(from).await, "250 2.1.0 sender noted");
    assert_eq!(talk.code("RCPT TO:<ada@example.com>").await, 250);
    assert_eq!(
        talk.code("rcpt to:<@relay.example:\"b > c\"@[127.0.0.1]>")
            .await,
        250
    );
    assert_eq!(talk.code("DATA").await, 354);
    talk.put("Subject: =?utf-8?B?w4Q=?= =?utf-8?Q?_B=C3=A9?=\r\n and more\r\n")
        .await;
    talk.put("Message-ID: <1@x>\r\n\r\nHello\r\n..dot\r\n..\r\nÜ\r\n")
        .await;
    assert_eq!(talk.say(".").await, "250 2.0.0 taken as 1");
    assert_eq!(talk.code("QUIT").await, 221);
    assert_eq!(talk.rest().await.unwrap(), "");

    let mails = rig.sandbox.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail.from, "recipes@example.com");
    assert_eq!(mail.to, ["ada@example.com", "\"b > c\"@[127.0.0.1]"]);
    assert_eq!(mail.subject, "Ä Bé and more");
    assert_eq!(mail.text, "Hello\n.dot\n.\nÜ");
    assert_eq!(
        (mail.message_id.as_str(), mail.client.as_str()),
        ("<1@x>", "test.example")
    );
    let url = &rig.sandbox.mail_url;
    let shown = rig
        .look(
            url,
            "mails?to=ADA@example.com&subject=more&at_least=1&wait_ms=1",
        )
        .await;
    assert_eq!(
        (&shown["count"], &shown["items"][0]["tls"]),
        (&json!(1), &json!("none"))
    );
    assert_eq!(shown["items"][0]["user"], json!(null));
    assert_eq!(rig.look(url, "mails?to=else@example.com").await["count"], 0);
    let seen = rig.look(url, "requests?method=RCPT&path=/ada@*").await;
    assert_eq!(
        (&seen["count"], &seen["items"][0]["status"]),
        (&json!(1), &json!(250))
    );
    let forget = rig.client.delete(format!("{url}/_control/mails"));
    assert_eq!(reply(forget).await.0, 200);
    assert!(rig.sandbox.mails().is_empty());
}

#[tokio::test]
async fn commands_have_their_order_and_form() {
    let rig = Rig::start().await;
    let mut talk = Talk::begin(&rig).await;
    let steps = [
        ("MAIL FROM:<a@example.com>", 503),
        ("NOOP", 250),
        ("RSET", 250),
        ("HELP", 214),
        ("VRFY ada", 252),
        ("EXPN all", 502),
        ("BDAT 10 LAST", 502),
        ("STARTLTS", 500),
        ("", 500),
        ("EHLO", 501),
        ("EHLO two words", 501),
        ("EHLO [127.0.0.1]", 250),
        ("RCPT TO:<a@example.com>", 503),
        ("DATA", 503),
        ("MAIL FROM: a@example.com", 501),
        ("MAIL TO:<a@example.com>", 501),
        ("MAIL FROM:<a@example.com", 501),
        ("MAIL FROM:<a@example.com>SIZE=1", 501),
        ("MAIL FROM:<a@example.com> SIZE=x", 501),
        ("MAIL FROM:<a@example.com> SIZE=26214401", 552),
        ("MAIL FROM:<a@example.com> RET=FULL", 555),
        ("MAIL FROM:<no address>", 553),
        ("MAIL FROM:<ü@example.com>", 553),
        ("MAIL FROM:<a..b@example.com>", 553),
        ("MAIL FROM:<>", 250),
        ("MAIL FROM:<a@example.com>", 503),
        ("DATA", 503),
        ("RCPT TO:<>", 553),
        ("RCPT TO:<a@exa_mple.com>", 553),
        ("RCPT TO:<a@example.com> NOTIFY=NEVER", 555),
        ("RCPT TO:<Postmaster>", 250),
        ("DATA now", 501),
        ("RSET", 250),
        ("DATA", 503),
        ("MAIL FROM:<a@example.com>", 250),
        ("RCPT TO:<b@example.com>", 250),
        ("HELO again.example", 250),
        ("DATA", 503),
        ("QUIT", 221),
    ];
    for (line, code) in steps {
        assert_eq!(talk.code(line).await, code, "{line}");
    }
    assert!(rig.sandbox.mails().is_empty());
    let report = rig.look(&rig.sandbox.mail_url, "violations").await;
    assert_eq!(report["sequence_errors"], 7);
}

#[tokio::test]
async fn lines_end_as_they_must_and_only_so_does_a_mail() {
    let rig = Rig::start().await;
    let mut talk = Talk::greeted(&rig).await;
    talk.put("NOOP\n").await;
    assert!(talk.hear().await.starts_with("500 "));
    talk.put("NO\rOP\r\n").await;
    assert!(talk.hear().await.starts_with("500 "));
    let long = format!("NOOP {}", "x".repeat(20_000));
    assert_eq!(talk.code(&long).await, 500);
    assert_eq!(talk.code("NOOP").await, 250);
    // What looks like an end to a careless server is none: the mail would smuggle another one in.
    for smuggled in [
        "one\n.\r\nMAIL FROM:<x@example.com>",
        "one\r\n.\nMAIL FROM:<x@example.com>",
        "one\r\n.\rMAIL FROM:<x@example.com>",
        "one\rtwo",
    ] {
        let heard = talk.mail(&["a@example.com"], smuggled).await;
        assert!(heard.starts_with("550 "), "{smuggled:?}: {heard}");
    }
    let line = |length: usize| format!("Subject: s\r\n\r\n{}", "x".repeat(length));
    assert!(
        talk.mail(&["a@example.com"], &line(998))
            .await
            .starts_with("250 ")
    );
    assert!(
        talk.mail(&["a@example.com"], &line(999))
            .await
            .starts_with("500 ")
    );
    let quirks = json!({ "size_max": 20, "recipients_max": 1 });
    rig.control(&rig.sandbox.mail_url, "quirks", quirks).await;
    assert!(
        talk.mail(&["a@example.com"], &line(50))
            .await
            .starts_with("552 ")
    );
    assert_eq!(talk.code("MAIL FROM:<>").await, 250);
    assert_eq!(talk.code("RCPT TO:<a@example.com>").await, 250);
    assert_eq!(talk.code("RCPT TO:<b@example.com>").await, 452);
    assert_eq!(rig.sandbox.mails().len(), 1);
}

#[tokio::test]
async fn commands_may_come_all_at_once() {
    let rig = Rig::start().await;
    let mut talk = Talk::greeted(&rig).await;
    talk.put(
        "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nSubject: s\r\n\r\nt\r\n.\r\n\
         MAIL FROM:<a@example.com>\r\nQUIT\r\n",
    )
    .await;
    let heard = talk.rest().await.unwrap();
    let codes: Vec<&str> = heard.lines().map(|line| &line[..3]).collect();
    assert_eq!(codes, ["250", "250", "354", "250", "250", "221"]);
    assert_eq!(rig.sandbox.mails()[0].text, "t");
}

#[tokio::test]
async fn faults_strike_commands() {
    let rig = Rig::start().await;
    let order = async |method: &str, kind| {
        let fault = json!({ "method": method, "kind": kind });
        rig.control(&rig.sandbox.mail_url, "faults", fault).await;
    };
    let status = |code: u16, text: &str| json!({ "status": { "code": code, "body": text } });
    order("CONNECT", status(554, "5.7.1 not you")).await;
    let mut talk = Talk::knock(&rig).await;
    assert_eq!(talk.rest().await.unwrap(), "554 5.7.1 not you\r\n");

    let mut talk = Talk::greeted(&rig).await;
    order("MAIL", status(421, "")).await;
    let heard = talk.say("MAIL FROM:<>").await;
    assert_eq!(heard, "421 4.3.2 the server is closing, try again later");
    assert_eq!(talk.rest().await.unwrap(), "");

    let mut talk = Talk::greeted(&rig).await;
    let fault = json!({ "method": "RCPT", "path": "/busy@*", "every": 1, "kind": status(450, "") });
    rig.control(&rig.sandbox.mail_url, "faults", fault).await;
    assert_eq!(talk.code("MAIL FROM:<>").await, 250);
    assert_eq!(talk.code("RCPT TO:<busy@example.com>").await, 450);
    assert_eq!(talk.code("RCPT TO:<free@example.com>").await, 250);
    order("DATA", status(451, "")).await;
    assert_eq!(talk.code("DATA").await, 451);
    assert_eq!(talk.code("RSET").await, 250);

    for (kind, taken, heard) in [
        (json!("reset_before"), 0, None),
        (json!("reset_after"), 1, None),
        (json!("truncated"), 2, Some("250 2.0.0 t")),
        (
            json!({ "answer_after": { "code": 451 } }),
            3,
            Some("451 4.3.0 not now, try again later"),
        ),
        (
            status(452, "4.3.1 disk full"),
            3,
            Some("452 4.3.1 disk full"),
        ),
    ] {
        let mut talk = Talk::greeted(&rig).await;
        order("DOT", kind).await;
        for line in ["MAIL FROM:<>", "RCPT TO:<a@example.com>", "DATA"] {
            assert!(talk.code(line).await < 400);
        }
        talk.put("Subject: s\r\n\r\nt\r\n.\r\n").await;
        match heard {
            Some(expected) => assert_eq!(talk.hear().await, expected),
            None => assert!(talk.rest().await.is_err()),
        }
        assert_eq!(rig.sandbox.mails().len(), taken);
    }
    let seen = rig.look(&rig.sandbox.mail_url, "requests?method=DOT").await;
    assert_eq!(seen["items"][0]["body"], "Subject: s\r\n\r\nt\r\n");
    assert_eq!(seen["items"][0]["fault"], "reset_before");
}

#[tokio::test]
async fn parts_and_files_are_unwrapped() {
    let rig = Rig::start().await;
    let mut talk = Talk::greeted(&rig).await;
    let text = [
        "Subject: parts",
        "Content-Type: multipart/mixed; boundary=\"a;b\"",
        "",
        "preamble",
        "--a;b",
        "Content-Type: multipart/alternative;\r\n boundary=inner",
        "",
        "--inner",
        "Content-Type: text/plain; charset=iso-8859-1",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "caf=E9 and a long=\r\n line",
        "--inner",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        "PGI+Y2Fmw6k8\r\nL2I+",
        "--inner--",
        "--a;b",
        "Content-Type: text/csv",
        "Content-Disposition: attachment; filename*=utf-8''caf%C3%A9.csv",
        "",
        "a,b\r\n1,2",
        "--a;b--",
        "epilogue",
    ];
    assert!(
        talk.mail(&["a@example.com"], &text.join("\r\n"))
            .await
            .starts_with("250")
    );
    let mail = &rig.sandbox.mails()[0];
    assert_eq!(mail.text, "café and a long line");
    assert_eq!(mail.html.as_deref(), Some("<b>café</b>"));
    let file = &mail.attachments[0];
    let shown = (file.name.as_str(), file.media.as_str(), file.text.as_str());
    assert_eq!(shown, ("café.csv", "text/csv", "a,b\n1,2"));
}
