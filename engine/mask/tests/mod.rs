//! What is hidden, in which forms, and what stays.

mod stand_ins;
mod typed;

use serde_json::json;

use super::{Hidden, Marked, Masker, in_place, learn_secret, learned_secrets, without_mails};
use crate::shape::{Field, Shape};

fn masked(hidden: &[&str], text: &str) -> String {
    Masker::of(hidden.iter().copied()).text(text).into_owned()
}

#[test]
fn a_text_is_found_in_every_form() {
    let cases = [
        ("Jörg O'Neil", "by Jörg O'Neil, today", "by ***, today"),
        ("Jörg O'Neil", "JÖRG O'NEIL / jörg o'neil", "*** / ***"),
        ("Jörg O'Neil", "?q=J%C3%B6rg+O%27Neil&n=1", "?q=***&n=1"),
        ("Jörg O'Neil", "/J%c3%b6rg%20O%27Neil/x", "/***/x"),
        (
            "Jörg O'Neil",
            r#"{"n":"J\u00f6rg O'Neil"}"#,
            r#"{"n":"***"}"#,
        ),
        ("Jörg O'Neil", "<b>Jörg O&#39;Neil</b>", "<b>***</b>"),
        ("say \"hi\"", r#"{"n":"say \"hi\""}"#, r#"{"n":"***"}"#),
        (
            "say \"hi\"",
            r#""{\"n\":\"say \\\"hi\\\"\"}""#,
            r#""{\"n\":\"***\"}""#,
        ),
        ("abcd", "xabcdx ABCD", "x***x ***"),
        // Overlapping texts go as one.
        ("abcdef", "abcdef", "***"),
        ("nothing", "else", "else"),
        ("Ann", "Ann is short", "Ann is short"),
    ];
    for (hidden, text, expected) in cases {
        assert_eq!(masked(&[hidden], text), expected, "{hidden} in {text}");
    }
    assert_eq!(masked(&["abcd", "cdef"], "-abcdef-"), "-***-");
}

#[test]
fn base64_is_found_wherever_the_text_begins() {
    use base64::Engine;
    let secret = "planted-secret-0123";
    for before in ["", "u", "us", "user:", "user1:"] {
        let whole = format!("{before}{secret} and so on");
        let encoded = base64::prelude::BASE64_STANDARD.encode(whole);
        let shown = masked(&[secret], &encoded);
        assert!(shown.contains("***"), "{before}: {shown}");
        let left = shown.split("***").next().expect("a part");
        assert!(left.len() <= before.len() * 4 / 3 + 2, "{before}: {shown}");
    }
}

#[test]
fn values_are_masked_with_their_names_and_numbers() {
    let mut hidden = Hidden::default();
    hidden.take(&json!(["ann@example.com", 4711, 12]));
    let shown = hidden.masker().value(json!({
        "ann@example.com": { "id": 4711, "n": 12, "list": ["to Ann@Example.com"] }
    }));
    assert_eq!(
        shown,
        json!({ "***": { "id": "***", "n": 12, "list": ["to ***"] } })
    );
}

#[test]
fn what_looks_like_a_mail_address_is_masked() {
    let cases = [
        ("to ann@example.com.", "to ***."),
        ("?u=ann.o%2Bx%40example.co.uk&n=1", "?u=***&n=1"),
        ("Müller@bücher.example", "***"),
        ("call:project/name@0 and a@b", "call:project/name@0 and a@b"),
        ("x@1.2.3", "x@1.2.3"),
    ];
    for (text, expected) in cases {
        assert_eq!(without_mails(text), expected, "{text}");
    }
}

#[test]
fn of_what_nobody_declared_plain_values_and_known_words_stay() {
    let mut hidden = Hidden::default();
    let body = json!({
        "event": "course.completed", "at": "2026-03-01T10:00:00Z", "id": "4711", "n": 1,
        "who": { "name": "Ann Smith", "tags": ["vip"], "tel": "+3630555", "birthday": "1990-01-01" }
    });
    hidden.take_unknown(&body, &|text| text == "course.completed");
    let found: Vec<&str> = hidden.texts().collect();
    assert_eq!(found, ["+3630555", "1990-01-01", "Ann Smith"]);
}

#[test]
fn marked_fields_are_masked_where_they_stand_however_short() {
    let marked = |personal, secret| Field {
        personal,
        secret,
        ..Field::required(Shape::Any)
    };
    let shape = Shape::object_of([
        ("name", marked(true, false)),
        ("key", marked(false, true)),
        ("id", marked(false, false)),
    ]);
    let row = json!({ "name": "Al", "key": "k", "id": 1 });
    assert_eq!(
        in_place(&shape, row.clone(), Marked::SecretOrPersonal),
        json!({ "name": "***", "key": "***", "id": 1 })
    );
    assert_eq!(
        in_place(&shape, row, Marked::Secret),
        json!({ "name": "Al", "key": "***", "id": 1 })
    );
}

#[test]
fn learned_secrets_are_found_however_many_there_are() {
    let secrets: Vec<String> = (0..200).map(|n| format!("learned-secret-{n:04}")).collect();
    for secret in &secrets {
        learn_secret(secret);
        assert!(learned_secrets().finds(secret));
    }
    assert!(secrets.iter().all(|secret| learned_secrets().finds(secret)));
    learn_secret("short");
    assert!(!learned_secrets().finds("short"));
}

#[test]
fn a_name_that_is_a_part_of_an_own_word_leaves_the_word_whole() {
    let own = ["accredible-learners", "learner_added", "learner", "insert"];
    let masker = Masker::of(["Learner", "ada@learners.example"]).sparing(own);
    let cases = [
        (
            "table `accredible-learners`: no row",
            "table `accredible-learners`: no row",
        ),
        ("step learner_added of Learner", "step learner_added of ***"),
        // The whole word is the name; it stands in another word; it reaches beyond the own one.
        ("learner", "***"),
        ("accredible-learnership", "accredible-***ship"),
        ("my-accredible-learners", "my-accredible-***s"),
        ("ada@learners.example", "***"),
        ("Ada Learner", "Ada ***"),
    ];
    for (text, expected) in cases {
        assert_eq!(masker.text(text), expected, "{text}");
    }
    // What another masker hides is not spared.
    let both = masker.and(&Masker::of(["learners"]));
    assert_eq!(both.text("accredible-learners"), "accredible-***");
}
