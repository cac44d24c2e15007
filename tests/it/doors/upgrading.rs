//! Copies take up what became of their originals.

use std::fs;
use std::path::Path;

use recipe_engine::library::Library;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::house::{House, workspace, write};
use super::process::{ended, said};

const PROJECT: &str = "title: News\nversion: 1.0.0\n";
const SEND: &str = "title: Send
trigger:
  function: { output: { text: string } }
steps:
  # Who it is from.
  - id: sender
    set: { from: us }
  - id: greeting
    set: { hello: Hello }
  - id: found
    call: find
  - return:
      text: \"{{vars.hello}} {{vars.from}} {{steps.found.word}}\"
";
const FIND: &str = "title: Find
trigger:
  function: { output: { word: string } }
steps:
  - return: { word: found }
";
const TEST: &str = "recipe: send
cases:
  - title: Says hello
    expect:
      status: succeeded
      output: { text: Hello us found }
";
pub(super) const FILES: [(&str, &str); 4] = [
    ("recipes/news/project.yaml", PROJECT),
    ("recipes/news/send.yaml", SEND),
    ("recipes/news/find.yaml", FIND),
    ("recipes/news/tests/send.test.yaml", TEST),
];
pub(super) const MINE: &str = "recipes/acme/send.yaml";
const UPGRADE: &str = "/api/projects/acme/upgrade";

/// A server on a workspace in which `acme` is a copy of `news`.
async fn house() -> House {
    let house = House::of(&FILES).await;
    let wish = json!({ "as": "acme" });
    let (status, answer) = house.post("/api/projects/news/clone", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    house
}

pub(super) fn read(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap()
}

pub(super) fn edit(folder: &Path, path: &str, from: &str, to: &str) {
    let text = read(folder, path);
    assert!(text.contains(from), "{text}");
    write(folder, path, &text.replace(from, to));
}

/// The next version of the original, in which these words changed.
pub(super) fn next_version(folder: &Path, edits: &[(&str, &str)]) {
    edit(folder, "recipes/news/project.yaml", "1.0.0", "1.1.0");
    for (from, to) in edits {
        edit(folder, "recipes/news/send.yaml", from, to);
    }
}

async fn says(house: &House) -> Value {
    let (status, answer) = house
        .post("/api/recipes/acme/send/run?wait=60s", json!({}))
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["output"]["text"].clone()
}

fn words(plan: &Value) -> Vec<String> {
    let files = plan["files"].as_array().unwrap().iter();
    files
        .map(|file| {
            let path = file["file"].as_str().unwrap();
            format!("{} {path}", file["outcome"].as_str().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn an_upgrade_is_planned_then_written_and_live_at_once() {
    let house = house().await;
    let folder = house.folder.path();
    edit(folder, MINE, "# Who it is from.", "# From me.");
    edit(folder, MINE, "from: us", "from: me");
    edit(
        folder,
        "recipes/acme/tests/send.test.yaml",
        "Hello us",
        "Hi me",
    );
    next_version(folder, &[("hello: Hello", "hello: Hi")]);
    write(folder, "recipes/news/README.md", "# News\n");
    let (status, plan) = house.get(UPGRADE).await;
    assert_eq!(status, StatusCode::OK, "{plan}");
    assert_eq!(
        words(&plan),
        [
            "added recipes/acme/README.md",
            "replaced recipes/acme/project.yaml",
            "merged recipes/acme/send.yaml",
        ]
    );
    assert_eq!(
        (&plan["from"], &plan["to"]),
        (&json!(["1.0.0"]), &json!("1.1.0"))
    );
    assert!(!read(folder, MINE).contains("Hi"));
    let (status, done) = house.post(UPGRADE, json!({ "state": plan["state"] })).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(done["tests"]["passed"], 1, "{done}");
    assert!(read(folder, MINE).contains("  # From me.\n"));
    assert_eq!(says(&house).await, "Hi me found");
    let (_, plan) = house.get(UPGRADE).await;
    assert_eq!(plan["files"], json!([]));
    let (_, audit) = house.get("/api/audit?subject=project:acme").await;
    assert_eq!(audit["entries"][0]["action"], "upgraded", "{audit}");
    // The plan of before counts no more.
    let (status, problem) = house.post(UPGRADE, json!({ "state": "before" })).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("plan_is_stale"))
    );
}

#[tokio::test]
async fn a_conflict_shows_both_sides_and_nothing_is_written_until_it_is_settled() {
    let house = house().await;
    let folder = house.folder.path();
    edit(folder, MINE, "hello: Hello", "hello: Hey");
    let mine = read(folder, MINE);
    let lock = read(folder, "recipes.lock");
    next_version(
        folder,
        &[("hello: Hello", "hello: Hi"), ("from: us", "from: all")],
    );
    let (_, plan) = house.get(UPGRADE).await;
    let file = &plan["files"][1];
    assert_eq!(file["outcome"], "conflict", "{plan}");
    assert_eq!(file["conflicts"].as_array().unwrap().len(), 1);
    let conflict = &file["conflicts"][0];
    assert_eq!(conflict["part"], "steps.greeting");
    for (side, word) in [("base", "Hello"), ("mine", "Hey"), ("theirs", "Hi")] {
        assert!(
            conflict[side].as_str().unwrap().contains(word),
            "{conflict}"
        );
    }
    let (status, problem) = house.post(UPGRADE, json!({})).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("conflicts"))
    );
    assert_eq!(problem["errors"][0]["part"], "steps.greeting", "{problem}");
    let typo =
        json!({ "settle": [{ "take": "mine", "file": "send.yaml", "part": "steps.greting" }] });
    let (status, problem) = house.post(UPGRADE, typo).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(
        (read(folder, MINE), read(folder, "recipes.lock")),
        (mine, lock)
    );
    let wish = json!({
        "settle": [{ "take": "mine", "file": "send.yaml", "part": "steps.greeting" }],
        "untested": true,
    });
    let (status, done) = house.post(UPGRADE, wish).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(says(&house).await, "Hey all found");
}

#[tokio::test]
async fn a_result_with_errors_or_one_that_breaks_a_test_is_not_written() {
    let house = house().await;
    let folder = house.folder.path();
    // Here a step uses what the new version takes away.
    edit(
        folder,
        MINE,
        "hello: Hello",
        "hello: \"Hello {{vars.from}}\"",
    );
    next_version(
        folder,
        &[
            (
                "  # Who it is from.\n  - id: sender\n    set: { from: us }\n",
                "",
            ),
            (" {{vars.from}}", ""),
        ],
    );
    let mine = read(folder, MINE);
    let (_, plan) = house.get(UPGRADE).await;
    assert_eq!(plan["is_settled"], true, "{plan}");
    assert!(!plan["errors"].as_array().unwrap().is_empty(), "{plan}");
    let (status, problem) = house.post(UPGRADE, json!({ "untested": true })).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("unsound_result"))
    );
    assert_eq!(read(folder, MINE), mine);

    write(folder, MINE, SEND);
    write(
        folder,
        "recipes/news/send.yaml",
        &SEND.replace("Hello", "Good day"),
    );
    let (status, problem) = house.post(UPGRADE, json!({})).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("broken_tests"))
    );
    let message = problem["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("Says hello") && message.contains("Good day"),
        "{message}"
    );
    assert_eq!(read(folder, MINE), SEND);
    house.engine.take_up_files().await.unwrap();
    assert_eq!(says(&house).await, "Hello us found");
    let (status, done) = house.post(UPGRADE, json!({ "untested": true })).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(says(&house).await, "Good day us found");
    // What failed before the upgrade is told, and is no reason against it.
    edit(folder, "recipes/news/send.yaml", "Send", "Send all");
    let (status, done) = house.post(UPGRADE, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(
        done["tests"]["failed_before"],
        json!(["acme/send: \"Says hello\""])
    );
}

#[tokio::test]
async fn a_lock_that_was_broken_by_hand_is_told_and_not_written_over() {
    let house = house().await;
    let folder = house.folder.path();
    next_version(folder, &[("hello: Hello", "hello: Hi")]);
    let lock = read(folder, "recipes.lock");
    let clone = "/api/projects/news/clone";
    for (broken, says) in [
        (format!("<<<<<<< mine\n{lock}"), "recipes.lock:"),
        (
            lock.replace("recipes/acme/send.yaml", "recipes/acme/../../up.yaml"),
            "none that the program wrote",
        ),
        (
            lock.replace("hash: \"", "hash: \"../"),
            "none that the program wrote",
        ),
    ] {
        write(folder, "recipes.lock", &broken);
        for (path, wish) in [(UPGRADE, json!({})), (clone, json!({ "as": "other" }))] {
            let (status, problem) = house.post(path, wish).await;
            assert_eq!(
                (status, &problem["code"]),
                (StatusCode::CONFLICT, &json!("unsound_workspace"))
            );
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(says), "{detail}");
        }
        assert_eq!(read(folder, "recipes.lock"), broken);
        let found = Library::read(folder).unwrap();
        assert!(found.has_errors(), "{broken}");
    }
    fs::remove_file(folder.join("recipes.lock")).unwrap();
    let (status, problem) = house.post(UPGRADE, json!({})).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("no_copies"))
    );
    let (status, _) = house.get("/api/projects/nothing/upgrade").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // A path that leads elsewhere is refused, whatever brings it.
    write(folder, "recipes.lock", &lock);
    let wish = json!({ "newer": { "recipes/news/../../up.yaml": "" } });
    let (status, _) = house.post(UPGRADE, wish).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn check_says_that_an_original_has_changed() {
    let house = house().await;
    let folder = house.folder.path();
    next_version(folder, &[]);
    let found = Library::read(folder).unwrap().diagnostics;
    let found: Vec<&str> = found.iter().map(|found| found.code.0).collect();
    assert_eq!(found, ["L004"]);
}

#[test]
fn an_admin_upgrades_from_another_folder_and_merges_a_conflict_by_hand() {
    let folder = workspace(&FILES);
    let there = workspace(&FILES);
    let (here, there) = (folder.path(), there.path());
    said(&ended(here, &["clone", "news", "acme"]));
    edit(here, MINE, "hello: Hello", "hello: Hey");
    next_version(there, &[("hello: Hello", "hello: Hi")]);
    let from = format!("--from={}", there.display());
    let edits = here.join("merge");
    let edited = format!("--edited={}", edits.display());

    let plan = ended(here, &["upgrade", "acme", &from, "--plan"]);
    assert_eq!(plan.status.code(), Some(1));
    let text = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(
        text.contains("acme is a copy of news: 1.0.0 -> 1.1.0"),
        "{text}"
    );
    let row = text.lines().find(|line| line.contains('!')).unwrap();
    for word in ["hello: Hello", "hello: Hey", "hello: Hi"] {
        assert!(row.contains(word), "{row}");
    }
    assert!(text.contains("--ours=send.yaml:steps.greeting"), "{text}");

    let to_edit = format!("--to-edit={}", edits.display());
    said(&ended(here, &["upgrade", "acme", &from, &to_edit]));
    let refused = ended(here, &["upgrade", "acme", &from, &edited]);
    assert_eq!(refused.status.code(), Some(1));
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("is still `<<<<<<<"), "{why}");
    let marked = read(&edits, MINE);
    let (head, rest) = marked.split_once("<<<<<<<").unwrap();
    let (_, tail) = rest.split_once(">>>>>>> theirs\n").unwrap();
    write(
        &edits,
        MINE,
        &format!("{head}    set: {{ hello: Howdy }}\n{tail}"),
    );
    let done = said(&ended(
        here,
        &["upgrade", "acme", &from, &edited, "--untested"],
    ));
    assert!(done.contains("written and in place"), "{done}");
    assert!(done.contains("beware: acme/send: \"Says hello\""), "{done}");
    assert!(read(here, MINE).contains("hello: Howdy"));
    let plan = said(&ended(here, &["upgrade", "acme", &from, "--plan"]));
    assert!(plan.contains("nothing has changed there"), "{plan}");
    // The workspace's own original is the older one now.
    let refused = ended(here, &["upgrade", "acme"]);
    assert_eq!(refused.status.code(), Some(1));
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("would lead back"), "{why}");
}

#[tokio::test]
async fn an_error_that_was_there_before_is_no_reason_against_an_upgrade() {
    let house = house().await;
    let folder = house.folder.path();
    edit(folder, MINE, "from: us", "from: \"{{vars.nobody}}\"");
    next_version(folder, &[("hello: Hello", "hello: \"{{vars.nobody}}\"")]);
    // A second error of the same kind was not there.
    let (status, problem) = house.post(UPGRADE, json!({ "untested": true })).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("unsound_result"))
    );
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    edit(
        folder,
        "recipes/news/send.yaml",
        "\"{{vars.nobody}}\"",
        "Hi",
    );
    let (status, done) = house.post(UPGRADE, json!({ "untested": true })).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    let mine = read(folder, MINE);
    assert!(mine.contains("hello: Hi") && mine.contains("vars.nobody"));
}
