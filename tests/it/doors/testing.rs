//! `recipes test` as a command: what it says of a test that fails, and how it mends one.
//!
//! In: a workspace whose tests expect what is not so. Out: lines side by side, reports, files.
//! Always true: every story runs the real binary on a folder of its own.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::house::{workspace, write};
use super::process::{ended, said};

const GREET: &str = "
title: Greet
trigger: { function: { input: { name: string }, output: { text: string, count: integer } } }
steps:
  - id: noted
    table: notes
    upsert: { name: \"{{input.name}}\", kind: greeting }
  - log: \"greeted {{input.name}} <&>\"
  - return: { text: \"hello {{input.name}}\", count: 1 }
";

const NOTES: &str = "
title: Notes
columns: { name: { type: string, required: true }, kind: { type: string } }
key: [name]
";

const TESTS: &str = "# What greeting does.
title: Greeting
recipe: greet
cases:
  - title: Greets \"Ann\" <first> & last   # said aloud
    input: { name: Ann }
    expect:
      # The text is what counts.
      output: { text: \"hallo Ann\", count: 1 }   # one greeting
      tables:
        notes:
          - { name: Bob, kind: greeting }  # nobody else
          - { name: Ann, kind: ~reet }
      log:
        - greeted Ann
  - title: Holds
    input: { name: Bob }
    expect: { output: { text: hello Bob, count: 1 } }
  - title: Fails no more
    input: { name: Bob }
    expect:
      error:   # it was refused once
        code: wrong_input
      log: []
";

fn house() -> tempfile::TempDir {
    let folder = workspace(&[]);
    let files = [
        ("recipes/stories/greet.yaml", GREET),
        ("lookup-tables/notes.yaml", NOTES),
        ("recipes/stories/tests/greet.test.yaml", TESTS),
    ];
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

fn run(folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let mut arguments = vec!["test", "greet.test"];
    arguments.extend(more);
    let output = ended(folder, &arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_failed_test_shows_expected_and_found_line_by_line() {
    let folder = house();
    let (code, told, _) = run(folder.path(), &[]);
    assert_eq!(code, Some(1), "{told}");
    for line in [
        "ok    stories/greet: Holds",
        "at recipes/stories/tests/greet.test.yaml:5:5",
        "      output:\n        - text: hallo Ann\n        + text: hello Ann\n          count: 1\n",
        "      tables.notes:\n        - - { name: Bob, kind: greeting }\n          - { name: Ann, kind: \"~reet\" }\n",
        "1 passed, 2 failed",
    ] {
        assert!(told.contains(line), "{line}\n---\n{told}");
    }
    let (code, told, _) = run(folder.path(), &["--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &told["failed"]), (Some(1), &json!(2)));
    assert_eq!(told["tests"][1]["passed"], true);
    let output = &told["tests"][0]["differences"][0];
    assert_eq!(output["part"], "output");
    assert_eq!(output["expected"]["text"], "hallo Ann");
    assert_eq!(output["found"]["text"], "hello Ann");
}

#[test]
fn an_update_changes_what_is_expected_and_nothing_else() {
    let folder = house();
    let (code, told, aside) = run(folder.path(), &["--update"]);
    assert_eq!(code, Some(0), "{told}{aside}");
    assert!(
        told.contains("3 passed, 2 of them updated, 0 failed"),
        "{told}"
    );
    let file = folder.path().join("recipes/stories/tests/greet.test.yaml");
    let wanted = TESTS
        .replace("\"hallo Ann\"", "hello Ann")
        .replace(
            "          - { name: Bob, kind: greeting }  # nobody else\n",
            "",
        )
        .replace(
            "      error:   # it was refused once\n        code: wrong_input\n",
            "",
        );
    assert_eq!(fs::read_to_string(&file).unwrap(), wanted);
    let (code, told, _) = run(folder.path(), &[]);
    assert_eq!(code, Some(0), "{told}");
    // What holds is not touched again.
    run(folder.path(), &["--update"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), wanted);
}

#[test]
fn a_report_for_build_servers_says_what_failed() {
    let folder = house();
    let file = folder.path().join("report.xml");
    let (code, told, _) = run(folder.path(), &["--junit", file.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{told}");
    let report = fs::read_to_string(&file).unwrap();
    for part in [
        "<testsuites name=\"recipes test\" tests=\"3\" failures=\"2\" errors=\"0\"",
        "<testsuite name=\"recipes/stories/tests/greet.test.yaml\" tests=\"3\" failures=\"2\"",
        "classname=\"stories.greet\" name=\"Greets &quot;Ann&quot; &lt;first&gt; &amp; last\"",
        "- text: hallo Ann\n",
        "</failure>",
    ] {
        assert!(report.contains(part), "{part}\n---\n{report}");
    }
}

#[test]
fn every_shell_gets_a_script_that_knows_every_command() {
    let folder = workspace(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = said(&ended(folder.path(), &["completion", shell]));
        for word in ["doctor", "rerun", "junit", "workspace"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
}

#[test]
fn the_tests_of_a_project_are_those_of_its_folder() {
    let folder = house();
    // Another project whose recipe and folder hold the name of the first.
    for (path, text) in [
        ("recipes/more-stories/greet-stories.yaml", GREET),
        ("recipes/more-stories/tests/greet-stories.test.yaml", TESTS),
    ] {
        let text = text.replace("recipe: greet", "recipe: greet-stories");
        write(folder.path(), path, &text);
    }
    let tested = |wanted: &str| {
        let output = ended(folder.path(), &["test", wanted, "--json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let recipes = told["tests"].as_array().unwrap().iter();
        let recipes: std::collections::BTreeSet<String> = recipes
            .map(|test| test["recipe"].as_str().unwrap().to_owned())
            .collect();
        recipes.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(tested("stories"), "stories/greet");
    // As a shell completes the name of a folder.
    assert_eq!(tested("stories/"), "stories/greet");
    assert_eq!(tested("more-stories"), "more-stories/greet-stories");
    assert_eq!(tested("greet"), "more-stories/greet-stories stories/greet");
}
