//! What is taken for a secret that somebody typed, and what is not.

use std::sync::Arc;

use super::super::codes::SECRET_TYPED;
use super::super::point_out_secrets;
use crate::diagnostic::Report;
use crate::source::parse;

/// How many places of a file are pointed out.
fn pointed_out(text: &str) -> usize {
    let file = Arc::from("recipe.yaml");
    let (document, _) = parse(&file, text.as_bytes());
    let mut report = Report::of(&file);
    point_out_secrets(&document.expect("it is YAML").root, &mut report);
    let found = report.into_diagnostics();
    assert!(found.iter().all(|found| found.code == SECRET_TYPED));
    found.len()
}

#[test]
fn what_looks_like_a_secret_is_pointed_out() {
    for text in [
        "password: hunter22",
        "with: { body: { client_secret: abcdef } }",
        "headers: { X-Api-Key: a1b2c3d4 }",
        "headers: { Authorization: Basic YWRhOmh1bnRlcg }",
        "password: 12345678",
        "db_password: [hunter22]",
        "note: 'Bearer abcdefghij0123456789'",
        "text: send Token token=0123456789abcdef0123",
        "any: sk_live_abcdefghijklmnop7",
        "any: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
        "any: rcp_0123456789012345678901234567890123456789",
        "path: https://ada:hunter22@example.com/",
        "key: |\n  -----BEGIN PRIVATE KEY-----\n  MIIE\n",
    ] {
        assert_eq!(pointed_out(text), 1, "{text}");
    }
}

#[test]
fn what_refers_to_a_secret_or_declares_one_is_none() {
    for text in [
        "password: $.input.password",
        "password: \"{{row.password}}\"",
        "headers: { Authorization: \"Bearer {{connection.token}}\" }",
        "input: { password: string?, api_key: \"[string]\" }",
        "columns: { token: { type: string, secret: true } }",
        "auth: { token: my_webhook_token }",
        "secret: true",
        "path: https://example.com/a:b@c",
        "text: the bearer of this letter, and basic internationalization",
        "secrets: four of them are kept",
    ] {
        assert_eq!(pointed_out(text), 0, "{text}");
    }
}
