//! Copies that are newer than what the program or the workspace has.

use std::fs;

use recipe_engine::library::Library;

use super::house::{workspace, write};
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

#[test]
fn any_file_of_an_upgrade_can_be_edited_before_it_is_written() {
    let folder = workspace(&FILES);
    let here = folder.path();
    said(&ended(here, &["clone", "news", "acme"]));
    edit(here, MINE, "# Who it is from.", "# From me.");
    next_version(here, &[("hello: Hello", "hello: Hi")]);
    // Nothing is in conflict, but a test of the project does not hold.
    let refused = ended(here, &["upgrade", "acme"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("tests of the project no longer hold"), "{why}");
    let edits = here.join("merge");
    let to_edit = format!("--to-edit={}", edits.display());
    let told = said(&ended(here, &["upgrade", "acme", &to_edit]));
    assert!(told.contains(MINE), "{told}");
    let merged = read(&edits, MINE);
    assert!(
        merged.contains("hello: Hi") && merged.contains("# From me."),
        "{merged}"
    );
    // What is marked, what is no YAML and what is no file of the upgrade are refused.
    let edited = format!("--edited={}", edits.display());
    let edited = ["upgrade", "acme", &edited];
    for (path, text, why) in [
        (
            MINE,
            "<<<<<<< mine\n".to_owned() + &merged,
            "is still `<<<<<<<",
        ),
        (MINE, "title: [".to_owned(), "would have errors"),
        (
            "recipes/acme/find.yaml",
            "title: Find\n".to_owned(),
            "does not change",
        ),
    ] {
        write(&edits, path, &text);
        let refused = ended(here, &edited);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains(why), "{path}: {said}");
        assert_eq!(refused.status.code(), Some(1));
        assert!(read(here, MINE).contains("hello: Hello"));
        fs::remove_file(edits.join(path)).unwrap();
    }
    write(&edits, MINE, &merged.replace("hello: Hi", "hello: Hello"));
    let done = said(&ended(here, &edited));
    assert!(
        done.contains("written and in place; 1 tests hold"),
        "{done}"
    );
    assert!(
        done.contains("replaced  recipes/acme/project.yaml"),
        "{done}"
    );
    assert!(done.contains(&format!("settled   {MINE}")), "{done}");
    assert!(read(here, MINE).contains("hello: Hello"));
    assert!(read(here, "recipes/acme/project.yaml").contains("1.1.0"));
    let plan = said(&ended(here, &["upgrade", "acme", "--plan"]));
    assert!(plan.contains("nothing has changed there"), "{plan}");
}

#[test]
fn a_conflict_of_a_step_without_a_name_says_where_it_stands() {
    let folder = workspace(&FILES);
    let here = folder.path();
    said(&ended(here, &["clone", "news", "acme"]));
    edit(here, MINE, "{{vars.hello}} {{", "{{vars.hello}}, {{");
    edit(
        here,
        MINE,
        "# Who it is from.",
        "# Who it is from,\n  # and why.",
    );
    next_version(here, &[("{{vars.hello}} {{", "{{vars.hello}}! {{")]);
    let plan = ended(here, &["upgrade", "acme", "--plan"]);
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    let line = read(here, MINE)
        .lines()
        .position(|line| line == "  - return:")
        .unwrap()
        + 1;
    let part = format!("steps after found (line {line} of yours: \"- return:\")");
    assert!(plan.contains(&format!("send.yaml: {part}\n")), "{plan}");
    // What settles it is its name alone.
    assert!(
        plan.contains("--ours='send.yaml:steps after found'"),
        "{plan}"
    );
}

#[test]
fn tests_that_failed_before_an_upgrade_are_quoted() {
    let folder = workspace(&FILES);
    let here = folder.path();
    said(&ended(here, &["clone", "news", "acme"]));
    edit(here, MINE, "from: us", "from: me");
    next_version(here, &[("title: Send", "title: Send it")]);
    let done = said(&ended(here, &["upgrade", "acme"]));
    let told = "beware: acme/send: \"Says hello\" does not hold, and did not before\n";
    assert!(done.contains(told), "{done}");
}
