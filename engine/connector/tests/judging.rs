//! What replies mean: rules, defaults, messages, outputs.

use serde_json::json;

use super::*;
use crate::clock::Moment;
use crate::data::Object;

fn judged(action: &str, status: u16, headers: Value, body: &str) -> Verdict {
    let connector = sound(&format!(
        "message: [$.reply.body.errors?, $.reply.body.message?, text]\nreplies:\n  \
         - {{ status: 2xx, when: {{ $.reply.body.success?: {{ is: false }} }}, verdict: fail, \
         code: refused, message: $.reply.body.data? }}\nactions:\n  act:\n    title: Act\n    \
         request: {{ get: / }}\n    {}\n",
        action.replace('\n', "\n    ")
    ));
    let headers: Object = headers.as_object().expect("headers").clone();
    judge(
        &Facts {
            connector: &connector,
            action: &connector.actions["act"],
            input: &Arc::new(json!({ "id": 7 })),
            page: &Page::default(),
            key: "k",
            keep_raw: false,
            now: Moment::parse("2026-03-01T10:00:00Z").expect("a time"),
        },
        &Reply::new(status, headers, body.as_bytes()),
    )
}

fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Success(output) => output.to_string(),
        Verdict::Page { items, .. } => format!("page of {}", items.len()),
        Verdict::Retry(trouble) => format!("retry {}: {}", trouble.code, trouble.message),
        Verdict::RetryLater(trouble, after) => format!("later {} {after:?}", trouble.code),
        Verdict::SignInAgainOnce(_) => "sign in".to_owned(),
        Verdict::Fail(trouble) => format!("fail {}: {}", trouble.code, trouble.message),
        Verdict::Doubtful(trouble) => format!("doubtful {}", trouble.code),
    }
}

#[test]
fn outputs_are_made_clean() {
    let cases = [
        (
            "output: { id: integer, on: boolean?, at: datetime?, day: date? }",
            r#"{"id":"12","on":"0","at":"0000-00-00 00:00:00","day":"2026-02-28 10:00:00"}"#,
            r#"{"id":12,"on":false,"day":"2026-02-28"}"#,
        ),
        (
            "item: $.reply.body.data\noutput: { name: { type: string, from: $.item.first.name } }",
            r#"{"data":{"first":{"name":5}}}"#,
            r#"{"name":"5"}"#,
        ),
        (
            "output: { s: { type: string, map: { '2': done, '1': open } } }",
            r#"{"s":2}"#,
            r#"{"s":"done"}"#,
        ),
        (
            "output: { n: { type: integer?, if_unfit: drop }, m: string? }",
            r#"{"n":"many","m":null}"#,
            "{}",
        ),
        (
            "output:\n  l: { list: $.item.l?, each: { id: integer } }\n  \
             o: { object: $.item.o, fields: { a: string? } }",
            r#"{"l":[{"id":"1"},{"id":2}],"o":{"a":"x","b":"y"}}"#,
            r#"{"l":[{"id":1},{"id":2}],"o":{"a":"x"}}"#,
        ),
        (
            "output: { l: { list: $.item.l?, each: { id: integer } } }",
            "{}",
            r#"{"l":[]}"#,
        ),
        (
            "rows: { list: $.reply.body.rows, ok: { $.item.ok: { is: true } }, \
             each: { id: integer? }, message: $.item.why? }\noutput: {}",
            r#"{"rows":[{"ok":true,"id":1},{"ok":false,"why":["no","way"]},{"id":3}]}"#,
            concat!(
                r#"{"succeeded":[{"index":0,"id":1}],"failed":[{"index":1,"message":"no; way"},"#,
                r#"{"index":2,"id":3,"message":"the vendor refused this row"}]}"#
            ),
        ),
        ("output: {}", "", "{}"),
    ];
    for (action, body, expected) in cases {
        let action = format!("effect: read\n{action}");
        assert_eq!(
            told(&judged(&action, 200, json!({}), body)),
            expected,
            "{action}"
        );
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let cases = [
        (
            "output: { id: integer }",
            "{\"di\":1}",
            "`id`: is missing among di",
        ),
        (
            "output: { id: integer }",
            "{\"id\":null}",
            "`id`: is missing among id",
        ),
        (
            "output: { id: integer }",
            "<html>",
            "expected an object, not text",
        ),
        (
            "output: { l: { list: $.item.l, each: { id: integer } } }",
            r#"{"l":[{"id":1},{}]}"#,
            "`l`: [1] `id`: is missing",
        ),
        (
            "item: $.reply.body.data\noutput: { id: integer }",
            "{}",
            "data",
        ),
    ];
    for (action, body, words) in cases {
        let action = format!("effect: read\n{action}");
        let told = told(&judged(&action, 200, json!({}), body));
        assert!(
            told.starts_with("fail unexpected_reply") && told.contains(words),
            "{told}"
        );
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = "effect: once\noutput: {}\nreplies:\n  \
                 - { status: [409, 410], verdict: success }\n  \
                 - { status: 4xx, when: { $.reply.body.code?: { equals: 7 } }, \
                 verdict: retry_later, after: 3m }\n  \
                 - { status: 502, verdict: fail, code: gone, not_applied: true }\n  \
                 - { status: 503, verdict: retry_later, after: $.reply.body.wait?, \
                 not_applied: true }";
    let cases = [
        (409, "{}", "{}"),
        (400, r#"{"code":7}"#, "later bad_request Some(180s)"),
        (
            400,
            r#"{"code":8,"errors":{"a":["b","c"]}}"#,
            "fail bad_request: Vendor answered 400: a: b; c",
        ),
        // A text body has no members, which is no mistake of the rule.
        (
            400,
            "plain  words",
            "fail bad_request: Vendor answered 400: plain words",
        ),
        (
            200,
            r#"{"success":false,"data":"not today"}"#,
            "fail refused: Vendor answered 200: not today",
        ),
        (502, "{}", "fail gone: Vendor answered 502: {}"),
        (503, r#"{"wait":"2.5"}"#, "later vendor_error Some(2.5s)"),
        (504, "", "doubtful timed_out"),
        (408, "", "doubtful timed_out"),
        (425, "", "later too_many_requests None"),
        (401, "", "sign in"),
    ];
    for (status, body, expected) in cases {
        assert_eq!(
            told(&judged(rules, status, json!({}), body)),
            expected,
            "{status} {body}"
        );
    }
}

#[test]
fn retry_after_is_read_with_care() {
    let cases = [
        ("120", "Some(120s)"),
        ("0", "Some(0ns)"),
        ("Sun, 01 Mar 2026 10:00:30 GMT", "Some(30s)"),
        ("Sun, 01 Mar 2020 10:00:30 GMT", "Some(0ns)"),
        // A year is more than anybody waits: a day, and then the vendor is asked again.
        ("31536000", "Some(86400s)"),
        ("Mon, 01 Mar 2027 10:00:00 GMT", "Some(86400s)"),
        ("99999999999999", "Some(86400s)"),
        ("-5", "None"),
        ("NaN", "None"),
        ("soon", "None"),
    ];
    for (written, expected) in cases {
        let headers = json!({ "retry-after": written });
        let verdict = judged("effect: read\noutput: {}", 429, headers, "");
        assert_eq!(
            told(&verdict),
            format!("later too_many_requests {expected}"),
            "{written}"
        );
    }
}

#[test]
fn a_long_complaint_is_cut() {
    let body = json!({ "message": "x".repeat(2000) }).to_string();
    let Verdict::Fail(trouble) = judged("effect: read\noutput: {}", 400, json!({}), &body) else {
        panic!("it cannot work");
    };
    assert!(trouble.message.len() < 600, "{}", trouble.message.len());
}
