//! What the doctor says of what happened lately: failed jobs, deliveries turned away, no server.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, workspace, write};
use super::process::{ended, said};
use super::shop::{CONNECTIONS, COUNT, examined, section, shop};

const BROKEN: &str = "
title: Count parcels
activation: optional
trigger: { schedule: { every: 5m } }
steps: [{ stop: { status: failure, reason: the scales are broken } }]
";

const INBOX: &str = "
title: Inbox
trigger: { webhook: { auth: { basic: sender } } }
steps: [{ log: done }]
";

async fn run(house: &House) -> String {
    let path = "/api/recipes/shop/count-parcels/run";
    let (status, answer) = house.post(path, json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let id = answer["jobs"][0].as_str().unwrap().to_owned();
    house.ended(&id).await;
    id
}

fn jobs(body: &Value) -> Vec<String> {
    section(body, "jobs")
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_jobs_are_told_of_until_their_reruns_succeed() {
    let house = House::of(&shop(BROKEN, CONNECTIONS)).await;
    let body = examined(&house, "?offline=true").await;
    assert!(jobs(&body)[0].starts_with("note: none failed"));
    let id = run(&house).await;
    let told = jobs(&examined(&house, "?offline=true").await);
    assert!(
        told[0].starts_with("error: a job of \"Count parcels\" failed, the last on "),
        "{told:?}"
    );
    assert!(told[0].contains(&format!("`recipes jobs {id}` shows where")));
    assert!(told[0].contains(&format!("`recipes jobs rerun {id} --from start` does")));
    let folder = house.folder.path();
    let listed = ["jobs", "--status", "failed"];
    let list = said(&ended(folder, &listed));
    assert!(list.contains(&id), "{list}");

    let count = COUNT.replace("ADVICE", "optional");
    write(folder, "recipes/shop/count-parcels.yaml", &count);
    house.engine.take_up_files().await.unwrap();
    let told = jobs(&examined(&house, "?offline=true").await);
    let advice = format!("`recipes jobs rerun {id} --from start --version current` does");
    assert!(told[0].contains(&advice), "{told:?}");
    let path = format!("/api/jobs/{id}/rerun");
    let wish = json!({ "version": "current", "from": "start" });
    let (status, rerun) = house.post(&path, wish).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{rerun}");
    let rerun = rerun["job"].as_str().unwrap().to_owned();
    house.ended(&rerun).await;
    let told = jobs(&examined(&house, "?offline=true").await);
    assert!(told[0].starts_with("note: none failed"), "{told:?}");
    let (_, listing) = house.get("/api/jobs?status=failed").await;
    let again = json!({ "job": rerun, "status": "succeeded" });
    assert_eq!(listing["jobs"][0]["done_again"], again, "{listing}");
    let output = ended(folder, &listed);
    assert!(!said(&output).contains(&id), "it is done");
    let aside = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(aside.contains("1 more were done again"), "{aside}");
    let all = said(&ended(folder, &["jobs", "--status", "failed", "--all"]));
    assert!(
        all.contains(&format!("done again: {rerun} succeeded")),
        "{all}"
    );
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_after_which_others_succeeded_is_only_a_warning() {
    let house = House::of(&shop(BROKEN, CONNECTIONS)).await;
    run(&house).await;
    let count = COUNT.replace("ADVICE", "optional");
    write(
        house.folder.path(),
        "recipes/shop/count-parcels.yaml",
        &count,
    );
    house.engine.take_up_files().await.unwrap();
    run(&house).await;
    let told = jobs(&examined(&house, "?offline=true").await);
    assert!(told[0].starts_with("warning: a job of"), "{told:?}");
    assert!(told[0].contains("later ones succeeded"), "{told:?}");
    house.engine.shutdown().await;
}

#[tokio::test]
async fn deliveries_that_were_turned_away_are_told_of() {
    let count = COUNT.replace("ADVICE", "optional");
    let connections = format!(
        "{CONNECTIONS}  sender: {{ connector: webhook_basic, username: vendor, password: {{ file: \
         secret }} }}\n"
    );
    let mut files = shop(&count, &connections);
    files.push(("recipes/shop/inbox.yaml", INBOX));
    let house = House::of(&files).await;
    let about = |body: &Value| {
        let told = section(body, "recipes");
        told.into_iter().find(|line| line.contains("turned away"))
    };
    assert_eq!(about(&examined(&house, "?offline=true").await), None);
    for _ in 0..2 {
        let delivery = house.request(Method::POST, "/webhooks/shop/inbox");
        let delivery = delivery.basic_auth("vendor", Some("guess")).body("{}");
        let answer = delivery.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
    let told = about(&examined(&house, "?offline=true").await).expect("a finding");
    assert!(
        told.starts_with("warning: 2 deliveries to \"Inbox\" were turned away"),
        "{told}"
    );
    assert!(told.contains("`recipes show shop/inbox`"), "{told}");
}

#[tokio::test]
async fn a_secret_that_a_started_webhook_needs_is_not_removed_unasked() {
    let connections = "connections:\n  sender: { connector: webhook_basic, username: vendor, \
                       password: { secret: sender.password } }\n";
    let house = House::of(&[
        ("connections.yaml", connections),
        ("recipes/stories/inbox.yaml", INBOX),
    ])
    .await;
    let secret = "/api/secrets/sender.password";
    let given = json!({ "value": "planted-password-1" });
    let (status, _) = house.ask(Method::PUT, secret, Some(given)).await;
    assert_eq!(status, StatusCode::OK);
    let recipe = "/api/recipes/stories/inbox";
    house.post(&format!("{recipe}/start"), json!({})).await;
    let (status, kept) = house.ask(Method::DELETE, secret, None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{kept}");
    let detail = kept["detail"].as_str().unwrap();
    assert!(
        detail.contains("started recipes use it: `stories/inbox`"),
        "{detail}"
    );
    let anyway = format!("{secret}?anyway=true");
    let (status, gone) = house.ask(Method::DELETE, &anyway, None).await;
    assert_eq!(status, StatusCode::OK, "{gone}");
    // What is turned away for that is counted, and told as ours to mend.
    for _ in 0..2 {
        let delivery = house.request(Method::POST, "/webhooks/stories/inbox");
        let delivery = delivery.basic_auth("vendor", Some("planted-password-1"));
        let answer = delivery.body("{}").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    let (_, shown) = house.get(recipe).await;
    let refused = &shown["webhook"]["refused"];
    assert_eq!(refused["count"], 2, "{shown}");
    let why = refused["last_why"].as_str().unwrap();
    assert!(why.contains("its administrator must mend it"), "{why}");
    let (_, body) = house.get("/api/projects/stories/doctor?offline=true").await;
    let told = section(&body, "recipes");
    let told = told.iter().find(|line| line.contains("turned away"));
    let told = told.expect("a finding");
    assert!(told.contains("give what the connection lacks"), "{told}");
}

fn doctor(folder: &Path) -> String {
    let output = ended(folder, &["doctor", "shop", "--offline"]);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn without_a_server_the_doctor_says_that_nothing_is_set_off() {
    let count = COUNT.replace("ADVICE", "optional");
    let folder = workspace(&shop(&count, CONNECTIONS));
    let told = doctor(folder.path());
    assert!(
        told.contains("beware no server runs on this workspace"),
        "{told}"
    );
    said(&ended(folder.path(), &["start", "count-parcels"]));
    let told = doctor(folder.path());
    assert!(
        told.contains("WRONG  no server runs on this workspace"),
        "{told}"
    );
}

const PARTLY: &str = "
title: Count parcels
activation: optional
trigger: { manual: }
steps:
  - { id: weigh, table: parcels, insert: { id: 1 }, on_error: continue }
";
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_went_on_without_a_part_is_told_of_and_its_advice_is_taken() {
    let house = House::of(&shop(PARTLY, CONNECTIONS)).await;
    let id = run(&house).await;
    let told = jobs(&examined(&house, "?offline=true").await);
    let expected = "warning: a job of \"Count parcels\" succeeded with errors, the last on ";
    assert!(told[0].starts_with(expected), "{told:?}");
    let folder = house.folder.path();
    let list = ended(folder, &["jobs", "--status", "failed"]);
    let aside = String::from_utf8_lossy(&list.stderr).into_owned();
    assert!(aside.contains("of 1 more, parts failed"), "{aside}");
    // What is said to type next is taken.
    let shown = said(&ended(folder, &["jobs", &id]));
    let next = format!("recipes jobs rerun {id} --from start --plan");
    assert!(shown.contains(&next), "{shown}");
    let plan = ended(folder, &["jobs", "rerun", &id, "--from", "start", "--plan"]);
    assert!(plan.status.success(), "{}", said(&plan));
    house.engine.shutdown().await;
}
