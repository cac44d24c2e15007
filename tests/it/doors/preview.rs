//! `--preview`: what reads is asked, nothing is changed, everything that would be is listed.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::house::{House, Vendor, workspace, write};
use super::process::{ended, said};

const PEOPLE: &str = "
title: People
columns:
  id: { label: Id, type: integer, required: true }
  name: { label: Name, type: string }
  email: { label: E-mail, type: string, personal: true }
key: [id]
rows:
  - { id: 1, name: Ann, email: ann@example.com }
  - { id: 2, name: Bob, email: bob@example.com }
";

/// Reads, writes rows, sends, branches on what is not known, and goes on with it.
const ENROL: &str = "
title: Enrol
trigger: { function: { input: { wanted: \"[integer]\" }, output: { done: any } } }
steps:
  - id: page
    action: http.get
    with: { path: /courses }
  - id: renamed
    table: people
    upsert: { id: 1, name: \"{{page_name}}\", email: ann@example.com }
  - id: ann
    table: people
    get: { id: 1 }
  - wait: 90d
  - id: each
    foreach: $.input.wanted
    as: wanted
    collect: $.steps.sent.body.id
    do:
      - id: sent
        action: http.request
        with: { method: POST, path: /enrolments, body: { course: $.wanted, learner: $.steps.ann.row.name? } }
  - if: { $.steps.each.items: { contains: 7 } }
    then:
      - id: thanks
        action: http.request
        with: { method: POST, path: /thanks, body: { ids: $.steps.each.items } }
      - return: { done: yes-indeed }
    else:
      - id: sorry
        action: http.request
        with: { method: POST, path: /sorry }
  - id: looked
    action: http.get
    with: { path: \"/enrolments/{{steps.each.items.[0]}}\" }
  - id: kept
    table: people
    insert: { id: 3, name: $.steps.looked.body.name }
  - return: { done: $.steps.each.items }
";

async fn story() -> (House, Vendor) {
    let vendor = Vendor::open().await;
    let enrol = ENROL.replace("{{page_name}}", "{{steps.page.body.name}}");
    let house = House::of(&[
        ("recipes/stories/enrol.yaml", &enrol),
        ("lookup-tables/people.yaml", PEOPLE),
        ("connections.yaml", &vendor.connections()),
    ])
    .await;
    (house, vendor)
}

fn actions(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|call| {
        format!(
            "{} {}",
            call["action"].as_str().unwrap(),
            call["with"]["path"]
        )
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_lists_what_would_be_done_and_does_nothing() {
    let (house, vendor) = story().await;
    let answering = async {
        let asked = vendor.asked().await;
        assert!(asked.text.starts_with("GET /courses"), "{}", asked.text);
        asked.answer(r#"{ "name": "Anna" }"#).await;
        // Whatever else arrived would be too much.
        panic!("a preview sent {}", vendor.asked().await.text);
    };
    let wish = json!({ "preview": true, "input": { "wanted": [5, 6] } });
    let (status, seen) = tokio::select! {
        answer = house.post("/api/recipes/stories/enrol/run", wish) => answer,
        () = answering => unreachable!("it never ends well"),
    };
    assert_eq!(status, StatusCode::OK, "{seen}");
    assert_eq!(
        actions(&seen["would_send"]),
        [
            "http.request \"/enrolments\"",
            "http.request \"/enrolments\"",
            "http.request \"/thanks\"",
            "http.request \"/sorry\"",
        ]
    );
    // What was written before is read again, though it was written nowhere.
    assert_eq!(seen["would_send"][0]["with"]["body"]["learner"], "Anna");
    assert_eq!(seen["would_send"][1]["with"]["body"]["course"], 6);
    assert_eq!(seen["not_asked"][0]["action"], "http.get");
    let written = &seen["would_write"];
    assert_eq!(written.as_array().unwrap().len(), 1, "{written}");
    assert_eq!(written[0]["change"], "change");
    assert_eq!(written[0]["before"]["name"], "Ann");
    assert_eq!(written[0]["after"]["name"], "Anna");
    let text = seen.to_string();
    assert!(text.contains("all branches are listed"), "{text}");
    assert!(text.contains("\"not_run\""), "{text}");
    assert!(
        text.contains("(known when `http.request` has run)"),
        "{text}"
    );
    assert!(!text.contains("ann@example.com"), "personal: {text}");
    assert!(!text.contains('\u{0}'), "{text}");
    // Nothing is left of it.
    let (_, jobs) = house.get("/api/jobs").await;
    assert_eq!(jobs["jobs"], json!([]));
    let (_, rows) = house.get("/api/lookup-tables/people/rows").await;
    assert!(rows.to_string().contains("Ann\""), "{rows}");
    assert!(!rows.to_string().contains("Anna"), "{rows}");
}

const PATIENT: &str = "
title: Patient
trigger: { function: { input: {}, output: {} } }
steps:
  - log: hello
  - wait: 90d
";

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_takes_nothing_from_the_run_that_follows() {
    let house = House::of(&[("recipes/stories/patient.yaml", PATIENT)]).await;
    let path = "/api/recipes/stories/patient/run";
    let (status, seen) = house.post(path, json!({ "preview": true })).await;
    assert_eq!(status, StatusCode::OK, "{seen}");
    assert_eq!(
        seen["jobs"][0]["status"], "succeeded",
        "it leaps over the wait"
    );
    let (_, taken) = house.post(path, json!({})).await;
    let id = taken["jobs"][0].as_str().unwrap().to_owned();
    let folder = house.folder.clone();
    house.standing(&id, "waiting").await;
    house.engine.shutdown().await;
    // Only the database knows the version that the job began with.
    let edited = PATIENT.replace("hello", "good bye");
    write(folder.path(), "recipes/stories/patient.yaml", &edited);
    let house = House::open(folder).await;
    let (_, job) = house.get(&format!("/api/jobs/{id}")).await;
    assert_eq!(job["status"], "waiting", "{job}");
    assert!(job.get("steps_missing_because").is_none(), "{job}");
    house.engine.shutdown().await;
}

const SORTER: &str = "
title: Sorter
trigger: { webhook: { auth: none } }
steps:
  - switch: $.trigger.body.event?
    cases:
      - equals: known
        then: [{ stop: { status: success, reason: it is known already } }]
    else:
      - log: \"Unknown event {{default trigger.body.event? 'without a name'}}\"
        level: warn
";

#[test]
fn a_preview_that_does_nothing_says_why() {
    let folder = workspace(&[("recipes/stories/sorter.yaml", SORTER)]);
    let here = folder.path();
    let told = |event: &str| {
        write(here, "event.json", event);
        let event = here.join("event.json");
        let event = event.to_str().unwrap();
        said(&ended(
            here,
            &["run", "sorter", "--preview", "--event", event],
        ))
    };
    let nothing = "nothing would be sent and no row would change\n";
    let nonsense = told(r#"{ "foo": 1 }"#);
    let logged = "would be logged (1):\n  warn: Unknown event without a name\n";
    assert!(nonsense.contains(logged), "{nonsense}");
    assert!(nonsense.ends_with(nothing), "{nonsense}");
    let known = told(r#"{ "event": "known" }"#);
    assert!(known.contains("stopped: it is known already"), "{known}");
    assert!(!known.contains("would be logged"), "{known}");
}
