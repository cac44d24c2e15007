//! What an administrator reads of jobs on the command line: why they wait, what was sent, what was
//! logged.

use std::process::Output;

use recipe_engine::library::Library;
use serde_json::{Value, json};

use super::house::{House, Vendor, workspace, write};
use super::process::{ended, said};

const ORDER: &str = "
title: Order
trigger: { function: { input: { what: string }, output: { status: integer } } }
steps:
  - log: ordering {{input.what}}
    data: { size: 3 }
  - id: sent
    action: http.request
    with: { path: /orders, body: { what: $.input.what } }
  - return: { status: $.steps.sent.status }
";
const PARENT: &str = "
title: Parent
trigger: { function: { input: {}, output: {} } }
steps:
  - action: http.get
    with: { path: /gate }
  - id: begun
    start: child
  - await: [$.steps.begun.job_id]
";
pub(super) const CHILD: &str = "
title: Child
trigger: { function: { input: {}, output: {} } }
steps: [{ log: done }]
";
const LATER: &str = "
title: Later
trigger: { webhook: { auth: none } }
steps: [{ log: done }]
";

/// The line of a list that is about a job.
fn line_of<'a>(list: &'a str, id: &str) -> &'a str {
    let found = list.lines().find(|line| line.starts_with(id));
    found.unwrap_or_else(|| panic!("{id} is not in the list:\n{list}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_shows_what_was_sent_and_what_to_type() {
    let vendor = Vendor::open().await;
    let connections = vendor.connections();
    let house = House::of(&[
        ("recipes/stories/order.yaml", ORDER),
        ("connections.yaml", &connections),
    ])
    .await;
    let id = &house
        .run("order", json!({ "input": { "what": "tea" } }))
        .await;
    vendor.asked().await.hang_up();
    let job = house.settled(id).await;
    assert_eq!(job["status"], "needs_decision");

    let shown = said(&ended(house.folder.path(), &["jobs", id.as_str()]));
    for wanted in [
        "info: ordering tea {\"size\":3}",
        "POST /orders via connection `http`",
        "\"body\":{\"what\":\"tea\"}",
        &format!("recipes jobs decide {id} --key 'sent' --again"),
        "--happened '{\"status\":200,\"headers\":{},\"body\":null}'",
    ] {
        assert!(shown.contains(wanted), "{wanted} is not in\n{shown}");
    }
    assert!(!shown.contains("took"), "it has not ended:\n{shown}");
    let list = said(&ended(house.folder.path(), &["jobs"]));
    assert!(
        line_of(&list, id).ends_with("\twaits for your decision"),
        "{list}"
    );

    // What it tells to type is taken.
    let output = "{\"status\":200,\"headers\":{},\"body\":null}";
    let decide = ["jobs", "decide", id, "--key", "sent", "--happened", output];
    said(&ended(house.folder.path(), &decide));
    assert_eq!(house.ended(id).await["output"], json!({ "status": 200 }));
    house.engine.shutdown().await;
}

/// The jobs, once there are two of them that stand still.
async fn standing_still(house: &House) -> Vec<Value> {
    let are_two = |list: &Value| {
        let jobs = list["jobs"].as_array().unwrap().iter();
        jobs.filter(|job| job["waits_for"].is_string()).count() == 2
    };
    let list = house.until("/api/jobs", are_two).await;
    list["jobs"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_says_what_for() {
    let vendor = Vendor::open().await;
    let connections = vendor.connections();
    let house = House::of(&[
        ("recipes/stories/parent.yaml", PARENT),
        ("recipes/stories/child.yaml", CHILD),
        ("recipes/stories/later.yaml", LATER),
        ("connections.yaml", &connections),
    ])
    .await;
    let parent = &house.run("parent", json!({})).await;
    let gate = vendor.asked().await;
    std::fs::remove_file(house.folder.path().join("recipes/stories/child.yaml")).unwrap();
    house
        .engine
        .shelf()
        .replace(Library::read(house.folder.path()).unwrap());
    gate.answer("1").await;
    let jobs = standing_still(&house).await;
    let child = jobs.iter().find(|job| job["id"] != *parent).unwrap();
    let child = child["id"].as_str().unwrap();

    let request = house.request(reqwest::Method::POST, "/webhooks/stories/later");
    let answer = request.json(&json!({ "a": 1 })).send().await.unwrap();
    assert_eq!(answer.status(), reqwest::StatusCode::ACCEPTED);

    let list = said(&ended(house.folder.path(), &["jobs"]));
    let line = line_of(&list, parent);
    assert!(
        line.ends_with(&format!("\twaits for job {child}")),
        "{list}"
    );
    assert!(line_of(&list, child).contains("`stories/child`"), "{list}");
    assert!(line_of(&list, child).contains("no file"), "{list}");
    let stopped = list
        .lines()
        .find(|line| line.contains("stories/later"))
        .unwrap();
    assert!(
        stopped.contains("recipe `stories/later` is stopped"),
        "{list}"
    );
    let shown = said(&ended(house.folder.path(), &["jobs", parent]));
    assert!(shown.contains(&format!("waits for job {child}")), "{shown}");
    house.engine.shutdown().await;
}

const CALLER: &str = "
title: Caller
trigger: { function: { input: {}, output: { a: string } } }
steps:
  - id: one
    call: child
  - return: { a: $.steps.one.a }
";
const NO_YAML: &str = "title: Child\ntrigger: { function: {\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_yaml_leaves_its_recipe_in_the_list() {
    let house = House::of(&[
        ("recipes/stories/child.yaml", NO_YAML),
        ("recipes/stories/caller.yaml", CALLER),
    ])
    .await;
    let folder = house.folder.path();
    let list = said(&ended(folder, &["list"]));
    let line = line_of(&list, "stories/child\t");
    assert!(line.starts_with("stories/child\tbroken\t"), "{list}");
    assert!(said(&ended(folder, &["show", "child"])).contains("error[R003]"));
    said(&ended(folder, &["jobs", "--recipe", "child"]));
    // Its caller is not blamed for it.
    let check = ended(folder, &["check"]);
    let found = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(found.contains("recipes/stories/child.yaml:"), "{found}");
    assert!(!found.contains("recipes/stories/caller.yaml:"), "{found}");
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_whose_file_breaks_says_what_it_runs_on() {
    let house = House::of(&[("recipes/stories/later.yaml", LATER)]).await;
    let folder = house.folder.path();
    for broken in [NO_YAML, "title: Later\ntrigger: { webhook: }\nsteps: []\n"] {
        write(folder, "recipes/stories/later.yaml", broken);
        house.engine.shelf().replace(Library::read(folder).unwrap());
        let shown = said(&ended(folder, &["show", "later"]));
        assert!(shown.contains("its last good version"), "{shown}");
        let run = ended(folder, &["run", "later"]);
        let why = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(why.contains("a run by hand or a start is refused"), "{why}");
        assert!(why.contains("recipes/stories/later.yaml:"), "{why}");
    }
    house.engine.shutdown().await;
}

const SIGNED: &str = "
title: Signed
trigger:
  webhook:
    auth: { hmac: sender }
steps: [{ log: hello }]
";
const SENDER: &str = "
connections:
  sender: { connector: webhook_basic, username: x, password: { file: secret } }
";

#[test]
fn a_sign_in_with_the_wrong_kind_of_secret_is_found() {
    let folder = workspace(&[
        ("recipes/stories/signed.yaml", SIGNED),
        ("connections.yaml", SENDER),
    ]);
    for (arguments, place) in [
        (&["check"][..], "recipes/stories/signed.yaml:5:11"),
        (&["start", "signed"], "recipes/stories/signed.yaml"),
    ] {
        let told = told(&ended(folder.path(), arguments), 1);
        assert!(
            told.contains("is for `webhook_basic`, not for `webhook_hmac`"),
            "{told}"
        );
        assert!(told.contains(place), "{told}");
    }
}

#[test]
fn a_connection_with_a_mistake_is_not_called_complete() {
    let connections = "
connections:
  octal: { connector: webhook_hmac, secret: { file: secret }, encoding: octal }
  misspelt: { connector: webhook_hmac, secret: { file: secret }, prefx: x }
  lost: { connector: webhok, secret: { file: secret } }
";
    let folder = workspace(&[("connections.yaml", connections)]);
    let told = told(&ended(folder.path(), &["connections"]), 1);
    assert!(!told.contains("complete"), "{told}");
    for (name, wanted) in [
        ("octal", "octal"),
        ("misspelt", "prefx"),
        ("lost", "webhok"),
    ] {
        assert!(line_of(&told, name).contains(wanted), "{told}");
    }
}

#[test]
fn mistakes_in_the_settings_of_the_server_are_found() {
    for (settings, wanted) in [
        ("adress: 127.0.0.1:1\n", "did you mean `address`"),
        ("allow_private_hosts: [10.0.0.0/40]\n", "10.0.0.0/40"),
    ] {
        let folder = workspace(&[("settings.yaml", settings)]);
        let told = told(&ended(folder.path(), &["check"]), 1);
        assert!(told.contains("error[S007]"), "{told}");
        assert!(told.contains(wanted), "{told}");
    }
}

/// All that a command said, and that it ended with this exit code.
fn told(output: &Output, code: i32) -> String {
    let mut told = String::from_utf8_lossy(&output.stdout).into_owned();
    told.push_str(&String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{told}");
    told
}
