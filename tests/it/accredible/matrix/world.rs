//! What a run leaves behind.
//!
//! In: the vendors' rows, our tables. Out: both in a form that two runs can be compared in.
//! Always true: only times that the clock gave are left out, and ids that a vendor gave are told by
//! what they are ids of, so that a row too many, too few or another is always seen.

use std::collections::{BTreeMap, BTreeSet};

use recipe_engine::clock::Moment;
use serde_json::{Value, json};

use super::super::ground::{Ground, NOW};
use super::super::stage::{Stage, as_text};

/// Rows by collection (`docebo.awards`) or table.
pub(super) type World = BTreeMap<String, Vec<Value>>;

/// Times that a vendor notes of a row by its own clock, which goes on while a call is tried again.
const NOTED_TIMES: [&str; 3] = ["created_at", "updated_at", "published_at"];

/// Names that Accredible gives a credential, in the order in which credentials come.
const GIVEN_NAMES: [&str; 3] = ["id", "uuid", "encoded_id"];

/// Everything as it is.
pub(super) async fn of(stage: &Stage) -> World {
    let mut world = vendors(&stage.ground).await;
    for table in stage.ground.shelf.tables().keys() {
        let rows = stage.rows(&table.to_string()).await.into_iter();
        world.insert(table.to_string(), rows.map(Value::Object).collect());
    }
    world.insert("mails".to_owned(), mails(&stage.ground).await);
    let credentials = credential_names(&world);
    for (name, rows) in &mut world {
        for row in rows.iter_mut() {
            tell_times(row);
            match name.as_str() {
                "accredible.credentials" => tell_credential(row, &credentials),
                "accredible-ledger" => tell_reference(row, &credentials),
                "mails" => tell_references(row, &credentials),
                _ => {}
            }
        }
        rows.sort_by_key(Value::to_string);
    }
    world
}

/// Which collections and tables differ.
pub(super) fn changes(before: &World, after: &World) -> BTreeSet<String> {
    let names = before.keys().chain(after.keys());
    let differing = names.filter(|name| before.get(*name) != after.get(*name));
    differing.cloned().collect()
}

/// What differs, row by row.
pub(super) fn differences(must: &World, is: &World) -> String {
    let mut told = Vec::new();
    for name in changes(must, is) {
        let empty = Vec::new();
        let (must, is) = (
            must.get(&name).unwrap_or(&empty),
            is.get(&name).unwrap_or(&empty),
        );
        let beyond = |some: &[Value], others: &[Value]| {
            let mut left = others.to_vec();
            let mut beyond = Vec::new();
            for row in some {
                match left.iter().position(|other| other == row) {
                    Some(found) => drop(left.remove(found)),
                    None => beyond.push(row.to_string()),
                }
            }
            beyond.join(", ")
        };
        let (missing, surplus) = (beyond(must, is), beyond(is, must));
        told.push(format!("{name}: missing [{missing}], surplus [{surplus}]"));
    }
    told.join("; ")
}

async fn vendors(ground: &Ground) -> World {
    let mut world = World::new();
    for vendor in ["docebo", "accredible"] {
        let state = ground.control(vendor, "state?rows=all").await;
        for (collection, rows) in state["rows"].as_object().expect("collections") {
            // A token more or less is no change: who signs in again gets another.
            if collection != "tokens" {
                let rows = rows.as_array().expect("rows").clone();
                world.insert(format!("{vendor}.{collection}"), rows);
            }
        }
    }
    world
}

/// The mails that people have. One that was given twice under one `Message-ID` is one mail: a mail
/// server that said nothing must be given it again, and whoever reads mails shows it once.
async fn mails(ground: &Ground) -> Vec<Value> {
    let mut known = BTreeSet::new();
    let mut mails = ground.rows("mail", "mails").await;
    mails.retain(|mail| known.insert(as_text(&mail["message_id"])));
    let told = ["to", "subject", "text", "html", "attachments"];
    let told = |mail: &Value| -> Value {
        let fields = told
            .iter()
            .map(|name| ((*name).to_owned(), mail[name].clone()));
        Value::Object(fields.collect())
    };
    mails.iter().map(told).collect()
}

/// What each new credential is called here: by its recipient, group and our own id for it.
fn credential_names(world: &World) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for row in &world["accredible.credentials"] {
        let own = as_text(&row["license_id"]);
        if row["created_at"].as_str().is_some_and(is_later) {
            let name = format!(
                "credential {own} of {}",
                as_text(&row["recipient"]["email"])
            );
            for given in GIVEN_NAMES {
                names.insert(as_text(&row[given]), name.clone());
            }
        }
    }
    names
}

fn tell_credential(row: &mut Value, names: &BTreeMap<String, String>) {
    if names.contains_key(&as_text(&row["id"])) {
        for name in GIVEN_NAMES {
            row[name] = json!("given");
        }
    }
}

fn tell_reference(row: &mut Value, names: &BTreeMap<String, String>) {
    let id = as_text(&row["credential_id"]);
    if let Some(name) = names.get(&id) {
        row["credential_id"] = json!(name);
    }
}

/// A mail names credentials in its text.
fn tell_references(mail: &mut Value, names: &BTreeMap<String, String>) {
    for part in ["text", "html"] {
        if let Some(text) = mail[part].as_str() {
            let named = names
                .iter()
                .fold(text.to_owned(), |text, (id, name)| text.replace(id, name));
            mail[part] = json!(named);
        }
    }
}

/// Times that were noted since the scenario began count as noted, not by their value.
fn tell_times(row: &mut Value) {
    for name in NOTED_TIMES {
        if row[name].as_str().is_some_and(is_later) {
            row[name] = json!("since the beginning");
        }
    }
}

fn is_later(text: &str) -> bool {
    let begin = Moment::parse(NOW).expect("a time");
    let text = text.replacen(' ', "T", 1);
    let text = match text.ends_with('Z') {
        true => text,
        false => format!("{text}Z"),
    };
    Moment::parse(&text).is_ok_and(|at| at >= begin)
}
