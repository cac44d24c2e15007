//! The `sign_in` of a connector.

use std::time::Duration;

use super::super::codes;
use super::super::grammar::{BASIC, OAUTH2};
use super::super::roots::Shapes;
use super::super::sign_in::{ClientSecretIn, Grant, OAuth2, SignIn};
use super::fields::{entries, known, period, required, text_of, text_value, value, values, word};
use crate::data::Value;
use crate::diagnostic::Report;
use crate::expression::Expression;
use crate::source::Node;

/// How long before its end a token is renewed where nothing is said.
const REFRESH_BEFORE: Duration = Duration::from_secs(60);

/// The forms, as they are written.
const FORMS: [&str; 4] = ["header", "query", "basic", "oauth2"];

/// Reads a sign-in; an empty mapping is none.
pub(super) fn read(node: &Node, roots: &Shapes, report: &mut Report) -> SignIn {
    if node.get("choose").is_some() {
        return read_choice(node, roots, report);
    }
    let written = known(node, "a sign-in", &FORMS, report);
    let [(key, form)] = written else {
        if !written.is_empty() {
            report
                .error(codes::SIGN_IN, node.span, "a sign-in has exactly one form")
                .help("write one of header, query, basic and oauth2; or `choose` with `cases`");
        }
        return SignIn::None;
    };
    match &*key.text {
        "header" => SignIn::Header(values(form, "`header`", roots, report)),
        "query" => SignIn::Query(values(form, "`query`", roots, report)),
        "basic" => {
            known(form, "`basic`", &BASIC.names(), report);
            let mut part = |key| match required(form, key, "`basic`", report).cloned() {
                Some(node) => text_value(&node, roots, report),
                None => Expression::literal(Value::Null),
            };
            SignIn::Basic {
                username: part("username"),
                password: part("password"),
            }
        }
        "oauth2" => read_oauth2(form, roots, report),
        _ => SignIn::None,
    }
}

fn read_choice(node: &Node, roots: &Shapes, report: &mut Report) -> SignIn {
    known(node, "a sign-in", &["choose", "cases"], report);
    let by = node.get("choose").map(|node| value(node, roots, report));
    let cases = required(node, "cases", "`choose`", report);
    let cases = cases
        .map(|cases| entries(cases, "`cases`", codes::SIGN_IN, report))
        .unwrap_or_default();
    SignIn::Choose {
        by: by.unwrap_or_else(|| Expression::literal(Value::Null)),
        cases: cases
            .iter()
            .map(|(key, node)| (key.text.to_string(), read(node, roots, report)))
            .collect(),
    }
}

fn read_oauth2(node: &Node, roots: &Shapes, report: &mut Report) -> SignIn {
    known(node, "`oauth2`", &OAUTH2.names(), report);
    let grants = [
        ("password", Some(Grant::Password)),
        ("client_credentials", Some(Grant::ClientCredentials)),
        ("refresh_token", Some(Grant::RefreshToken)),
        ("jwt_bearer", None),
    ];
    let grant = required(node, "grant", "`oauth2`", report)
        .and_then(|node| word(node, "`grant`", &grants, report));
    if let (Some(None), Some(place)) = (grant, node.get("grant")) {
        report
            .error(
                codes::NOT_AVAILABLE,
                place.span,
                "`jwt_bearer` is not available yet",
            )
            .help("use client_credentials, password or refresh_token where the vendor allows it");
    }
    let grant = grant.flatten().unwrap_or(Grant::ClientCredentials);
    let needed: &[&str] = match grant {
        Grant::Password => &BASIC.names(),
        Grant::ClientCredentials => &["client_id", "client_secret"],
        Grant::RefreshToken => &["refresh_token"],
    };
    for key in needed {
        required(node, key, &format!("the grant {}", grant.as_str()), report);
    }
    let mut part = |key: &str| node.get(key).map(|node| text_value(node, roots, report));
    let mut fields = Vec::new();
    for key in ["username", "password"] {
        fields.extend(part(key).map(|value| (key.to_owned(), value)));
    }
    let (client_id, client_secret) = (part("client_id"), part("client_secret"));
    let refresh_token = part("refresh_token");
    // What may be absent is then left out.
    if let Some(scope) = node.get("scope") {
        fields.push(("scope".to_owned(), value(scope, roots, report)));
    }
    if let Some(extra) = node.get("extra") {
        fields.extend(values(extra, "`extra`", roots, report));
    }
    let styles = [
        ("form", ClientSecretIn::Form),
        ("json", ClientSecretIn::Json),
        ("basic", ClientSecretIn::Basic),
    ];
    SignIn::OAuth2(Box::new(OAuth2 {
        grant,
        token: token_address(node, roots, report),
        send: node
            .get("send")
            .and_then(|node| word(node, "`send`", &styles, report))
            .unwrap_or(ClientSecretIn::Form),
        client_id,
        client_secret,
        refresh_token,
        fields,
        refresh_before: node
            .get("refresh_before")
            .and_then(|node| period(node, "`refresh_before`", report))
            .unwrap_or(REFRESH_BEFORE),
        base_url: node
            .get("base_url")
            .map(|node| value(node, &roots.with_reply(), report)),
    }))
}

fn token_address(node: &Node, roots: &Shapes, report: &mut Report) -> Expression {
    match required(node, "token", "`oauth2`", report) {
        Some(node) => {
            text_of(node, "`token`", codes::SIGN_IN, report);
            text_value(node, roots, report)
        }
        None => Expression::literal(Value::Null),
    }
}
