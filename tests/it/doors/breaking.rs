//! Files that break, are cut off or just being written while the server looks on.

use std::fs;
use std::time::Duration;

use recipe_engine::clock::Moment;
use recipe_engine::names::RecipeName;
use recipe_engine::workspace::Look;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};

use super::house::{House, Vendor, taken, write, write_at};

const TABLE: &str =
    "title: Notes\ncolumns: { name: { label: Name, type: string, required: true } }\nkey: [name]\n";
const WIRED: &str = "title: Acme\nversion: 1.0.0\ntables: { notes: acme-notes }\n";
const NOTE: &str = "
title: Note
trigger: { webhook: { auth: none, respond: result } }
steps:
  - table: notes
    upsert: { name: \"{{trigger.body.name}}\" }
  - return: { done: true }
";
const ASK: &str = "
title: Ask
trigger: { function: { input: {}, output: {} } }
steps:
  - id: ask
    action: http.request
    with: { path: /asked }
";

/// Long after any file of a story was written.
const MUCH_LATER: Moment = Moment(4_000_000_000_000_000);
/// When files are written in stories that tell of that.
const WRITTEN: Moment = Moment(1_900_000_000_000_000);

fn after(millis: u64) -> Moment {
    WRITTEN.after(Duration::from_millis(millis))
}

/// Has the server look when all files are at rest; it may have done so by itself.
async fn look(house: &House) {
    let look = house.engine.look_at_files(MUCH_LATER).await.unwrap();
    assert_ne!(look, Look::Restless);
}

/// The database of a house, from outside.
async fn database(house: &House) -> sqlx::SqliteConnection {
    let path = house.folder.path().join("data/recipes.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap()
}

async fn names(house: &House, table: &str) -> Vec<Value> {
    let (status, rows) = house.get(&format!("/api/lookup-tables/{table}/rows")).await;
    assert_eq!(status, StatusCode::OK, "{rows}");
    let rows = rows["rows"].as_array().unwrap().iter();
    rows.map(|row| row["name"].clone()).collect()
}

async fn problems(house: &House, file: &str) -> bool {
    let found = house.engine.shelf().errors();
    found.iter().any(|found| &*found.place.file == file)
}

/// A house in which `acme/note` writes into a table of its own.
async fn acme() -> House {
    let house = House::of(&[
        ("lookup-tables/notes.yaml", TABLE),
        ("lookup-tables/acme-notes.yaml", TABLE),
        ("recipes/acme/project.yaml", WIRED),
        ("recipes/acme/note.yaml", NOTE),
    ])
    .await;
    let (status, answer) = house.post("/api/recipes/acme/note/start", json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    house
}

async fn noted(house: &House, name: &str) {
    let body = json!({ "name": name });
    let (status, answer) = house.post("/webhooks/acme/note", body).await;
    assert_eq!(
        (status, &answer["status"]),
        (StatusCode::OK, &json!("succeeded")),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_a_projects_wiring_never_leads_to_what_another_project_has() {
    let house = acme().await;
    let folder = house.folder.path();
    let file = "recipes/acme/project.yaml";
    let mut expected = Vec::new();
    for (number, mistake) in [
        "title: Acme\nversion: 1.0.0\ntables: { notes: Acme_Notes }\n",
        "title: Acme\nversion: 1.0.0\ntables: { notes: nowhere }\n",
        "title: Acme\nversion: 1.0.0\ntables: { notes: }\n",
        "title: Acme\nversion: 1.0.0\ntables: [notes]\n",
        "title: Acme\nversion: 1.0.0\ntable: { notes: acme-notes }\n",
        "title: Acme\nversion: 1.0.0\nconnections: { http: Bad Name }\n",
        "title: [",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        write(folder, file, mistake);
        look(&house).await;
        assert!(problems(&house, file).await, "{mistake}");
        // A recipe that changes meanwhile waits, too.
        let changed = NOTE.replace("title: Note", &format!("title: Note {number}"));
        write(folder, "recipes/acme/note.yaml", &changed);
        look(&house).await;
        let name = format!("at mistake {number}");
        noted(&house, &name).await;
        expected.push(json!(name));
    }
    assert_eq!(names(&house, "notes").await, Vec::<Value>::new());
    assert_eq!(names(&house, "acme-notes").await, expected);
    // A server that starts with it runs nothing by it.
    let House { folder, engine, .. } = house;
    engine.shutdown().await;
    let house = House::open(folder).await;
    let note = RecipeName::new("acme/note").unwrap();
    assert!(house.engine.shelf().program(&note).is_none());
    let body = json!({ "name": "at the start" });
    let (status, _) = house.post("/webhooks/acme/note", body).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    write(house.folder.path(), file, WIRED);
    look(&house).await;
    noted(&house, "mended").await;
    expected.push(json!("mended"));
    assert_eq!(names(&house, "notes").await, Vec::<Value>::new());
    assert_eq!(names(&house, "acme-notes").await, expected);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_breaks_stays_as_it_was() {
    let house = acme().await;
    let folder = house.folder.path();
    let file = "lookup-tables/acme-notes.yaml";
    for (number, mistake) in [
        "title: [",
        "title: Notes\n",
        "title: Notes\ncolumns: { nam: { label: Name, type: strin } }\n",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        write(folder, file, mistake);
        look(&house).await;
        assert!(problems(&house, file).await, "{mistake}");
        noted(&house, &format!("at mistake {number}")).await;
    }
    assert_eq!(names(&house, "acme-notes").await.len(), 4);
    write(folder, file, TABLE);
    look(&house).await;
    assert!(!problems(&house, file).await);
    noted(&house, "mended").await;
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_stay_as_they_were() {
    let vendor = Vendor::open().await;
    let whole = vendor.connections();
    let files = [
        ("recipes/stories/ask.yaml", ASK),
        ("connections.yaml", &whole),
    ];
    let house = House::of(&files).await;
    let one_is_mistaken = whole.replace("allow_private: true", "allow_private: maybe");
    assert_ne!(one_is_mistaken, whole);
    for mistake in [
        &whole[..whole.len() - 4],
        &whole.replace("connections:", "connection:"),
        "connections: [http]\n",
        "connections: { http: { connector: nothing } }\n",
        &one_is_mistaken,
    ] {
        write(house.folder.path(), "connections.yaml", mistake);
        look(&house).await;
        assert!(problems(&house, "connections.yaml").await, "{mistake}");
        let job = house.run("ask", json!({})).await;
        vendor.asked().await.answer("{}").await;
        let job = house.ended(&job).await;
        assert_eq!(job["status"], "succeeded", "{mistake}: {job}");
    }
    // What is taken out on purpose is gone.
    write(house.folder.path(), "connections.yaml", "connections: {}\n");
    look(&house).await;
    assert!(house.engine.shelf().accounts().1.all.is_empty());
    house.engine.shutdown().await;
}

#[tokio::test]
async fn a_file_counts_once_it_rests() {
    let house = House::at_rest(&[("recipes/stories/note.yaml", ASK)]).await;
    let folder = house.folder.path();
    let file = "recipes/stories/note.yaml";
    let second = ASK.replace("title: Ask", "title: Ask again");
    let half = second.split("    with").next().unwrap();
    let look = async |millis| house.engine.look_at_files(after(millis)).await.unwrap();
    let title = || {
        let name = RecipeName::new("stories/note").unwrap();
        house.engine.shelf().one(&name).unwrap().title
    };
    // It is written in pieces.
    write_at(folder, file, half, after(0));
    assert_eq!(look(100).await, Look::Restless);
    write_at(folder, file, &second, after(400));
    assert_eq!(look(700).await, Look::Restless);
    assert_eq!(look(899).await, Look::Restless);
    assert_eq!(title(), "Ask");
    assert!(matches!(look(900).await, Look::TakenUp(_)));
    assert_eq!(title(), "Ask again");
    assert_eq!(look(901).await, Look::Same);
    // By a clock that is ahead of ours, it counts when it stays as it is.
    write_at(folder, file, ASK, after(3_600_000));
    assert_eq!(look(1_000).await, Look::Restless);
    assert_eq!(look(1_499).await, Look::Restless);
    write_at(folder, file, &second, after(3_600_500));
    assert_eq!(look(1_600).await, Look::Restless);
    assert_eq!(look(2_000).await, Look::Restless);
    assert!(matches!(look(2_100).await, Look::TakenUp(_)));
    // Some editors take a file away and write it anew.
    fs::remove_file(folder.join(file)).unwrap();
    assert_eq!(look(3_000).await, Look::Restless);
    assert_eq!(title(), "Ask again");
    write_at(folder, file, ASK, after(2_000));
    assert!(matches!(look(3_100).await, Look::TakenUp(_)));
    assert_eq!(title(), "Ask");
    fs::remove_file(folder.join(file)).unwrap();
    assert_eq!(look(4_000).await, Look::Restless);
    assert!(matches!(look(4_500).await, Look::TakenUp(_)));
    assert!(
        !house
            .engine
            .shelf()
            .has_file(&RecipeName::new("stories/note").unwrap())
    );
    // What nobody reads is not looked at.
    for other in ["note.yaml~", ".note.yaml.swp", "4913", "note.yaml.kept"] {
        write_at(folder, &format!("recipes/stories/{other}"), "x", after(0));
    }
    assert_eq!(look(9_000).await, Look::Same);
    house.engine.shutdown().await;
}

#[tokio::test]
async fn a_table_with_a_mistake_is_not_made_before_it_is_mended() {
    let house = House::at_rest(&[]).await;
    let file = "lookup-tables/parts.yaml";
    let rows = |second: &str| {
        format!("{TABLE}rows: [{{ name: one }}, {{ {second}: two }}, {{ name: three }}]\n")
    };
    write(house.folder.path(), file, &rows("nam"));
    look(&house).await;
    let (status, _) = house.get("/api/lookup-tables/parts/rows").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    write(house.folder.path(), file, &rows("name"));
    look(&house).await;
    assert_eq!(names(&house, "parts").await, ["one", "two", "three"]);
    // Once it is made, nobody needs its first rows any more; its columns stay what they were.
    write(house.folder.path(), file, &rows("nam"));
    look(&house).await;
    assert!(problems(&house, file).await);
    let House { folder, engine, .. } = house;
    engine.shutdown().await;
    let house = House::open(folder).await;
    assert!(problems(&house, file).await);
    assert_eq!(names(&house, "parts").await, ["one", "two", "three"]);
    house.engine.shutdown().await;
}

#[tokio::test]
async fn what_could_not_be_taken_up_for_a_while_is_tried_again() {
    let house = House::at_rest(&[("lookup-tables/notes.yaml", TABLE)]).await;
    let mut database = database(&house).await;
    let away = "ALTER TABLE lookup_table RENAME TO lookup_table_away";
    database.execute(away).await.unwrap();
    let table = TABLE.replace("title: Notes", "title: More");
    write(house.folder.path(), "lookup-tables/more.yaml", &table);
    for _ in 0..2 {
        let why = house.engine.look_at_files(MUCH_LATER).await.unwrap_err();
        assert!(why.contains("lookup tables cannot be declared"), "{why}");
    }
    let back = "ALTER TABLE lookup_table_away RENAME TO lookup_table";
    database.execute(back).await.unwrap();
    let look = house.engine.look_at_files(MUCH_LATER).await.unwrap();
    assert!(matches!(look, Look::TakenUp(_)), "{look:?}");
    assert!(names(&house, "more").await.is_empty());
    assert_eq!(house.engine.shelf().refusal(), None);
    let look = house.engine.look_at_files(MUCH_LATER).await.unwrap();
    assert_eq!(look, Look::Same);
    house.engine.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_noted_is_not_saved() {
    let file = "recipes/stories/note.yaml";
    let house = House::at_rest(&[(file, ASK)]).await;
    let token = house.listening.local_token.reveal().to_owned();
    let put = async |name: &str, text: &str, header: (&str, &str)| {
        let path = format!("/api/recipes/stories/{name}");
        let request = house.request(Method::PUT, &path).bearer_auth(&token);
        let request = request.header("content-type", "application/yaml");
        let answer = request.header(header.0, header.1).body(text.to_owned());
        taken(answer.send().await.unwrap()).await
    };
    let text = ASK.replace("title: Ask", "title: Ask again");
    let mut database = database(&house).await;
    let away = "ALTER TABLE recipe_version RENAME TO recipe_version_away";
    database.execute(away).await.unwrap();
    let (status, problem) = put("note", &text, ("if-match", "*")).await;
    assert!(status.is_server_error(), "{problem}");
    let (status, problem) = put("new", &text, ("if-none-match", "*")).await;
    assert!(status.is_server_error(), "{problem}");
    let folder = house.folder.path().join("recipes/stories");
    assert_eq!(fs::read_to_string(folder.join("note.yaml")).unwrap(), ASK);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    look(&house).await;
    let note = RecipeName::new("stories/note").unwrap();
    assert_eq!(house.engine.shelf().one(&note).unwrap().title, "Ask");
    let back = "ALTER TABLE recipe_version_away RENAME TO recipe_version";
    database.execute(back).await.unwrap();
    let (_, audit) = house.get("/api/audit?subject=recipe:stories/note").await;
    assert_eq!(audit["entries"], json!([]));
    let (status, answer) = put("note", &text, ("if-match", "*")).await;
    assert_eq!(
        (status, &answer["version"]),
        (StatusCode::OK, &json!(2)),
        "{answer}"
    );
    house.engine.shutdown().await;
}
