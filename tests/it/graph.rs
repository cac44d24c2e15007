//! What `recipes graph` prints, beside the rows that thirty recipes are held against.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use recipe_engine::source::Node;

use crate::bundle::{number, rows, text};
use crate::golden::root;

/// Who calls whom, by file name.
type Edges = BTreeSet<(String, String)>;

fn printed(workspace: &Path, project: &str, format: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_recipes"))
        .args(["graph", project, "--format", format, "--workspace"])
        .arg(workspace)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("it is text")
}

/// What the rows say: each recipe's trigger, and who calls whom.
fn required() -> (BTreeMap<String, String>, Edges) {
    let (rows, names) = rows();
    let mut triggers = BTreeMap::new();
    let mut edges = Edges::new();
    for row in &rows {
        let own = &names[&number(row.get("number").expect("a number"))];
        triggers.insert(own.clone(), text(row, "trigger").to_owned());
        let calls = row.get("calls").and_then(Node::as_list).unwrap_or_default();
        edges.extend(
            calls
                .iter()
                .map(|callee| (own.clone(), names[&number(callee)].clone())),
        );
    }
    (triggers, edges)
}

/// Reads a tree: each line is a recipe with its trigger, below the one that calls it.
fn tree(printed: &str) -> (BTreeMap<String, String>, Edges) {
    let mut triggers = BTreeMap::new();
    let mut edges = Edges::new();
    let mut above: Vec<String> = Vec::new();
    for line in printed.lines() {
        let name_at = line.find(|c: char| c.is_ascii_alphanumeric());
        let depth = name_at.expect("a line names a recipe") / 4;
        let (name, rest) = line[depth * 4..].split_once(" (").expect("a trigger");
        let trigger = rest.split(')').next().expect("its end").to_owned();
        let before = triggers.insert(name.to_owned(), trigger.clone());
        assert!(before.is_none_or(|before| before == trigger), "{line}");
        above.truncate(depth);
        if let Some(caller) = above.last() {
            edges.insert((caller.clone(), name.to_owned()));
        }
        above.push(name.to_owned());
    }
    (triggers, edges)
}

/// Reads a diagram: the labels by id, and the arrows.
fn diagram(printed: &str) -> (BTreeMap<String, String>, Edges) {
    let mut lines = printed.lines();
    assert_eq!(lines.next(), Some("graph LR"));
    let mut labels = BTreeMap::new();
    let mut edges = Edges::new();
    for line in lines {
        let line = line.strip_prefix("  ").expect("it is indented");
        if let Some((from, to)) = line.split_once(" --> ") {
            edges.insert((from.to_owned(), to.to_owned()));
            continue;
        }
        let (id, label) = line.split_once("[\"").expect("a node");
        let label = label.strip_suffix("\"]").expect("its end");
        let is_sound = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(id.chars().all(is_sound), "`{id}` is no id");
        assert!(!label.contains(['"', '`', '<', '\n']), "{label}");
        let label = label.replace("#quot;", "\"").replace("#35;", "#");
        assert!(labels.insert(id.to_owned(), label).is_none(), "{id} twice");
    }
    for (from, to) in &edges {
        assert!(labels.contains_key(from) && labels.contains_key(to));
    }
    (labels, edges)
}

#[test]
fn the_graph_is_that_of_the_rows_as_text_and_as_a_diagram() {
    let (triggers, edges) = required();
    assert_eq!(triggers.len(), 30);
    assert!(edges.len() > 30, "{edges:?}");
    assert_eq!(
        tree(&printed(root(), "accredible", "text")),
        (triggers, edges.clone())
    );
    let (labels, arrows) = diagram(&printed(root(), "accredible", "mermaid"));
    let (rows, names) = rows();
    let id = |name: &String| format!("accredible__{name}");
    let titles: BTreeMap<String, String> = rows
        .iter()
        .map(|row| {
            let name = &names[&number(row.get("number").expect("a number"))];
            (id(name), text(row, "title").to_owned())
        })
        .collect();
    assert_eq!(labels, titles);
    let required: Edges = edges.iter().map(|(from, to)| (id(from), id(to))).collect();
    assert_eq!(arrows, required);
}

#[test]
fn a_diagram_is_sound_whatever_recipes_are_called() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is below")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    };
    for project in ["first", "second"] {
        let path = format!("recipes/{project}/project.yaml");
        write(&path, "title: A project\nversion: 1.0.0\n");
    }
    let called = "title: 'Say \"hello\" #1'\ntrigger: { function: {} }\nsteps: [{ log: hello }]\n";
    write("recipes/second/end.yaml", called);
    let caller = "title: Begin\ntrigger: { manual: {} }\nsteps: [{ call: second/end }]\n";
    write("recipes/first/end.yaml", caller);
    let (labels, edges) = diagram(&printed(folder.path(), "first", "mermaid"));
    let expected = [("first__end", "Begin"), ("second__end", "Say \"hello\" #1")];
    let expected = expected.map(|(id, label)| (id.to_owned(), label.to_owned()));
    assert_eq!(labels, BTreeMap::from(expected));
    let edge = ("first__end".to_owned(), "second__end".to_owned());
    assert_eq!(edges, Edges::from([edge]));
}
