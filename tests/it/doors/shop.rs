//! A project for the doctor to look at: two recipes, a table, settings, a courier whose form is
//! half assumed.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::House;

pub(super) const SHOP: &str = "
title: Shop
version: 2.1.0
settings:
  SHOP_WINDOW:
    MODE:
      type: { enum: [FAST, SLOW] }
      says: { values: { FAST: Parcels leave at once., SLOW: Parcels leave at night. } }
    IS_OPEN: { type: boolean, default: true, label: Open for all }
    DAYS:
      type: integer?
      says:
        values: { 0: Nothing is taken back. }
        any: \"Parcels are taken back for {{value}} days, {{lowercase settings.shop_window.MODE}}.\"
        absent: Parcels are taken back for ever.
    PIN: { type: string?, secret: true }
";

const DELIVER: &str = "
title: Deliver a parcel
activation: required
trigger: { schedule: { every: 5m } }
steps:
  - id: sent
    action: courier.send
    with: { parcel: 7, mode: $.settings.shop_window.MODE }
";

pub(super) const COUNT: &str = "
title: Count parcels
activation: ADVICE
trigger: { schedule: { every: 5m } }
steps: [{ id: rows, table: parcels, count: {} }]
";

pub(super) const PARCELS: &str = "
title: Parcels
columns:
  id: { type: integer, required: true }
  weight: { type: integer? }
  owner: { type: string?, personal: true }
key: [id]
rows: [{ id: 1, weight: 40 }]
";

pub(super) const COURIER: &str = "
title: Courier
connection: { base_url: string, key: { type: string, secret: true } }
base_url: \"{{connection.base_url}}\"
sign_in: { header: { Authorization: \"{{connection.key}}\" } }
actions:
  send:
    title: Send a parcel
    effect: repeatable
    provenance: assumed
    input: { parcel: integer, mode: string }
    request: { post: /parcels, body: { parcel: $.input.parcel } }
    output: {}
  find:
    title: Find a parcel
    effect: read
    provenance: documented
    input: { owner: { type: string, personal: true } }
    request: { get: /parcels }
    item: $.reply.body
    output: { place: string, owner: { type: string, personal: true } }
";

pub(super) const CONNECTIONS: &str = "
connections:
  courier: { base_url: 'http://127.0.0.1:9', allow_private: true, key: { file: secret } }
";

/// The shop without a doctor, as files.
pub(super) fn shop<'a>(count: &'a str, connections: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("recipes/shop/project.yaml", SHOP),
        ("recipes/shop/deliver-a-parcel.yaml", DELIVER),
        ("recipes/shop/count-parcels.yaml", count),
        ("lookup-tables/parcels.yaml", PARCELS),
        ("connectors/courier.yaml", COURIER),
        ("connections.yaml", connections),
    ]
}

pub(super) async fn examined(house: &House, query: &str) -> Value {
    let (status, body) = house
        .get(&format!("/api/projects/shop/doctor{query}"))
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

/// What stands in a section: `level: text`, and below some `-> help`.
pub(super) fn section(body: &Value, topic: &str) -> Vec<String> {
    let sections = body["sections"].as_array().unwrap();
    let section = sections.iter().find(|section| section["topic"] == topic);
    let findings = section.unwrap()["findings"].as_array().unwrap();
    let shown = findings.iter().map(|finding| {
        let word = |name: &str| finding[name].as_str().unwrap_or_default();
        match finding.get("help") {
            Some(_) => format!("{}: {} -> {}", word("level"), word("text"), word("help")),
            None => format!("{}: {}", word("level"), word("text")),
        }
    });
    shown.collect()
}

pub(super) async fn set(house: &House, key: &str, value: &str) {
    let row = json!({ "rows": [{ "integration": "SHOP_WINDOW", "key": key, "value": value }] });
    let path = "/api/lookup-tables/integration-settings/rows";
    let (status, body) = house.ask(Method::PUT, path, Some(row)).await;
    assert!(status.is_success(), "{body}");
}
