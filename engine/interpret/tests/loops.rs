//! Recipes with loops of every kind.

use serde_json::json;

use super::super::*;
use super::world::{World, compiled};

/// The steps of loops of every kind; `{{now}}` and `{{uuid}}` show whether time and place hold.
pub(super) const LOOPS: &[(&str, &str)] = &[
    (
        "parallel",
        "
  - id: each
    foreach: $.input.names
    as: name
    at_once: 4
    on_item_error: continue
    collect: { id: $.steps.read.id, now: '{{now}}', loop: $.loop.index }
    tally: $.steps.read.name
    do:
      - id: read
        action: vendor.read_thing
        with: { id: $.loop.index }
      - action: vendor.keep_thing
        with: { id: $.loop.index, name: $.name }
      - action: vendor.send_note
        with: { text: '{{now}} {{uuid}}' }
      - log: '{{name}} at {{now}}'
  - return: { result: $.steps.each, now: '{{now}}' }
",
    ),
    (
        "serial",
        "
  - set: { sum: 0, seen: [] }
  - id: each
    foreach: $.input.names
    as: name
    on_item_error: continue
    collect: $.vars.sum
    do:
      - id: made
        action: vendor.send_note
        with: { text: '{{name}} {{vars.sum}} {{now}}' }
      - set: { sum: '{{add vars.sum steps.made.id}}', own: $.name }
      - id: kept
        action: vendor.keep_thing
        with: { id: $.vars.sum, name: $.name }
      - if: { $.steps.kept.id: { at_least: 30000 } }
        then:
          - set: { seen: [$.vars.own, $.vars.seen] }
  - return: { result: $.steps.each, sum: $.vars.sum, seen: $.vars.seen, now: '{{now}}' }
",
    ),
    (
        "without-calls",
        "
  - set: { sum: 0 }
  - id: each
    foreach: $.input.names
    as: name
    batch: 2
    collect: '{{join name \"+\"}}{{vars.sum}}'
    do:
      - set: { sum: '{{add vars.sum (count name)}}' }
      - wait: 1s
  - id: kept
    action: vendor.keep_thing
    with: { id: $.vars.sum, name: '{{now}}' }
  - return: { result: $.steps.each, sum: $.vars.sum }
",
    ),
    (
        "pages",
        "
  - id: each
    foreach: { action: vendor.list_things, with: { kind: x } }
    as: thing
    at_once: 3
    collect: '{{thing.id}} {{loop.index}} {{now}}'
    do:
      - action: vendor.send_note
        with: { text: '{{thing.name}} {{now}}' }
      - wait: 3s
      - action: vendor.keep_thing
        with: { id: $.thing.id, name: '{{now}}' }
  - return: { result: $.steps.each, now: '{{now}}' }
",
    ),
    (
        "pages-in-a-row",
        "
  - set: { last: 0 }
  - id: each
    foreach: { action: vendor.list_things, with: { kind: x } }
    as: thing
    batch: 2
    tally: $.vars.last
    do:
      - action: vendor.send_note
        with: { text: '{{count thing}} {{vars.last}} {{now}}' }
      - set: { last: '{{count thing}}' }
  - return: { result: $.steps.each, last: $.vars.last, now: '{{now}}' }
",
    ),
    (
        "fading",
        "
  - set: { last: nobody }
  - id: each
    foreach: $.input.names
    as: name
    collect: '{{default vars.last? \"gone\"}}'
    do:
      - action: vendor.send_note
        with: { text: '{{name}} {{default vars.last? \"gone\"}}' }
      - if: { $.loop.index: { less_than: 10 } }
        then: [{ set: { last: $.name } }]
        else: [{ set: { last: '$.input.names[999]?' } }]
  - return: { result: $.steps.each }
",
    ),
    (
        "nested",
        "
  - set: { total: 0 }
  - id: outer
    foreach: $.input.names
    as: name
    collect: { inner: $.steps.inner.items, total: $.vars.total }
    do:
      - id: inner
        foreach: $.input.names
        as: other
        at_once: 3
        on_item_error: continue
        collect: $.steps.kept.id
        do:
          - id: kept
            action: vendor.keep_thing
            with: { id: $.loop.index, name: $.other }
          - action: vendor.send_note
            with: { text: '{{name}}{{other}}{{now}}{{vars.total}}' }
      - set: { total: '{{add vars.total (sum steps.inner.items)}}' }
  - return: { result: $.steps.outer, total: $.vars.total, now: '{{now}}' }
",
    ),
    (
        "called",
        "
  - id: each
    foreach: $.input.names
    as: name
    at_once: 2
    on_item_error: continue
    collect: $.steps.called.result
    do:
      - id: called
        call: rounds
        with: { name: $.name }
  - return: { result: $.steps.each, now: '{{now}}' }
",
    ),
    (
        "tried",
        "
  - id: tried
    try:
      - id: each
        foreach: $.input.names
        as: name
        at_once: 3
        retry: { tries: 2, delay: 1s }
        do:
          - id: made
            action: vendor.keep_thing
            with: { id: $.loop.index, name: '{{if_else (eq loop.index 9) \"bad\" name}}' }
          - action: vendor.send_note
            with: { text: '{{name}}' }
    catch:
      do:
        - action: vendor.make_thing
          with: { name: '{{error.code}}' }
  - return: { now: '{{count input.names}}' }
",
    ),
];

const ROUNDS: &str = "
title: Rounds
trigger: { function: { input: { name: string }, output: { result: any } } }
concurrency: { limit: 2 }
steps:
  - set: { count: 0 }
  - id: asking
    repeat:
      - id: read
        action: vendor.read_thing
        with: { id: $.vars.count }
      - set: { count: '{{add vars.count 1}}' }
      - action: vendor.send_note
        with: { text: '{{input.name}} {{vars.count}} {{now}}' }
    until: { $.vars.count: { at_least: 7 } }
    every: 5s
    max: 9
  - return: { result: { count: $.vars.count, last: $.steps.read.name, asking: $.steps.asking } }
";

/// A recipe with these steps, and what it is given.
pub(super) fn loop_of(steps: &str, names: Value) -> World {
    let recipe = format!(
        "title: Loop\ntrigger: {{ function: {{ input: {{ names: [string] }}, output: {{ result: any?, \
         now: any?, sum: any?, seen: any?, last: any?, total: any? }} }} }}\nsteps:{steps}"
    );
    World {
        program: compiled(&[("loop", &recipe), ("rounds", ROUNDS)]),
        input: json!({ "names": names }),
        script: Vec::new(),
    }
}

/// Elements, two of which are refused.
pub(super) fn names() -> Value {
    json!([
        "a", "b", "bad", "c", "d", "e", "bad", "f", "g", "h", "i", "j"
    ])
}

/// A loop over elements that are sent somewhere, and nothing else.
pub(super) const MANY: &str = "
  - id: each
    foreach: $.input.names
    as: name
    at_once: 16
    tally: '{{if_else (gt loop.index 1000) \"late\" \"early\"}}'
    do:
      - id: kept
        action: vendor.keep_thing
        with: { id: $.loop.index, name: $.name }
  - return: { result: $.steps.each.tally, sum: $.steps.each.count }
";
