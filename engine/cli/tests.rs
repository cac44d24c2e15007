//! What holds of every verb, and what people read of all of them.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory};

use super::Arguments;

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
