//! Copies that are newer than what the program or the workspace has.

use recipe_engine::library::Library;

use super::house::workspace;
use super::process::{ended, said};
use super::upgrading::{FILES, MINE, edit, next_version, read};

#[test]
fn a_copy_that_is_newer_than_its_original_is_offered_no_way_back() {
    let folder = workspace(&FILES);
    let there = workspace(&FILES);
    let here = folder.path();
    said(&ended(here, &["clone", "news", "acme"]));
    next_version(there.path(), &[("hello: Hello", "hello: Hi")]);
    let from = there.path().to_str().unwrap();
    let plan = said(&ended(here, &["upgrade", "acme", "--from", from, "--plan"]));
    let next = format!("recipes upgrade acme --from {from}");
    assert!(plan.contains(&next), "{plan}");
    said(&ended(
        here,
        &["upgrade", "acme", "--from", from, "--untested"],
    ));
    let upgraded = read(here, MINE);
    assert_eq!(Library::read(here).unwrap().diagnostics, []);
    let plan = said(&ended(here, &["upgrade", "acme", "--plan"]));
    for told in [
        "acme is a copy of news, of version 1.1.0;",
        "is 1.0.0, which is older: there is nothing to take up",
        "recipes upgrade acme --from DIR",
        "recipes upgrade acme --older --plan",
    ] {
        assert!(plan.contains(told), "{plan}");
    }
    assert!(!plan.contains("replaced"), "{plan}");
    let back = said(&ended(here, &["upgrade", "acme", "--plan", "--older"]));
    assert!(back.contains("(recipes upgrade acme --older)"), "{back}");
    assert_eq!(read(here, MINE), upgraded);
    // What has the same number is taken, with a word about it.
    edit(there.path(), "recipes/news/send.yaml", "Send", "Send it");
    let done = said(&ended(
        here,
        &["upgrade", "acme", "--from", from, "--untested"],
    ));
    assert!(
        done.contains("beware: both are of the same version"),
        "{done}"
    );
}

#[test]
fn a_copy_of_a_copy_names_the_versions_that_there_are() {
    let table = (
        "lookup-tables/notes.yaml",
        "title: Notes\ncolumns: { id: integer }\nkey: [id]\n",
    );
    let count = (
        "recipes/news/count.yaml",
        "title: Count\ntrigger: { function: { input: {}, output: {} } }\nsteps:\n  - table: notes\n    count: {}\n",
    );
    let folder = workspace(&[&FILES[..], &[table, count]].concat());
    let here = folder.path();
    said(&ended(here, &["clone", "news", "acme"]));
    said(&ended(here, &["clone", "acme", "other", "--own-tables"]));
    edit(here, "recipes/acme/project.yaml", "1.0.0", "1.1.0");
    let plan = said(&ended(here, &["upgrade", "other", "--plan"]));
    assert!(
        plan.starts_with("other is a copy of acme: 1.0.0 -> 1.1.0\n"),
        "{plan}"
    );
}

#[test]
fn a_line_that_is_broken_in_a_plan_keeps_its_indentation() {
    let folder = workspace(&FILES);
    let here = folder.path();
    said(&ended(here, &["clone", "news", "acme"]));
    let long = "hello: \"Hello to everybody who has come here today from near and far\"";
    edit(here, MINE, "hello: Hello", long);
    next_version(here, &[("hello: Hello", "hello: Hi")]);
    let plan = ended(here, &["upgrade", "acme", "--plan"]);
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    let lines: Vec<&str> = plan.lines().collect();
    let first = lines
        .iter()
        .position(|line| line.contains("{ hello: \"Hello to"))
        .unwrap_or_else(|| panic!("{plan}"));
    let column = |line: &str, word: &str| line.split(word).next().unwrap().chars().count();
    let begins = column(lines[first], "set: { hello: \"Hello to");
    let goes_on = lines[first + 1];
    let word = goes_on.split_whitespace().nth(1).unwrap();
    assert_eq!(column(goes_on, word), begins + 4, "{plan}");
}

/// What the page offers is typed as it stands there.
fn offered<'a>(page: &'a str, option: &str) -> Vec<&'a str> {
    let mut lines = page.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with("recipes upgrade") && line.contains(option));
    let line = line.unwrap_or_else(|| panic!("{page}"));
    line.split(' ').skip(1).collect()
}

#[test]
fn what_an_upgrade_offers_to_type_repeats_what_was_chosen() {
    let folder = workspace(&FILES);
    let there = workspace(&FILES);
    let here = folder.path();
    said(&ended(here, &["clone", "news", "acme"]));
    edit(here, MINE, "hello: Hello", "hello: Hey");
    edit(here, MINE, "from: us", "from: ours");
    next_version(
        there.path(),
        &[("hello: Hello", "hello: Hi"), ("from: us", "from: them")],
    );
    let from = there.path().to_str().unwrap();
    let page = |words: &[&str]| {
        let output = ended(here, words);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let first = page(&["upgrade", "acme", "--from", from, "--plan"]);
    let both = offered(&first, "--ours=send.yaml:steps.greeting");
    assert!(both.contains(&"--ours=send.yaml:steps.sender"), "{first}");
    let one = "--theirs=send.yaml:steps.greeting";
    let second = page(&["upgrade", "acme", "--from", from, one, "--plan"]);
    let mut words = offered(&second, "--ours=send.yaml:steps.sender");
    assert!(words.contains(&one), "{second}");
    words.push("--plan");
    let plan = said(&ended(here, &words));
    let chosen =
        format!("(recipes upgrade acme --from {from} --ours=send.yaml:steps.sender {one})");
    assert!(plan.contains(&chosen), "{plan}");
}
