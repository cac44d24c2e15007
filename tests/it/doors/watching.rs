//! `recipes run --watch`: a run as somebody sees it who stays and looks.
//!
//! In: recipes that end well, end badly, or wait. Out: the lines of the command, as they come.
//! Always true: what is waited for is a line of output, never a span of time.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::house::workspace;
use super::process::{Server, ended, recipes, said};

const GREET: &str = "
title: Greet
trigger: { manual: { input: { names: [string], refuses: boolean } } }
steps:
  - id: each
    foreach: $.input.names
    as: name
    do:
      - id: greeting
        table: notes
        upsert: { name: \"{{name}}\" }
  - when: \"{{input.refuses}}\"
    stop: { status: failure, reason: nobody is greeted }
";

const NOTES: &str = "
title: Notes
columns: { name: { type: string, required: true } }
key: [name]
";

const PATIENT: &str = "
title: Patient
trigger: { manual: {} }
steps:
  - id: begun
    log: begun
  - id: pause
    wait: 1h
";

#[test]
fn whoever_watches_a_run_sees_each_step_and_how_it_ended() {
    let folder = workspace(&[
        ("recipes/stories/greet.yaml", GREET),
        ("recipes/stories/patient.yaml", PATIENT),
        ("lookup-tables/notes.yaml", NOTES),
    ]);
    let watch = |input: &str| {
        ended(
            folder.path(),
            &["run", "greet", "--watch", "--input", input],
        )
    };
    let told = said(&watch(
        "{\"names\": [\"Ann\", \"Cid\"], \"refuses\": false}",
    ));
    let lines: Vec<&str> = told.lines().collect();
    for wanted in [
        "succeeded each",
        "succeeded each[0]/greeting",
        "succeeded each[1]/greeting",
    ] {
        assert!(lines.contains(&wanted), "{wanted}\n---\n{told}");
    }
    assert!(!told.contains("began each["), "{told}");
    assert!(
        lines
            .last()
            .is_some_and(|line| line.ends_with(" succeeded")),
        "{told}"
    );
    let output = watch("{\"names\": [], \"refuses\": true}");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("nobody is greeted\nnext: `recipes jobs "),
        "{told}"
    );

    let _server = Server::with(folder.path(), &[]);
    let mut watching = recipes(folder.path(), &["run", "patient", "--watch"]);
    let mut watching = watching.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || lines.next().map(Result::unwrap);
    let begun = std::iter::from_fn(&mut next).find(|line| line == "began pause");
    assert!(begun.is_some(), "the step that waits was never shown");
    let jobs = said(&ended(
        folder.path(),
        &["jobs", "--recipe", "patient", "--json"],
    ));
    let jobs: Value = serde_json::from_str(&jobs).unwrap();
    let id = jobs["jobs"][0]["id"].as_str().unwrap();
    said(&ended(folder.path(), &["jobs", "cancel", id]));
    let last = std::iter::from_fn(&mut next).last();
    let wanted = format!("next: `recipes jobs {id}` shows each step and what to do");
    assert_eq!(last, Some(wanted));
    assert_eq!(watching.wait().unwrap().code(), Some(1));
}
