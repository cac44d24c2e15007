//! What the documents say is true: their files are sound, their commands work, their links lead
//! somewhere.
//!
//! A YAML block whose fence names a path (```` ```yaml recipes/hello/greet.yaml ````) is a file of
//! a workspace; all such blocks of a set of pages are checked together. Other YAML blocks must
//! parse. Every line of a `sh` block that calls `recipes` is run there, in order, unless it needs
//! a vendor or does not end by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use recipe_engine::diagnostic::{Look, Severity, print};
use recipe_engine::expression::test_names;
use recipe_engine::library::Library;
use recipe_engine::shape::WORDS;
use recipe_engine::source::parse;

use crate::golden::{files_below, root};

/// Commands that need a vendor's answer, or stay until Ctrl-C.
const NOT_RUN: [&str; 4] = ["serve", "demo", "sandbox", "connections check"];

/// The pages of the reference.
const REFERENCE: [&str; 5] = [
    "schemas/recipe.md",
    "schemas/connector.md",
    "schemas/lookup-table.md",
    "schemas/security.md",
    "schemas/diagnostics.md",
];

/// A fenced block: what stands behind the fence, and its lines.
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) path: Option<String>,
    pub(crate) text: String,
    pub(crate) line: usize,
}

pub(crate) fn text_of(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(fence)) => {
                let mut words = fence.split_whitespace();
                open = Some(Block {
                    kind: words.next().unwrap_or_default().to_owned(),
                    path: words.next().map(str::to_owned),
                    text: String::new(),
                    line: number + 1,
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// A workspace of all files that stand in some pages.
fn workspace(pages: &[&str]) -> (tempfile::TempDir, BTreeMap<String, String>) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut files = BTreeMap::new();
    for page in pages {
        for block in blocks(&text_of(page)) {
            let Some(path) = block.path else { continue };
            let whole = folder.path().join(&path);
            fs::create_dir_all(whole.parent().expect("it is below")).expect("it can be made");
            fs::write(&whole, &block.text).expect("it can be written");
            let before = files.insert(path.clone(), block.text);
            assert!(
                before.is_none(),
                "{page}: `{path}` stands in the pages twice"
            );
        }
    }
    (folder, files)
}

/// Runs a command line in a folder, with the program on the path and every secret set.
fn run(line: &str, folder: &Path, variables: &[String]) -> Output {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_recipes"));
    let own = program.parent().expect("it stands in a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        [own.to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&path)),
    )
    .expect("paths can be joined");
    Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("RECIPES_WORKSPACE")
        .envs(variables.iter().map(|name| (name, "a secret")))
        .output()
        .expect("a shell runs")
}

/// The variables and files that a `connections.yaml` refers to.
pub(crate) fn references(text: &str, word: &str) -> Vec<String> {
    let parts = text.split(word).skip(1);
    parts
        .map(|rest| rest.split('}').next().unwrap_or_default().trim().to_owned())
        .collect()
}

fn check_files(pages: &[&str]) -> usize {
    let (folder, files) = workspace(pages);
    let library = Library::read(folder.path()).expect("it is a workspace");
    let found: Vec<_> = library
        .diagnostics
        .iter()
        .filter(|found| found.severity != Severity::Advice)
        .cloned()
        .collect();
    assert!(
        found.is_empty(),
        "{}",
        print(&found, &library.texts, Look::Plain)
    );
    for path in files.keys().filter(|path| path.ends_with(".yaml")) {
        assert!(
            library.paths.iter().any(|known| **known == **path),
            "`{path}` is no place for a file of a workspace"
        );
    }
    let tested = run("recipes test training/ hello/", folder.path(), &[]);
    assert!(
        tested.status.success(),
        "{}",
        String::from_utf8_lossy(&tested.stdout)
    );
    files.len()
}

#[test]
fn the_files_in_the_documents_are_sound() {
    assert!(check_files(&["README.md"]) >= 5);
    assert!(check_files(&REFERENCE) >= 9);
}

#[test]
fn every_yaml_block_parses() {
    for page in pages() {
        for block in blocks(&text_of(&page)) {
            if block.kind != "yaml" {
                continue;
            }
            for part in block
                .text
                .split("\n---\n")
                .filter(|part| !part.starts_with("# yaml"))
            {
                let name: Arc<str> = Arc::from(page.as_str());
                let (document, report) = parse(&name, part.as_bytes());
                let found = report.into_diagnostics();
                assert!(
                    document.is_some() && found.is_empty(),
                    "{page}:{}: {found:?}",
                    block.line
                );
            }
        }
    }
}

#[test]
fn the_commands_of_the_readme_work() {
    let (folder, files) = workspace(&["README.md"]);
    let connections = &files["connections.yaml"];
    for path in references(connections, "file: ") {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it is below")).expect("it can be made");
        fs::write(path, "a secret").expect("it can be written");
    }
    let variables = references(connections, "env: ");
    assert!(variables.len() >= 3, "{variables:?}");
    let mut count = 0;
    for block in blocks(&text_of("README.md")) {
        let lines = block.text.lines().filter(|_| block.kind == "sh");
        for line in lines.filter(|line| line.starts_with("recipes ")) {
            if NOT_RUN
                .iter()
                .any(|verb| line.starts_with(&format!("recipes {verb}")))
            {
                continue;
            }
            let output = run(line, folder.path(), &variables);
            assert!(
                output.status.success(),
                "README.md:{}: `{line}` ends with {}\n{}{}",
                block.line,
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            count += 1;
        }
    }
    assert!(count >= 12, "only {count} commands were run");
    // What the page promises of the first `recipes serve`, and of `show` while none runs; by its
    // whole name, as the page has made a copy by then.
    let made = run("recipes tokens list", folder.path(), &variables).stdout;
    assert!(!String::from_utf8_lossy(&made).contains("admin "));
    let show = "recipes show accredible/event-dispatcher-docebo-to-accredible";
    let shown = run(show, folder.path(), &variables).stdout;
    assert!(String::from_utf8_lossy(&shown).contains("http://127.0.0.1:8700/webhooks/"));
}

#[test]
fn every_command_that_is_named_exists() {
    let known = String::from_utf8(run("recipes --help", root(), &[]).stdout).expect("it is text");
    let verbs: Vec<&str> = known
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .collect();
    for page in pages() {
        for (number, line) in text_of(&page).lines().enumerate() {
            for (at, _) in line.match_indices("`recipes ") {
                let verb = line[at + "`recipes ".len()..].split([' ', '`']).next();
                let verb = verb.unwrap_or_default();
                let is_known = verbs.contains(&verb) || verb.starts_with('-') || verb == "COMMAND";
                assert!(
                    is_known,
                    "{page}:{}: there is no `recipes {verb}`",
                    number + 1
                );
            }
        }
    }
}

#[test]
fn every_promise_is_guarded_by_a_test_that_exists() {
    let text = text_of("ARCHITECTURE.md");
    let table = text.split("## Promises").nth(1).expect("the table");
    let table = table.split("\n## ").next().expect("its end");
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let folders = ["engine", "tests/it", "sandbox"].map(|folder| root().join(folder));
    let files = folders.iter().flat_map(|folder| files_below(folder));
    let tests: BTreeSet<String> = files
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .flat_map(|path| tests_of(&fs::read_to_string(path).expect("text")))
        .collect();
    assert!(tests.len() > 400, "only {} tests were found", tests.len());
    for row in rows.skip(1) {
        let guards = row.rsplit('|').nth(1).expect("two columns");
        let names: Vec<&str> = guards.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing guards: {row}");
        for name in names {
            assert!(tests.contains(name), "no test `{name}` that runs: {row}");
        }
    }
}

/// The names of the tests in a source: functions that are marked so, and cases of a list that a
/// macro runs on every store. What is ignored is none.
fn tests_of(source: &str) -> Vec<String> {
    let mut tests = Vec::new();
    let (mut is_test, mut is_ignored) = (false, false);
    for line in source.lines().map(str::trim) {
        let name = line
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("async ")
            .strip_prefix("fn ")
            .and_then(|rest| rest.split_once('('))
            .map(|(name, _)| name);
        match name {
            Some(name) => {
                if is_test && !is_ignored {
                    tests.push(name.to_owned());
                }
                (is_test, is_ignored) = (false, false);
            }
            None if line.starts_with("#[ignore") => is_ignored = true,
            None if line == "#[test]" || line.starts_with("#[tokio::test") => is_test = true,
            None => {}
        }
    }
    let list = source.split_once("on_every_store!(\n");
    let list = list.and_then(|(_, rest)| rest.split_once("\n);"));
    let cases = list.map(|(list, _)| list).unwrap_or_default().lines();
    tests.extend(cases.map(|line| line.trim().trim_end_matches(',').to_owned()));
    tests
}

#[test]
fn links_lead_somewhere() {
    let mut troubles = Vec::new();
    for page in pages() {
        let folder = Path::new(&page)
            .parent()
            .unwrap_or(Path::new(""))
            .to_owned();
        let text = text_of(&page);
        for target in links(&text) {
            if target.contains("://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() {
                PathBuf::from(&page)
            } else {
                folder.join(path)
            };
            if !root().join(&file).exists() {
                troubles.push(format!("{page}: `{target}` leads nowhere"));
            } else if !anchor.is_empty()
                && !anchors(&text_of(&file.to_string_lossy())).contains(&anchor.to_owned())
            {
                troubles.push(format!("{page}: `{target}` names no heading"));
            }
        }
    }
    assert!(troubles.is_empty(), "{}", troubles.join("\n"));
}

#[test]
fn headings_of_the_reference_are_different() {
    for page in REFERENCE {
        let mut all = anchors(&text_of(page));
        all.sort();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count, "{page}: two headings have one address");
    }
}

#[test]
fn the_reference_names_every_test_and_type() {
    let text = text_of("schemas/recipe.md");
    for name in test_names().chain(WORDS) {
        let is_there = text.contains(&format!("`{name}`")) || text.contains(&format!("`{name}: "));
        assert!(is_there, "schemas/recipe.md does not name `{name}`");
    }
}

/// All pages, as paths below the root.
fn pages() -> Vec<String> {
    let mut pages: Vec<PathBuf> = ["schemas", "recipes", "connectors", "lookup-tables"]
        .iter()
        .flat_map(|folder| files_below(&root().join(folder)))
        .collect();
    pages.extend(
        fs::read_dir(root())
            .expect("the repository can be listed")
            .map(|entry| entry.expect("an entry").path()),
    );
    pages.push(root().join("sandbox/README.md"));
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    let below = |path: &PathBuf| {
        let below = path.strip_prefix(root()).expect("it is below");
        below.to_string_lossy().replace('\\', "/")
    };
    pages.iter().map(below).collect()
}

/// Where the links of a page lead.
fn links(text: &str) -> Vec<String> {
    let starts = text.split("](").skip(1);
    starts
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains([' ', '`', '\n', '{']))
        .map(str::to_owned)
        .collect()
}

/// The addresses of a page's headings.
fn anchors(text: &str) -> Vec<String> {
    let mut in_fence = false;
    let mut anchors = Vec::new();
    for line in text.lines() {
        in_fence ^= line.starts_with("```");
        if in_fence || !line.starts_with('#') {
            continue;
        }
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        anchors.push(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    anchors
}
