//! The document of the API: sound in itself, made of the doors that there are, and true of what
//! the stories are answered.

use std::collections::BTreeSet;
use std::fs;

use recipe_engine::api::document;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, taken};
use crate::golden::{files_below, root};

/// Holds an answer against what the document says of its door.
pub(super) fn check(method: &Method, path: &str, status: StatusCode, kind: &str, body: &Value) {
    let path = path.split('?').next().unwrap();
    let Some((template, operation)) = door(method, path) else {
        // Stories ask for what is not there, too.
        assert!(status == 404 || status == 405, "{method} {path}: {status}");
        return;
    };
    let answer = &operation["responses"][status.as_str()];
    assert!(
        answer.is_object(),
        "{method} {template} answers {status}, which the document does not say: {body}"
    );
    let kind = kind.split(';').next().unwrap();
    let content = &answer["content"][kind];
    assert!(
        content.is_object(),
        "{method} {template}: {status} is {kind}"
    );
    if kind.ends_with("json") {
        let mut troubles = Vec::new();
        fit(&content["schema"], body, "", &mut troubles);
        assert!(
            troubles.is_empty(),
            "{method} {template} {status}:\n{}\n{body}",
            troubles.join("\n")
        );
    }
}

/// The door at an address: names before parts.
fn door(method: &Method, path: &str) -> Option<(&'static String, &'static Value)> {
    let fits = |template: &str| {
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(part), Some(text)) if part == text || part.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let paths = document()["paths"].as_object().unwrap();
    let mut found: Vec<_> = paths.iter().filter(|(path, _)| fits(path)).collect();
    found.sort_by_key(|(path, _)| path.matches('{').count());
    let (template, methods) = found.first()?;
    let operation = methods.get(method.as_str().to_lowercase())?;
    Some((template, operation))
}

/// Holds a value against a schema, as far as the document uses JSON Schema.
fn fit(schema: &Value, value: &Value, place: &str, troubles: &mut Vec<String>) {
    if let Some(named) = schema["$ref"].as_str() {
        let schema = document().pointer(&named[1..]).unwrap();
        return fit(schema, value, place, troubles);
    }
    for schema in schema["allOf"].as_array().into_iter().flatten() {
        fit(schema, value, place, troubles);
    }
    if let Some(schemas) = schema["anyOf"].as_array() {
        let tried = schemas.iter().map(|schema| {
            let mut found = Vec::new();
            fit(schema, value, place, &mut found);
            found
        });
        let tried: Vec<Vec<String>> = tried.collect();
        if tried.iter().all(|found| !found.is_empty()) {
            troubles.push(format!("{place}: fits none of {tried:?}"));
        }
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => panic!("{kind} is no type"),
    };
    if let Some(kind) = schema["type"].as_str().filter(|kind| !is(kind)) {
        troubles.push(format!("{place}: {value} is no {kind}"));
        return;
    }
    let words = schema["enum"].as_array();
    if words.is_some_and(|words| !words.contains(value)) {
        troubles.push(format!("{place}: {value} is none of {}", schema["enum"]));
    }
    if schema["format"] == "date-time" {
        let text = value.as_str().unwrap();
        if text.parse::<jiff::Timestamp>().is_err() {
            troubles.push(format!("{place}: {text} is no moment"));
        }
    }
    if value.as_i64() < schema["minimum"].as_i64() {
        troubles.push(format!("{place}: {value} is too small"));
    }
    for element in value.as_array().into_iter().flatten() {
        fit(&schema["items"], element, &format!("{place}[]"), troubles);
    }
    let Some(object) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !object.contains_key(name.as_str().unwrap()) {
            troubles.push(format!("{place}: {name} is missing"));
        }
    }
    for (name, value) in object {
        let inner = match schema["properties"].get(name) {
            Some(inner) => inner,
            None if schema["additionalProperties"] == false => {
                troubles.push(format!("{place}: {name} is too much"));
                continue;
            }
            None => &schema["additionalProperties"],
        };
        fit(inner, value, &format!("{place}.{name}"), troubles);
    }
}

#[test]
fn the_document_is_sound_in_itself() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let parts = path.split('/').filter(|part| part.starts_with('{'));
        let parts: BTreeSet<&str> = parts.map(|part| part.trim_matches(['{', '}'])).collect();
        for (method, operation) in methods.as_object().unwrap() {
            let place = format!("{method} {path}");
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{place}: `{name}` is taken");
            for member in ["summary", "tags"] {
                assert!(!operation[member].is_null(), "{place}: no {member}");
            }
            let parameters = operation["parameters"].as_array().unwrap();
            let declared = parameters.iter().filter(|one| one["in"] == "path");
            let declared: BTreeSet<&str> =
                declared.map(|one| one["name"].as_str().unwrap()).collect();
            assert_eq!(declared, parts, "{place}");
            let responses = operation["responses"].as_object().unwrap();
            let is_good = |status: &String| status.starts_with('2');
            assert!(
                responses.keys().any(is_good),
                "{place}: how does it go well?"
            );
            for (status, answer) in responses {
                let content = answer["content"].as_object().unwrap();
                assert!(!content.is_empty() && answer["description"].is_string());
                let is_problem = content.contains_key("application/problem+json");
                assert_eq!(is_problem, !is_good(status), "{place}: {status}");
            }
        }
    }
    // What is named is there, and what is there is named.
    let text = document.to_string();
    let named: BTreeSet<&str> = text
        .split("\"#/components/schemas/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut there: BTreeSet<&str> = schemas.keys().map(String::as_str).collect();
    // It is what events of a stream hold, which a schema cannot say.
    there.remove("JobFollowed");
    assert_eq!(named, there);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_is_in_the_document_and_the_other_way_round() {
    // No route is made but of the list that the document is made of.
    let files = files_below(&root().join("engine/api"));
    for path in files.iter().filter(|path| !path.ends_with("tests.rs")) {
        let text = fs::read_to_string(path).unwrap();
        let routes = text.matches(".route(").count();
        let expected = usize::from(path.ends_with("engine/api/mod.rs"));
        assert_eq!(routes, expected, "{}", path.display());
    }
    let house = House::at_rest(&[]).await;
    let (status, served) = house.get("/api/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(served, *document());
    // Each is answered by somebody, and only those without a token that say so.
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace(['{', '}'], "");
            let answer = house.request(method.clone(), &path).send().await.unwrap();
            let (status, body) = taken(answer).await;
            assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            let is_open = operation["security"] == json!([]);
            let is_refused = body["code"] == "not_signed_in";
            assert_eq!(is_refused, !is_open, "{method} {path}: {status} {body}");
        }
    }
    let answer = house
        .request(Method::GET, "/api/docs")
        .send()
        .await
        .unwrap();
    let policy = answer.headers()["content-security-policy"].clone();
    assert!(!policy.to_str().unwrap().contains("script"), "{policy:?}");
    let page = answer.text().await.unwrap();
    for (path, _) in document()["paths"].as_object().unwrap() {
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
    }
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));
    house.engine.shutdown().await;
}
