//! Signatures by their vectors; bodies and splits by example.

use serde_json::json;

use super::{Refusal, body, sign_in, signature};
use crate::clock::Moment;
use crate::data::{Object, Value, hex};

/// The cases of the Standard Webhooks specification, see the README beside them.
const VECTORS: &str = include_str!("../../tests/data/conformance/standard-webhooks/vectors.json");

/// Project Wycheproof's vectors for HMAC-SHA-256, see the README beside them.
const HMAC: &str = include_str!("../../tests/data/conformance/hmac/cases.json");

fn outcome(checked: Result<(), Refusal>) -> (&'static str, String) {
    match checked {
        Ok(()) => ("accepted", String::new()),
        Err(refused @ Refusal::NotSignedIn { .. }) => ("refused", refused.to_string()),
        Err(other) => ("not_set_up", other.to_string()),
    }
}

fn headers(of: &Value) -> Object {
    of.as_object().cloned().unwrap_or_default()
}

#[test]
fn signatures_are_right_where_wycheproof_says_so() {
    let bytes = |text: &Value| -> Vec<u8> {
        let text = text.as_str().unwrap_or_default().as_bytes();
        let digit = |at: usize| char::from(text[at]).to_digit(16).expect("it is hex");
        let pairs = (0..text.len()).step_by(2);
        let byte = |at| u8::try_from(digit(at) * 16 + digit(at + 1)).expect("it is a byte");
        pairs.map(byte).collect()
    };
    let cases: Vec<Value> = serde_json::from_str(HMAC).expect("the vectors are JSON");
    assert_eq!(cases.len(), 174);
    let mut texts = 0;
    for case in cases {
        let (id, tag) = (&case["id"], case["tag"].as_str().unwrap_or_default());
        let (key, message) = (bytes(&case["key"]), bytes(&case["msg"]));
        let is_valid = case["result"] == "valid";
        let signed = signature::sign(&key, &[&message]).expect("the key is not empty");
        // A signature that is cut short is never taken for a whole one, even if it begins right.
        let is_whole = case["tag_bits"] == 256;
        assert_eq!(hex(&signed).starts_with(tag), is_valid, "case {id}");
        // Secrets of connections are texts; other keys come in base64, by Standard Webhooks.
        let Ok(secret) = String::from_utf8(key) else {
            continue;
        };
        texts += 1;
        let secrets = json!({ "secret": secret, "header": "X-Sig" });
        let headers = headers(&json!({ "x-sig": tag }));
        let checked = signature::check(&secrets, &headers, &message, Moment(0));
        let expected = if is_valid && is_whole {
            "accepted"
        } else {
            "refused"
        };
        assert_eq!(outcome(checked).0, expected, "case {id}");
        let right = hex(&signed);
        for length in [0, 1, 2, 32, 62, 63, 64] {
            let headers = self::headers(&json!({ "x-sig": &right[..length] }));
            let checked = signature::check(&secrets, &headers, &message, Moment(0));
            let expected = if length == 64 { "accepted" } else { "refused" };
            let end = outcome(checked).0;
            assert_eq!(end, expected, "case {id}: its first {length} letters");
        }
    }
    assert_eq!(texts, 108, "so many keys are texts");
}

#[test]
fn what_is_empty_is_no_secret() {
    for wanted in [&b""[..], b":"] {
        for given in [&b""[..], b":", b" ", b"x"] {
            assert!(!sign_in::is_same(given, wanted), "{given:?}, {wanted:?}");
        }
    }
    assert!(sign_in::is_same(b"a:", b"a:"));
    assert!(!sign_in::is_same(b"a:b", b"a:c"));
}

#[test]
fn standard_webhooks_are_checked_as_specified() {
    let cases: Vec<Value> = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    assert_eq!(cases.len(), 28);
    for case in cases {
        let secrets = json!({ "secret": case["secret"], "scheme": "standard_webhooks" });
        let now = Moment(case["now"].as_i64().unwrap_or_default() * 1_000_000);
        let body = case["body"].as_str().unwrap_or_default().as_bytes();
        let checked = signature::check(&secrets, &headers(&case["headers"]), body, now);
        let (found, said) = outcome(checked);
        assert_eq!(found, case["expect"], "{}: {said}", case["case"]);
        let says = case["says"].as_str().unwrap_or_default();
        assert!(said.contains(says), "{}: {said}", case["case"]);
        let secret = case["secret"].as_str().unwrap_or_default();
        assert!(!said.contains(&secret[6.min(secret.len())..]) || secret.len() < 7);
    }
}

#[test]
fn a_signed_time_is_held_against_the_clock() {
    // HMAC-SHA-256 with the key `k` over `1767225600.hello`, made with another program.
    let right = "2298364f0217ac086fdaa89bc146d6f85dd793881e6b11670be32e8397d2ab14";
    let secrets = json!({
        "secret": "k", "header": "X-Sig", "prefix": "v0=", "timestamp_header": "X-Time",
        "tolerance_s": 60,
    });
    let cases = [
        (0, "1767225600", format!("v0={right}"), "accepted"),
        (60, "1767225600", format!("v0={right}"), "accepted"),
        (61, "1767225600", format!("v0={right}"), "refused"),
        (-61, "1767225600", format!("v0={right}"), "refused"),
        (0, "1767225601", format!("v0={right}"), "refused"),
        (0, "", format!("v0={right}"), "refused"),
        (0, "1767225600", right.to_owned(), "refused"),
        (
            0,
            "1767225600",
            format!("v0={} v0={right}", "0".repeat(64)),
            "accepted",
        ),
    ];
    for (later, time, signature, expected) in cases {
        let headers = headers(&json!({ "x-sig": signature, "x-time": time }));
        let now = Moment((1_767_225_600 + later) * 1_000_000);
        let (found, said) = outcome(signature::check(&secrets, &headers, b"hello", now));
        assert_eq!(
            found, expected,
            "{later} s later, {time}, {signature}: {said}"
        );
    }
    let unsigned = outcome(signature::check(
        &secrets,
        &Object::new(),
        b"hello",
        Moment(0),
    ));
    assert_eq!(unsigned.0, "refused");
}

#[test]
fn a_prefix_may_hold_a_blank() {
    // HMAC-SHA-256 with the key `k` over `hello`, in base64.
    let right = {
        use base64::Engine;
        let signed = signature::sign(b"k", &[b"hello"]).expect("the key is not empty");
        base64::prelude::BASE64_STANDARD.encode(signed)
    };
    let secrets = json!({
        "secret": "k", "header": "Authorization", "prefix": "HMAC ", "encoding": "base64",
    });
    let cases = [
        (format!("HMAC {right}"), "accepted"),
        (format!("HMAC  {right} "), "accepted"),
        (format!("HMAC AAAA, HMAC {right}"), "accepted"),
        (format!("HMAC {right}, HMAC AAAA"), "accepted"),
        (right.clone(), "refused"),
        (format!("HMAC{right}"), "refused"),
        (format!("HMAC AAAA {right}"), "refused"),
        ("HMAC ".to_owned(), "refused"),
        (format!("Basic {right}"), "refused"),
    ];
    for (given, expected) in cases {
        let headers = headers(&json!({ "authorization": given }));
        let (found, said) = outcome(signature::check(&secrets, &headers, b"hello", Moment(0)));
        assert_eq!(found, expected, "{given}: {said}");
    }
}

#[test]
fn bodies_are_json_or_forms() {
    let read = |bytes: &[u8], kind| body::read(bytes, kind).map_err(|refusal| refusal.to_string());
    let form = Some("Application/X-WWW-Form-URLEncoded; charset=UTF-8");
    assert_eq!(
        read(
            b"event=done&user=Ann+Lee&tag=a&tag=b&tag=c&mail=a%40b.c",
            form
        ),
        Ok(json!({ "event": "done", "user": "Ann Lee", "tag": ["a", "b", "c"], "mail": "a@b.c" }))
    );
    assert_eq!(read(b"", form), Ok(json!({})));
    assert_eq!(
        read(b"{\"a\":1}", Some("text/plain")),
        Ok(json!({ "a": 1 }))
    );
    let cases: [(&[u8], Option<&str>, &str); 5] = [
        (b"", None, "empty"),
        (b" \n", Some("application/json"), "empty"),
        (
            b"{\"a\": \"\xff\"}",
            None,
            "byte 7 and what follows is not UTF-8",
        ),
        (b"<a/>", Some("text/xml"), "it says that it is `text/xml`"),
        (b"{\"a\": ", Some("application/json"), "EOF"),
    ];
    for (bytes, kind, expected) in cases {
        let said = read(bytes, kind).expect_err("it is no body");
        assert!(said.contains("the body is not JSON"), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}
