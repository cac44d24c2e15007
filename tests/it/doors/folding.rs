//! What is shown of a job whose loops were folded.

use serde_json::{Value, json};

use super::house::House;

const PEOPLE: &str = "
title: People
columns:
  id: { type: integer, required: true }
  name: { type: string, personal: true }
key: [id]
";

const MEET: &str = "
title: Meet
trigger: { function: { input: { numbers: \"[integer]\" }, output: {} } }
steps:
  - id: each
    foreach: $.input.numbers
    as: number
    do:
      - id: person
        table: people
        get: { id: $.number }
      - log: \"number {{number}} is called {{steps.person.row.name}}.\"
        data: { called: $.steps.person.row.name }
";

/// More iterations than a job runs before it folds.
const COUNT: u64 = 1_050;

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_folded_iteration_names_nobody_until_somebody_asks_on_the_record() {
    let house = House::of(&[
        ("recipes/stories/meet.yaml", MEET),
        ("lookup-tables/people.yaml", PEOPLE),
    ])
    .await;
    let numbers: Vec<u64> = (0..COUNT).collect();
    let rows: Vec<Value> = numbers
        .iter()
        .map(|id| json!({ "id": id, "name": format!("Li Planted{id}") }))
        .collect();
    let rows = json!({ "rows": rows });
    let put = reqwest::Method::PUT;
    let path = "/api/lookup-tables/people/rows";
    let (_, taken) = house.ask(put, path, Some(rows)).await;
    assert_eq!(taken["added"], COUNT, "{taken}");
    let wish = json!({ "input": { "numbers": numbers } });
    let id = &house.run("meet", wish).await;
    let job = house.ended(id).await;
    assert_eq!(job["status"], "succeeded", "{job}");
    assert!(job["steps"][0]["folded"].is_object(), "{}", job["steps"]);
    let text = job.to_string();
    assert!(!text.contains("Planted") && !text.contains("Li"), "{text}");
    let line = &job["log"][500];
    assert_eq!(line["message"], "number 500 is called *** ***.", "{line}");
    assert_eq!(line["data"]["called"], "*** ***", "{line}");
    let (_, job) = house.get(&format!("/api/jobs/{id}?reveal=personal")).await;
    let line = &job["log"][500];
    assert_eq!(
        line["message"], "number 500 is called Li Planted500.",
        "{line}"
    );
}
