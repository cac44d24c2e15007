//! What each role may do, held against every route that there is.

use std::collections::BTreeMap;

use recipe_engine::api::{Entry, routes};
use recipe_engine::names::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, taken};

/// What answers without a token: senders sign in as the recipe says, and machines look whether the
/// server lives.
const OPEN: [&str; 5] = [
    "/webhooks/{project}/{name}",
    "/healthz",
    "/readyz",
    "/api/openapi.json",
    "/api/docs",
];

/// Paths under which everything but looking, or everything at all, is for admins.
const FOR_ADMINS: [&str; 3] = ["/api/tokens", "/api/secrets", "/api/connections"];

async fn token(house: &House, name: &str, role: Role) -> String {
    let wish = json!({ "name": name, "role": role.as_str() });
    let (status, made) = house.post("/api/tokens", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["token"].as_str().unwrap().to_owned()
}

/// A token of each role.
async fn tokens(house: &House) -> BTreeMap<Role, String> {
    let mut tokens = BTreeMap::new();
    for role in Role::ALL {
        tokens.insert(role, token(house, &format!("the-{role}"), role).await);
    }
    tokens
}

/// A path of things that are not there: who may ask is told so, and nothing happens.
fn of_nothing(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.starts_with('{') {
        true => "nothing",
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_refused_to_roles_that_are_too_low() {
    let house = House::at_rest(&[]).await;
    let tokens = tokens(&house).await;
    for route in routes() {
        let path = of_nothing(route.path);
        let ask = || house.request(route.method.clone(), &path).body("{}");
        let Entry::With(needed) = route.entry else {
            assert!(OPEN.contains(&route.path), "{route:?} is open");
            continue;
        };
        let (status, _) = taken(ask().send().await.unwrap()).await;
        assert_eq!(
            status,
            StatusCode::UNAUTHORIZED,
            "{route:?} without a token"
        );
        for (role, token) in &tokens {
            let answer = ask().bearer_auth(token).send().await.unwrap();
            if role.may(needed) {
                let status = answer.status();
                let is_let_in =
                    ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
                assert!(is_let_in, "{route:?} as {role}: {status}");
                continue;
            }
            let (status, problem) = taken(answer).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{route:?} as {role}");
            assert_eq!(problem["code"], "not_allowed");
            let detail = problem["detail"].as_str().unwrap();
            let told = format!(
                "the token `the-{role}` has the role {role}, and this needs the role {needed}"
            );
            assert!(detail.starts_with(&told), "{detail}");
        }
    }
    house.engine.shutdown().await;
}

#[test]
fn what_changes_something_is_for_nobody_who_only_looks() {
    for route in routes() {
        let Entry::With(needed) = route.entry else {
            continue;
        };
        let is_a_look = route.method == Method::GET;
        assert!(is_a_look || needed > Role::Viewer, "{route:?}");
        let is_for_admins = FOR_ADMINS.iter().any(|path| route.path.starts_with(path));
        assert!(
            is_a_look || !is_for_admins || needed == Role::Admin,
            "{route:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_values_are_for_admins() {
    let table = "title: People\ncolumns: { name: { type: string, personal: true, required: true } }\nkey: [name]\n";
    let hello = "title: Hello\ntrigger: { function: {} }\nsteps: [{ log: hello }]\n";
    let find = "title: Find\ntrigger:\n  function:\n    output: { name: { type: string, personal: true }, count: integer }\nsteps: [{ return: { name: Ada Lovelace, count: 1 } }]\n";
    let house = House::of(&[
        ("lookup-tables/people.yaml", table),
        ("recipes/stories/find.yaml", find),
        ("recipes/stories/hello.yaml", hello),
    ])
    .await;
    let job = house.run("hello", json!({})).await;
    house.ended(&job).await;
    let tokens = tokens(&house).await;
    // What a recipe gives to whom waits for it is personal, too.
    for (role, token) in tokens.iter().filter(|(role, _)| role.may(Role::Operator)) {
        let path = "/api/recipes/stories/find/run?wait=30s";
        let run = house.request(Method::POST, path).bearer_auth(token);
        let (status, ended) = taken(run.send().await.unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{ended}");
        let name = match role {
            Role::Admin => "Ada Lovelace",
            _ => "***",
        };
        let found = json!({ "name": name, "count": 1 });
        assert_eq!(ended["output"], found, "as {role}");
    }
    for path in [
        format!("/api/jobs/{job}?reveal=personal"),
        "/api/lookup-tables/people/rows?reveal=personal".to_owned(),
    ] {
        for (role, token) in &tokens {
            let request = house.request(Method::GET, &path).bearer_auth(token);
            let status = request.send().await.unwrap().status();
            let wanted = match role {
                Role::Admin => StatusCode::OK,
                _ => StatusCode::FORBIDDEN,
            };
            assert_eq!(status, wanted, "{path} as {role}");
        }
    }
    let (_, audit) = house.get("/api/audit").await;
    let looks: Vec<&Value> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["action"] == "personal_revealed")
        .collect();
    assert_eq!(looks.len(), 2, "who was refused saw nothing: {audit}");
    assert!(
        looks.iter().all(|look| look["by"] == "the-admin"),
        "{audit}"
    );
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_personal_values_out_letter_by_letter() {
    let table = "title: People\ncolumns:\n  team: { type: string, required: true }\n  email: { type: string, personal: true }\nkey: [team]\n";
    let house = House::of(&[("lookup-tables/people.yaml", table)]).await;
    let rows = json!({ "rows": [{ "team": "Editors", "email": "Ann@example.org" }] });
    let path = "/api/lookup-tables/people/rows";
    assert_eq!(
        house.ask(Method::PUT, path, Some(rows)).await.0,
        StatusCode::OK
    );
    for (asked, count) in [
        ("search=edit", 1),
        ("search=ann", 0),
        ("search=ann@example.or", 0),
        ("search=ann@example.org", 1),
        ("search=ann&reveal=personal", 1),
    ] {
        let (_, answer) = house.get(&format!("{path}?{asked}")).await;
        assert_eq!(answer["rows"].as_array().unwrap().len(), count, "{asked}");
    }
    house.engine.shutdown().await;
}
