//! What a recipe may name where: steps, variables, aliases and roots, and the types they have.
//!
//! In: steps. Out: the codes of what is found about them; none if they are sound.

use std::collections::BTreeMap;
use std::fs;

use recipe_engine::diagnostic::Severity;
use recipe_engine::library::{Found, Library};

use crate::golden::{files_below, root};

/// Errors and warnings about a recipe of these steps.
fn found(trigger: &str, steps: &str) -> Vec<String> {
    let folder = root().join("tests/lint/workspace");
    let mut files = BTreeMap::new();
    let mut add = |path: String, bytes: Vec<u8>| {
        let found = Found {
            bytes: Ok(bytes),
            is_bundled: false,
            is_here: true,
        };
        files.insert(path, found);
    };
    for path in files_below(&folder) {
        let below = path
            .strip_prefix(&folder)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if !below.ends_with("back-to-fixture.yaml") {
            add(below, fs::read(&path).unwrap());
        }
    }
    let indented: String = steps.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("title: Test\ntrigger: {trigger}\nsteps:\n{indented}");
    add("recipes/lint/test.yaml".to_owned(), text.into_bytes());
    let library = Library::of(files);
    let mut codes: Vec<String> = library
        .diagnostics
        .iter()
        .filter(|found| found.severity != Severity::Advice)
        .map(|found| format!("{} {}", found.code.0, found.message))
        .collect();
    codes.dedup();
    codes
}

fn is_sound(steps: &str) {
    assert_eq!(
        found("{ manual: {} }", steps),
        Vec::<String>::new(),
        "{steps}"
    );
}

fn is_refused(code: &str, steps: &str) {
    let found = found("{ manual: {} }", steps);
    assert!(
        found.len() == 1 && found[0].starts_with(code),
        "{steps}\n{found:?}"
    );
}

#[test]
fn rounds_of_a_repeat_stay_visible_and_iterations_do_not() {
    is_sound(
        "- set: { page: 1 }\n- id: pages\n  repeat:\n    - id: order\n      action: shop.get_order\n      \
         with: { order_id: $.vars.page }\n    - set: { page: \"{{add vars.page 1}}\" }\n  until: { \
         $.steps.order.found: { is: false } }\n  max: 5\n- log: \"{{steps.pages.rounds}} \
         {{steps.order.email}}\"",
    );
    is_refused(
        "R102",
        "- id: pages\n  repeat:\n    - set: { own: 1 }\n  until: { $.vars.own: { is: present } }\n  max: \
         5\n- log: \"{{vars.own}}\"",
    );
}

#[test]
fn loops_give_typed_results_outward() {
    is_sound(
        "- id: closed\n  foreach: { action: shop.list_orders }\n  as: order\n  at_once: 4\n  collect: { id: \
         $.order.order_id, sum: $.order.total }\n  tally: $.order.email\n  do:\n    - id: close\n      \
         action: shop.close_order\n      with: { order_id: $.order.order_id, reason: paid }\n- id: again\n  \
         foreach: $.steps.closed.items\n  as: closed\n  do:\n    - id: look\n      action: shop.get_order\n      \
         with: { order_id: $.closed.id }\n- log: \"{{steps.closed.failed}} {{count steps.closed.errors}}\"",
    );
    is_refused(
        "R103",
        "- id: closed\n  foreach: { action: shop.list_orders }\n  as: order\n  collect: { id: \
         $.order.order_id }\n  do:\n    - log: Hello\n- set: { all: \"$.steps.closed.items[*].number\" }",
    );
    is_refused(
        "R107",
        "- id: closed\n  foreach: { action: shop.list_orders }\n  as: order\n  do:\n    - id: look\n      \
         action: shop.get_order\n      with: { order_id: $.order.email }",
    );
}

#[test]
fn outer_names_may_be_changed_one_after_another() {
    is_sound(
        "- set: { sum: 0 }\n- id: each\n  foreach: [1, 2]\n  as: number\n  do:\n    - set: { sum: \"{{add \
         vars.sum number}}\" }\n    - set: { own: $.number }\n    - log: \"{{vars.own}}\"\n- log: \"{{vars.sum}}\"",
    );
    is_refused(
        "R102",
        "- id: each\n  foreach: [1, 2]\n  as: number\n  do:\n    - set: { own: $.number }\n- log: \
         \"{{vars.own}}\"",
    );
    is_refused("R102", "- set: { a: 1, b: $.vars.a }");
}

#[test]
fn branches_are_read_with_a_question_mark() {
    is_sound(
        "- if: { $.job.started_by: { is: present } }\n  then:\n    - id: order\n      action: shop.get_order\n      \
         with: { order_id: 7 }\n    - set: { mail: $.steps.order.email, both: 1 }\n  else:\n    - set: { both: \
         2 }\n- when: { $.steps.order.found?: { is: true } }\n  log: \"{{vars.mail?}} {{vars.both}}\"",
    );
    is_refused(
        "R102",
        "- if: { $.job.started_by: { is: present } }\n  then:\n    - id: order\n      action: shop.get_order\n      \
         with: { order_id: 7 }\n  else:\n    - log: \"{{steps.order.email}}\"",
    );
}

#[test]
fn a_catch_knows_the_error_and_doubts_what_was_tried() {
    is_sound(
        "- try:\n    - id: order\n      action: shop.get_order\n      with: { order_id: 7 }\n  catch:\n    when: { \
         $.error.code: { equals: not_found } }\n    do:\n      - log: \"{{error.message}} \
         {{steps.order.email?}}\"\n  finally:\n    - log: \"{{steps.order.email?}}\"\n- log: \
         \"{{steps.order.email?}}\"",
    );
    is_refused("R102", "- log: \"{{error.message}}\"");
}

#[test]
fn a_step_that_is_passed_over_has_its_error() {
    is_sound(
        "- id: order\n  on_error: continue\n  action: shop.get_order\n  with: { order_id: 7 }\n- when: { \
         $.steps.order.error?: { is: present } }\n  log: \"{{steps.order.error.message}}\"",
    );
    is_refused(
        "R103",
        "- id: order\n  action: shop.get_order\n  with: { order_id: 7 }\n- log: \
         \"{{steps.order.error.message}}\"",
    );
}

#[test]
fn transforms_are_typed_part_by_part() {
    is_sound(
        "- id: orders\n  action: shop.list_orders\n- id: large\n  transform:\n    from: \
         $.steps.orders.items\n    where: { $.item.total: { greater_than: 5 } }\n    select: { id: \
         $.item.order_id, mail: $.item.email }\n    sort_by: [{ value: $.item.mail, descending: true }, \
         $.item.id]\n    limit: 10\n- id: by_mail\n  transform:\n    from: $.steps.large.items\n    group_by: \
         $.item.mail\n- id: firsts\n  transform:\n    from: $.steps.by_mail.items\n    select: \
         \"$.item.items[0].id\"\n- id: by_id\n  transform: { from: $.steps.large.items, index_by: \
         \"{{to_text item.id}}\" }\n- log: \"{{count (keys steps.by_id.object)}}\"",
    );
    is_refused(
        "R103",
        "- id: orders\n  action: shop.list_orders\n- id: large\n  transform:\n    from: \
         $.steps.orders.items\n    select: { id: $.item.order_id }\n    sort_by: $.item.total",
    );
    is_refused("R102", "- log: \"{{item.id}}\"");
}

#[test]
fn tables_are_typed_by_their_columns() {
    is_sound(
        "- id: row\n  table: colours\n  get: { code: red, shop: north }\n- when: { $.steps.row.found: { is: \
         true } }\n  log: \"{{steps.row.row.rank}}\"\n- id: rows\n  table: colours\n  find: { where: { \
         $.row.is_active: { is: true } }, sort_by: [$.row.rank], limit: 5 }\n- id: written\n  table: \
         colours\n  upsert: $.steps.rows.items\n- id: cleared\n  table: colours\n  update: { where: { \
         $.row.code: { equals: red } }, set: { rank: null, is_active: false }, expect: 1 }\n- log: \
         \"{{steps.written.added}} {{steps.cleared.changed}}\"",
    );
    is_refused(
        "R107",
        "- id: row\n  table: colours\n  insert: { code: red, shop: north, rank: first }",
    );
    is_refused(
        "R108",
        "- id: row\n  table: colours\n  insert: { code: red }",
    );
    is_refused(
        "R103",
        "- id: rows\n  table: colours\n  find: { where: { $.row.colour: { equals: red } } }",
    );
    is_refused("R102", "- log: \"{{row.code}}\"");
}

#[test]
fn roots_depend_on_the_trigger() {
    let webhook = "{ webhook: { auth: none, split: [\"$.trigger.body.rows[*]\"] } }";
    let steps = "- log: \"{{trigger.item.id}} {{trigger.body.event}} {{settings.lint.DAYS}}\"";
    assert_eq!(found(webhook, steps), Vec::<String>::new());
    let steps = "- log: \"{{steps.one.id}}\"";
    let wrong = "{ webhook: { auth: none, split: [\"$.steps.one\"] } }";
    assert_eq!(found(wrong, steps).len(), 2);
    let function = "{ function: { input: { a: string?, b: { type: integer, default: 1 } } } }";
    let steps = "- log: \"{{input.a?}} {{add input.b 1}}\"";
    assert_eq!(found(function, steps), Vec::<String>::new());
}

#[test]
fn a_call_is_checked_against_the_recipe_it_runs() {
    is_sound(
        "- id: greeted\n  call: greet\n  with: { name: Ann }\n- log: \"{{steps.greeted.text}} \
         {{steps.greeted.note?}}\"",
    );
    is_refused("R108", "- id: greeted\n  call: greet");
    is_refused("R107", "- id: greeted\n  call: greet\n  with: { name: 5 }");
    is_refused(
        "R103",
        "- id: greeted\n  call: greet\n  with: { name: Ann }\n- log: \"{{steps.greeted.txt}}\"",
    );
}
