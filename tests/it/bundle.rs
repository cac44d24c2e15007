//! The thirty recipes beside what their rows require, so that none is hollow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use recipe_engine::clock::parse_period;
use recipe_engine::compile::Activation;
use recipe_engine::compile::{ForeachSource, Recipe, StepKind, Trigger};
use recipe_engine::library::Library;
use recipe_engine::names::{RecipeName, slug};
use recipe_engine::schedule::Rule;
use recipe_engine::shape::Shape;
use recipe_engine::source::{Node, NodeKind, parse};

use crate::golden::root;

/// The project whose rows are compared.
const PROJECT: &str = "accredible";

/// What a recipe really does.
#[derive(Default)]
struct Does {
    reads: BTreeSet<String>,
    writes: BTreeSet<String>,
    actions: BTreeSet<String>,
}

fn does(recipe: &Recipe) -> Does {
    let mut does = Does::default();
    recipe.for_each_step(&mut |step| match &step.kind {
        StepKind::Action { action, .. } => {
            does.actions
                .insert(format!("{}.{}", action.connector, action.action));
        }
        StepKind::Foreach(foreach) => {
            if let ForeachSource::Action { action, .. } = &foreach.source {
                does.actions
                    .insert(format!("{}.{}", action.connector, action.action));
            }
        }
        StepKind::Table { table, operation } => {
            let tables = if operation.is_read() {
                &mut does.reads
            } else {
                &mut does.writes
            };
            tables.insert(table.to_string());
        }
        _ => {}
    });
    does
}

fn texts(row: &Node, key: &str) -> Vec<String> {
    let elements = row.get(key).and_then(Node::as_list).unwrap_or_default();
    elements
        .iter()
        .filter_map(|node| node.as_text().map(ToString::to_string))
        .collect()
}

pub(crate) fn text<'a>(row: &'a Node, key: &str) -> &'a str {
    row.get(key).and_then(Node::as_text).map_or("", |text| text)
}

pub(crate) fn number(node: &Node) -> i64 {
    match node.kind {
        NodeKind::Integer(number) => number,
        _ => panic!("a row's number is a whole number"),
    }
}

fn field_names(shape: &Shape) -> BTreeSet<String> {
    match shape {
        Shape::Fields(fields) => fields.keys().cloned().collect(),
        _ => BTreeSet::new(),
    }
}

fn trigger_word(trigger: &Trigger) -> &'static str {
    match trigger {
        Trigger::Function => "function",
        Trigger::Manual => "manual",
        Trigger::Schedule(_) => "schedule",
        Trigger::Webhook(_) => "webhook",
        Trigger::Poll(_) => "poll",
    }
}

fn activation_word(activation: Option<Activation>) -> &'static str {
    match activation {
        Some(Activation::Required) => "required",
        Some(Activation::Recommended) => "recommended",
        Some(Activation::Optional) => "optional",
        Some(Activation::ManualOnly) => "manual_only",
        None => "",
    }
}

/// What is missing of one row.
fn misses(row: &Node, recipe: &Recipe, source: &str, names: &BTreeMap<i64, String>) -> Vec<String> {
    let mut missing = Vec::new();
    let mut same = |what: &str, required: &str, there: &str| {
        if required != there {
            missing.push(format!("{what}: `{required}` required, `{there}` there"));
        }
    };
    same("title", text(row, "title"), &recipe.title);
    same(
        "trigger",
        text(row, "trigger"),
        trigger_word(&recipe.trigger),
    );
    same(
        "activation",
        text(row, "activation"),
        activation_word(recipe.activation),
    );
    let calls = row.get("calls").and_then(Node::as_list).unwrap_or_default();
    let mut required: Vec<String> = calls
        .iter()
        .map(|node| names[&number(node)].clone())
        .collect();
    let mut there: Vec<String> = recipe
        .reaches()
        .iter()
        .map(|name| name.name().to_owned())
        .collect();
    required.sort();
    there.sort();
    same("calls", &required.join(" "), &there.join(" "));
    if let (Trigger::Schedule(schedule), Some(_)) = (&recipe.trigger, row.get("schedule")) {
        let required = text(row, "schedule");
        let is_same = match &schedule.rule {
            rule @ Rule::Every(_) => parse_period(required) == Ok(rule.interval()),
            Rule::Cron(line) => line.text == required,
        };
        same(
            "schedule",
            required,
            if is_same { required } else { "another one" },
        );
    }
    if row.get("timezone").is_some() {
        same("timezone", text(row, "timezone"), &recipe.timezone);
    }
    if row.get("is_keyed").is_some() {
        let is_keyed = recipe
            .concurrency
            .as_ref()
            .is_some_and(|rule| rule.key.is_some());
        same(
            "concurrency key",
            "true",
            if is_keyed { "true" } else { "false" },
        );
    }
    missing.extend(lacks(row, recipe, source));
    missing
}

/// What is required at least and is not there.
fn lacks(row: &Node, recipe: &Recipe, source: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let does = does(recipe);
    let settings: BTreeSet<String> = texts(row, "settings")
        .into_iter()
        .filter(|key| source.contains(&format!("settings.{PROJECT}.{key}")))
        .collect();
    for (key, there) in [
        ("reads", does.reads),
        ("writes", does.writes),
        ("actions", does.actions),
        ("settings", settings),
        ("input", field_names(&recipe.input)),
        ("output", field_names(&recipe.output)),
    ] {
        for required in texts(row, key) {
            if !there.contains(&required) {
                missing.push(format!("{key}: `{required}` is not there"));
            }
        }
    }
    missing
}

/// The rows that thirty recipes are held against, and the file name that each number's title makes.
pub(crate) fn rows() -> (Vec<Node>, BTreeMap<i64, String>) {
    let path = root().join("tests/data/accredible-rows.yaml");
    let text_of_rows = std::fs::read(&path).expect("the rows are there");
    let (document, _) = parse(&Arc::from("rows"), &text_of_rows);
    let rows = document.expect("the rows are YAML").root;
    let rows = rows.as_list().expect("the rows are a list").to_vec();
    let named = |row: &Node| {
        let number = number(row.get("number").expect("a number"));
        (number, slug(text(row, "title")))
    };
    let names = rows.iter().map(named).collect();
    (rows, names)
}

#[test]
fn each_recipe_holds_what_its_row_requires() {
    let (rows, names) = rows();
    let library = Library::bundled();
    let mut troubles = Vec::new();
    for row in &rows {
        let name = slug(text(row, "title"));
        let full = RecipeName::of(PROJECT, &name).expect("a title makes a name");
        let Some(recipe) = library.recipes.get(&full) else {
            troubles.push(format!("{name}: is not there, or has errors"));
            continue;
        };
        let source = &library.written[&full].text;
        let missing = misses(row, recipe, source, &names);
        troubles.extend(
            missing
                .into_iter()
                .map(|trouble| format!("{name}: {trouble}")),
        );
    }
    let known: BTreeSet<&String> = names.values().collect();
    let doctor = library.catalogue.projects[PROJECT].doctor.clone();
    assert!(doctor.is_some());
    for name in library
        .written
        .keys()
        // The project's doctor looks at the thirty from outside.
        .filter(|name| name.project() == PROJECT && Some(*name) != doctor.as_ref())
    {
        if !known.contains(&name.name().to_owned()) {
            troubles.push(format!("{name}: has no row"));
        }
    }
    assert_eq!(rows.len(), 30);
    assert!(troubles.is_empty(), "\n{}", troubles.join("\n"));
}
