//! Secrets of connections that an admin gave: sealed in the database, used, told to nobody.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, Vendor, write};
use super::process::{Server, ended, recipes, refused, said};

const KEY: &str = "planted-sealed-key-7a7a";

const ASK: &str = "
title: Ask
trigger: { function: {} }
steps: [{ action: http.get, with: { path: /thing } }]
";

fn connections(vendor: &Vendor) -> String {
    format!(
        "connections:\n  http: {{ base_url: \"{}\", sign_in: api_key, api_key: {{ secret: \
         http.api_key }}, allow_private: true }}\n",
        vendor.url()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_given_reaches_the_vendor_and_nobody_else() {
    let vendor = Vendor::open().await;
    let house = House::of(&[
        ("connections.yaml", &connections(&vendor)),
        ("recipes/stories/ask.yaml", ASK),
    ])
    .await;
    let path = "/api/recipes/stories/ask/run";
    let (status, missing) = house.post(path, json!({})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        missing
            .to_string()
            .contains("recipes secrets set http.api_key"),
        "{missing}"
    );
    let (_, list) = house.get("/api/secrets").await;
    assert_eq!(
        list["secrets"],
        json!([{ "name": "http.api_key", "state": "missing" }])
    );

    let set = |value: &str| {
        let body = json!({ "value": value });
        let house = &house;
        async move {
            house
                .ask(Method::PUT, "/api/secrets/http.api_key", Some(body))
                .await
        }
    };
    let (status, told) = set("planted-first-key-6b6b").await;
    assert_eq!((status, &told["state"]), (StatusCode::OK, &json!("given")));
    let (_, told) = set(KEY).await;
    assert!(!told.to_string().contains(KEY), "{told}");
    let job = house.run("ask", json!({})).await;
    let asked = vendor.asked().await;
    assert!(
        asked.text.contains(&format!("x-api-key: {KEY}")),
        "{}",
        asked.text
    );
    asked.answer("{}").await;
    assert_eq!(house.ended(&job).await["status"], "succeeded");
    let (_, list) = house.get("/api/secrets").await;
    assert_eq!(list["secrets"][0]["set_by"], "cli", "{list}");
    let (_, audit) = house.get("/api/audit?subject=secret:http.api_key").await;
    assert_eq!(audit["entries"].as_array().unwrap().len(), 2, "{audit}");
    for shown in [&list, &audit] {
        assert!(!shown.to_string().contains("planted"), "{shown}");
    }
    // A server that knows nothing opens it, and with a new key, too.
    let (status, _) = house.post("/api/secrets/rekey", json!({})).await;
    assert_eq!(status, StatusCode::OK);
    let folder = house.folder.clone();
    house.engine.shutdown().await;
    let house = House::open(folder).await;
    let job = house.run("ask", json!({})).await;
    let asked = vendor.asked().await;
    assert!(asked.text.contains(KEY), "{}", asked.text);
    asked.answer("{}").await;
    house.ended(&job).await;
    take_away(&house).await;
    let (status, _) = house.post(path, json!({})).await;
    assert_eq!(
        status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "it is gone at once"
    );
    house.engine.shutdown().await;
}

/// Takes away the secret, which is used.
async fn take_away(house: &House) {
    let path = "/api/secrets/http.api_key";
    let (status, kept) = house.ask(Method::DELETE, path, None).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(kept["code"], "secret_is_used", "{kept}");
    let anyway = format!("{path}?anyway=true");
    let (status, _) = house.ask(Method::DELETE, &anyway, None).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_connection_could_use_is_refused_without_repeating_it() {
    let vendor = Vendor::open().await;
    let house = House::of(&[("connections.yaml", &connections(&vendor))]).await;
    let good = json!({ "value": KEY });
    for (name, body, status, word) in [
        ("http.api_key", json!(KEY), 422, "value"),
        ("http.api_key", json!({ "value": [KEY] }), 422, "value"),
        ("http.api_key", json!({ "key": KEY }), 422, "value"),
        ("http.api_key", json!({ "value": "  " }), 422, "empty"),
        ("http.base_url", good.clone(), 422, "no secret field"),
        ("http.api_kee", good.clone(), 422, "api_key"),
        ("htp.api_key", good.clone(), 404, "`http`"),
        ("api_key", good.clone(), 400, "connection.field"),
    ] {
        let path = format!("/api/secrets/{name}");
        let (told, problem) = house.ask(Method::PUT, &path, Some(body)).await;
        assert_eq!(told.as_u16(), status, "{name}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{name}: {detail}");
        assert!(!problem.to_string().contains("planted"), "{problem}");
    }
    let gone = house.ask(Method::DELETE, "/api/secrets/http.api_key", None);
    assert_eq!(gone.await.0, StatusCode::NOT_FOUND);
    house.engine.shutdown().await;
}

/// Says a command and types this into it.
pub(super) fn typed(folder: &Path, arguments: &[&str], text: &str) -> Output {
    let mut command = recipes(folder, arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    child.wait_with_output().unwrap()
}

#[test]
fn secrets_are_given_on_the_command_line_whether_a_server_runs_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let own = "connections:\n  http: { base_url: http://localhost, sign_in: api_key, api_key: { \
               secret: http.api_key }, token: { secret: http.token } }\n";
    write(folder, "connections.yaml", own);
    write(folder, "settings.yaml", "key_file: vault/our.key\n");
    std::fs::create_dir(folder.join("vault")).unwrap();
    let set = |name: &str| {
        said(&typed(
            folder,
            &["secrets", "set", name],
            &format!("{KEY}\n"),
        ))
    };
    let told = set("http.api_key");
    assert!(
        told.contains("kept, sealed") && !told.contains(KEY),
        "{told}"
    );
    assert!(folder.join("vault/our.key").exists());
    assert!(!folder.join("data/recipes.db.key").exists());
    let lacks = ended(folder, &["connections"]);
    let lacks = String::from_utf8_lossy(&lacks.stdout).into_owned();
    assert!(
        lacks.contains("`http.token` was not given") && !lacks.contains("api_key"),
        "{lacks}"
    );
    let _server = Server::with(folder, &[]);
    set("http.token");
    let whole = said(&ended(folder, &["connections"]));
    assert!(whole.contains("complete"), "{whole}");
    let list = said(&ended(folder, &["secrets", "list", "--json"]));
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["secrets"][1]["state"], "given", "{list}");
    said(&ended(folder, &["secrets", "rekey"]));
    let kept = refused(&ended(folder, &["secrets", "remove", "http.token"]), 1);
    assert!(kept.contains("no started recipe uses it"), "{kept}");
    assert!(kept.contains("`--anyway`"), "{kept}");
    said(&ended(
        folder,
        &["secrets", "remove", "http.token", "--anyway"],
    ));
    let text = refused(&ended(folder, &["secrets", "rekey", "--key-is-lost"]), 1);
    assert!(text.contains("another server"), "{text}");
    let empty = typed(folder, &["secrets", "set", "http.token"], "\n");
    assert!(refused(&empty, 1).contains("empty"));
}

#[test]
fn a_lost_key_is_told_of_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let own = "connections:\n  http: { base_url: http://localhost, sign_in: api_key, api_key: { \
               secret: http.api_key } }\n";
    write(folder, "connections.yaml", own);
    let set = || typed(folder, &["secrets", "set", "http.api_key"], KEY);
    said(&set());
    let key = folder.join("data/recipes.db.key");
    let text = std::fs::read_to_string(&key).unwrap();
    write(
        folder,
        "data/recipes.db.key",
        &format!("{}\n", "0".repeat(64)),
    );
    let why = refused(&ended(folder, &["serve", "--address", "127.0.0.1:0"]), 3);
    assert!(
        why.contains("does not fit") && why.contains("RECIPES_KEY_FILE"),
        "{why}"
    );
    std::fs::remove_file(&key).unwrap();
    let why = refused(&ended(folder, &["jobs"]), 3);
    assert!(why.contains("is missing"), "{why}");
    assert!(!key.exists(), "no new key is made that would hide the loss");
    write(folder, "data/recipes.db.key", &text);
    let list = said(&ended(folder, &["secrets", "list"]));
    assert!(list.contains("given"), "{list}");
    std::fs::remove_file(&key).unwrap();
    said(&ended(folder, &["secrets", "rekey", "--key-is-lost"]));
    let list = said(&ended(folder, &["secrets", "list"]));
    assert!(list.contains("missing"), "{list}");
    said(&set());
}
