//! Jobs found by a value that they hold, while it is masked.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::house::House;

/// Takes somebody in, and gives them a long letter, which is stored apart from the journal.
const TELL: &str = "
title: Tell
trigger:
  function:
    input: { email: { type: string, personal: true }, number: integer? }
    output: { letter: string }
steps:
  - return: { letter: $.input.email }
";
const LONG: &str = "
title: Long
trigger: { function: { input: { letter: { type: string, personal: true } } } }
steps: [{ log: told }]
";

/// The jobs that a search finds, oldest first, and what else it answers.
async fn search(house: &House, wish: Value) -> (Vec<String>, Value) {
    let (status, answer) = house.post("/api/jobs/search", wish).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let jobs = answer["jobs"].as_array().unwrap().iter();
    let mut ids: Vec<String> = jobs
        .map(|job| job["id"].as_str().unwrap().to_owned())
        .collect();
    ids.reverse();
    (ids, answer)
}

async fn told(house: &House, input: Value) -> String {
    let job = house.run("tell", json!({ "input": input })).await;
    house.ended(&job).await;
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_found_by_what_they_hold_whole_and_it_stays_masked() {
    let house = House::of(&[
        ("recipes/stories/tell.yaml", TELL),
        ("recipes/stories/long.yaml", LONG),
    ])
    .await;
    let ann = told(
        &house,
        json!({ "email": "Ann@Example.org", "number": 4711 }),
    )
    .await;
    told(
        &house,
        json!({ "email": "joann@example.org", "number": 47_110 }),
    )
    .await;
    told(&house, json!({ "email": "ann@example.organisation" })).await;
    told(
        &house,
        json!({ "email": "x.ann@example.org", "number": 14_711 }),
    )
    .await;
    let quoted = told(&house, json!({ "email": "\"A%n_n\" <100%@example.org>" })).await;
    let letter = format!("{} to ann@example.org.", "Dear all! ".repeat(1000));
    let long = house
        .run("long", json!({ "input": { "letter": letter } }))
        .await;
    house.ended(&long).await;

    let (found, answer) = search(&house, json!({ "value": "ann@example.org" })).await;
    assert_eq!(found, [ann.clone(), long.clone()]);
    assert_eq!(answer["looked_at"], 6);
    assert_eq!(answer.get("before"), None);
    let shown = answer.to_string().to_lowercase();
    assert!(!shown.contains("ann@example.org"), "{shown}");
    // What was found is masked where it is looked at, too.
    let (_, job) = house.get(&format!("/api/jobs/{ann}")).await;
    assert!(!job.to_string().contains("Ann@Example.org"), "{job}");

    assert_eq!(search(&house, json!({ "value": "4711" })).await.0, [&*ann]);
    assert_eq!(
        search(&house, json!({ "value": "\"A%n_n\"" })).await.0,
        [&*quoted]
    );
    assert!(
        search(&house, json!({ "value": "a_n@example.org" }))
            .await
            .0
            .is_empty()
    );
    let of_long = json!({ "value": "ann@example.org", "recipe": "stories/long" });
    assert_eq!(search(&house, of_long).await.0, [&*long]);
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_goes_on_where_it_ended() {
    let house = House::of(&[("recipes/stories/tell.yaml", TELL)]).await;
    let mut jobs = Vec::new();
    for email in [
        "ann@a.org",
        "bob@a.org",
        "ann@a.org",
        "bob@a.org",
        "ann@a.org",
    ] {
        jobs.push(told(&house, json!({ "email": email })).await);
    }
    let mut wish = json!({ "value": "ann@a.org", "limit": 1 });
    let mut found = Vec::new();
    for _ in 0..3 {
        let (ids, answer) = search(&house, wish.clone()).await;
        found.extend(ids);
        wish["before"] = answer["before"].clone();
    }
    assert_eq!(found, [&jobs[4], &jobs[2], &jobs[0]].map(String::clone));
    let (none, answer) = search(&house, wish).await;
    assert_eq!((none.len(), answer.get("before")), (0, None), "{answer}");

    for wish in [
        json!({}),
        json!({ "value": "  a " }),
        json!({ "value": "a".repeat(1_001) }),
        json!({ "value": "a".repeat(60_000) }),
        json!({ "value": "ann@a.org", "status": "done" }),
        json!({ "value": "ann@a.org", "limit": 0 }),
        json!({ "value": "ann@a.org", "of": "x" }),
    ] {
        let (status, problem) = house.post("/api/jobs/search", wish.clone()).await;
        assert!(status.is_client_error(), "{wish}: {problem}");
    }
    house.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_search_runs_at_a_time() {
    let house = House::at_rest(&[("recipes/stories/tell.yaml", TELL)]).await;
    for number in 0..50 {
        let input = json!({ "email": "ann@a.org", "number": number });
        house.run("tell", json!({ "input": input })).await;
    }
    let ask = || house.post("/api/jobs/search", json!({ "value": "ann@a.org" }));
    // However fast the machine is, two meet some time.
    let refused = loop {
        let both = tokio::join!(ask(), ask());
        let (mut refused, found): (Vec<_>, Vec<_>) = [both.0, both.1]
            .into_iter()
            .partition(|(status, _)| status.is_client_error());
        assert!(!found.is_empty(), "one of them is done: {refused:?}");
        if let Some(refused) = refused.pop() {
            break refused;
        }
    };
    assert_eq!(refused.0, StatusCode::TOO_MANY_REQUESTS, "{}", refused.1);
    assert_eq!(refused.1["code"], "search_running");
    let (found, _) = search(&house, json!({ "value": "ann@a.org" })).await;
    assert_eq!(found.len(), 50);
    house.engine.shutdown().await;
}
