//! Merging: what must hold of any edits, and what admins meet.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::merge::merge;
use super::super::parts::parts;
use super::super::{Conflict, Side};
use crate::source::parse;

const BASE: &str = "title: Issue\n\n# When.\ntrigger:\n  function: {}\nsteps:\n  # Who.\n  - id: user\n    \
                    action: lms.get_user\n    with: { id: 7 }\n    timeout: 10s\n\n  - id: held\n    \
                    action: badges.search\n  - log: looked\n\n  # What.\n  - id: issue\n    action: badges.issue\n";

fn merged(mine: &str, theirs: &str) -> Result<String, Vec<Conflict>> {
    merge(BASE, mine, theirs, &|_| None).map_err(|clash| clash.conflicts)
}

#[test]
fn a_file_falls_into_named_parts_with_their_comments() {
    let parts = parts(BASE);
    let names: Vec<&str> = parts.iter().map(|part| &*part.name).collect();
    assert_eq!(
        names,
        [
            "title",
            "trigger",
            "steps",
            "steps.user",
            "steps.held",
            "steps after held",
            "steps.issue"
        ]
    );
    assert_eq!(parts[1].text, "\n# When.\ntrigger:\n  function: {}\n");
    assert_eq!(parts[5].text, "  - log: looked\n");
    assert!(parts[6].text.starts_with("\n  # What.\n"));
}

#[test]
fn texts_without_parts_are_one() {
    for text in ["", "- a\n- b\n", "{ a: 1, b: 2 }\n", "a: 1\nb: [\n", "a: 1"] {
        let parts = parts(text);
        let whole: String = parts.iter().map(|part| &*part.text).collect();
        assert_eq!((parts.len(), &*whole), (1, text));
    }
    // The same id twice names no part.
    assert_eq!(parts("steps:\n  - id: a\n  - id: a\n").len(), 1);
}

#[test]
fn edits_of_different_steps_and_of_different_lines_of_one_go_together() {
    let mine = BASE
        .replace("timeout: 10s", "timeout: 30s   # slow")
        .replace("title: Issue", "title: Mine");
    let theirs = BASE
        .replace("lms.get_user", "lms.find_user")
        .replace("  # What.\n", "  - id: log\n    log: found\n  # What.\n");
    let text = merged(&mine, &theirs).unwrap();
    let expected = theirs
        .replace("timeout: 10s", "timeout: 30s   # slow")
        .replace("title: Issue", "title: Mine");
    assert_eq!(text, expected);
}

#[test]
fn one_line_changed_twice_is_a_conflict_until_it_is_settled() {
    let mine = BASE.replace("10s", "30s");
    let theirs = BASE
        .replace("10s", "20s")
        .replace("badges.issue", "badges.give");
    let conflicts = merged(&mine, &theirs).unwrap_err();
    assert_eq!(conflicts.len(), 1);
    let conflict = &conflicts[0];
    assert_eq!(conflict.part, "steps.user");
    assert!(conflict.base.as_ref().unwrap().contains("10s"));
    assert!(conflict.mine.as_ref().unwrap().contains("30s"));
    assert!(conflict.theirs.as_ref().unwrap().contains("20s"));
    for (side, timeout) in [(Side::Mine, "30s"), (Side::Theirs, "20s")] {
        let text = merge(BASE, &mine, &theirs, &|part| {
            (part == conflict.part).then_some(side)
        });
        let text = text.unwrap();
        assert_eq!(text, theirs.replace("20s", timeout));
    }
}

#[test]
fn a_changed_step_that_the_other_removed_is_a_conflict() {
    let mine = BASE.replace("  - id: held\n    action: badges.search\n", "");
    let theirs = BASE.replace("badges.search", "badges.find");
    let conflicts = merged(&mine, &theirs).unwrap_err();
    assert_eq!(conflicts[0].part, "steps.held");
    assert_eq!(conflicts[0].mine, None);
    let untouched = BASE.replace("10s", "20s");
    assert_eq!(
        merged(&mine, &untouched).unwrap(),
        mine.replace("10s", "20s")
    );
}

#[test]
fn a_changed_id_is_a_removal_and_an_addition() {
    let mine = BASE.replace("id: held", "id: found");
    let theirs = BASE.replace("badges.search", "badges.find");
    assert_eq!(merged(&mine, &theirs).unwrap_err()[0].part, "steps.held");
    let theirs = BASE.replace("10s", "20s");
    assert_eq!(merged(&mine, &theirs).unwrap(), mine.replace("10s", "20s"));
}

#[test]
fn other_line_ends_are_no_change_and_stay() {
    let mine = BASE.replace("10s", "30s").replace('\n', "\r\n");
    let theirs = BASE.replace("badges.issue", "badges.give");
    let text = merged(&mine, &theirs).unwrap();
    assert_eq!(text, mine.replace("badges.issue", "badges.give"));
}

/// An edit of one step: a new value, removed, or a new step behind it.
#[derive(Clone, Debug)]
enum Edit {
    Change(usize),
    Remove(usize),
    Add(usize),
    Front(usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        4 => (0_usize..8).prop_map(Edit::Change),
        1 => (0_usize..8).prop_map(Edit::Remove),
        2 => (0_usize..8).prop_map(Edit::Add),
        1 => (0_usize..8).prop_map(Edit::Front),
    ];
    prop::collection::vec(edit, 0..6)
}

/// Steps as (id, value).
type Steps = Vec<(String, String)>;

fn base_steps() -> Steps {
    (0..8)
        .map(|n| (format!("s{n}"), format!("base{n}")))
        .collect()
}

fn edited(edits: &[Edit], side: &str) -> Steps {
    let mut steps = base_steps();
    for (number, edit) in edits.iter().enumerate() {
        let at = |n: usize, steps: &Steps| steps.iter().position(|(id, _)| *id == format!("s{n}"));
        match *edit {
            Edit::Change(n) => {
                if let Some(at) = at(n, &steps) {
                    steps[at].1 = format!("{side}{number}");
                }
            }
            Edit::Remove(n) => steps.retain(|(id, _)| *id != format!("s{n}")),
            Edit::Add(n) => {
                let place = at(n, &steps).map_or(0, |at| at + 1);
                let id = format!("{side}_new{number}");
                steps.insert(place, (id, format!("{side}{number}")));
            }
            Edit::Front(n) => {
                if let Some(at) = at(n, &steps) {
                    let step = steps.remove(at);
                    steps.insert(0, step);
                }
            }
        }
    }
    steps
}

fn text(steps: &Steps) -> String {
    let steps: String = steps
        .iter()
        .map(|(id, value)| format!("  # about {id}\n  - id: {id}\n    log: {value}\n"))
        .collect();
    format!("title: T\nsteps:\n{steps}  - return: {{}}\n")
}

fn values(steps: &Steps) -> BTreeSet<&String> {
    steps.iter().map(|(_, value)| value).collect()
}

/// The ids of steps of which the edits change anything.
fn touched(edits: &[Edit]) -> BTreeSet<usize> {
    let ids = edits.iter().map(|edit| match edit {
        Edit::Change(n) | Edit::Remove(n) | Edit::Add(n) | Edit::Front(n) => *n,
    });
    ids.collect()
}

proptest! {
    #[test]
    fn without_edits_of_ones_own_the_result_is_the_new_version(theirs in edits()) {
        let (base, theirs) = (text(&base_steps()), text(&edited(&theirs, "t")));
        prop_assert_eq!(merge(&base, &base, &theirs, &|_| None).unwrap(), theirs.clone());
        prop_assert_eq!(merge(&base, &theirs, &base, &|_| None).unwrap(), theirs);
    }

    #[test]
    fn nothing_is_lost_without_a_conflict(mine in edits(), theirs in edits()) {
        let base_steps = base_steps();
        let (mine, theirs) = (edited(&mine, "m"), edited(&theirs, "t"));
        let merged = merge(&text(&base_steps), &text(&mine), &text(&theirs), &|_| None);
        if let Ok(merged) = merged {
            let base = values(&base_steps);
            for value in values(&mine).union(&values(&theirs)).filter(|value| !base.contains(*value)) {
                prop_assert!(merged.contains(&format!("log: {value}\n")), "{value} is lost in\n{merged}");
            }
            // What one side took away and the other left alone is gone.
            for value in &base {
                let stays = values(&mine).contains(*value) && values(&theirs).contains(*value);
                prop_assert_eq!(stays, merged.contains(&format!("log: {value}\n")), "{}", merged);
            }
            let (document, report) = parse(&"merged".into(), merged.as_bytes());
            prop_assert_eq!(report.into_diagnostics(), vec![]);
            prop_assert!(document.is_some());
        }
    }

    #[test]
    fn disjoint_edits_never_conflict(mine in edits(), theirs in edits()) {
        let mine: Vec<Edit> = mine.into_iter().filter(|edit| !matches!(edit, Edit::Front(_))).collect();
        let other = touched(&mine);
        let theirs: Vec<Edit> = theirs
            .into_iter()
            .filter(|edit| touched(std::slice::from_ref(edit)).is_disjoint(&other))
            .collect();
        let base = text(&base_steps());
        let merged = merge(&base, &text(&edited(&mine, "m")), &text(&edited(&theirs, "t")), &|_| None);
        prop_assert!(merged.is_ok(), "{merged:?}");
    }

    #[test]
    fn settling_every_conflict_gives_a_text(mine in edits(), theirs in edits(), side in prop::bool::ANY) {
        let side = if side { Side::Mine } else { Side::Theirs };
        let (base, mine, theirs) = (text(&base_steps()), text(&edited(&mine, "m")), text(&edited(&theirs, "t")));
        prop_assert!(merge(&base, &mine, &theirs, &|_| Some(side)).is_ok());
    }
}
