//! Upgrading whole projects: what admins meet.

use std::collections::BTreeMap;

use super::super::{Outcome, Settled, Side, Tables, Upgrade, clone_project, upgrade};
use super::workspace::{Files, SEND, Workspace, choice, newer, project, recipe};

fn open<'a>(upgrade: &'a Upgrade, path: &str) -> Vec<&'a str> {
    match upgrade.files.get(path) {
        Some(Outcome::Open(clash)) => clash.conflicts.iter().map(|one| &*one.part).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn edits_of_both_sides_go_together_and_the_next_upgrade_begins_there() {
    let mut workspace = Workspace::cloned(project("1.0.0"));
    workspace.edit(SEND, "base1", "mine");
    workspace.bundled = newer("base4", "theirs");
    let merged = workspace.upgrade("acme", &[]).unwrap();
    assert_eq!((&*merged.of, &*merged.to), ("news", "1.1.0"));
    assert!(matches!(merged.files[SEND], Outcome::Merged(_)));
    workspace.become_of(merged);
    let text = &workspace.own[SEND];
    assert!(text.contains("log: mine\n") && text.contains("log: theirs\n"));
    assert!(text.contains("  - call: find\n"), "{text}");
    assert!(workspace.upgrade("acme", &[]).unwrap().files.is_empty());
    workspace.bundled = newer("base4", "later");
    let later = workspace.upgrade("acme", &[]).unwrap();
    workspace.become_of(later);
    assert!(workspace.own[SEND].contains("log: later\n"));
    assert!(workspace.own[SEND].contains("log: mine\n"));
}

#[test]
fn a_conflict_is_settled_by_part_by_file_or_for_all_and_takes_nothing_else_along() {
    let mut workspace = Workspace::cloned(project("1.0.0"));
    workspace.edit(SEND, "base1", "mine1");
    workspace.edit(SEND, "base4", "mine4");
    workspace.bundled = newer("base1", "theirs1");
    let send = workspace.bundled.get_mut("recipes/news/send.yaml").unwrap();
    *send = send.replace("base4", "theirs4").replace("base2", "theirs2");
    let plan = workspace.upgrade("acme", &[]).unwrap();
    assert!(!plan.is_settled());
    assert_eq!(open(&plan, SEND), ["steps.s1", "steps.s4"]);
    let choices = [
        choice(Side::Mine, None, None),
        choice(Side::Theirs, Some("send.yaml"), Some("steps.s4")),
    ];
    let settled = workspace.upgrade("acme", &choices).unwrap();
    workspace.become_of(settled);
    let text = &workspace.own[SEND];
    for value in ["mine1", "theirs2", "theirs4"] {
        assert!(text.contains(value), "{value}: {text}");
    }
}

#[test]
fn a_choice_that_settles_nothing_is_refused() {
    let mut workspace = Workspace::cloned(project("1.0.0"));
    workspace.edit(SEND, "base1", "mine1");
    workspace.bundled = newer("base1", "theirs1");
    for (file, part, says) in [
        ("send.yaml", Some("steps.s2"), "did you mean `steps.s1`"),
        ("find.yaml", None, "no conflict in `find.yaml`"),
        ("end.yaml", None, "no conflict in `end.yaml`"),
    ] {
        let refused = workspace.upgrade("acme", &[choice(Side::Mine, Some(file), part)]);
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, "no_such_conflict");
        assert!(refused.message.contains(says), "{refused}");
    }
}

#[test]
fn a_file_merged_by_hand_counts_once_its_marks_are_gone() {
    let mut workspace = Workspace::cloned(project("1.0.0"));
    workspace.edit(SEND, "base1", "mine1");
    workspace.bundled = newer("base1", "theirs1");
    let plan = workspace.upgrade("acme", &[]).unwrap();
    let Outcome::Open(clash) = &plan.files[SEND] else {
        panic!("{plan:?}");
    };
    let marked = clash.marked.clone().unwrap();
    let with = |text: &str| {
        let settled = Settled {
            choices: Vec::new(),
            texts: BTreeMap::from([(SEND.to_owned(), text.to_owned())]),
        };
        upgrade(&workspace.source(), "acme", None, &settled)
    };
    assert_eq!(with(&marked).unwrap_err().code, "not_settled");
    let merged: String = marked
        .lines()
        .filter(|line| !line.contains("base1") && !line.starts_with(['<', '|', '=', '>']))
        .map(|line| format!("{line}\n"))
        .collect();
    let done = with(&merged).unwrap();
    assert!(done.is_settled());
    assert_eq!(done.files[SEND].text(), Some(Some(&*merged)));
    assert!(merged.contains("mine1") && merged.contains("theirs1"));
    assert_eq!(
        with(&format!("{merged}=======\n")).unwrap_err().code,
        "not_settled"
    );
}

#[test]
fn a_heading_of_a_page_is_no_mark() {
    let page = "recipes/acme/README.md";
    let mut workspace = Workspace::cloned(project("1.0.0"));
    workspace.edit(page, "# News\n", "Mine\n=======\n");
    workspace.bundled = project("1.1.0");
    let theirs = workspace.bundled.get_mut("recipes/news/README.md").unwrap();
    *theirs = theirs.replace("# News", "# Theirs");
    assert_eq!(
        open(&workspace.upgrade("acme", &[]).unwrap(), page),
        ["the file"]
    );
    let with = |text: &str| {
        let settled = Settled {
            choices: Vec::new(),
            texts: BTreeMap::from([(page.to_owned(), text.to_owned())]),
        };
        upgrade(&workspace.source(), "acme", None, &settled)
    };
    assert!(with("Both\n=======\n").unwrap().is_settled());
    let marked = "<<<<<<< ours\nMine\n=======\nTheirs\n>>>>>>> theirs\n";
    assert_eq!(with(marked).unwrap_err().code, "not_settled");
}

#[test]
fn what_is_deleted_on_one_side_goes_unless_the_other_changed_it() {
    let mut workspace = Workspace::cloned(project("1.0.0"));
    let find = "recipes/acme/find.yaml";
    let mine = workspace.own.remove(find).unwrap();
    workspace.bundled = project("1.1.0");
    let plan = workspace.upgrade("acme", &[]).unwrap();
    assert!(!plan.files.contains_key(find), "{plan:?}");
    // Deleted here, changed there.
    let text = workspace.bundled.get_mut("recipes/news/find.yaml").unwrap();
    *text = text.replace("base1", "theirs");
    let plan = workspace.upgrade("acme", &[]).unwrap();
    assert_eq!(open(&plan, find), ["the file"]);
    let ours = choice(Side::Mine, Some("find.yaml"), None);
    let kept = workspace.upgrade("acme", &[ours]).unwrap();
    workspace.become_of(kept);
    assert!(!workspace.own.contains_key(find));
    assert!(workspace.upgrade("acme", &[]).unwrap().files.is_empty());
    // Deleted there.
    let mut workspace = Workspace::cloned(project("1.0.0"));
    workspace.bundled.remove("recipes/news/find.yaml");
    let plan = workspace.upgrade("acme", &[]).unwrap();
    assert_eq!(plan.files[find], Outcome::Removed);
    assert!(!plan.lock.files.contains_key(find));
    workspace.own.insert(find.to_owned(), mine + "# mine\n");
    let plan = workspace.upgrade("acme", &[]).unwrap();
    assert_eq!(open(&plan, find), ["the file"]);
}

#[test]
fn new_files_of_the_original_come_and_meet_own_ones_of_that_name() {
    let mut workspace = Workspace::cloned(project("1.0.0"));
    let new = recipe(&[(1, "new".to_owned())]);
    workspace
        .bundled
        .insert("recipes/news/new.yaml".into(), new);
    let plan = workspace.upgrade("acme", &[]).unwrap();
    let Outcome::Added(text) = &plan.files["recipes/acme/new.yaml"] else {
        panic!("{plan:?}");
    };
    assert!(text.contains("- call: find\n"));
    workspace
        .own
        .insert("recipes/acme/new.yaml".into(), "title: Mine\n".into());
    let plan = workspace.upgrade("acme", &[]).unwrap();
    assert_eq!(open(&plan, "recipes/acme/new.yaml"), ["the file"]);
}

#[test]
fn a_customised_recipe_meets_the_bundled_one_and_outlives_it() {
    let mut workspace = Workspace::customised(project("1.0.0"));
    let path = "recipes/news/send.yaml";
    workspace.edit(path, "base1", "mine");
    workspace.bundled = newer("base4", "theirs");
    let plan = workspace.upgrade("news", &[]).unwrap();
    let Outcome::Merged(text) = &plan.files[path] else {
        panic!("{plan:?}");
    };
    assert!(text.contains("mine") && text.contains("theirs") && text.contains("call: news/find"));
    // The original disappeared.
    workspace.bundled.remove(path);
    let plan = workspace.upgrade("news", &[]).unwrap();
    assert_eq!(open(&plan, path), ["the file"]);
    let ours = choice(Side::Mine, None, None);
    let kept = workspace.upgrade("news", &[ours]).unwrap();
    assert_eq!(kept.texts().count(), 0);
    assert!(kept.lock.files.is_empty());
    // Removed by hand, so that the bundled one counts again.
    let mut workspace = Workspace::customised(project("1.0.0"));
    workspace.own.remove(path);
    workspace.bundled = newer("base4", "theirs");
    let plan = workspace.upgrade("news", &[]).unwrap();
    assert!(plan.files.is_empty() && plan.lock.files.is_empty());
}

#[test]
fn a_clone_of_a_customised_project_still_meets_what_it_was_made_of() {
    let mut workspace = Workspace::customised(project("1.0.0"));
    workspace.edit("recipes/news/send.yaml", "base1", "mine");
    // Changed upstream before the clone was made, and not yet taken into the customised file.
    workspace.bundled = newer("base4", "theirs");
    let copy = clone_project(&workspace.source(), "news", "acme", Tables::Shared);
    workspace.take(copy.unwrap());
    let plan = workspace.upgrade("acme", &[]).unwrap();
    let Outcome::Merged(text) = &plan.files[SEND] else {
        panic!("{plan:?}");
    };
    assert!(text.contains("mine") && text.contains("theirs"));
}

#[test]
fn without_a_record_or_an_original_nothing_is_upgraded() {
    let mut workspace = Workspace::cloned(project("1.0.0"));
    let code = |workspace: &Workspace, project: &str| {
        let refused = workspace.upgrade(project, &[]).unwrap_err();
        (refused.code, refused.message)
    };
    assert_eq!(code(&workspace, "news").0, "no_copies");
    assert_eq!(code(&workspace, "acne").0, "not_found");
    assert_eq!(code(&workspace, "..").0, "not_found");
    let lock = std::mem::take(&mut workspace.lock);
    let (refused, message) = code(&workspace, "acme");
    assert_eq!(refused, "no_copies");
    assert!(message.contains("put recipes.lock"), "{message}");
    workspace.lock = lock;
    let bundled = std::mem::take(&mut workspace.bundled);
    assert_eq!(code(&workspace, "acme").0, "original_is_gone");
    // Without the kept texts nothing is guessed.
    workspace.bundled = bundled;
    workspace.bases.clear();
    assert!(workspace.upgrade("acme", &[]).unwrap().files.is_empty());
    workspace.bundled = newer("base4", "theirs");
    let plan = workspace.upgrade("acme", &[]).unwrap();
    assert_eq!(open(&plan, SEND), ["the file"]);
}

#[test]
fn an_upgrade_from_elsewhere_takes_those_files_and_knows_an_older_version() {
    let workspace = Workspace::cloned(project("1.1.0"));
    let newer_files = newer("base4", "theirs");
    let mut older = project("1.0.9");
    older.remove("recipes/news/find.yaml");
    let nothing = Settled::default();
    let from = |files: &Files| upgrade(&workspace.source(), "acme", Some(files), &nothing).unwrap();
    assert!(!from(&newer_files).is_older());
    assert!(matches!(
        from(&newer_files).files[SEND],
        Outcome::Replaced(_)
    ));
    assert!(from(&older).is_older());
    assert_eq!(
        from(&older).files["recipes/acme/find.yaml"],
        Outcome::Removed
    );
}
