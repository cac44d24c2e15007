//! The house rules as tests: the order of rooms, what each room owns, and how files look.
//!
//! In: the sources. Out: the places that break a rule.
//! Always true: an exception stands in a list here, with its reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::golden::{files_below, root};

/// The most lines a source file may have.
const LINES_MAX: usize = 400;

/// Names from outside that only some rooms may use.
const OWNED: &[(&str, &[&str])] = &[
    ("serde_saphyr", &["source"]),
    ("handlebars", &["expression"]),
    ("jsonpath_rust", &["expression"]),
    ("croner", &["schedule"]),
    ("diffy", &["origin"]),
    ("aho_corasick", &["mask"]),
    ("sqlx", &["store"]),
    // The command line asks a running server over the same doors as everybody.
    ("reqwest", &["outbound", "cli"]),
    ("axum", &["api", "console", "server"]),
    ("hyper", &["server"]),
    ("hyper_util", &["server"]),
    ("anyhow", &["cli"]),
    ("clap", &["cli"]),
    ("miette", &["diagnostic"]),
    ("tokio::time", &["clock"]),
    ("SystemTime", &["clock"]),
];

/// Folder names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "types", "manager", "misc"];

/// Files that may be longer, each with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Uses of a room from a room above it, each with the reason.
const AGAINST_THE_ORDER: &[(&str, &str, &str)] = &[];

struct Source {
    path: String,
    text: String,
}

impl Source {
    fn room(&self) -> Option<&str> {
        self.path
            .strip_prefix("engine/")?
            .split_once('/')
            .map(|(room, _)| room)
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// The lines that are code, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines
            .map(|(number, line)| (number + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in folders {
        for path in files_below(&root().join(folder)) {
            if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path
                    .strip_prefix(root())
                    .expect("it is below")
                    .to_string_lossy();
                let text = fs::read_to_string(&path).expect("it can be read");
                sources.push(Source {
                    path: below.replace('\\', "/"),
                    text,
                });
            }
        }
    }
    sources
}

fn none(troubles: Vec<String>) {
    assert!(troubles.is_empty(), "\n{}", troubles.join("\n"));
}

/// The rooms in the order in which data moves.
fn rooms() -> Vec<String> {
    let text = fs::read_to_string(root().join("engine/lib.rs")).expect("it can be read");
    let rooms = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    rooms.map(str::to_owned).collect()
}

#[test]
fn a_room_knows_only_the_rooms_above_it() {
    let rooms = rooms();
    let place = |name: &str| rooms.iter().position(|room| room == name);
    let mut troubles = Vec::new();
    for source in sources(&["engine"]) {
        let Some(own) = source.room().and_then(place) else {
            continue;
        };
        if source.is_test() {
            continue;
        }
        for (number, line) in source.code() {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + "crate::".len()..];
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                let is_excepted = AGAINST_THE_ORDER
                    .iter()
                    .any(|(from, to, _)| *from == rooms[own] && *to == name);
                if place(name).is_some_and(|used| used > own) && !is_excepted {
                    troubles.push(format!(
                        "{}:{number}: `{}` stands above `{name}` and may not know it",
                        source.path, rooms[own]
                    ));
                }
            }
        }
    }
    none(troubles);
}

#[test]
fn every_folder_of_the_engine_is_a_room() {
    let rooms: BTreeSet<String> = rooms().into_iter().collect();
    let mut troubles = Vec::new();
    for source in sources(&["engine"]) {
        if let Some(room) = source.room()
            && !rooms.contains(room)
        {
            troubles.push(format!("{}: `{room}` is not in engine/lib.rs", source.path));
        }
        let parts: Vec<&str> = source.path.split('/').collect();
        let words = parts.iter().map(|part| part.trim_end_matches(".rs"));
        for word in words {
            if EMPTY_NAMES.contains(&word) {
                troubles.push(format!("{}: `{word}` says nothing", source.path));
            }
        }
    }
    none(troubles);
}

#[test]
fn what_a_room_owns_no_other_room_names() {
    let mut troubles = Vec::new();
    for source in sources(&["engine"]) {
        let Some(room) = source.room().map(str::to_owned) else {
            continue;
        };
        if source.is_test() {
            continue;
        }
        for (number, line) in source.code() {
            for (name, owners) in OWNED {
                let is_named = line.match_indices(name).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    let after = line[at + name.len()..].chars().next();
                    let is_word =
                        |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                    !is_word(before)
                        && !is_word(after)
                        && (after == Some(':') || name.contains("::") || *name == "SystemTime")
                });
                if is_named && !owners.contains(&&*room) {
                    troubles.push(format!(
                        "{}:{number}: `{name}` belongs to {}",
                        source.path,
                        owners.join(", ")
                    ));
                }
            }
        }
    }
    none(troubles);
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut troubles = Vec::new();
    for source in sources(&["engine", "sandbox", "tests"]) {
        let lines = source.text.lines().count();
        let is_excepted = LONG_FILES.iter().any(|(path, _)| *path == source.path);
        if lines > LINES_MAX && !is_excepted {
            troubles.push(format!("{}: {lines} lines", source.path));
        }
        if !source.text.starts_with("//!") {
            troubles.push(format!("{}: does not begin with `//!`", source.path));
        }
    }
    none(troubles);
}

#[test]
fn nothing_is_left_to_be_done() {
    // Written in parts, so that this file does not find itself.
    let words = [
        ["to", "do!("].concat(),
        ["unimple", "mented!("].concat(),
        ["db", "g!("].concat(),
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
    ];
    let mut troubles = Vec::new();
    for source in sources(&["engine", "sandbox", "tests"]) {
        for (number, line) in source.text.lines().enumerate() {
            for word in &words {
                if line.contains(word.as_str()) {
                    troubles.push(format!("{}:{}: `{word}`", source.path, number + 1));
                }
            }
        }
    }
    none(troubles);
}

/// Where what somebody sent is held against a secret of ours: the file, and its functions that do.
const SECRETS_COMPARED: &[(&str, &str)] = &[
    ("engine/trigger/sign_in.rs", "fn is_same("),
    ("engine/api/sign_in.rs", "fn owner("),
];

/// No clock of a test is fine enough to see how long a comparison takes, so its words are read.
#[test]
fn secrets_are_compared_in_constant_time() {
    let mut troubles = Vec::new();
    for source in sources(&["engine/trigger", "engine/api"]) {
        if !source.path.ends_with("sign_in.rs") && !source.path.ends_with("signature.rs") {
            continue;
        }
        for (number, line) in source.code() {
            let is_plain = [
                " == ",
                " != ",
                "starts_with(",
                "ends_with(",
                ".eq(",
                "contains(",
            ]
            .iter()
            .any(|word| line.contains(word));
            let is_about_secrets = ["given", "wanted", "hash", "hex(", "signature"]
                .iter()
                .any(|word| line.contains(word));
            // An empty secret is nobody's; that it is empty is no secret.
            let is_allowed = line.contains("wanted.is_empty() || wanted == b\":\"");
            if is_plain && is_about_secrets && !is_allowed {
                troubles.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    for (path, function) in SECRETS_COMPARED {
        let text = fs::read_to_string(root().join(path)).expect("it can be read");
        let body = text.split_once(function).map(|(_, rest)| rest);
        let body = body
            .and_then(|rest| rest.split_once("\n}"))
            .map(|(body, _)| body);
        let lines = body.unwrap_or_default().matches("bool::from(given");
        if lines.count() != 1 || !body.unwrap_or_default().contains(".ct_eq(") {
            troubles.push(format!("{path}: `{function}` answers something else"));
        }
    }
    none(troubles);
}

#[test]
fn no_vendor_is_named_in_the_engine() {
    let vendors = [
        "docebo",
        "accredible",
        "salesforce",
        "administrate",
        "training-orchestra",
    ];
    let mut troubles = Vec::new();
    for source in sources(&["engine"]) {
        if source.is_test() {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            let line = line.to_lowercase();
            for vendor in vendors {
                if line.contains(vendor) {
                    troubles.push(format!("{}:{}: names {vendor}", source.path, number + 1));
                }
            }
        }
    }
    none(troubles);
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let root_name = root().to_string_lossy().into_owned();
    let machine = ["/wo", "rk/"].concat();
    let mut troubles = Vec::new();
    let mut look = |path: &Path| {
        let Ok(text) = fs::read_to_string(path) else {
            return;
        };
        for (number, line) in text.lines().enumerate() {
            if line.contains(&root_name) || line.contains(&machine) {
                troubles.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    };
    for folder in [
        "engine",
        "sandbox",
        "recipes",
        "connectors",
        "lookup-tables",
        "schemas",
        "tests",
    ] {
        files_below(&root().join(folder))
            .iter()
            .for_each(|path| look(path));
    }
    for entry in fs::read_dir(root()).expect("the repository can be listed") {
        let path = entry.expect("an entry").path();
        // A work tree keeps a pointer to its repository in a file of this name.
        if path.is_file() && !path.ends_with(".git") {
            look(&path);
        }
    }
    none(troubles);
}
