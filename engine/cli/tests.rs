//! What holds of every verb, and what people read of all of them.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory};
use serde_json::{Value, json};

use super::Arguments;
use super::watch::tree;
use super::when::next_try;
use crate::clock::Moment;

/// Verbs that work with files or run on, and answer nothing that a program could use.
const WITHOUT_DATA: [&str; 6] = ["completion", "demo", "init", "sandbox", "schema", "serve"];

/// The verbs below a command, with all words of their names.
fn verbs(command: &Command, words: &[&str], found: &mut Vec<(String, bool)>) {
    let has_json = command.get_arguments().any(|one| one.get_id() == "json");
    if !words.is_empty() {
        found.push((words.join(" "), has_json));
    }
    for below in command.get_subcommands() {
        let words: Vec<&str> = words.iter().copied().chain([below.get_name()]).collect();
        verbs(below, &words, found);
    }
}

#[test]
fn every_verb_prints_data_if_it_is_asked_to() {
    let mut command = Arguments::command();
    command.build();
    let mut found = Vec::new();
    verbs(&command, &[], &mut found);
    found.retain(|(name, _)| !name.split(' ').any(|word| word == "help"));
    assert!(found.len() > 30, "{found:?}");
    let without: BTreeSet<&str> = found
        .iter()
        .filter(|(_, has_json)| !has_json)
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(without, BTreeSet::from(WITHOUT_DATA));
}

#[test]
fn every_exit_code_is_told_of_in_the_help_and_in_the_readme() {
    let help = Arguments::command().get_after_help().unwrap().to_string();
    let readme = include_str!("../../README.md");
    let told: Vec<&str> = help
        .split([',', ':'])
        .filter_map(|part| part.split_whitespace().next())
        .filter(|word| word.bytes().all(|c| c.is_ascii_digit()))
        .collect();
    assert_eq!(told, ["0", "1", "2", "3", "130"]);
    for code in told {
        assert!(readme.contains(&format!("\n| {code} | ")), "{code}");
    }
}

#[test]
fn a_tree_that_is_drawn_anew_fits_the_terminal_and_says_what_it_hides() {
    let step =
        |n: u64| json!({ "key": n.to_string(), "id": format!("s{n}"), "state": "succeeded" });
    let steps: Vec<Value> = (0..60).map(step).collect();
    let stage = json!({ "step": 61, "of": 70, "id": "s60" });
    let job = json!({ "recipe": "a/b", "status": "running", "steps": steps, "stage": stage });
    for height in [6, 10, 24, 50, 100] {
        let text = tree(&job, 80, height);
        assert!(text.lines().count() < height, "{height}:\n{text}");
        assert!(
            text.contains("s59\nstep 61 of 70 (s60)\n"),
            "{height}:\n{text}"
        );
        assert_eq!(
            text.contains("lines above"),
            height < 60,
            "{height}:\n{text}"
        );
    }
    let text = tree(&job, 80, 24);
    assert!(
        text.contains("\n... 40 lines above; all are shown at the end\nok s40"),
        "{text}"
    );
}

#[test]
fn a_step_that_is_tried_again_says_when_and_which_try_that_is() {
    let now = Moment::parse("2026-03-01T10:00:00.9Z").unwrap();
    let step = |at: &str| json!({ "next_try_at": at, "next_try": 3, "tries": 5 });
    for (at, wanted) in [
        ("2026-03-01T10:00:08.123456Z", "tries again in 8s, 3 of 5"),
        ("2026-03-01T10:01:18Z", "tries again in 1m 18s, 3 of 5"),
        ("2026-03-01T09:59:59Z", "tries again now, 3 of 5"),
    ] {
        assert_eq!(next_try(&step(at), now).as_deref(), Some(wanted));
    }
    let past = json!({ "next_try_at": "2026-03-01T10:00:08.123456Z" });
    let told = next_try(&past, now);
    assert_eq!(told.as_deref(), Some("tried again 2026-03-01T10:00:08Z"));
    assert_eq!(next_try(&json!({}), now), None);
}
