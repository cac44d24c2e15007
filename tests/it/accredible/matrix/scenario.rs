//! The scenarios of the matrix, as their file tells them.
//!
//! In: `tests/data/accredible-scenarios.yaml`. Out: vendors, tables and settings prepared, and what
//! then happens, step by step.
//! Always true: a key that is not known is refused, so that nothing in the file is without effect.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::ground::Ground;
use super::super::stage::Stage;

/// One piece of work of the bundle, from a prepared world to its end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// In a few words what happens.
    pub(super) name: String,
    /// Oddities of the vendors, by vendor.
    #[serde(default)]
    quirks: BTreeMap<String, Value>,
    /// Rows that the vendors have beyond the first world, by `vendor.collection`.
    #[serde(default)]
    vendors: BTreeMap<String, Value>,
    /// What people did at the vendors before, and nobody hears of any more.
    #[serde(default)]
    before: Vec<Deed>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    /// Whether the groups of the first world are in the lookup table already, as most need it.
    #[serde(default = "yes")]
    knows_groups: bool,
    /// Rows of the lookup tables.
    #[serde(default)]
    rows: BTreeMap<String, Value>,
    pub(super) steps: Vec<Step>,
    /// How the jobs of the steps end, in order; all `succeeded` if left out.
    #[serde(default)]
    pub(super) ends: Vec<String>,
    /// Each changing action with how often the run without a fault calls it; those alone.
    #[serde(default)]
    pub(super) writes: BTreeMap<String, usize>,
    /// What looks different afterwards: collections of the vendors and tables; those alone.
    #[serde(default)]
    pub(super) changes: Vec<String>,
}

/// Something that a person does at a vendor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deed {
    at: String,
    act: String,
    with: Value,
}

/// What happens next.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Step {
    /// A person does something at a vendor.
    Deed(Deed),
    /// A recipe is run by hand.
    Run(Run),
    /// Docebo's webhook delivers what it has to report.
    Deliver(Deliver),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) run: String,
    #[serde(default)]
    pub(super) input: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deliver {
    /// How often each delivery comes.
    pub(super) deliver: usize,
}

/// The scenarios of the file.
pub(super) fn read() -> Vec<Scenario> {
    let text = std::fs::read_to_string("tests/data/accredible-scenarios.yaml").expect("scenarios");
    serde_yaml::from_str(&text).expect("readable scenarios")
}

impl Scenario {
    /// The vendors as it finds them.
    pub(super) async fn prepare_vendors(&self, ground: &Ground) {
        ground.reset().await;
        for (vendor, quirks) in &self.quirks {
            ground.order(vendor, "quirks", quirks.clone()).await;
        }
        for (collection, rows) in &self.vendors {
            let (vendor, collection) = collection.split_once('.').expect("vendor.collection");
            let path = format!("state/{collection}");
            ground.order(vendor, &path, rows.clone()).await;
        }
        for deed in &self.before {
            deed.done(ground).await;
        }
    }

    /// Tables and settings as it finds them.
    pub(super) async fn prepare_tables(&self, stage: &Stage) {
        if self.knows_groups {
            stage.know_the_groups().await;
        }
        for (key, value) in &self.settings {
            stage.set(key, value).await;
        }
        for (table, rows) in &self.rows {
            stage.put_all(table, rows.clone()).await;
        }
    }
}

impl Deed {
    pub(super) async fn done(&self, ground: &Ground) {
        let path = format!("actions/{}", self.act);
        ground.order(&self.at, &path, self.with.clone()).await;
    }
}

/// A fault at a vendor: which call of which it strikes, and what is done to it.
pub(super) fn order(method: &str, path: &str, nth: usize, kind: &Value) -> Value {
    json!({ "method": method, "path": path, "nth": nth, "kind": kind })
}

fn yes() -> bool {
    true
}
