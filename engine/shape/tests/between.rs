//! From one shape to another: what fits, what is converted.

use serde_json::json;

use super::*;

#[test]
fn shapes_are_compared_before_anything_runs() {
    for (wanted, given, expected) in [
        (json!("number"), json!("integer"), Fit::Always),
        (json!("integer"), json!("number"), Fit::Maybe),
        (json!("string"), json!("date"), Fit::Always),
        (json!("date"), json!("string"), Fit::Maybe),
        (json!("date"), json!("datetime"), Fit::Never),
        (json!("email"), json!("string"), Fit::Maybe),
        (json!("number"), json!("string"), Fit::Never),
        (json!("string"), json!("integer"), Fit::Never),
        (json!("any"), json!(["string"]), Fit::Always),
        (json!("string"), json!("any"), Fit::Maybe),
        (json!("string"), json!(["string"]), Fit::Never),
        (json!(["number"]), json!(["integer"]), Fit::Always),
        (json!(["number"]), json!(["any"]), Fit::Maybe),
        (json!("object"), json!({"a": "string"}), Fit::Always),
        (json!({"a": "string"}), json!("object"), Fit::Maybe),
        (json!({"a": "string"}), json!({"a": "string?"}), Fit::Maybe),
        (json!({"a": "string?"}), json!({}), Fit::Always),
        (json!({"a": "string"}), json!({}), Fit::Never),
        (
            json!({"a": "string"}),
            json!({"a": "string", "b": "string"}),
            Fit::Never,
        ),
        (
            json!({"enum": ["a", "b"]}),
            json!({"enum": ["a"]}),
            Fit::Always,
        ),
        (
            json!({"enum": ["a", "b"]}),
            json!({"enum": ["a", "c"]}),
            Fit::Maybe,
        ),
        (
            json!({"enum": ["a", "b"]}),
            json!({"enum": ["c"]}),
            Fit::Never,
        ),
        (json!({"enum": ["a", "b"]}), json!("string"), Fit::Maybe),
        (json!({"enum": ["a", "b"]}), json!("integer"), Fit::Never),
        (json!("string"), json!({"enum": ["a"]}), Fit::Always),
        (json!("date"), json!({"enum": ["a"]}), Fit::Never),
    ] {
        assert_eq!(
            shape(&wanted).accepts(&shape(&given)),
            expected,
            "{wanted} {given}"
        );
    }
}

/// A type, a vendor's value, and what becomes of it.
type Case = (
    &'static str,
    &'static str,
    Result<Option<&'static str>, &'static str>,
);

const CONVERTED: &[Case] = &[
    (r#""string""#, r#"12"#, Ok(Some(r#""12""#))),
    (r#""string""#, r#"null"#, Ok(None)),
    (r#""string""#, r#""""#, Ok(Some(r#""""#))),
    (r#""integer""#, r#""123""#, Ok(Some(r#"123"#))),
    (r#""integer""#, r#"5.0"#, Ok(Some(r#"5"#))),
    (r#""integer""#, r#""""#, Ok(None)),
    (
        r#""integer""#,
        r#""12a""#,
        Err("expected a whole number, not text (`12a`)"),
    ),
    (r#""number""#, r#""4.50""#, Ok(Some(r#"4.5"#))),
    (
        r#""number""#,
        r#""inf""#,
        Err("expected a number, not text (`inf`)"),
    ),
    (r#""boolean""#, r#""1""#, Ok(Some(r#"true"#))),
    (r#""boolean""#, r#"0"#, Ok(Some(r#"false"#))),
    (r#""boolean""#, r#""TRUE""#, Ok(Some(r#"true"#))),
    (
        r#""boolean""#,
        r#"2"#,
        Err("expected true or false, not a whole number (2)"),
    ),
    (
        r#""datetime""#,
        r#""2026-03-01 10:00:00""#,
        Ok(Some(r#""2026-03-01T10:00:00Z""#)),
    ),
    (
        r#""datetime""#,
        r#""2026-03-01T10:00:00+0100""#,
        Ok(Some(r#""2026-03-01T09:00:00Z""#)),
    ),
    (
        r#""datetime""#,
        r#""2026-03-01""#,
        Ok(Some(r#""2026-03-01T00:00:00Z""#)),
    ),
    (r#""datetime""#, r#""0000-00-00 00:00:00""#, Ok(None)),
    (
        r#""date""#,
        r#""2026-03-01 23:59:59""#,
        Ok(Some(r#""2026-03-01""#)),
    ),
    (r#""date""#, r#""""#, Ok(None)),
    (
        r#""date""#,
        r#""01/03/2026""#,
        Err("expected a date such as 2026-03-01, not `01/03/2026`"),
    ),
    (
        r#""email""#,
        r#"" a@example.com ""#,
        Ok(Some(r#""a@example.com""#)),
    ),
    (r#"{"enum": ["1", "2"]}"#, r#"1"#, Ok(Some(r#""1""#))),
    (r#"["integer"]"#, r#"["1", null, 3]"#, Ok(Some(r#"[1, 3]"#))),
    (
        r#"["integer"]"#,
        r#"["x"]"#,
        Err("[0]: expected a whole number, not text (`x`)"),
    ),
    (r#""any""#, r#"null"#, Ok(Some(r#"null"#))),
    (
        r#"{"id": "integer", "name": "string?"}"#,
        r#"{"id": "1", "name": null, "more": 1}"#,
        Ok(Some(r#"{"id": 1}"#)),
    ),
    (
        r#"{"id": "integer"}"#,
        r#"{}"#,
        Err("`id` is missing; expected a whole number"),
    ),
];

#[test]
fn vendors_values_are_converted_leniently() {
    for &(written, given, expected) in CONVERTED {
        let expected = expected
            .map(|found| found.map(value))
            .map_err(str::to_owned);
        assert_eq!(
            convert(&shape(&value(written)), value(given)),
            expected,
            "{written} {given}"
        );
    }
}
