//! Copies and customised recipes are told apart, and work moves from one to the other with a word.

use std::fs;
use std::process::Stdio;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, taken, workspace, write};
use super::process::{Server, ended, said};
use super::shop::section;

/// A project whose dispatcher writes into a table.
const FILES: [(&str, &str); 3] = [
    ("recipes/news/project.yaml", "title: News\nversion: 1.2.0\n"),
    (
        "recipes/news/send.yaml",
        "title: Send\nactivation: required\ntrigger:\n  webhook: { auth: none }\nsteps:\n  - id: kept\n    \
         table: notes\n    upsert: { name: one }\n",
    ),
    (
        "lookup-tables/notes.yaml",
        "title: Notes\ncolumns:\n  name: { label: Name, type: string, required: true }\nkey: [name]\n",
    ),
];

async fn recipes_of(house: &House, project: &str) -> Vec<String> {
    let path = format!("/api/projects/{project}/doctor?offline=true");
    let (status, body) = house.get(&path).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    section(&body, "recipes")
}

async fn deliver(house: &House) {
    let request = house.request(Method::POST, "/webhooks/news/send");
    let (status, answer) = taken(request.body("{}").send().await.unwrap()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
}

#[tokio::test]
async fn whoever_starts_a_copy_is_told_that_deliveries_go_elsewhere() {
    let house = House::of(&FILES).await;
    let wish = json!({ "as": "acme" });
    let (status, answer) = house.post("/api/projects/news/clone", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let (_, started) = house.post("/api/recipes/acme/send/start", json!({})).await;
    let address = started["webhook"]["address"].as_str().unwrap();
    assert!(address.ends_with("/webhooks/acme/send"), "{started}");
    assert_eq!(started.get("delivered_elsewhere"), None, "{started}");
    deliver(&house).await;
    let (_, started) = house.post("/api/recipes/acme/send/start", json!({})).await;
    let before = &started["delivered_elsewhere"][0];
    assert_eq!(before["recipe"], "news/send", "{started}");
    let old = before["address"].as_str().unwrap();
    assert!(old.ends_with("/webhooks/news/send"), "{started}");

    let started = recipes_of(&house, "acme").await;
    let told =
        "note: settings.yaml has no `public_url`: senders are told the address http://127.0.0.1:";
    assert!(
        started.iter().any(|line| line.starts_with(told)),
        "{started:?}"
    );
    // The original asks for no start, and tells what waits behind it.
    assert_eq!(
        recipes_of(&house, "news").await,
        [
            "warning: one job waits in line behind \"Send\", which is stopped -> `recipes jobs \
             --recipe news/send --status queued` lists them; cancel them (`recipes jobs cancel \
             ID`), or stop `acme/send` and start `news/send` until they are done",
            "note: \"Send\" is not started here: `acme/send`, a copy of the same recipe, is started \
             and does this work",
            "note: no recipe of the project is started",
        ]
    );
    let (status, _) = house.post("/api/recipes/acme/send/stop", json!({})).await;
    assert_eq!(status, StatusCode::OK);
    let recipes = recipes_of(&house, "news").await;
    assert_eq!(
        recipes[..2],
        [
            "error: \"Send\" is not started, and is required -> `recipes start news/send`",
            "warning: one job waits in line behind \"Send\", which is stopped -> `recipes start \
             news/send` lets them run; `recipes jobs --recipe news/send --status queued` lists them",
        ]
    );
}

#[test]
fn copies_and_customised_recipes_are_named_as_such() {
    let folder = workspace(&FILES);
    let here = folder.path();
    let check = "accredible/integration-master-flow-check";
    said(&ended(here, &["clone", "news", "acme"]));
    said(&ended(here, &["customise", check]));
    let file = format!("recipes/{check}.yaml");
    let text = fs::read_to_string(here.join(&file)).unwrap();
    write(here, &file, &text.replacen("title: ", "title: My ", 1));
    let list = said(&ended(here, &["list"]));
    let origin = |name: &str| origin(&list, name);
    assert_eq!(
        list.lines().next().unwrap().split('\t').nth(4),
        Some("origin")
    );
    assert_eq!(origin("acme/send\t"), "copy of news");
    assert_eq!(origin("news/send\t"), "own");
    assert_eq!(origin(check), "customised");
    assert_eq!(origin("accredible/process-credentials\t"), "");
    for (name, told) in [
        (
            "acme/send",
            "recipes/acme/send.yaml of this workspace, a copy of news/send, made of version 1.2.0",
        ),
        (
            check,
            "customised: it stands in place of the bundled one, made of version",
        ),
        ("accredible/process-credentials", "bundled with the program"),
    ] {
        let shown = said(&ended(here, &["show", name]));
        assert!(shown.contains(told), "{shown}");
    }
    let doctor = ended(here, &["doctor", "acme", "--offline"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        doctor.contains("one recipe is a copy of one of `news` 1.2.0"),
        "{doctor}"
    );
    let doctor = ended(here, &["doctor", "accredible", "--offline"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    let told = format!("customised, in place of what is bundled: `{check}`");
    assert!(doctor.contains(&told), "{doctor}");
}

/// What a list says of where a recipe's file comes from.
fn origin(list: &str, name: &str) -> String {
    let line = list.lines().find(|line| line.starts_with(name)).unwrap();
    line.split('\t').nth(4).unwrap().to_owned()
}

#[test]
fn a_customised_recipe_is_named_as_such_before_anything_of_it_is_changed() {
    let folder = workspace(&[]);
    let here = folder.path();
    let check = "accredible/integration-master-flow-check";
    said(&ended(here, &["customise", check]));
    let list = said(&ended(here, &["list"]));
    assert_eq!(origin(&list, check), "customised (as the original)");
    let shown = said(&ended(here, &["show", check]));
    assert!(shown.contains("and says the same so far"), "{shown}");
    let doctor = ended(here, &["doctor", "accredible", "--offline"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    let told = format!("in place of what is bundled: `{check}` (as the original)");
    assert!(doctor.contains(&told), "{doctor}");
    // Without its file, the bundled one counts again.
    fs::remove_file(here.join(format!("recipes/{check}.yaml"))).unwrap();
    let list = said(&ended(here, &["list"]));
    assert_eq!(origin(&list, check), "");
}

#[test]
fn a_clone_that_was_removed_is_one_advice_and_forgotten_by_a_command() {
    let folder = workspace(&FILES);
    let here = folder.path();
    said(&ended(
        here,
        &["clone", "accredible", "acme", "--own-tables"],
    ));
    said(&ended(here, &["clone", "news", "other"]));
    let refused = ended(here, &["forget", "acme"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        why.contains("`acme` is still there (recipes/acme/"),
        "{why}"
    );
    fs::remove_dir_all(here.join("recipes/acme")).unwrap();
    let check = said(&ended(here, &["check"]));
    assert_eq!(check.matches("advice[").count(), 1, "{check}");
    assert!(
        check.contains("nothing is left of the copy `acme`"),
        "{check}"
    );
    assert!(check.contains("`recipes forget acme`"), "{check}");
    let forgotten = said(&ended(here, &["forget", "acme"]));
    let table = "its table lookup-tables/acme-learners.yaml is still there, with its rows";
    assert!(forgotten.contains(table), "{forgotten}");
    let check = said(&ended(here, &["check"]));
    assert!(!check.contains("advice["), "{check}");
    let lock = fs::read_to_string(here.join("recipes.lock")).unwrap();
    assert!(
        !lock.contains("acme") && lock.contains("recipes/other/send.yaml"),
        "{lock}"
    );
    let refused = ended(here, &["forget", "acme"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("nothing to forget"), "{why}");
    // Of a copy that is partly there, what is gone is one advice as well.
    for name in ["project.yaml", "send.yaml"] {
        fs::remove_file(here.join("recipes/other").join(name)).unwrap();
    }
    write(
        here,
        "recipes/other/mine.yaml",
        "title: Mine\ntrigger: { function: {} }\nsteps: [{ log: hi }]\n",
    );
    let check = ended(here, &["check"]);
    let check = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.matches("[L002]").count(), 1, "{check}");
    assert!(check.contains("and 1 more of `other`"), "{check}");
}

#[test]
fn a_short_name_of_several_recipes_is_refused_with_the_commands_to_choose_from() {
    let folder = workspace(&FILES);
    let here = folder.path();
    said(&ended(here, &["clone", "news", "acme"]));
    let output = ended(here, &["show", "send", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let commands: Vec<&str> = said.lines().skip(1).map(str::trim).collect();
    assert!(said.starts_with("error: several recipes are called `send`; say which one:\n"));
    for (command, name) in commands.iter().zip(["acme/send", "news/send"]) {
        assert!(command.starts_with("recipes --workspace "), "{said}");
        assert!(command.ends_with(&format!(" show {name} --json")), "{said}");
    }
    assert_eq!(commands.len(), 2, "{said}");
}

#[test]
fn the_texts_of_before_are_shown_and_compared() {
    let folder = workspace(&FILES);
    let here = folder.path();
    said(&ended(here, &["list"]));
    let path = here.join("recipes/news/send.yaml");
    let first = fs::read_to_string(&path).unwrap();
    let long = "one that has a name which is too long to stand within a sentence";
    write(
        here,
        "recipes/news/send.yaml",
        &first.replace("name: one", &format!("name: {long}")),
    );
    let diff = said(&ended(here, &["diff", "news/send"]));
    for told in [
        "`upsert.name` is another one:\n    - one\n    + one that has a name",
        "recipes show news/send --version 1",
    ] {
        assert!(diff.contains(told), "{diff}");
    }
    assert_eq!(
        said(&ended(here, &["show", "news/send", "--version", "1"])),
        first
    );
    let now = said(&ended(here, &["show", "news/send", "--yaml"]));
    assert!(now.contains(long), "{now}");
    let shown = said(&ended(
        here,
        &["show", "news/send", "--version", "2", "--json"],
    ));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["source"], now);
}

#[test]
fn the_log_says_which_file_was_refused() {
    let hello = "title: Hello\ntrigger: { function: {} }\nsteps: [{ log: hello }]\n";
    let folder = workspace(&[("recipes/stories/hello.yaml", hello)]);
    let here = folder.path();
    let log = here.join("log");
    let server = Server::logging(here, &[], Stdio::from(fs::File::create(&log).unwrap()));
    write(
        here,
        "recipes/stories/hello.yaml",
        "title: Hello\ntrigger: { function: {\n",
    );
    // What was saved a moment ago counts for a command.
    said(&ended(here, &["list"]));
    drop(server);
    let log = fs::read_to_string(&log).unwrap();
    let told = "recipes/stories/hello.yaml was refused, its last good version goes on: \
                recipes/stories/hello.yaml:";
    assert!(log.contains(told), "{log}");
}
