//! Which events a recipe compares with what the sender calls its event.
//!
//! In: a recipe's tree as written. Out: the texts that stand against `trigger.body.event`.

use std::collections::BTreeSet;

use crate::source::{Node, NodeKind};

/// The member of the delivery that names the event.
const EVENT: &str = "trigger.body.event";

/// Every event that the recipe looks for, in the order of the alphabet.
pub(super) fn compared(root: &Node) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    see(root, &mut found);
    found
}

fn see(node: &Node, found: &mut BTreeSet<String>) {
    match &node.kind {
        NodeKind::List(elements) => elements.iter().for_each(|element| see(element, found)),
        NodeKind::Map(entries) => {
            let is_switch = node
                .get("switch")
                .and_then(Node::as_text)
                .is_some_and(|value| names_event(value));
            if is_switch && let Some(cases) = node.get("cases").and_then(Node::as_list) {
                cases.iter().for_each(|case| tests(case, found));
            }
            for (key, inner) in entries {
                if names_event(&key.text) {
                    tests(inner, found);
                }
                see(inner, found);
            }
        }
        _ => {}
    }
}

fn names_event(written: &str) -> bool {
    let inner = written
        .trim()
        .trim_start_matches("{{")
        .trim_end_matches("}}")
        .trim();
    inner.trim_start_matches("$.").trim_end_matches('?') == EVENT
}

/// The texts of `equals` and `in`.
fn tests(node: &Node, found: &mut BTreeSet<String>) {
    for test in ["equals", "in"] {
        match node.get(test).map(|node| &node.kind) {
            Some(NodeKind::Text(text)) => {
                found.insert(text.to_string());
            }
            Some(NodeKind::List(elements)) => {
                found.extend(
                    elements
                        .iter()
                        .filter_map(Node::as_text)
                        .map(|text| text.to_string()),
                );
            }
            _ => {}
        }
    }
}
