//! The check of a mail connection against a real server: greeted, never sent to.

use std::sync::Arc;

use serde_json::json;

use super::super::*;
use super::post::Post;
use crate::names::ConnectionName;

/// What the check of a connection says: words, or `code: message`.
async fn checked(post: &Post, connections: &str) -> Result<String, String> {
    let ledger = Arc::new(Forgetful::default());
    let bench = post.bench(connections, ledger).await;
    let mail = ConnectionName::new("mail").expect("a name");
    match bench.outbound.probe(&mail).await {
        Probe::Greeted(checked) => Ok(checked),
        Probe::Failed(failure) => Err(format!("{}: {}", failure.code, failure.message)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_mail_server_is_greeted_and_signed_in_at_and_gets_no_mail() {
    let post = Post::open().await;
    for (encryption, said) in [
        ("starttls", "the connection is encrypted (STARTTLS)"),
        ("tls", "the connection is encrypted (TLS)"),
    ] {
        let says = checked(&post, &post.encrypted(encryption)).await;
        let says = says.expect("it works");
        assert!(says.contains(said), "{says}");
        assert!(says.contains("the login is accepted"), "{says}");
        assert!(says.ends_with("no mail was sent"), "{says}");
    }
    let says = checked(&post, &post.plain("")).await.expect("it works");
    assert!(says.contains("nothing is encrypted, nobody signs in, the sender"));
    assert!(post.mails().is_empty());
}

#[tokio::test]
async fn what_keeps_a_mail_server_from_taking_mails_is_found_by_greeting_it() {
    let post = Post::open().await;
    let wrong = post.encrypted("starttls").replace("MAIL", "WRONG");
    let why = checked(&post, &wrong).await.expect_err("a wrong password");
    assert!(why.starts_with("sign_in_failed: "), "{why}");
    assert!(!why.contains("wrong-password"), "{why}");
    let closed = post
        .plain("")
        .replace(&post.sandbox.smtp_port.to_string(), "9");
    let why = checked(&post, &closed).await.expect_err("nobody there");
    assert!(why.starts_with("unreachable: "), "{why}");
    post.quirks(json!({ "login_required": true })).await;
    let why = checked(&post, &post.plain("")).await;
    let why = why.expect_err("a login is wanted");
    assert!(why.contains("those only who sign in (530"), "{why}");
    post.quirks(json!({ "starttls": false })).await;
    let why = checked(&post, &post.encrypted("starttls")).await;
    let why = why.expect_err("no encryption");
    assert!(why.starts_with("tls_failed: "), "{why}");
    assert!(post.mails().is_empty());
}
