//! Files that somebody removed by mistake: of started recipes, of what is recorded of copies; and
//! what was lost with a key.

use std::fs;
use std::process::Stdio;

use recipe_engine::library::Library;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, taken, workspace, write};
use super::process::{Server, ended, said};

const HOOK: &str = "title: Hook\ntrigger: { webhook: { auth: none } }\nsteps: [{ log: hello }]\n";
const FILE: &str = "recipes/ops/hook.yaml";
const OPS: [(&str, &str); 2] = [
    ("recipes/ops/project.yaml", "title: Ops\nversion: 1.0.0\n"),
    (FILE, HOOK),
];

/// A project whose recipe writes into a table.
const NEWS: [(&str, &str); 3] = [
    ("recipes/news/project.yaml", "title: News\nversion: 1.2.0\n"),
    (
        "recipes/news/send.yaml",
        "title: Send the news\ntrigger:\n  webhook: { auth: none }\nsteps:\n  - id: note\n    \
         table: notes\n    upsert: { name: original }\n",
    ),
    (
        "lookup-tables/notes.yaml",
        "title: Notes\ncolumns:\n  name: { type: string, required: true }\nkey: [name]\n",
    ),
];

async fn delivered(house: &House) -> StatusCode {
    let request = house.request(Method::POST, "/webhooks/ops/hook").body("{}");
    taken(request.send().await.unwrap()).await.0
}

async fn hook(house: &House) -> Value {
    let (_, list) = house.get("/api/recipes").await;
    let mut recipes = list["recipes"].as_array().unwrap().iter();
    let hook = recipes.find(|recipe| recipe["name"] == "ops/hook");
    hook.cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_recipe_without_its_file_is_told_of_and_its_deliveries_come_back() {
    let house = House::of(&OPS).await;
    let path = "/api/recipes/ops/hook";
    let start = format!("{path}/start");
    assert_eq!(house.post(&start, json!({})).await.0, StatusCode::OK);
    fs::remove_file(house.folder.path().join(FILE)).unwrap();
    house.engine.take_up_files().await.unwrap();
    assert_eq!(delivered(&house).await, StatusCode::SERVICE_UNAVAILABLE);
    let listed = hook(&house).await;
    assert_eq!(listed["status"], "gone", "{listed}");
    let what = "`ops/hook` is started and its file is gone";
    let help = "put it back, or stop it: `recipes stop ops/hook`";
    assert_eq!(listed["problems"][0]["message"], what, "{listed}");
    let (status, problem) = house.get(path).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains(what) && detail.contains("`recipes restore ops/hook 1`"),
        "{detail}"
    );
    let (_, doctor) = house.get("/api/projects/ops/doctor").await;
    let text = doctor.to_string();
    assert!(text.contains(what) && text.contains(help), "{text}");

    let stop = format!("{path}/stop");
    let (status, answer) = house.post(&stop, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(delivered(&house).await, StatusCode::NOT_FOUND);
    assert_eq!(hook(&house).await, Value::Null);
    house.engine.shutdown().await;
}

#[test]
fn the_log_says_which_started_recipe_lost_its_file() {
    let folder = workspace(&OPS);
    let here = folder.path();
    said(&ended(here, &["start", "ops/hook"]));
    let log = here.join("log");
    let server = Server::logging(here, &[], Stdio::from(fs::File::create(&log).unwrap()));
    fs::remove_file(here.join(FILE)).unwrap();
    let list = said(&ended(here, &["list"]));
    assert!(list.contains("gone"), "{list}");
    drop(server);
    let log = fs::read_to_string(&log).unwrap();
    let told = "`ops/hook` is started and its file is gone: put it back, or stop it";
    assert!(log.contains(told), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_broken_at_a_restart_runs_on_as_it_was() {
    let house = House::of(&OPS).await;
    let start = "/api/recipes/ops/hook/start";
    assert_eq!(house.post(start, json!({})).await.0, StatusCode::OK);
    let folder = house.folder.clone();
    write(folder.path(), FILE, "title: Hook\ntrigger: { webhook: {\n");
    house.engine.shutdown().await;
    let house = House::open(folder).await;
    let listed = hook(&house).await;
    assert_eq!(listed["status"], "started", "{listed}");
    assert!(listed["runs_on"].is_string(), "{listed}");
    assert_eq!(delivered(&house).await, StatusCode::ACCEPTED);
    let (_, jobs) = house.get("/api/jobs").await;
    let id = jobs["jobs"][0]["id"].as_str().unwrap();
    assert_eq!(house.ended(id).await["status"], "succeeded");
    house.engine.shutdown().await;
}

/// The codes that are found about copies, with the files they are told of.
fn found(house: &House) -> Vec<(String, String)> {
    let library = Library::read(house.folder.path()).unwrap();
    let found = library.diagnostics.iter();
    found
        .map(|found| (found.code.0.to_owned(), found.place.file.to_string()))
        .collect()
}

async fn cloned(house: &House, name: &str) {
    let wish = json!({ "as": name });
    let (status, answer) = house.post("/api/projects/news/clone", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_not_started_beside_one_another_although_nothing_is_recorded_of_them() {
    let house = House::of(&NEWS).await;
    cloned(&house, "acme").await;
    let start = |project: &str| format!("/api/recipes/{project}/send/start");
    let started = house.post(&start("news"), json!({})).await;
    assert_eq!(started.0, StatusCode::OK);
    assert_eq!(found(&house), []);
    fs::remove_file(house.folder.path().join("recipes.lock")).unwrap();
    house.engine.take_up_files().await.unwrap();
    let of = |path: &str| ("L005".to_owned(), path.to_owned());
    let (acme, news) = (of("recipes/acme/send.yaml"), of("recipes/news/send.yaml"));
    assert_eq!(found(&house), [acme.clone(), news]);
    let (_, doctor) = house.get("/api/projects/acme/doctor").await;
    let text = doctor.to_string();
    assert!(
        text.contains("recipes.lock says nothing of `acme`"),
        "{text}"
    );
    let (status, problem) = house.post(&start("acme"), json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(problem["code"], "copy_is_started");
    // A clone that is made meanwhile hides nothing of the loss.
    cloned(&house, "beta").await;
    assert_eq!(found(&house), [acme]);
    for project in ["acme", "beta"] {
        let (_, problem) = house.post(&start(project), json!({})).await;
        assert_eq!(problem["code"], "copy_is_started", "{project}");
    }
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_copies_were_made_of_are_missed() {
    let house = House::of(&NEWS).await;
    cloned(&house, "acme").await;
    let folder = house.folder.path();
    fs::remove_dir_all(folder.join("recipes/.base")).unwrap();
    let missed = vec![("L006".to_owned(), "recipes.lock".to_owned())];
    assert_eq!(found(&house), missed);
    let changed = NEWS[1].1.replace("Send the news", "Send news");
    write(folder, "recipes/acme/send.yaml", &changed);
    house.engine.take_up_files().await.unwrap();
    let (_, plan) = house.get("/api/projects/acme/upgrade").await;
    assert_eq!(
        plan["without_base"],
        json!(["recipes/acme/send.yaml"]),
        "{plan}"
    );
    house.engine.shutdown().await;
    let shown = ended(folder, &["upgrade", "acme", "--plan"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("recipes/.base does not have what"),
        "{shown}"
    );
}

#[test]
fn a_table_whose_secrets_are_lost_with_their_key_is_read_and_written() {
    let people = "title: People\ncolumns:\n  mail: { type: string, required: true }\n  pin: { type: \
                  string, secret: true }\nkey: [mail]\n";
    let folder = workspace(&[("lookup-tables/people.yaml", people)]);
    let here = folder.path();
    write(here, "people.csv", "mail,pin\nann,1234-5678\n");
    let file = here.join("people.csv");
    let import = ["tables", "people", "--import", file.to_str().unwrap()];
    said(&ended(here, &import));
    fs::remove_file(here.join("data/recipes.db.key")).unwrap();
    said(&ended(here, &["secrets", "rekey", "--key-is-lost"]));
    let rows = said(&ended(here, &["tables", "people"]));
    assert!(rows.contains("ann") && !rows.contains("***"), "{rows}");
    let again = said(&ended(here, &import));
    assert!(again.contains("0 rows added, 1 changed"), "{again}");
    let rows = said(&ended(here, &["tables", "people"]));
    assert!(rows.contains("***"), "{rows}");
}
