//! How far a job under way is, and what it waits for.

use std::process::Command;

use serde_json::json;

use super::house::{House, Vendor};
use super::process::{ended, said};

/// Three calls an hour: a page and two of its things.
const SHOP: &str = "
title: Shop
connection: { base_url: string }
base_url: \"{{connection.base_url}}\"
budget:
  - { calls: 3, per: 1h }
actions:
  list_things:
    title: List things
    effect: read
    request: { get: /things }
    pages:
      by: page_number
      send: query.page
      size: { send: query.size, value: 3 }
      more: $.reply.body.more
      total: $.reply.body.total
    items: $.reply.body.things
    output: { id: integer }
  get_thing:
    title: Get a thing
    effect: read
    input: { id: integer }
    request: { get: \"/things/{{input.id}}\" }
    output: {}
";

const RECIPE: &str = "
title: See to all things
trigger: { manual: {} }
steps:
  - log: begin
  - id: things
    foreach: { action: shop.list_things }
    as: thing
    on_item_error: continue
    do:
      - id: seen
        action: shop.get_thing
        with: { id: $.thing.id }
";

const PROJECT: &str = "title: Stories\nversion: 1.0.0\nconnections: { shop: shop }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_under_way_says_how_far_it_is_and_which_budget_it_waits_for() {
    let vendor = Vendor::open().await;
    let connections = format!(
        "connections:\n  shop: {{ base_url: \"{}\", allow_private: true }}\n",
        vendor.url()
    );
    let house = House::of(&[
        ("recipes/stories/project.yaml", PROJECT),
        ("recipes/stories/see.yaml", RECIPE),
        ("connectors/shop.yaml", SHOP),
        ("connections.yaml", &connections),
    ])
    .await;
    let id = house.run("see", json!({})).await;
    let page =
        json!({ "things": [{ "id": 1 }, { "id": 2 }, { "id": 3 }], "more": true, "total": 5 });
    vendor.asked().await.answer(&page.to_string()).await;
    vendor.asked().await.answer("{}").await;
    vendor.asked().await.refuse().await;
    // The third thing has no room in the budget.
    let job = house.standing(&id, "waiting").await;
    let wanted = json!([{ "key": "things", "id": "things", "done": 2, "failed": 1, "total": 5 }]);
    assert_eq!(job["progress"], wanted, "{job}");
    let waits_for = job["waits_for"].as_str().expect("a reason");
    let budget = "the budget of connection `shop` (3 calls in 1h), until 2";
    assert!(waits_for.starts_with(budget), "{waits_for}");
    assert!(job["last_activity_at"].is_string(), "{job}");

    let folder = house.folder.path().to_owned();
    let told = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recipes"));
        command.args(["jobs", &id, "--workspace"]).arg(folder);
        command.output().expect("the program")
    });
    let told = told.await.expect("no panic").stdout;
    let told = String::from_utf8_lossy(&told);
    for line in [
        "waits for the budget of connection `shop` (3 calls in 1h), until ",
        "progress: step 2 of 2 (things)\n  within: things 2 of 5 done, 1 of them failed",
        "last activity ",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

const PATIENT: &str = "
title: Patient
trigger: { function: { input: {}, output: {} } }
steps:
  - id: got
    action: http.get
    with: { path: /gate }
    retry: { tries: 3, delay: 10m }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_tries_again_says_which_try_when_and_what_went_wrong() {
    let vendor = Vendor::open().await;
    let house = House::of(&[
        ("recipes/stories/patient.yaml", PATIENT),
        ("connections.yaml", &vendor.connections()),
    ])
    .await;
    let folder = house.folder.path();
    let id = house.run("patient", json!({})).await;
    vendor.asked().await.hang_up();
    let job = house.standing(&id, "waiting").await;
    let step = &job["steps"][0];
    assert_eq!(step["failure"]["code"], "connection_lost", "{job}");
    assert_eq!(
        (&step["next_try"], &step["tries"]),
        (&json!(2), &json!(3)),
        "{job}"
    );
    let at = job["wake_at"].as_str().expect("a moment");
    assert_eq!(step["next_try_at"], at, "{job}");
    let second = at.split(['.', 'Z']).next().expect("a second");
    let wanted = format!("the next try of `got` at {second}Z: the vendor does not answer");
    assert_eq!(job["waits_for"], wanted, "{job}");

    let list = said(&ended(folder, &["jobs"]));
    assert!(
        list.trim_end().ends_with(&format!("\twaits for {wanted}")),
        "{list}"
    );
    let shown = said(&ended(folder, &["jobs", &id]));
    let line = shown.lines().find(|line| line.contains("tries again in "));
    assert!(
        line.is_some_and(|line| line.ends_with("s, 2 of 3")),
        "{shown}"
    );
    house.engine.shutdown().await;
}
