//! A loop of some thousand elements, killed in its middle again and again, sends each once.
//!
//! Always true: the vendor is asked for a page of records, and each record goes to its sink with
//! the idempotency key of its place; the sink counts what comes.

use serde_json::{Value, json};

use super::engine::Engine;
use super::vendors::Vendors;

/// How many pages of 100 records the vendor has.
const PAGES: u64 = 30;

/// After how many commits since its last start the program is killed. Each page is one at least.
const KILLS: [u32; 3] = [14, 9, 3];

/// The most that the journal of such a loop may take, however long it is.
const JOURNAL_BYTES_MAX: u64 = 40_000;

const RECIPE: &str = "
title: Send all
trigger: { manual: {} }
steps:
  - id: sent
    foreach: { action: records.list_records }
    as: record
    at_once: 16
    collect: $.record.id
    tally: '{{if_else (gt record.id 2000) \"late\" \"early\"}}'
    do:
      - id: send
        action: records.send_repeatable
        with: { id: $.record.id, name: $.record.name }
  - return:
      count: $.steps.sent.count
      tally: $.steps.sent.tally
      sum: '{{sum steps.sent.items}}'
";

const CONNECTOR: &str = include_str!("../../../engine/cli/bench/workspace/connectors/records.yaml");

#[test]
fn a_loop_killed_in_its_middle_is_folded_and_sends_each_record_once() {
    let vendors = Vendors::start();
    furnish(&vendors);
    let records = vendors.records().to_owned();
    let control = |path: &str| format!("{records}/_control/{path}");
    vendors.ask("POST", &control("quirks"), None, &json!({ "pages": PAGES }));
    let engine = Engine::start(&vendors, Some(&format!("committed:{}", KILLS[0])));
    let job = engine.run(&vendors, "loops/send-all");
    engine.until("halted at committed");
    engine.kill();
    for commits in &KILLS[1..] {
        let engine = Engine::start(&vendors, Some(&format!("committed:{commits}")));
        engine.until("halted at committed");
        engine.kill();
    }
    let engine = Engine::start(&vendors, None);
    engine.until_idle(&vendors);
    let job = engine.get(&vendors, &format!("/api/jobs/{job}"));
    let count = PAGES * 100;
    let wanted = json!({
        "count": count,
        "tally": { "early": 2_000, "late": count - 2_000 },
        "sum": count * (count + 1) / 2,
    });
    assert_eq!(job["output"], wanted, "{}", engine.log());
    let sink = vendors.ask("GET", &control("sink"), None, &Value::Null);
    assert_eq!(sink["distinct_ids"], json!(count), "none is lost");
    assert_eq!(sink["ids_more_than_once"], json!(0), "none is doubled");
    assert!(sink["in_flight_max"].as_u64().unwrap() <= 16, "{sink}");
    let bytes = job["journal_bytes"].as_u64().unwrap();
    assert!(bytes < JOURNAL_BYTES_MAX, "{bytes} bytes");
    let folded = &job["steps"][0]["folded"];
    assert_eq!(folded["succeeded"], json!(count - 20), "{folded}");
    assert_eq!(job["steps"][0]["steps"].as_array().unwrap().len(), 20);
}

fn furnish(vendors: &Vendors) {
    let path = |name: &str| vendors.workspace.join(name);
    let project = "title: Loops\nversion: 1.0.0\nconnections: { records: records }\n";
    std::fs::create_dir_all(path("recipes/loops")).unwrap();
    std::fs::write(path("recipes/loops/project.yaml"), project).unwrap();
    std::fs::write(path("recipes/loops/send-all.yaml"), RECIPE).unwrap();
    std::fs::write(path("connectors/records.yaml"), CONNECTOR).unwrap();
    let connection = format!(
        "  records:\n    connector: records\n    base_url: {}\n    allow_private: true\n",
        vendors.records()
    );
    let connections = std::fs::read_to_string(path("connections.yaml")).unwrap();
    std::fs::write(path("connections.yaml"), connections + &connection).unwrap();
}
