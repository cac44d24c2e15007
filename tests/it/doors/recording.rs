//! `recipes jobs record`: jobs become tests that pass and tell of nobody.
//!
//! In: jobs that told a vendor of somebody, and those that `recipes demo` leaves. Out: test files.
//! Always true: what is recorded is run again by `recipes test`, from the file alone.

use std::fs;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, Vendor, workspace};
use super::process::{ended, refused, said};

const INVITE: &str = "
title: Invite
trigger:
  function:
    input:
      email: { type: email, personal: true }
      name: { type: string, personal: true }
      pin: { type: string, secret: true }
      visits: integer
    output: { greeting: string, number: integer }
steps:
  - id: found
    table: guests
    get: { email: \"{{input.email}}\" }
  - id: sent
    action: http.request
    with:
      path: /invitations
      body:
        to: $.input.email
        pin: $.input.pin
        key: \"{{uuid}}\"
        subject: \"For {{input.name}} ({{steps.found.row.visits}})\"
  - id: noted
    table: guests
    upsert: { email: $.input.email, visits: $.input.visits }
  - return: { greeting: \"hello {{input.name}}\", number: $.steps.sent.body.number }
";

const GUESTS: &str = "
title: Guests
columns:
  email: { type: email, required: true, personal: true }
  visits: { type: integer }
key: [email]
rows:
  - { email: ada.lovelace@academy.test, visits: 1 }
";

/// What must stand in no recorded test of an invitation.
const TOLD: [&str; 5] = ["lovelace", "academy", "Byron", "4711-0815", "secretary"];

/// Who takes part in the story, and what must be told of nobody.
const PEOPLE: [&str; 5] = ["lovelace", "@academy", "hopper", "ada.", "username: ada"];

#[test]
fn a_job_of_the_bundle_is_recorded_as_a_test_that_passes_and_tells_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let house = folder.path().join("demo");
    let arguments = ["demo", "--once", "--folder", house.to_str().unwrap()];
    said(&ended(folder.path(), &arguments));
    let list = said(&ended(&house, &["jobs", "--limit", "100", "--json"]));
    let list: Value = serde_json::from_str(&list).unwrap();
    let jobs = list["jobs"].as_array().unwrap();
    assert!(!jobs.is_empty(), "{list}");
    let mut recorded = 0;
    for (number, job) in jobs.iter().enumerate() {
        let id = job["id"].as_str().unwrap();
        let project = job["recipe"].as_str().unwrap().split('/').next().unwrap();
        let file = house.join(format!(
            "recipes/{project}/tests/recorded-{number}.test.yaml"
        ));
        let to = ["jobs", "record", id, "--to", file.to_str().unwrap()];
        let output = ended(&house, &to);
        let refused = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            assert!(refused.contains("cannot become a test: "), "{refused}");
            assert!(!file.exists());
            continue;
        }
        recorded += 1;
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("requests:"), "{text}");
        for name in PEOPLE {
            assert!(!text.to_lowercase().contains(name), "{name} in\n{text}");
        }
    }
    assert!(recorded > 0, "no job of {} could be recorded", jobs.len());
    let told = said(&ended(&house, &["test", "recorded-"]));
    assert!(
        told.contains(&format!("{recorded} passed, 0 failed")),
        "{told}"
    );
}

/// A house with two jobs that told a vendor of the same guest.
async fn invited() -> (House, Vec<String>) {
    let vendor = Vendor::open().await;
    let connections = vendor.connections();
    let house = House::of(&[
        ("recipes/stories/invite.yaml", INVITE),
        ("lookup-tables/guests.yaml", GUESTS),
        ("connections.yaml", &connections),
    ])
    .await;
    let mut jobs = Vec::new();
    for visits in [2, 3] {
        let input = json!({
            "email": "ada.lovelace@academy.test",
            "name": "Byron",
            "pin": "4711-0815",
            "visits": visits,
        });
        let id = house.run("invite", json!({ "input": input })).await;
        let asked = vendor.asked().await;
        if visits == 2 {
            let (status, problem) = house.get(&format!("/api/jobs/{id}/record")).await;
            assert_eq!(status, StatusCode::CONFLICT, "{problem}");
            let why = format!("job {id} cannot become a test: it has not ended yet");
            assert_eq!(problem["detail"], why);
        }
        let reply = "{\"number\": 17, \"cc\": \"secretary@academy.test\"}";
        asked.answer(reply).await;
        assert_eq!(house.ended(&id).await["status"], "succeeded");
        jobs.push(id);
    }
    (house, jobs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_secret_and_a_person_becomes_a_test_without_them() {
    let (house, jobs) = invited().await;
    // The first of them, although its table has changed since.
    let (status, answer) = house.get(&format!("/api/jobs/{}/record", jobs[0])).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let text = answer["test"].as_str().unwrap();
    for told in TOLD {
        assert!(
            !text.to_lowercase().contains(&told.to_lowercase()),
            "{told} in\n{text}"
        );
    }
    for kept in [
        "recipe: stories/invite",
        "number: 17",
        "subject: \"For ",
        "visits: 1 }",
        "visits: 2 }",
        "http.request",
    ] {
        assert!(text.contains(kept), "{kept} not in\n{text}");
    }
    assert!(
        !text.contains("key:"),
        "each run has a key of its own:\n{text}"
    );
    let tests = house.folder.path().join("recipes/stories/tests");
    fs::create_dir_all(&tests).unwrap();
    fs::write(tests.join("recorded.test.yaml"), text).unwrap();
    let told = said(&ended(house.folder.path(), &["test", "recorded.test"]));
    assert!(told.contains("1 passed, 0 failed"), "{told}");
    // It is a test of the recipe: what changes there is seen.
    let changed = INVITE.replace("/invitations", "/letters");
    fs::write(
        house.folder.path().join("recipes/stories/invite.yaml"),
        changed,
    )
    .unwrap();
    let output = ended(house.folder.path(), &["test", "recorded.test"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("- path: /invitations") || told.contains("/letters"),
        "{told}"
    );
    house.engine.shutdown().await;
}

const READ: &str = "
title: Read
trigger: { manual: }
steps: [{ id: all, table: letters, find: {} }]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_nobody_would_read_in_a_test_is_named() {
    let letters = "title: Letters\ncolumns: { text: { type: string, personal: true } }\n";
    let house = House::of(&[
        ("recipes/stories/read.yaml", READ),
        ("lookup-tables/letters.yaml", letters),
    ])
    .await;
    let rows = |chars| vec![json!({ "text": "a".repeat(chars) }); 30];
    for (chars, expected) in [(10, StatusCode::OK), (40_000, StatusCode::CONFLICT)] {
        let rows = json!({ "rows": rows(chars) });
        let (status, answer) = house
            .ask(Method::PUT, "/api/lookup-tables/letters/rows", Some(rows))
            .await;
        assert!(status.is_success(), "{answer}");
        let job = house.run("read", json!({})).await;
        assert_eq!(house.ended(&job).await["status"], "succeeded");
        let (status, answer) = house.get(&format!("/api/jobs/{job}/record")).await;
        assert_eq!(status, expected, "{answer}");
        let told = answer.to_string();
        assert_eq!(
            told.contains("the table `letters`"),
            expected.is_client_error(),
            "{told}"
        );
    }
    house.engine.shutdown().await;
}

#[test]
fn what_is_recorded_overwrites_nothing_and_needs_a_job() {
    let folder = workspace(&[("recipes/stories/tests/mine.test.yaml", "# mine\n")]);
    let file = folder.path().join("recipes/stories/tests/mine.test.yaml");
    let to = ["jobs", "record", "1", "--to", file.to_str().unwrap()];
    let told = refused(&ended(folder.path(), &to), 1);
    assert!(told.contains("is there already"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\n");
    let told = refused(&ended(folder.path(), &["jobs", "record", "1"]), 1);
    assert!(told.contains("there is no job `1`"), "{told}");
}
