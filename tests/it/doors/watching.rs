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
trigger: { function: { input: { names: { list: string } }, output: { count: integer } } }
steps:
  - id: each
    foreach: { in: \"{{input.names}}\", as: name }
    do:
      - id: greeting
        log: \"hello {{name}}\"
  - id: refusal
    if: \"{{input.names[0] == 'Bob'}}\"
    then:
      - stop: failure
        message: \"no {{input.names[0]}}, please\"
  - return: { count: 2 }
";

const PATIENT: &str = "
title: Patient
trigger: { function: {} }
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
    ]);
    let watch = |input: &str| {
        ended(
            folder.path(),
            &["run", "greet", "--watch", "--input", input],
        )
    };
    let told = said(&watch("{\"names\": [\"Ann\", \"Cid\"]}"));
    let lines: Vec<&str> = told.lines().collect();
    let at = |wanted: &str| lines.iter().position(|line| *line == wanted);
    let greeted = ["succeeded each[1]/greeting", "succeeded each[2]/greeting"].map(at);
    assert!(greeted.iter().all(Option::is_some), "{told}");
    assert!(
        told.contains(" succeeded\n{\n  \"count\": 2\n}\n"),
        "{told}"
    );
    let output = watch("{\"names\": [\"Bob\"]}");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("no Bob, please\nnext: `recipes jobs "),
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
