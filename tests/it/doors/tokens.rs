//! Tokens: made, shown once, listed, expired, revoked.

use std::sync::Arc;

use recipe_engine::settings::Settings;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, taken, workspace, write};

/// What the bearer of a token is told of who he is.
async fn whoami(house: &House, token: &str) -> (StatusCode, Value) {
    let request = house.request(Method::GET, "/api/whoami").bearer_auth(token);
    taken(request.send().await.unwrap()).await
}

async fn make(house: &House, wish: Value) -> String {
    let (status, made) = house.post("/api/tokens", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let house = House::of(&[]).await;
    let token = make(&house, json!({ "name": "ada", "role": "operator" })).await;
    assert_eq!(
        whoami(&house, &token).await,
        (StatusCode::OK, json!({ "name": "ada", "role": "operator" }))
    );
    let (_, list) = house.get("/api/tokens").await;
    assert!(!list.to_string().contains(&token), "{list}");
    let ada = &list["tokens"][1];
    assert_eq!(
        (&ada["name"], &ada["status"]),
        (&json!("ada"), &json!("active"))
    );
    assert!(ada["used_at"].is_string(), "{list}");

    let (status, _) = house.ask(Method::DELETE, "/api/tokens/ada", None).await;
    assert_eq!(status, StatusCode::OK);
    let (status, refused) = whoami(&house, &token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{refused}");
    let (status, _) = house.ask(Method::DELETE, "/api/tokens/ada", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // Its name is free again, and the old token stays out.
    let again = make(&house, json!({ "name": "ada", "role": "viewer" })).await;
    assert_eq!(whoami(&house, &again).await.1["role"], "viewer");
    assert_eq!(whoami(&house, &token).await.0, StatusCode::UNAUTHORIZED);

    let (_, audit) = house.get("/api/audit?subject=token:ada").await;
    let done: Vec<&Value> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["action"])
        .collect();
    assert_eq!(done, ["token_created", "token_revoked", "token_created"]);
    assert_eq!(audit["entries"][0]["by"], "cli");
    // The tokens outlive the server.
    let folder = house.folder.clone();
    house.engine.shutdown().await;
    let house = House::open(folder).await;
    assert!(house.listening.new_admin_token.is_none(), "there was one");
    assert_eq!(whoami(&house, &again).await.0, StatusCode::OK);
    assert_eq!(whoami(&house, &token).await.0, StatusCode::UNAUTHORIZED);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_token_is_refused_in_words() {
    let house = House::of(&[]).await;
    make(&house, json!({ "name": "ada", "role": "viewer" })).await;
    for (wish, status, word) in [
        (json!({ "name": "ada", "role": "admin" }), 409, "already"),
        (
            json!({ "name": "cli", "role": "admin" }),
            409,
            "server's own",
        ),
        (
            json!({ "name": "bob", "role": "boss" }),
            422,
            "viewer, operator, editor, admin",
        ),
        (
            json!({ "name": "Bob!", "role": "viewer" }),
            422,
            "lower-case",
        ),
        (
            json!({ "name": "bob", "role": "viewer", "expires_in": "soon" }),
            422,
            "length of time",
        ),
        (
            json!({ "name": "bob", "role": "viewer", "expires_in": "0s" }),
            422,
            "expired",
        ),
        (json!({ "name": "bob" }), 422, "role"),
    ] {
        let (told, problem) = house.post("/api/tokens", wish.clone()).await;
        assert_eq!(told.as_u16(), status, "{wish}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{wish}: {detail}");
    }
    let (status, problem) = house.ask(Method::DELETE, "/api/tokens/cli", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_refused_and_says_so() {
    let folder = Arc::new(workspace(&[]));
    let settings = Settings {
        time_scale: 10_000.0,
        ..Settings::private(folder.path())
    };
    let house = House::with(folder, settings).await;
    let wish = json!({ "name": "guest", "role": "viewer", "expires_in": "6h" });
    let token = make(&house, wish).await;
    let mut told = whoami(&house, &token).await;
    while told.0 == StatusCode::OK {
        told = whoami(&house, &token).await;
    }
    assert_eq!(told.0, StatusCode::UNAUTHORIZED);
    let detail = told.1["detail"].as_str().unwrap();
    assert!(detail.contains("`guest` expired at"), "{detail}");
    let (_, list) = house.get("/api/tokens").await;
    assert_eq!(list["tokens"][1]["status"], "expired", "{list}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_token_of_an_earlier_version_goes_on() {
    use sha2::{Digest, Sha256};
    let folder = Arc::new(workspace(&[]));
    let hash: String = Sha256::digest("rcp_from_before")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    write(
        folder.path(),
        "data/admin-token.sha256",
        &format!("{hash}\n"),
    );
    let house = House::open(folder).await;
    assert!(house.listening.new_admin_token.is_none());
    assert_eq!(
        whoami(&house, "rcp_from_before").await,
        (StatusCode::OK, json!({ "name": "admin", "role": "admin" }))
    );
    assert!(!house.folder.path().join("data/admin-token.sha256").exists());
    house.engine.shutdown().await;
}
