//! Encryption (RFC 3207) and signing in (RFC 4954).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use recipe_sandbox::Protection;
use serde_json::json;

use super::wire::Talk;
use crate::harness::Rig;

const MAIL: &str = "Subject: s\r\n\r\nt";

async fn quirks(rig: &Rig, quirks: serde_json::Value) {
    rig.control(&rig.sandbox.mail_url, "quirks", quirks).await;
}

#[tokio::test]
async fn a_connection_is_encrypted_on_request_and_begins_anew() {
    let rig = Rig::start().await;
    let mut talk = Talk::begin(&rig).await;
    assert_eq!(talk.code("STARTTLS").await, 503);
    assert!(talk.say("EHLO a.example").await.contains("250-STARTTLS"));
    assert_eq!(talk.code("STARTTLS now").await, 501);
    assert_eq!(talk.code("MAIL FROM:<>").await, 250);
    // What is said in the open before the answer could come from anybody, and is not heard.
    talk.put("STARTTLS\r\nNOOP\r\n").await;
    assert!(talk.hear().await.starts_with("220 "));
    let mut talk = talk.encrypted(&rig, "localhost").await.unwrap();
    assert_eq!(talk.code("RCPT TO:<a@example.com>").await, 503);
    assert_eq!(talk.code("MAIL FROM:<>").await, 503);
    let hello = talk.say("EHLO b.example").await;
    assert!(!hello.contains("STARTTLS"), "{hello}");
    assert_eq!(talk.code("STARTTLS").await, 503);
    assert!(
        talk.mail(&["a@example.com"], MAIL)
            .await
            .starts_with("250 ")
    );
    let mail = &rig.sandbox.mails()[0];
    assert_eq!(
        (mail.tls, mail.client.as_str()),
        (Protection::Starttls, "b.example")
    );

    let mut talk = Talk::begin_encrypted(&rig).await;
    assert_eq!(talk.code("EHLO c.example").await, 250);
    assert!(
        talk.mail(&["a@example.com"], MAIL)
            .await
            .starts_with("250 ")
    );
    assert_eq!(rig.sandbox.mails()[1].tls, Protection::Implicit);
    let fault = json!({ "method": "NOOP", "kind": "reset_before" });
    rig.control(&rig.sandbox.mail_url, "faults", fault).await;
    talk.put("NOOP\r\n").await;
    assert!(talk.rest().await.is_err());
}

#[tokio::test]
async fn certificates_of_another_name_or_time_are_not_trusted() {
    let rig = Rig::start().await;
    let tried = async |quirk, name| {
        quirks(&rig, quirk).await;
        let mut talk = Talk::greeted(&rig).await;
        assert_eq!(talk.code("STARTTLS").await, 220);
        let tried = talk.encrypted(&rig, name).await;
        tried
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert_eq!(tried(json!({}), "127.0.0.1").await, "");
    let other = tried(json!({ "certificate_name": "mail.example" }), "localhost").await;
    assert!(other.contains("not valid for name"), "{other}");
    assert_eq!(tried(json!({}), "mail.example").await, "");
    let old = tried(json!({ "certificate_expired": true }), "mail.example").await;
    assert!(old.contains("expired"), "{old}");
    quirks(&rig, json!({ "starttls": false })).await;
    let mut talk = Talk::begin(&rig).await;
    assert!(!talk.say("EHLO a.example").await.contains("STARTTLS"));
    assert_eq!(talk.code("STARTTLS").await, 502);
}

#[tokio::test]
async fn one_signs_in_by_plain_or_login() {
    let rig = Rig::start().await;
    let coded = |text: &str| STANDARD.encode(text);
    let right = coded("\0recipes\0mail-password");
    let mut talk = Talk::begin(&rig).await;
    assert_eq!(talk.code(&format!("AUTH PLAIN {right}")).await, 503);
    assert_eq!(talk.code("HELO old.example").await, 250);
    assert_eq!(talk.code(&format!("AUTH PLAIN {right}")).await, 503);
    assert_eq!(talk.code("EHLO a.example").await, 250);
    let refused = [
        ("AUTH".to_owned(), 501),
        ("AUTH CRAM-MD5".to_owned(), 504),
        ("AUTH PLAIN =".to_owned(), 501),
        ("AUTH PLAIN !".to_owned(), 501),
        (format!("AUTH PLAIN {}", coded("\0recipes")), 501),
        (format!("AUTH PLAIN {}", coded("\0recipes\0wrong")), 535),
        (
            format!("AUTH PLAIN {}", coded("\0nobody\0mail-password")),
            535,
        ),
    ];
    for (line, code) in refused {
        assert_eq!(talk.code(&line).await, code, "{line}");
    }
    assert_eq!(talk.say("AUTH LOGIN").await, "334 VXNlcm5hbWU6");
    assert_eq!(talk.code("*").await, 501);
    assert_eq!(talk.code("MAIL FROM:<>").await, 250);
    assert_eq!(talk.code(&format!("AUTH PLAIN {right}")).await, 503);
    assert_eq!(talk.code("RSET").await, 250);
    assert_eq!(talk.say("auth plain").await, "334");
    assert_eq!(talk.say(&right).await, "235 2.7.0 welcome");
    assert_eq!(talk.code(&format!("AUTH PLAIN {right}")).await, 503);
    assert!(
        talk.mail(&["a@example.com"], MAIL)
            .await
            .starts_with("250 ")
    );
    assert_eq!(rig.sandbox.mails()[0].user.as_deref(), Some("recipes"));

    quirks(
        &rig,
        json!({ "login_required": true, "login_mechanisms": ["LOGIN"] }),
    )
    .await;
    let mut talk = Talk::greeted(&rig).await;
    assert_eq!(talk.code("MAIL FROM:<>").await, 530);
    assert_eq!(talk.code(&format!("AUTH PLAIN {right}")).await, 504);
    let user = format!("AUTH LOGIN {}", coded("recipes"));
    assert_eq!(talk.say(&user).await, "334 UGFzc3dvcmQ6");
    assert_eq!(talk.code(&coded("mail-password")).await, 235);
    assert_eq!(talk.code("MAIL FROM:<>").await, 250);

    quirks(
        &rig,
        json!({ "login_required": false, "tls_required": true }),
    )
    .await;
    let mut talk = Talk::begin(&rig).await;
    assert!(!talk.say("EHLO a.example").await.contains("AUTH"));
    assert_eq!(talk.code(&user).await, 538);
    assert_eq!(talk.code("MAIL FROM:<>").await, 530);
    let seen = rig
        .look(&rig.sandbox.mail_url, "requests?method=AUTH")
        .await;
    assert_eq!(seen["items"][0]["path"], "/PLAIN");
    assert!(!seen.to_string().contains(&right), "{seen}");
}
