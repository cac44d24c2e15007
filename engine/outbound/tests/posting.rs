//! Mails handed to a real server: encryption, signing in, and every way of being refused.

use serde_json::json;

use super::super::*;
use super::post::{Post, mail, sent};
use recipe_sandbox::Protection;

#[tokio::test]
async fn mails_go_over_every_encryption_with_a_login() {
    let post = Post::open().await;
    let quirks = json!({ "login_required": true });
    post.quirks(quirks).await;
    for encryption in ["none", "starttls", "tls"] {
        let ended = post.send(&post.encrypted(encryption), mail()).await;
        assert_eq!(
            ended.0, r#"done {"sent":true}"#,
            "{encryption}: {}",
            ended.1
        );
    }
    post.quirks(json!({ "login_mechanisms": ["LOGIN"] })).await;
    let ended = post.send(&post.encrypted("tls"), mail()).await;
    assert_eq!(ended.0, r#"done {"sent":true}"#, "{}", ended.1);
    let mails = post.mails();
    let tls: Vec<Protection> = mails.iter().map(|mail| mail.tls).collect();
    let [none, starttls, implicit] = [Protection::None, Protection::Starttls, Protection::Implicit];
    assert_eq!(tls, [none, starttls, implicit, implicit]);
    for mail in &mails {
        assert_eq!(mail.user.as_deref(), Some("recipes"));
        // The server is greeted by a name that it may know, not by `localhost`.
        assert_eq!(mail.client, "example.com");
        assert_eq!(mail.message_id, "<key@example.com>");
    }
    let named = post.plain(
        ", hello_name: relay-1.example.com, username: recipes, \
                            password: { env: MAIL }",
    );
    post.send(&named, mail()).await;
    assert_eq!(post.mails()[4].client, "relay-1.example.com");
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_gets_nothing() {
    let post = Post::open().await;
    let login = "username: recipes, password: { env: MAIL }, ";
    let unknown = |encryption| {
        post.encrypted(encryption)
            .replace(", ca: { file: ca.pem }", "")
    };
    let no_pem = post
        .encrypted("tls")
        .replace("{ file: ca.pem }", "no certificate");
    for (connection, code, says) in [
        (
            unknown("starttls"),
            "failed tls_failed",
            "put the authority's certificate into `ca`",
        ),
        (
            unknown("tls"),
            "failed tls_failed",
            "put the authority's certificate into `ca`",
        ),
        (
            no_pem,
            "failed connection_incomplete",
            "`ca` is no certificate",
        ),
        // Encrypted from the beginning at a port that is not, and the other way round.
        (
            post.encrypted("starttls")
                .replace("encryption: starttls", "encryption: tls"),
            "retry unreachable 0s",
            "may not be the one for this `encryption`",
        ),
    ] {
        let (ended, message) = post.send(&connection, mail()).await;
        assert_eq!(ended, code, "{message}");
        assert!(message.contains(says), "{message}");
    }
    post.quirks(json!({ "certificate_name": "mail.example.com" }))
        .await;
    let (ended, message) = post.send(&post.encrypted("tls"), mail()).await;
    assert_eq!(ended, "failed tls_failed");
    assert!(message.contains("`host` must be a name in it"), "{message}");
    let quirks = json!({ "certificate_name": null, "certificate_expired": true });
    post.quirks(quirks).await;
    let (ended, message) = post.send(&post.encrypted("starttls"), mail()).await;
    assert_eq!(ended, "failed tls_failed");
    assert!(message.contains("run out"), "{message}");
    post.quirks(json!({ "certificate_expired": false, "starttls": false }))
        .await;
    let (ended, message) = post.send(&post.encrypted("starttls"), mail()).await;
    assert_eq!(ended, "failed tls_failed");
    assert!(message.contains("does not offer STARTTLS"), "{message}");
    assert!(post.mails().is_empty());
    assert!(unknown("tls").contains(login.trim_end_matches(", ")));
}

#[tokio::test]
async fn a_refused_login_says_what_to_mend() {
    let post = Post::open().await;
    let wrong = post.encrypted("starttls").replace("MAIL", "WRONG");
    let (ended, message) = post.send(&wrong, mail()).await;
    assert_eq!(ended, "failed sign_in_failed");
    let says = "127.0.0.1 refuses the user name or password (535 5.7.8 user name or password are \
                wrong): check `username` and `password` of connection `mail`";
    assert!(message.starts_with(says), "{message}");
    let half = post.encrypted("tls").replace("username: recipes, ", "");
    let (ended, message) = post.send(&half, mail()).await;
    assert_eq!(ended, "failed connection_incomplete");
    assert_eq!(
        message,
        "connection `mail` has a `password` but no `username`"
    );
    post.refuse("AUTH", 454).await;
    assert_eq!(
        post.send(&post.encrypted("tls"), mail()).await.0,
        "retry mail_failed 0s"
    );

    post.quirks(json!({ "login_required": true })).await;
    let (ended, message) = post.send(&post.plain(""), mail()).await;
    assert_eq!(ended, "failed sign_in_failed");
    assert!(message.contains("those only who sign in (530"), "{message}");
    post.quirks(json!({ "tls_required": true })).await;
    let open = post.encrypted("none");
    let (ended, message) = post.send(&open, mail()).await;
    assert_eq!(ended, "failed sign_in_failed");
    assert!(message.contains("`encryption: starttls`"), "{message}");
    post.quirks(json!({ "login_mechanisms": ["XOAUTH2"] }))
        .await;
    let (ended, message) = post.send(&post.encrypted("tls"), mail()).await;
    assert_eq!(ended, "failed sign_in_failed");
    assert!(
        message.contains("with a password (PLAIN, LOGIN)"),
        "{message}"
    );
    assert!(post.mails().is_empty());
}

#[tokio::test]
async fn what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_is_not() {
    let post = Post::open().await;
    for command in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT"] {
        for (code, ended) in [
            (421, "retry mail_failed 0s"),
            (450, "retry mail_failed 0s"),
            (550, "failed mail_failed"),
        ] {
            post.refuse(command, code).await;
            let (came, message) = post.send(&post.plain(""), mail()).await;
            let expected = match (command, code) {
                ("RCPT", 550) => "failed recipient_refused",
                _ => ended,
            };
            assert_eq!(came, expected, "{command} {code}: {message}");
            assert!(message.contains(&code.to_string()), "{message}");
        }
    }
    assert!(post.mails().is_empty());
    assert_eq!(
        post.send(&post.plain(""), mail()).await.0,
        r#"done {"sent":true}"#
    );
}

#[tokio::test]
async fn who_is_known_gets_the_mail_if_others_are_not() {
    let post = Post::open().await;
    post.fault(
        "RCPT",
        json!({ "status": { "code": 550, "body": "5.1.1 unknown" } }),
    )
    .await;
    let to = json!({ "to": ["gone@example.com", "ada@example.com"], "subject": "s", "text": "t" });
    let (ended, _) = post.send(&post.plain(""), to).await;
    let refused = r#"[{"address":"gone@example.com","reason":"550 5.1.1 unknown"}]"#;
    assert_eq!(
        ended,
        format!(r#"done {{"sent":true,"refused":{refused}}}"#)
    );
    assert_eq!(post.mails()[0].to, ["ada@example.com"]);
}

#[tokio::test]
async fn an_unclear_end_is_tried_again_as_the_same_mail() {
    let post = Post::open().await;
    let bench = post
        .bench(&post.plain(""), Arc::new(Forgetful::default()))
        .await;
    for (kind, taken) in [("reset_before", 0), ("reset_after", 1), ("truncated", 2)] {
        post.fault("DOT", json!(kind)).await;
        let (ended, message) = sent(&bench, "one", mail()).await;
        assert_eq!(ended, "retry connection_lost 0s", "{message}");
        assert_eq!(post.mails().len(), taken, "{kind}");
    }
    assert_eq!(sent(&bench, "one", mail()).await.0, r#"done {"sent":true}"#);
    let mails = post.mails();
    let ids: Vec<&str> = mails.iter().map(|mail| mail.message_id.as_str()).collect();
    assert_eq!(ids, ["<one@example.com>"; 3]);
}

#[tokio::test]
async fn a_server_that_took_the_mail_need_not_say_goodbye() {
    let post = Post::open().await;
    for (kind, taken) in [(json!("hang"), 1), (json!("reset_before"), 2)] {
        post.fault("QUIT", kind).await;
        let (ended, message) = post.send(&post.plain(""), mail()).await;
        assert_eq!(ended, r#"done {"sent":true}"#, "{message}");
        assert_eq!(post.mails().len(), taken);
    }
}
