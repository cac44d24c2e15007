//! Upgrading whole projects: what must hold of any edits.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::Side;
use super::workspace::{SEND, Workspace, choice, project, recipe};

/// What is done to a step.
#[derive(Clone, Debug)]
enum Edit {
    Change(usize),
    Remove(usize),
    Add(usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        3 => (0_usize..6).prop_map(Edit::Change),
        1 => (0_usize..6).prop_map(Edit::Remove),
        3 => (0_usize..6).prop_map(Edit::Add),
    ];
    prop::collection::vec(edit, 0..5)
}

/// The steps after edits; new ones have ids that only this side gives.
fn steps(edits: &[Edit], side: &str, first_id: usize) -> Vec<(usize, String)> {
    let mut steps: Vec<(usize, String)> = (0..6).map(|id| (id, format!("base{id}"))).collect();
    for (number, edit) in edits.iter().enumerate() {
        let place = |wanted: usize| steps.iter().position(|(id, _)| *id == wanted);
        match *edit {
            Edit::Change(id) => {
                if let Some(at) = place(id) {
                    steps[at].1 = format!("{side}{number}");
                }
            }
            Edit::Remove(id) => steps.retain(|(known, _)| *known != id),
            Edit::Add(id) => {
                let at = place(id).map_or(0, |at| at + 1);
                steps.insert(at, (first_id + number, format!("{side}{number}")));
            }
        }
    }
    steps
}

fn touched(edits: &[Edit]) -> BTreeSet<usize> {
    let ids = edits.iter().map(|edit| match edit {
        Edit::Change(id) | Edit::Remove(id) | Edit::Add(id) => *id,
    });
    ids.collect()
}

/// A clone that was edited, of a project that was changed since.
fn meeting(mine: &[Edit], theirs: &[Edit]) -> Workspace {
    let mut workspace = Workspace::cloned(project("1.0.0"));
    let text = recipe(&steps(mine, "mine", 100)).replace("news/find", "find");
    workspace.own.insert(SEND.to_owned(), text);
    workspace.bundled = match theirs {
        [] => project("1.0.0"),
        theirs => {
            let mut files = project("1.1.0");
            let text = recipe(&steps(theirs, "theirs", 200));
            files.insert("recipes/news/send.yaml".into(), text);
            files
        }
    };
    workspace
}

proptest! {
    #[test]
    fn an_upgrade_without_local_edits_is_a_clone_of_the_new_project(theirs in edits()) {
        let mut workspace = meeting(&[], &theirs);
        let fresh = Workspace::cloned(workspace.bundled.clone());
        let plan = workspace.upgrade("acme", &[]).unwrap();
        workspace.become_of(plan);
        prop_assert_eq!(workspace.own, fresh.own);
        prop_assert_eq!(workspace.lock, fresh.lock);
    }

    #[test]
    fn an_upgrade_without_upstream_changes_leaves_everything_as_it_is(mine in edits()) {
        let workspace = meeting(&mine, &[]);
        let plan = workspace.upgrade("acme", &[]).unwrap();
        prop_assert!(plan.files.is_empty());
        prop_assert_eq!(plan.lock, workspace.lock);
    }

    #[test]
    fn an_upgrade_of_disjoint_edits_has_no_conflict_and_all_of_them(mine in edits(), theirs in edits()) {
        let other = touched(&mine);
        let theirs: Vec<Edit> = theirs
            .into_iter()
            .filter(|edit| touched(std::slice::from_ref(edit)).is_disjoint(&other))
            .collect();
        let mut workspace = meeting(&mine, &theirs);
        let plan = workspace.upgrade("acme", &[]).unwrap();
        prop_assert!(plan.is_settled());
        workspace.become_of(plan);
        let text = &workspace.own[SEND];
        for (_, value) in steps(&mine, "mine", 100).iter().chain(&steps(&theirs, "theirs", 200)) {
            let is_edit = !value.starts_with("base");
            let count = text.matches(&format!("log: {value}\n")).count();
            prop_assert!(!is_edit || count == 1, "{value}: {text}");
        }
        // The step without an id runs once, whatever both put before it.
        prop_assert_eq!(text.matches("- call: find\n").count(), 1, "{}", text);
    }

    #[test]
    fn an_upgrade_loses_nothing_of_either_side_without_a_conflict(mine in edits(), theirs in edits()) {
        let mut workspace = meeting(&mine, &theirs);
        let plan = workspace.upgrade("acme", &[]).unwrap();
        if plan.is_settled() {
            workspace.become_of(plan);
            let text = &workspace.own[SEND];
            let (mine, theirs) = (steps(&mine, "mine", 100), steps(&theirs, "theirs", 200));
            for (_, value) in mine.iter().chain(&theirs) {
                let is_edit = !value.starts_with("base");
                let count = text.matches(&format!("log: {value}\n")).count();
                prop_assert!(!is_edit || count == 1, "{value}: {text}");
            }
            prop_assert_eq!(text.matches("- call: find\n").count(), 1, "{}", text);
        } else {
            // Neither side is touched, and whichever is chosen counts.
            for (side, name) in [(Side::Mine, "mine"), (Side::Theirs, "theirs")] {
                let settled = workspace.upgrade("acme", &[choice(side, None, None)]).unwrap();
                prop_assert!(settled.is_settled(), "{name}");
            }
        }
    }
}
