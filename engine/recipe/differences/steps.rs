//! What became of steps, in words.
//!
//! Always true: a step with an id is found again wherever it went; steps without one are the same
//! if they say the same, else in their order by what they do.

use std::collections::{BTreeMap, BTreeSet};

use super::value::{changed, gone, new};
use crate::recipe::STEP;
use crate::source::Node;

/// The keys of a step that hold steps.
const BLOCKS: [&str; 6] = ["then", "else", "do", "finally", "repeat", "try"];

/// The keys of a step that hold parts which hold steps.
const PARTS: [&str; 3] = ["else_if", "cases", "catch"];

/// Whether the value under a key is a list of steps.
pub(super) fn is_block(key: &str) -> bool {
    key == "steps"
}

/// The steps of a version.
pub(super) struct Steps<'a> {
    root: &'a [Node],
    by_id: BTreeMap<&'a str, &'a Node>,
}

/// A step of the later version with what it was before, if it was.
type Pair<'a> = (Option<&'a Node>, &'a Node);

impl<'a> Steps<'a> {
    pub(super) fn of(file: &'a Node) -> Self {
        let root = file.get("steps").and_then(Node::as_list);
        let root = root.unwrap_or_default();
        let mut by_id = BTreeMap::new();
        gather(root, &mut by_id);
        Self { root, by_id }
    }

    /// What became of the steps of an earlier version.
    pub(super) fn since(&self, earlier: &Self) -> Vec<String> {
        let mut told = Vec::new();
        let both = Both {
            before: &earlier.by_id,
            after: &self.by_id,
        };
        both.block(earlier.root, self.root, &mut told);
        told
    }
}

/// The steps with ids of both versions.
struct Both<'a> {
    before: &'a BTreeMap<&'a str, &'a Node>,
    after: &'a BTreeMap<&'a str, &'a Node>,
}

impl<'a> Both<'a> {
    /// Tells what became of one block.
    fn block(&self, before: &'a [Node], after: &'a [Node], told: &mut Vec<String>) {
        let pairs = self.pairs(before, after);
        let from_here: Vec<Option<usize>> = pairs
            .iter()
            .map(|(was, _)| {
                let was = (*was)?;
                before.iter().position(|step| std::ptr::eq(step, was))
            })
            .collect();
        let in_order = longest_rising(&from_here);
        for (at, (was, is)) in pairs.iter().enumerate() {
            let name = label(is);
            match (was, from_here[at]) {
                (None, _) => {
                    told.push(format!("{name} was added{}", inside(is)));
                    // What moved into it was there before.
                    self.moved_into(is, told);
                    continue;
                }
                (Some(_), None) => told.push(format!("{name} stands in another place now")),
                (Some(_), Some(_)) if !in_order.contains(&at) => {
                    let after = at.checked_sub(1).map(|at| label(pairs[at].1));
                    told.push(match after {
                        Some(after) => format!("{name} comes after {after} now"),
                        None => format!("{name} comes first now"),
                    });
                }
                _ => {}
            }
            if let Some(was) = was {
                self.step(was, is, told);
            }
        }
        for step in before {
            let is_elsewhere = id(step).is_some_and(|id| self.after.contains_key(id));
            let is_here = pairs.iter().any(|(was, _)| same_place(*was, step));
            if !is_elsewhere && !is_here {
                told.push(format!(
                    "{} was removed{}",
                    label_before(step),
                    inside(step)
                ));
            }
        }
    }

    /// For each step of the later block, the one it was before.
    fn pairs(&self, before: &'a [Node], after: &'a [Node]) -> Vec<Pair<'a>> {
        let nameless = |steps: &'a [Node]| steps.iter().filter(|step| id(step).is_none());
        let mut left: Vec<&Node> = nameless(before).collect();
        let mut found: BTreeMap<usize, &Node> = BTreeMap::new();
        let is_like: [fn(&Node, &Node) -> bool; 2] = [
            |a, b| a.to_value() == b.to_value(),
            |a, b| kind(a) == kind(b),
        ];
        for is_like in is_like {
            for (at, step) in after.iter().enumerate() {
                if id(step).is_some() || found.contains_key(&at) {
                    continue;
                }
                if let Some(was) = left.iter().position(|was| is_like(was, step)) {
                    found.insert(at, left.remove(was));
                }
            }
        }
        let pair = |(at, step): (usize, &'a Node)| match id(step) {
            Some(id) => (self.before.get(id).copied(), step),
            None => (found.get(&at).copied(), step),
        };
        after.iter().enumerate().map(pair).collect()
    }

    /// Tells what became of one step and of the steps inside.
    fn step(&self, was: &'a Node, is: &'a Node, told: &mut Vec<String>) {
        let mut own = Vec::new();
        for (key, node) in is.as_map().unwrap_or_default() {
            let name = &*key.text;
            match was.get(name) {
                _ if BLOCKS.contains(&name) && node.as_list().is_some() => {}
                Some(earlier) if PARTS.contains(&name) => {
                    own_parts(name, earlier, node, &mut own);
                }
                None => own.push(new(name, node)),
                Some(earlier) => changed(name, earlier, node, &mut own),
            }
        }
        for (key, node) in was.as_map().unwrap_or_default() {
            let is_block = BLOCKS.contains(&&*key.text) && node.as_list().is_some();
            if !is_block && is.get(&key.text).is_none() {
                own.push(gone(&key.text, node));
            }
        }
        let name = label(is);
        told.extend(own.into_iter().map(|what| format!("{name}: {what}")));
        let (before, after) = (blocks(was), blocks(is));
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let steps = |blocks: &BTreeMap<String, &'a [Node]>| {
                blocks.get(key).copied().unwrap_or_default()
            };
            self.block(steps(&before), steps(&after), told);
        }
    }

    /// Tells of steps in a new one that stood elsewhere before.
    fn moved_into(&self, step: &'a Node, told: &mut Vec<String>) {
        for block in blocks(step).into_values() {
            for inner in block {
                let was = id(inner).and_then(|id| self.before.get(id));
                match was {
                    Some(was) => {
                        told.push(format!("{} stands in another place now", label(inner)));
                        self.step(was, inner, told);
                    }
                    None => self.moved_into(inner, told),
                }
            }
        }
    }
}

/// What differs in parts that hold steps, the steps left out.
fn own_parts(name: &str, before: &Node, after: &Node, told: &mut Vec<String>) {
    let (Some(was), Some(is)) = (before.as_list(), after.as_list()) else {
        return own_part(name, before, after, told);
    };
    for (at, part) in is.iter().enumerate() {
        let name = format!("{name} {}", at + 1);
        match was.get(at) {
            Some(earlier) => own_part(&name, earlier, part, told),
            None => told.push(format!("added `{name}`")),
        }
    }
    for at in is.len()..was.len() {
        told.push(format!("removed `{name} {}`", at + 1));
    }
}

fn own_part(name: &str, before: &Node, after: &Node, told: &mut Vec<String>) {
    for (key, node) in after.as_map().unwrap_or_default() {
        if BLOCKS.contains(&&*key.text) {
            continue;
        }
        let inner = format!("{name}: {}", key.text);
        match before.get(&key.text) {
            Some(earlier) => changed(&inner, earlier, node, told),
            None => told.push(new(&inner, node)),
        }
    }
    for (key, node) in before.as_map().unwrap_or_default() {
        if !BLOCKS.contains(&&*key.text) && after.get(&key.text).is_none() {
            told.push(gone(&format!("{name}: {}", key.text), node));
        }
    }
}

/// The blocks in a step, by where they stand in it.
fn blocks(step: &Node) -> BTreeMap<String, &[Node]> {
    let mut found = BTreeMap::new();
    collect(step, "", &mut found);
    for key in PARTS {
        let Some(part) = step.get(key) else { continue };
        match part.as_list() {
            Some(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    collect(part, &format!("{key} {at} "), &mut found);
                }
            }
            None => collect(part, &format!("{key} "), &mut found),
        }
    }
    found
}

fn collect<'a>(node: &'a Node, prefix: &str, found: &mut BTreeMap<String, &'a [Node]>) {
    for key in BLOCKS {
        if let Some(steps) = node.get(key).and_then(Node::as_list) {
            found.insert(format!("{prefix}{key}"), steps);
        }
    }
}

fn gather<'a>(block: &'a [Node], by_id: &mut BTreeMap<&'a str, &'a Node>) {
    for step in block {
        if let Some(id) = id(step) {
            by_id.entry(id).or_insert(step);
        }
        for inner in blocks(step).into_values() {
            gather(inner, by_id);
        }
    }
}

fn id(step: &Node) -> Option<&str> {
    step.get("id")?.as_text().map(|id| &**id)
}

/// What a step does: the key of its kind.
fn kind(step: &Node) -> &str {
    let kinds = STEP.variants.iter().map(|variant| variant.key.name);
    let mut kinds = kinds.filter(|kind| step.get(kind).is_some());
    kinds.next().unwrap_or("unknown")
}

fn label(step: &Node) -> String {
    match id(step) {
        Some(id) => format!("step `{id}`"),
        None => format!("the `{}` step in line {}", kind(step), step.span.line),
    }
}

fn label_before(step: &Node) -> String {
    match id(step) {
        Some(_) => label(step),
        None => format!("{} of the earlier version", label(step)),
    }
}

fn inside(step: &Node) -> String {
    fn count(step: &Node) -> usize {
        let blocks = blocks(step).into_values().flatten();
        blocks.map(|inner| 1 + count(inner)).sum()
    }
    match count(step) {
        0 => String::new(),
        1 => ", with the step in it".to_owned(),
        many => format!(", with the {many} steps in it"),
    }
}

fn same_place(was: Option<&Node>, step: &Node) -> bool {
    was.is_some_and(|was| std::ptr::eq(was, step))
}

/// The places of a longest list of rising numbers: what else there is has moved.
fn longest_rising(numbers: &[Option<usize>]) -> BTreeSet<usize> {
    // For each place: the length of the longest list that ends there, and the place before it.
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        let before = (0..at)
            .filter(|&earlier| number.is_some() && numbers[earlier].is_some())
            .filter(|&earlier| numbers[earlier] < *number)
            .max_by_key(|&earlier| (best[earlier].0, std::cmp::Reverse(earlier)));
        let length = before.map_or(0, |before| best[before].0) + usize::from(number.is_some());
        best.push((length, before));
    }
    let mut kept = BTreeSet::new();
    let mut at = (0..numbers.len())
        .filter(|&at| numbers[at].is_some())
        .max_by_key(|&at| (best[at].0, std::cmp::Reverse(at)));
    while let Some(place) = at {
        kept.insert(place);
        at = best[place].1;
    }
    kept
}
