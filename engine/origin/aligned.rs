//! Three versions of a file in parts that mean the same in each.
//!
//! In: the parts of three texts. Out: the parts under the same names, or joined where they cannot
//! be told apart.
//! Always true: a step without an id keeps its name when what stands before it changes; what one
//! side has in parts and the other has not is merged as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::parts::{LISTS, Part, Sort, WHOLE};
use crate::recipe::{ARGUMENTS, STEP};
use crate::source::{self, Node};

/// The parts of what two sides were made of, of the one, and of the other.
pub(super) type Three = [Vec<Part>; 3];

/// The three, with names that mean the same in each.
pub(super) fn aligned(mut all: Three) -> Three {
    if all.iter().flatten().any(|part| part.sort == Sort::Whole) {
        return all.map(whole);
    }
    for (list, _) in LISTS {
        let is_joined = |part: &Part| part.sort == Sort::Joined(list);
        if all.iter().flatten().any(is_joined) {
            all = all.map(|parts| joined(parts, list));
            continue;
        }
        let [base, mine, theirs] = all;
        let mine = renamed(&base, mine, list);
        let theirs = renamed(&base, theirs, list);
        all = [base, mine, theirs];
        if is_confused(&all, list) {
            all = all.map(|parts| joined(parts, list));
        }
    }
    all
}

/// The three with every list in one part.
pub(super) fn in_lists(all: Three) -> Three {
    all.map(|parts| {
        LISTS
            .iter()
            .fold(parts, |parts, (list, _)| joined(parts, list))
    })
}

/// Whether a text does something more often than each of the two sides that it was merged of: a
/// step stands in two places.
pub(super) fn is_doubled([_, mine, theirs]: [&str; 3], merged: &str) -> bool {
    exceeds([mine, mine, theirs], merged, |_, mine, theirs| {
        mine.max(theirs)
    })
}

/// Whether a text does something more often than it may if neither side had a say in what the
/// other did: it is doubled, or a step that one side removed has come back from elsewhere, since
/// the other moved it.
pub(super) fn is_doubled_or_back(of: [&str; 3], merged: &str) -> bool {
    exceeds(of, merged, |base, mine, theirs| {
        match mine.max(theirs) <= base {
            true => mine.min(theirs),
            false => mine.max(theirs),
        }
    })
}

fn exceeds(of: [&str; 3], merged: &str, most: fn(usize, usize, usize) -> usize) -> bool {
    let [Some(base), Some(mine), Some(theirs)] = of.map(steps) else {
        // What cannot be read does nothing, and is told of as soon as it is written.
        return false;
    };
    let merged = steps(merged).unwrap_or_default();
    merged.iter().any(|(step, count)| {
        let [base, mine, theirs] = [&base, &mine, &theirs].map(|steps| steps.get(step));
        let [base, mine, theirs] = [base, mine, theirs].map(|count| count.copied().unwrap_or(0));
        *count > most(base, mine, theirs)
    })
}

/// All in one part.
fn whole(parts: Vec<Part>) -> Vec<Part> {
    let text = parts.iter().map(|part| &*part.text).collect();
    vec![Part {
        name: WHOLE.to_owned(),
        text,
        sort: Sort::Whole,
    }]
}

/// The parts with a list in one of them.
fn joined(parts: Vec<Part>, list: &'static str) -> Vec<Part> {
    let mut done: Vec<Part> = Vec::new();
    for part in parts {
        match done.last_mut() {
            Some(last) if last.sort == Sort::Joined(list) && part.sort.is_of(list) => {
                last.text.push_str(&part.text);
            }
            _ if part.sort.is_of(list) => done.push(Part {
                name: list.to_owned(),
                sort: Sort::Joined(list),
                ..part
            }),
            _ => done.push(part),
        }
    }
    done
}

/// The unnamed stretches of a list.
fn unnamed<'a>(parts: &'a [Part], list: &'static str) -> BTreeMap<&'a str, &'a str> {
    let parts = parts.iter().filter(|part| part.sort == Sort::Unnamed(list));
    parts
        .map(|part| (&*part.name, part.text.trim_end()))
        .collect()
}

/// A side in which the stretches that are as they were in the base are called as they were, too.
fn renamed(base: &[Part], mut side: Vec<Part>, list: &'static str) -> Vec<Part> {
    let mut unmet = unnamed(base, list);
    let mut open = Vec::new();
    for (at, part) in side.iter().enumerate() {
        if part.sort != Sort::Unnamed(list) {
            continue;
        }
        if unmet.get(&*part.name) == Some(&part.text.trim_end()) {
            unmet.remove(&*part.name);
        } else {
            open.push(at);
        }
    }
    let mut given = BTreeSet::new();
    open.retain(|at| {
        let text = side[*at].text.trim_end();
        let met = unmet.iter().find(|(_, known)| **known == text);
        let Some(name) = met.map(|(name, _)| (*name).to_owned()) else {
            return true;
        };
        unmet.remove(&*name);
        given.insert(name.clone());
        side[*at].name = name;
        false
    });
    for at in open {
        // It stands where another one stood that has moved on.
        if given.contains(&side[at].name) {
            side[at].name.push_str(", new");
        }
    }
    side
}

/// Whether of the unnamed stretches of a list it cannot be told which is which: on one side some
/// are new while others are gone or changed, and the other side has changed some or put something
/// before or behind them, too.
fn is_confused(all: &Three, list: &'static str) -> bool {
    let [base, mine, theirs] = all.each_ref().map(|parts| unnamed(parts, list));
    let orders = all.each_ref().map(|parts| {
        let parts = parts.iter().filter(|part| part.sort.is_of(list));
        parts.map(|part| &*part.name).collect::<Vec<_>>()
    });
    let is_shuffled = |side: &BTreeMap<&str, &str>| {
        side.keys().any(|name| !base.contains_key(name))
            && base.iter().any(|(name, text)| side.get(name) != Some(text))
    };
    if mine == theirs && orders[1] == orders[2] {
        return false;
    }
    let is_touched =
        |side: &BTreeMap<&str, &str>, at: usize| *side != base || orders[at] != orders[0];
    (is_shuffled(&mine) && is_touched(&theirs, 2)) || (is_shuffled(&theirs) && is_touched(&mine, 1))
}

/// The steps of a recipe by id, those that have none by what they do, and how often each is there;
/// of what is no recipe, none. `None` if the text cannot be read.
fn steps(text: &str) -> Option<BTreeMap<String, usize>> {
    let (document, _) = source::parse(&"merged".into(), text.as_bytes());
    let document = document?;
    let mut counts = BTreeMap::new();
    if document.root.get("steps").is_some() {
        count(&document.root, &mut counts);
    }
    Some(counts)
}

fn count(node: &Node, counts: &mut BTreeMap<String, usize>) {
    for (key, value) in node.as_map().unwrap_or_default() {
        if !ARGUMENTS.contains(&&*key.text) {
            count(value, counts);
        }
    }
    for element in node.as_list().unwrap_or_default() {
        let is_step = |(key, _): &(source::Key, Node)| {
            let mut kinds = STEP.variants.iter().map(|kind| kind.key.name);
            kinds.any(|kind| kind == &*key.text)
        };
        // The same end in two branches is nothing that happens twice.
        let is_end = ["return", "stop"]
            .iter()
            .any(|end| element.get(end).is_some());
        let entries = element.as_map().unwrap_or_default();
        let name = match element.get("id").and_then(Node::as_text) {
            Some(id) => Some(format!("the step {id}")),
            None => (!is_end).then(|| element.to_value().to_string()),
        };
        if let (true, Some(name)) = (entries.iter().any(is_step), name) {
            *counts.entry(name).or_default() += 1;
        }
        count(element, counts);
    }
}
