//! Doing jobs again: over the API and on the command line.

use reqwest::StatusCode;
use serde_json::json;

use super::house::{House, Vendor, workspace, write};
use super::process::{ended, refused, said, through};

const ORDER: &str = "
title: Order
trigger: { function: { input: {}, output: { first: integer } } }
steps:
  - id: first
    action: http.get
    with: { path: /first }
  - id: second
    action: http.get
    with: { path: /second }
  - return: { first: $.steps.first.body }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_done_again_over_the_api() {
    let vendor = Vendor::open().await;
    let connections = vendor.connections();
    let house = House::of(&[
        ("recipes/stories/order.yaml", ORDER),
        ("connections.yaml", &connections),
    ])
    .await;
    let id = house.run("order", json!({})).await;
    vendor.asked().await.answer("17").await;
    vendor.asked().await.refuse().await;
    let job = house.ended(&id).await;
    assert_eq!(job["status"], "failed", "{job}");

    let rerun = format!("/api/jobs/{id}/rerun");
    let (status, plan) = house.post(&rerun, json!({ "plan": true })).await;
    assert_eq!(status, StatusCode::OK, "{plan}");
    assert_eq!(plan["from"], json!(["second"]));
    assert_eq!(plan["keeps"], json!(["first"]));
    for (wish, status, code) in [
        (json!({ "from": "secnd" }), 409, "no_such_step"),
        (json!({ "elements": "failed" }), 409, "no_failed_elements"),
        (json!({ "version": "newest" }), 422, "invalid_body"),
    ] {
        let (found, problem) = house.post(&rerun, wish).await;
        assert_eq!((found.as_u16(), &problem["code"]), (status, &json!(code)));
    }
    let (status, answer) = house.post(&rerun, json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let asked = vendor.asked().await;
    assert!(asked.text.starts_with("GET /second"), "{}", asked.text);
    asked.answer("18").await;
    let again = answer["job"].as_str().unwrap().to_owned();
    let job = house.ended(&again).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    assert_eq!(job["output"], json!({ "first": 17 }));
    assert_eq!(job["origin"]["job"], json!(id));
    assert_eq!(job["origin"]["from"], "second");
    let (_, job) = house.get(&format!("/api/jobs/{id}")).await;
    let reruns = json!([{ "job": again, "status": "succeeded" }]);
    assert_eq!(job["reruns"], reruns);

    let (status, problem) = house.post(&rerun, json!({})).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("done_again"))
    );
    let why = problem["detail"].as_str().unwrap();
    assert!(why.contains(&again) && why.contains("(succeeded)"), "{why}");
    let wish = json!({ "though_done_again": true, "plan": true });
    let (status, plan) = house.post(&rerun, wish).await;
    assert_eq!(status, StatusCode::OK, "{plan}");

    let (status, problem) = house.post("/api/jobs/rerun", json!({})).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("too_wide"))
    );
    let (status, answer) = house.post("/api/jobs/rerun", json!({ "all": true })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let all = json!({ "recipe": "stories/order", "per_minute": 10 });
    let (status, answer) = house.post("/api/jobs/rerun", all).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    assert_eq!(answer["reruns"], json!([]));
    assert_eq!(answer["passed_over"][0]["job"], json!(id));
    house.engine.shutdown().await;
}

const PICKY: &str = "
title: Picky
trigger: { function: { input: {}, output: { word: string } } }
steps:
  - id: word
    call: word
    with: {}
  - id: checked
    call: check
    with: { word: $.steps.word.word }
  - return: { word: $.steps.checked.word }
";

const WORD: &str = "
title: Word
trigger: { function: { input: {}, output: { word: string } } }
steps: [{ return: { word: x } }]
";

const CHECK: &str = "
title: Check
trigger: { function: { input: { word: string }, output: { word: string } } }
steps:
  - id: row
    table: words
    get: { word: $.input.word }
  - return: { word: $.steps.row.row.meaning }
";

const WORDS: &str = "
title: Words
columns:
  word: { label: Word, type: string, required: true }
  meaning: { label: Meaning, type: string }
key: [word]
";

#[test]
fn failed_jobs_are_done_again_on_the_command_line_without_a_server() {
    let folder = workspace(&[
        ("recipes/stories/picky.yaml", PICKY),
        ("recipes/stories/word.yaml", WORD),
        ("recipes/stories/check.yaml", CHECK),
        ("lookup-tables/words.yaml", WORDS),
    ]);
    let folder = folder.path();
    // The row is not there: the job fails where it reads it.
    let failed = ended(folder, &["run", "picky", "--wait", "1m"]);
    let told = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert_eq!(failed.status.code(), Some(1), "{told}");
    let id = told.split(' ').nth(1).unwrap();

    let plan = said(&ended(folder, &["jobs", "rerun", id, "--plan"]));
    assert!(plan.contains("would do"), "{plan}");
    let typo = refused(
        &ended(folder, &["jobs", "rerun", id, "--from", "chekced"]),
        1,
    );
    assert!(typo.contains("did you mean `checked`?"), "{typo}");
    let set = [
        "jobs",
        "rerun",
        id,
        "--from",
        "checked",
        "--set",
        "word={\"word\": \"tea\"}",
    ];
    write(folder, "words.csv", "Word,Meaning\ntea,a drink\n");
    let file = folder.join("words.csv");
    let import = ["tables", "words", "--import", file.to_str().unwrap()];
    said(&ended(folder, &import));
    let told = said(&ended(folder, &set));
    assert!(told.contains("from checked"), "{told}");
    let again = told.split(' ').nth(1).unwrap();
    let twice = refused(&ended(folder, &["jobs", "rerun", id]), 1);
    assert!(twice.contains("--though-done-again"), "{twice}");
    let wide = refused(&ended(folder, &["jobs", "rerun", "--all-failed"]), 1);
    assert!(
        wide.contains("would do 0 jobs of 0 recipes again"),
        "{wide}"
    );
    through(folder, again, &["run", "word", "--wait", "1m"]);
    let job = said(&ended(folder, &["jobs", again, "--json"]));
    assert!(job.contains("a drink"), "{job}");

    let all = ["jobs", "rerun", "--all-failed", "--recipe", "picky"];
    let told = said(&ended(folder, &all));
    assert!(told.contains("done again already"), "{told}");
}
