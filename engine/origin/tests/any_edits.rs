//! Merging: what must hold of any edits.
//!
//! The steps that are edited have ids or none, stand one after the other or inside of each other,
//! and are written in one style or another.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::Side;
use super::super::merge::merge;
use crate::source::parse;

/// A step, with what is inside of it.
#[derive(Clone, Debug)]
struct Step {
    /// Which step of the base it is; higher numbers are new.
    key: usize,
    has_id: bool,
    value: String,
    inside: Option<Vec<Step>>,
}

/// What is done to a step.
#[derive(Clone, Debug)]
enum Edit {
    Change(usize),
    Remove(usize),
    /// A new step behind it, which has an id or none.
    Add(usize, bool),
    /// It comes first.
    Front(usize),
}

impl Edit {
    fn key(&self) -> usize {
        match self {
            Self::Change(key) | Self::Remove(key) | Self::Add(key, _) | Self::Front(key) => *key,
        }
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Style {
    Lines,
    ListInBraces,
    AllInBraces,
}

const STEPS: usize = 14;

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let key = || 0..STEPS;
    let edit = prop_oneof![
        4 => key().prop_map(Edit::Change),
        1 => key().prop_map(Edit::Remove),
        3 => (key(), prop::bool::ANY).prop_map(|(key, has_id)| Edit::Add(key, has_id)),
        1 => key().prop_map(Edit::Front),
    ];
    prop::collection::vec(edit, 0..6)
}

fn style() -> impl Strategy<Value = Style> {
    prop_oneof![
        8 => Just(Style::Lines),
        1 => Just(Style::ListInBraces),
        1 => Just(Style::AllInBraces),
    ]
}

/// Steps of which every third has no id; two of them have steps inside.
fn base_steps() -> Vec<Step> {
    let step = |key: usize, inside: Option<Vec<Step>>| Step {
        key,
        has_id: key % 3 != 2,
        value: format!("base{key}."),
        inside,
    };
    let simple = |key: usize| step(key, None);
    let mut steps: Vec<Step> = (0..6).map(simple).collect();
    steps.push(step(6, Some(vec![simple(7), simple(8), simple(9)])));
    steps.push(simple(10));
    steps.push(step(11, Some(vec![simple(12), simple(13)])));
    steps
}

/// Does something in the list in which a step stands.
fn at(steps: &mut Vec<Step>, key: usize, edit: &mut dyn FnMut(&mut Vec<Step>, usize)) {
    if let Some(place) = steps.iter().position(|step| step.key == key) {
        edit(steps, place);
        return;
    }
    for step in steps {
        if let Some(inside) = &mut step.inside {
            at(inside, key, edit);
        }
    }
}

fn edited(edits: &[Edit], side: &str) -> Vec<Step> {
    let mut steps = base_steps();
    for (number, edit) in edits.iter().enumerate() {
        let value = format!("{side}{number}.");
        let mut taken = None;
        at(&mut steps, edit.key(), &mut |list, place| match edit {
            Edit::Change(_) => list[place].value.clone_from(&value),
            Edit::Remove(_) => {
                list.remove(place);
            }
            Edit::Add(_, has_id) => {
                let key = 100 * (1 + usize::from(side == "t")) + number;
                let new = Step {
                    key,
                    has_id: *has_id,
                    value: value.clone(),
                    inside: None,
                };
                list.insert(place + 1, new);
            }
            Edit::Front(_) => taken = Some(list.remove(place)),
        });
        if let Some(step) = taken {
            steps.insert(0, step);
        }
    }
    steps
}

fn text(steps: &[Step], style: Style) -> String {
    match style {
        Style::Lines => format!("title: T\nsteps:\n{}", lines(steps, 1)),
        Style::ListInBraces => format!("title: T\nsteps: {}\n", braces(steps)),
        Style::AllInBraces => format!("{{ title: T, steps: {} }}\n", braces(steps)),
    }
}

fn lines(steps: &[Step], depth: usize) -> String {
    let mut text = String::new();
    let margin = "  ".repeat(depth);
    for step in steps {
        let id = match step.has_id {
            true => format!("id: s{}\n{margin}  ", step.key),
            false => String::new(),
        };
        text.push_str(&format!("{margin}- {id}log: {}\n", step.value));
        if let Some(inside) = &step.inside {
            text.push_str(&format!("{margin}  then:\n{}", lines(inside, depth + 2)));
        }
    }
    text
}

fn braces(steps: &[Step]) -> String {
    let one = |step: &Step| {
        let inside = step.inside.as_ref().map(|inside| braces(inside));
        let then = inside.map_or_else(String::new, |inside| format!(", then: {inside}"));
        let id = match step.has_id {
            true => format!("id: s{}, ", step.key),
            false => String::new(),
        };
        format!("{{ {id}log: {}{then} }}", step.value)
    };
    let steps: Vec<String> = steps.iter().map(one).collect();
    format!("[{}]", steps.join(", "))
}

/// The values by step, in the order of the file.
fn values(steps: &[Step]) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for step in steps {
        found.push((step.key, &*step.value));
        found.extend(step.inside.iter().flat_map(|inside| values(inside)));
    }
    found
}

fn count(text: &str, value: &str) -> usize {
    text.matches(&format!("log: {value}")).count()
}

/// Of the values of a side that are in a text too: in which order they stand there.
fn in_order(steps: &[Step], text: &str) -> bool {
    let places = values(steps).into_iter();
    let places = places.filter_map(|(_, value)| text.find(&format!("log: {value}")));
    places.is_sorted()
}

fn has_moved(edits: &[Edit]) -> bool {
    edits.iter().any(|edit| matches!(edit, Edit::Front(_)))
}

proptest! {
    #[test]
    fn without_edits_of_ones_own_the_result_is_the_new_version(theirs in edits(), style in style()) {
        let base = text(&base_steps(), Style::Lines);
        let theirs = text(&edited(&theirs, "t"), style);
        prop_assert_eq!(merge(&base, &base, &theirs, &|_| None).unwrap(), theirs.clone());
        prop_assert_eq!(merge(&base, &theirs, &base, &|_| None).unwrap(), theirs);
    }

    #[test]
    fn nothing_is_lost_or_doubled_without_a_conflict(
        mine_edits in edits(), theirs_edits in edits(), mine_style in style(), theirs_style in style(),
    ) {
        let (mine, theirs) = (edited(&mine_edits, "m"), edited(&theirs_edits, "t"));
        let texts = [text(&base_steps(), Style::Lines), text(&mine, mine_style), text(&theirs, theirs_style)];
        let Ok(merged) = merge(&texts[0], &texts[1], &texts[2], &|_| None) else {
            return Ok(());
        };
        let (document, report) = parse(&"merged".into(), merged.as_bytes());
        prop_assert_eq!(report.into_diagnostics(), vec![], "{}", merged);
        prop_assert!(document.is_some());
        let base = base_steps();
        let [base_values, mine_values, theirs_values]: [BTreeMap<usize, &str>; 3] =
            [&base, &mine, &theirs].map(|steps| values(steps).into_iter().collect());
        for (key, was) in &base_values {
            let (mine, theirs) = (mine_values.get(key), theirs_values.get(key));
            let both_changed = mine != theirs && mine != Some(was) && theirs != Some(was);
            // Moved and changed, a step without an id is another one.
            let is_known = key % 3 != 2 || !(has_moved(&mine_edits) || has_moved(&theirs_edits));
            let both_changed = is_known && both_changed;
            prop_assert!(!both_changed, "{was} is {mine:?} and {theirs:?}:\n{merged}");
            // What one side took away and the other left alone is gone.
            let stays = mine == Some(was) && theirs == Some(was);
            prop_assert_eq!(count(&merged, was), usize::from(stays), "{} in\n{}", was, merged);
        }
        for (_, value) in mine_values.iter().chain(&theirs_values) {
            if !value.starts_with("base") {
                prop_assert_eq!(count(&merged, value), 1, "{} in\n{}", value, merged);
            }
        }
        if !has_moved(&mine_edits) && !has_moved(&theirs_edits) {
            prop_assert!(in_order(&mine, &merged) && in_order(&theirs, &merged), "{merged}");
        }
    }

    #[test]
    fn disjoint_edits_of_steps_with_ids_never_conflict(mine in edits(), theirs in edits()) {
        let is_plain = |edit: &Edit| {
            let is_at_top = edit.key() < 6 || edit.key() == 10;
            let adds_unnamed = matches!(edit, Edit::Add(_, false));
            let moves = matches!(edit, Edit::Front(_));
            is_at_top && edit.key() % 3 != 2 && !adds_unnamed && !moves
        };
        let mine: Vec<Edit> = mine.into_iter().filter(is_plain).collect();
        let theirs: Vec<Edit> = theirs
            .into_iter()
            .filter(|edit| is_plain(edit) && mine.iter().all(|one| one.key() != edit.key()))
            .collect();
        let [base, mine, theirs] = [base_steps(), edited(&mine, "m"), edited(&theirs, "t")]
            .map(|steps| text(&steps, Style::Lines));
        let merged = merge(&base, &mine, &theirs, &|_| None);
        prop_assert!(merged.is_ok(), "{merged:?}");
    }

    #[test]
    fn settling_every_conflict_gives_a_text(
        mine in edits(), theirs in edits(), style in style(), side in prop::bool::ANY,
    ) {
        let side = if side { Side::Mine } else { Side::Theirs };
        let base = text(&base_steps(), Style::Lines);
        let (mine, theirs) = (text(&edited(&mine, "m"), style), text(&edited(&theirs, "t"), Style::Lines));
        prop_assert!(merge(&base, &mine, &theirs, &|_| Some(side)).is_ok());
    }
}
