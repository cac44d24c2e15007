//! Copies as data: files in, files out.

use std::collections::BTreeMap;

use super::super::{Copy, Lock, Refused, Source, Tables, clone_project, customise};
use crate::data::digest;
use crate::names::RecipeName;
use crate::source::parse;

const FILES: &[(&str, &str)] = &[
    ("recipes/news/project.yaml", "title: News\nversion: 1.2.0\n"),
    (
        "recipes/news/send.yaml",
        "title: Send\nsteps:\n  - call: \"news/find\"   # the full name\n  - start: news/find\n  - call: other/find\n  \
         - table: news-readers\n    count: {}\n  - table: blocked\n    count: {}\n  \
         - table: integration-settings\n    count: {}\n",
    ),
    ("recipes/news/find.yaml", "title: Find news/find\n"),
    (
        "recipes/news/tests/send.test.yaml",
        "recipe: news/send\ncases: []\n",
    ),
    (
        "lookup-tables/news-readers.yaml",
        "title: Readers\ncolumns: {}\n",
    ),
    (
        "lookup-tables/blocked.yaml",
        "title: Blocked\ncolumns: {}\n",
    ),
    // All projects read their settings from this one.
    (
        "lookup-tables/integration-settings.yaml",
        "title: Settings\ncolumns: {}\n",
    ),
];

fn files() -> BTreeMap<String, String> {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    FILES.iter().map(owned).collect()
}

fn cloned(to: &str, tables: Tables) -> Result<Copy, Refused> {
    let (bundled, lock, nothing) = (files(), Lock::default(), BTreeMap::new());
    let source = Source {
        own: &nothing,
        bundled: &bundled,
        lock: &lock,
        bases: &nothing,
    };
    clone_project(&source, "news", to, tables)
}

fn code(refused: Result<Copy, Refused>) -> &'static str {
    refused.expect_err("a refusal").code
}

#[test]
fn a_clone_calls_its_own_recipes_and_keeps_comments() {
    let copy = cloned("acme", Tables::Shared).unwrap();
    let paths: Vec<&str> = copy.files.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "recipes/acme/find.yaml",
            "recipes/acme/project.yaml",
            "recipes/acme/send.yaml",
            "recipes/acme/tests/send.test.yaml",
        ]
    );
    let send = &copy.files["recipes/acme/send.yaml"];
    assert!(
        send.contains("call: \"find\"   # the full name\n  - start: find\n  - call: other/find")
    );
    assert_eq!(
        copy.files["recipes/acme/find.yaml"],
        "title: Find news/find\n"
    );
    assert!(copy.files["recipes/acme/tests/send.test.yaml"].starts_with("recipe: send\n"));
}

#[test]
fn what_a_copy_was_made_of_is_recorded_and_kept() {
    let copy = cloned("acme", Tables::Shared).unwrap();
    let origin = &copy.lock.files["recipes/acme/send.yaml"];
    assert_eq!(
        (&*origin.of, &*origin.version),
        ("recipes/news/send.yaml", "1.2.0")
    );
    assert_eq!(origin.hash, digest(FILES[1].1.as_bytes()));
    assert_eq!(copy.bases[&origin.hash], FILES[1].1);
    assert_eq!(copy.lock.cloned_from("acme"), Some("news"));
    assert_eq!(copy.lock.cloned_from("news"), None);
    let (document, _) = parse(&"recipes.lock".into(), copy.lock.to_text().as_bytes());
    let (lock, report) = Lock::read(&document.unwrap());
    assert_eq!(report.into_diagnostics(), []);
    assert_eq!(lock, copy.lock);
}

#[test]
fn a_lock_that_was_edited_by_hand_is_read_as_far_as_it_goes() {
    let hash = "a".repeat(64);
    let text = format!(
        "files:\n  recipes/a/b.yaml: {{ of: recipes/c/b.yaml, version: 1, hash: {hash} }}\n  \
         recipes/a/d.yaml: {{ of: recipes/c/d.yaml }}\n  nonsense: 3\n  \
         recipes/a/e.yaml: {{ of: recipes/c/e.yaml, version: \"1\", hash: \"../../secret\" }}\n  \
         recipes/a/../../e.yaml: {{ of: recipes/c/e.yaml, version: \"1\", hash: {hash} }}\n  \
         recipes/a/f.yaml: {{ of: /etc/passwd, version: \"1\", hash: {hash} }}\n"
    );
    let (document, _) = parse(&"recipes.lock".into(), text.as_bytes());
    let (lock, report) = Lock::read(&document.unwrap());
    let lines: Vec<u32> = report
        .into_diagnostics()
        .iter()
        .map(|found| found.place.span.line)
        .collect();
    assert!(lock.files.is_empty());
    assert_eq!(lines, [2, 3, 3, 4, 5, 6, 7]);
}

#[test]
fn tables_of_its_own_are_wired_in_the_project_file() {
    let copy = cloned("acme", Tables::Own).unwrap();
    assert_eq!(
        copy.files["recipes/acme/project.yaml"],
        "title: News\nversion: 1.2.0\ntables:\n  blocked: acme-blocked\n  news-readers: acme-readers\n"
    );
    assert_eq!(copy.files["lookup-tables/acme-readers.yaml"], FILES[4].1);
    let origin = &copy.lock.files["lookup-tables/acme-readers.yaml"];
    assert_eq!(origin.of, "lookup-tables/news-readers.yaml");
    // The settings are those of all projects: the engine reads them from the one table.
    let settings = "lookup-tables/acme-integration-settings.yaml";
    assert!(!copy.files.contains_key(settings));
}

/// The file of this path in a clone of the project with that file.
fn with_file(path: &str, text: &str, tables: Tables) -> String {
    let (mut bundled, lock, nothing) = (files(), Lock::default(), BTreeMap::new());
    bundled.insert(format!("recipes/news/{path}"), text.to_owned());
    let source = Source {
        own: &nothing,
        bundled: &bundled,
        lock: &lock,
        bases: &nothing,
    };
    let copy = clone_project(&source, "news", "acme", tables).unwrap();
    copy.files[&format!("recipes/acme/{path}")].clone()
}

#[test]
fn own_tables_are_named_before_the_settings() {
    let project = "title: News\nversion: 1.2.0\n\n# What it reads.\nsettings:\n  NEWS: {}\n";
    assert_eq!(
        with_file("project.yaml", project, Tables::Own),
        "title: News\nversion: 1.2.0\ntables:\n  blocked: acme-blocked\n  news-readers: acme-readers\n\
         \n# What it reads.\nsettings:\n  NEWS: {}\n"
    );
}

#[test]
fn data_that_looks_like_a_call_is_left_alone() {
    let send = "title: Send\ntrigger:\n  function: { input: { call: string } }\nsteps:\n  \
                - set: { start: news/2024, recipe: news/3 }\n  - call: other/find\n    \
                with: { call: news/find, recipe: news/find }\n  - log: x\n    data: { start: news/find }\n  \
                - if: true\n    then:\n      - start: news/find\n  - return: { call: news/find }\n";
    let expected = send.replace("- start: news/find", "- start: find");
    assert_eq!(with_file("send.yaml", send, Tables::Shared), expected);
    let test =
        "recipe: news/send\ncases:\n  - title: t\n    input: { call: news/1, recipe: news/2 }\n";
    let expected = test.replace("recipe: news/send", "recipe: send");
    assert_eq!(
        with_file("tests/send.test.yaml", test, Tables::Shared),
        expected
    );
}

#[test]
fn a_name_is_made_bare_in_its_own_place_alone() {
    let send = "title: Send\ntrigger: { function: {} }\nsteps:\n  - set: { target: &target news/find }\n  \
                - call: *target\n  - log: news/find is not called\n  - call: \"news\\u002ffind\" # news/find\n  \
                - call: &own 'news/find'\n  - call: *own # news/find\n";
    let expected = send
        .replace("\"news\\u002ffind\"", "\"find\"")
        .replace("'news/find'", "'find'");
    assert_eq!(with_file("send.yaml", send, Tables::Shared), expected);
}

#[test]
fn the_page_of_a_copy_names_the_copys_recipes_and_its_own_tables() {
    let page = "# News\n\nA blocked reader stops when recipes stop reading `find`.\n\n```sh\nrecipes doctor news\n\
                recipes start send\nrecipes run news/find --wait\nrecipes jobs --recipe send\nrecipes start other\n\
                recipes tables news-readers\nrecipes tables\nblocked --where a=b\nrecipes tables integration-settings\n\
                ```\n\nThe table `blocked` of `news-readers`.\n";
    let shared = page
        .replace("doctor news", "doctor acme")
        .replace("start send", "start acme/send")
        .replace("run news/find", "run acme/find")
        .replace("--recipe send", "--recipe acme/send");
    assert_eq!(with_file("README.md", page, Tables::Shared), shared);
    let own = shared
        .replace("news-readers", "acme-readers")
        .replace("tables\nblocked", "tables\nacme-blocked")
        .replace("`blocked`", "`acme-blocked`");
    assert_eq!(with_file("README.md", page, Tables::Own), own);
}

#[test]
fn a_version_that_cannot_be_seen_is_recorded_so_that_it_can_be_read() {
    for version in ["1.2\u{200b}.0", "\"1\\\t", "é\u{1f600}", "\u{7f}\u{85}"] {
        let mut copy = cloned("acme", Tables::Shared).unwrap();
        for origin in copy.lock.files.values_mut() {
            origin.version = version.to_owned();
        }
        let (document, _) = parse(&"recipes.lock".into(), copy.lock.to_text().as_bytes());
        let (lock, report) = Lock::read(&document.unwrap());
        assert_eq!(report.into_diagnostics(), []);
        assert_eq!(lock, copy.lock);
    }
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    assert_eq!(code(cloned("news", Tables::Shared)), "exists");
    assert_eq!(code(cloned("../up", Tables::Shared)), "bad_name");
    assert_eq!(code(cloned("con", Tables::Shared)), "bad_name");
    let (bundled, lock, nothing) = (files(), Lock::default(), BTreeMap::new());
    let mut source = Source {
        own: &nothing,
        bundled: &bundled,
        lock: &lock,
        bases: &nothing,
    };
    let missing = clone_project(&source, "nws", "acme", Tables::Shared);
    assert!(missing.unwrap_err().message.contains("did you mean `news`"));
    let name = RecipeName::of("news", "find").unwrap();
    let copy = customise(&source, &name).unwrap();
    assert_eq!(
        copy.files["recipes/news/find.yaml"],
        "title: Find news/find\n"
    );
    let path = "recipes/news/find.yaml".to_owned();
    let edited = BTreeMap::from([(path, "title: Mine\n".to_owned())]);
    source.own = &edited;
    assert_eq!(code(customise(&source, &name)), "exists");
    let name = RecipeName::of("news", "fnd").unwrap();
    assert_eq!(code(customise(&source, &name)), "not_bundled");
}
