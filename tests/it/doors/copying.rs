//! Clones of projects and customised recipes.

use std::fs;

use recipe_engine::library::Library;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::house::{House, taken, write};

/// A project whose dispatcher and callee write into a table.
const FILES: [(&str, &str); 4] = [
    ("recipes/news/project.yaml", "title: News\nversion: 1.2.0\n"),
    (
        "recipes/news/send.yaml",
        "title: Send\ntrigger:\n  webhook: { auth: none }\nsteps:\n  - id: note\n    call: news/note\n",
    ),
    (
        "recipes/news/note.yaml",
        "title: Note\ntrigger:\n  function: { output: { by: string } }\nsteps:\n  - id: kept\n    \
         table: notes\n    upsert: { name: original }\n  - return: { by: original }\n",
    ),
    (
        "lookup-tables/notes.yaml",
        "title: Notes\ncolumns:\n  name: { label: Name, type: string, required: true }\nkey: [name]\n",
    ),
];

/// The job of a run by hand, once it ended.
async fn ran(house: &House, recipe: &str, wish: Value) -> Value {
    let (status, answer) = house
        .post(&format!("/api/recipes/{recipe}/run"), wish)
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    house.ended(answer["jobs"][0].as_str().unwrap()).await
}

#[tokio::test]
async fn a_clone_is_whole_calls_itself_and_is_live_at_once() {
    let house = House::of(&FILES).await;
    let wish = json!({ "as": "acme", "own_tables": true });
    let (status, answer) = house.post("/api/projects/news/clone", wish.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let folder = house.folder.path();
    write(
        folder,
        "recipes/acme/note.yaml",
        &FILES[2].1.replace("original", "copy"),
    );
    house.engine.take_up_files().await.unwrap();
    let job = ran(&house, "acme/send", json!({ "event": { "body": {} } })).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    let (_, rows) = house.get("/api/lookup-tables/acme-notes/rows").await;
    assert_eq!(rows["rows"][0]["name"], "copy", "{rows}");
    let (_, rows) = house.get("/api/lookup-tables/notes/rows").await;
    assert_eq!(rows["rows"], json!([]));

    let (status, problem) = house.post("/api/projects/news/clone", wish).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("exists"))
    );
    let (status, _) = house
        .post("/api/projects/news/clone", json!({ "as": "../up" }))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = house
        .post("/api/projects/nws/clone", json!({ "as": "b" }))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_, audit) = house.get("/api/audit?subject=project:acme").await;
    assert_eq!(audit["entries"][0]["action"], "cloned", "{audit}");
}

#[tokio::test]
async fn a_clone_comes_to_its_end_although_its_client_hangs_up() {
    let house = House::of(&FILES).await;
    let wish = r#"{"as":"acme"}"#;
    let mut client = TcpStream::connect(house.listening.address).await.unwrap();
    let request = format!(
        "POST /api/projects/news/clone HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-length: {}\r\n\r\n{wish}",
        house.listening.local_token.reveal(),
        wish.len()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    drop(client);
    let path = "/api/audit?subject=project:acme";
    let is_noted = |audit: &Value| audit["entries"] != json!([]);
    let audit = house.until(path, is_noted).await;
    assert_eq!(audit["entries"][0]["action"], "cloned", "{audit}");
    let (status, problem) = house
        .post("/api/projects/news/clone", json!({ "as": "acme" }))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("exists"))
    );
    let (status, answer) = house
        .post("/api/projects/news/clone", json!({ "as": "next" }))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    house.engine.shutdown().await;
}

#[tokio::test]
async fn a_clone_counts_although_the_disk_refuses_in_its_middle() {
    let house = House::of(&FILES).await;
    let folder = house.folder.path();
    let in_the_way = "recipes/acme/.send.yaml.saving";
    write(folder, &format!("{in_the_way}/file"), "");
    let wish = json!({ "as": "acme" });
    let (status, answer) = house.post("/api/projects/news/clone", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let (_, audit) = house.get("/api/audit?subject=project:acme").await;
    assert_eq!(audit["entries"][0]["action"], "cloned", "{audit}");
    let job = ran(&house, "acme/send", json!({ "event": { "body": {} } })).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    let file = folder.join("recipes/acme/send.yaml");
    assert!(!file.exists());
    // Nobody saves past what is not in its place yet.
    let path = "/api/recipes/acme/send";
    let save = async || {
        let token = house.listening.local_token.reveal();
        let request = house.request(Method::PUT, path).bearer_auth(token);
        let request = request.header("if-none-match", "*");
        let request = request.json(&json!({ "source": FILES[1].1 }));
        let (status, problem) = taken(request.send().await.unwrap()).await;
        (status, problem["detail"].to_string())
    };
    let (status, why) = save().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{why}");
    assert!(why.contains(in_the_way), "{why}");
    fs::remove_dir_all(folder.join(in_the_way)).unwrap();
    let (status, why) = save().await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{why}");
    assert!(file.exists());
}

#[tokio::test]
async fn a_copy_that_would_not_count_is_not_written() {
    let house = House::of(&FILES).await;
    let folder = house.folder.path();
    let job = ran(&house, "news/send", json!({ "event": { "body": {} } })).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    let table = FILES[3].1;
    let unfit = table.replace("name", "title");
    write(folder, "lookup-tables/notes.yaml", &unfit);
    // Whether or not the server has seen it.
    for is_seen in [false, true] {
        if is_seen {
            house.engine.take_up_files().await.unwrap_err();
        }
        let wish = json!({ "as": "acme" });
        let (status, problem) = house.post("/api/projects/news/clone", wish).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::CONFLICT, &json!("tables_do_not_fit"))
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("nothing was written") && detail.contains("holds values"),
            "{detail}"
        );
        assert!(!folder.join("recipes/acme").exists() && !folder.join("recipes.lock").exists());
        let (_, audit) = house.get("/api/audit?subject=project:acme").await;
        assert_eq!(audit["entries"], json!([]));
    }
    write(folder, "lookup-tables/notes.yaml", table);
    let (status, answer) = house
        .post("/api/projects/news/clone", json!({ "as": "acme" }))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

#[tokio::test]
async fn two_copies_that_write_to_the_same_place_run_together_only_if_that_is_said() {
    let house = House::of(&FILES).await;
    let start = |name: &str| format!("/api/recipes/{name}/start");
    for (name, own_tables) in [("acme", false), ("alone", true)] {
        let wish = json!({ "as": name, "own_tables": own_tables });
        let (status, answer) = house.post("/api/projects/news/clone", wish).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }
    assert_eq!(
        house.post(&start("news/send"), json!({})).await.0,
        StatusCode::OK
    );
    let (status, problem) = house.post(&start("acme/send"), json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(problem["code"], "copy_is_started");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("`news/send`") && detail.contains("the table `notes`"),
        "{detail}"
    );
    assert_eq!(
        house.post(&start("alone/send"), json!({})).await.0,
        StatusCode::OK
    );
    let wish = json!({ "beside_copy": true });
    assert_eq!(
        house.post(&start("acme/send"), wish).await.0,
        StatusCode::OK
    );
    // What runs already is as it was asked to be.
    for name in ["acme/send", "news/send"] {
        let (status, answer) = house.post(&start(name), json!({})).await;
        assert_eq!(status, StatusCode::OK, "{name}: {answer}");
    }
}

#[tokio::test]
async fn a_customised_recipe_stands_in_the_place_of_the_bundled_one() {
    let house = House::of(&[]).await;
    let check = "integration-master-flow-check";
    let path = format!("/api/recipes/accredible/{check}/customise");
    let (status, answer) = house.post(&path, json!({})).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let file = format!("recipes/accredible/{check}.yaml");
    let text = fs::read_to_string(house.folder.path().join(&file)).unwrap();
    assert!(text.contains("{{ne vars.master 'ACCREDIBLE'}}"));
    let mine = text.replace(
        "{{ne vars.master 'ACCREDIBLE'}}",
        "{{ne vars.master 'NOBODY'}}",
    );
    write(house.folder.path(), &file, &mine);
    house.engine.take_up_files().await.unwrap();
    let row = json!({ "rows": [{ "integration": "ACCREDIBLE", "key": "ACCREDIBLE_INTEGRATION_MASTER", "value": "ACCREDIBLE" }] });
    let path = "/api/lookup-tables/integration-settings/rows";
    let (status, answer) = house.ask(reqwest::Method::PUT, path, Some(row)).await;
    assert!(status.is_success(), "{answer}");
    let job = ran(&house, &format!("accredible/{check}"), json!({})).await;
    assert_eq!(job["output"]["docebo_to_accredible"], true, "{job}");
    let (status, problem) = house
        .post(
            &format!("/api/recipes/accredible/{check}/customise"),
            json!({}),
        )
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("exists"))
    );
}

#[tokio::test]
async fn check_points_out_a_clone_that_calls_the_original_and_a_lock_that_names_what_is_gone() {
    let house = House::of(&FILES).await;
    let wish = json!({ "as": "acme" });
    let (status, answer) = house.post("/api/projects/news/clone", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let folder = house.folder.path();
    let codes = || -> Vec<String> {
        let found = Library::read(folder).unwrap().diagnostics;
        found
            .iter()
            .map(|found| format!("{} {}", found.code.0, found.place.file))
            .collect()
    };
    assert_eq!(codes(), Vec::<String>::new());
    write(folder, "recipes/acme/send.yaml", FILES[1].1);
    assert_eq!(codes(), ["L001 recipes/acme/send.yaml"]);
    fs::remove_file(folder.join("recipes/acme/send.yaml")).unwrap();
    assert_eq!(codes(), ["L002 recipes.lock"]);
}
