//! The JSON parsing suite, as bodies of deliveries.
//!
//! In: bodies, sound and unsound. Out: a job that has the value, or a refusal and nothing queued.
//! Always true: what JSON forbids is refused with what is wrong and where; what JSON leaves open
//! stands in the suite's `outcomes.yaml`.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::house::{House, taken};
use crate::conformance::{cases, compare};
use crate::golden::root;

const HOOK: &str = "
title: Hook
trigger: { webhook: { auth: none } }
steps:
  - return: { body: $.trigger.body }
";

#[derive(Deserialize)]
struct Case {
    name: String,
    text: Option<String>,
    hex: Option<String>,
    repeat: Option<(String, usize, String)>,
}

impl Case {
    fn body(&self) -> Vec<u8> {
        match (&self.text, &self.hex, &self.repeat) {
            (Some(text), _, _) => text.clone().into_bytes(),
            (_, Some(hex), _) => hex
                .as_bytes()
                .chunks(2)
                .map(|pair| {
                    let pair = std::str::from_utf8(pair).unwrap();
                    u8::from_str_radix(pair, 16).unwrap()
                })
                .collect(),
            (_, _, Some((text, times, end))) => (text.repeat(*times) + end).into_bytes(),
            _ => panic!("{} has no body", self.name),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_json_or_refused_and_leaves_nothing() {
    let house = House::of(&[("recipes/stories/hook.yaml", HOOK)]).await;
    let cases: Vec<Case> = cases("json");
    assert_eq!(cases.len(), 340, "none was lost");
    let values = values();
    let mut ended = BTreeMap::new();
    let mut accepted = 0;
    for case in &cases {
        let request = house.request(Method::POST, "/webhooks/stories/hook");
        let answer = request.body(case.body()).send().await.unwrap();
        let (status, answer) = taken(answer).await;
        let name = &case.name;
        match status {
            StatusCode::ACCEPTED => {
                accepted += 1;
                let id = answer["accepted"][0].as_str().unwrap();
                let (_, job) = house.get(&format!("/api/jobs/{id}?reveal=personal")).await;
                let kept = job["trigger"]["body"].to_string();
                assert!(!name.starts_with("n_"), "{name} is taken as {kept}");
                let is_same = same(case, &kept, &values);
                assert!(
                    is_same || !name.starts_with("y_"),
                    "{name} is taken as {kept}"
                );
                if !name.starts_with("y_") && !is_same {
                    ended.insert(name.clone(), ("changed".to_owned(), kept));
                }
            }
            StatusCode::BAD_REQUEST => {
                let detail = answer["detail"].as_str().unwrap().to_owned();
                let has_place = detail.contains(" at line ") || detail.contains("byte ");
                assert!(
                    has_place || detail.contains("it is empty"),
                    "{name}: {detail}"
                );
                assert!(
                    detail.starts_with("the body is not JSON: "),
                    "{name}: {detail}"
                );
                assert!(!name.starts_with("y_"), "{name} is refused: {detail}");
                if !name.starts_with("n_") {
                    ended.insert(name.clone(), ("refused".to_owned(), detail));
                }
            }
            other => panic!("{name}: {other} {answer}"),
        }
    }
    let (_, metrics) = house.get("/api/jobs?limit=500").await;
    assert_eq!(metrics["jobs"].as_array().unwrap().len(), accepted);
    compare("json", &ended);
    house.engine.shutdown().await;
}

/// What the bodies mean that every parser must take, as another parser has read them.
fn values() -> BTreeMap<String, String> {
    let path = root().join("tests/data/conformance/json/values.json");
    let values: BTreeMap<String, String> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(values.len(), 95, "none was lost");
    values
}

/// Whether what is kept is the body: the value that another parser found where every parser must
/// agree, else letter by letter.
fn same(case: &Case, kept: &str, values: &BTreeMap<String, String>) -> bool {
    if case.name.starts_with("y_") {
        return plainly(kept) == values[&case.name];
    }
    let Ok(body) = String::from_utf8(case.body()) else {
        return false;
    };
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    plain(&body) == plain(kept)
}

/// A JSON text in ASCII: other characters are escaped.
fn plainly(text: &str) -> String {
    let mut out = String::new();
    let mut units = [0; 2];
    for c in text.chars() {
        match c.is_ascii() {
            true => out.push(c),
            false => {
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}
