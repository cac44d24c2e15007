//! What comes out of an upgrade passes `check`, or `check` says why not.

use std::collections::BTreeMap;

use proptest::prelude::*;
use recipe_engine::library::{Found, Library};
use recipe_engine::origin::{Choice, Lock, Settled, Side, Source, Tables, clone_project, upgrade};

type Files = BTreeMap<String, String>;

/// What a side does to a step of the recipe: each sets a variable, and shows an earlier one.
#[derive(Clone, Debug)]
enum Edit {
    Show(usize, usize),
    Remove(usize),
    NeedInput(usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        3 => (0_usize..4, 0_usize..4).prop_map(|(at, shown)| Edit::Show(at, shown)),
        2 => (0_usize..4).prop_map(Edit::Remove),
        1 => (0_usize..4).prop_map(Edit::NeedInput),
    ];
    prop::collection::vec(edit, 0..3)
}

/// A project of a recipe with steps that show what others gave, and one that it calls.
fn project(edits: &[Edit]) -> Files {
    let mut steps: Vec<Option<String>> = (0..4).map(|id| Some(format!("word{id}"))).collect();
    let mut input = "{}";
    for edit in edits {
        match *edit {
            Edit::Show(at, shown) if shown < at => {
                steps[at] = Some(format!("\"{{{{steps.s{shown}.word}}}}\""));
            }
            Edit::Show(at, _) => steps[at] = Some(format!("changed{at}")),
            Edit::Remove(at) => steps[at] = None,
            // Whoever calls it without that is mistaken from then on.
            Edit::NeedInput(at) if at > 2 => input = "{ who: string }",
            Edit::NeedInput(_) => {}
        }
    }
    let mut send = "title: Send\ntrigger: { function: {} }\nsteps:\n".to_owned();
    for (id, word) in steps.iter().enumerate() {
        if let Some(word) = word {
            let step = format!("  - id: s{id}\n    call: say\n    with: {{ word: {word} }}\n");
            send.push_str(&step);
        }
    }
    send.push_str("  - call: find\n");
    let say = "title: Say\ntrigger:\n  function: { input: { word: string }, output: { word: string } }\n\
               steps:\n  - return: { word: \"{{input.word}}\" }\n";
    let find = format!(
        "title: Find\ntrigger:\n  function: {{ input: {input} }}\nsteps:\n  - log: found\n"
    );
    let files = [
        ("project.yaml", "title: News\nversion: 1.0.0\n".to_owned()),
        ("send.yaml", send),
        ("say.yaml", say.to_owned()),
        ("find.yaml", find),
    ];
    let path = |name: &str| format!("recipes/news/{name}");
    files
        .into_iter()
        .map(|(name, text)| (path(name), text))
        .collect()
}

/// The library of these files.
fn library(files: &Files) -> Library {
    let found = |text: &String| Found {
        bytes: Ok(text.clone().into_bytes()),
        is_bundled: false,
        is_here: true,
    };
    let files = files.iter();
    Library::of(
        files
            .map(|(path, text)| (path.clone(), found(text)))
            .collect(),
    )
}

proptest! {
    #[test]
    fn an_upgraded_project_passes_check_or_check_says_why_not(
        mine in edits(),
        theirs in edits(),
        side in prop::bool::ANY,
    ) {
        let (base, lock, nothing) = (project(&[]), Lock::default(), Files::new());
        let source = Source { own: &nothing, bundled: &base, lock: &lock, bases: &nothing };
        let copy = clone_project(&source, "news", "acme", Tables::Shared).unwrap();
        let mut own = copy.files.clone();
        for (path, text) in project(&mine) {
            own.insert(path.replace("/news/", "/acme/"), text);
        }
        let theirs = project(&theirs);
        let source = Source { own: &own, bundled: &theirs, lock: &copy.lock, bases: &copy.bases };
        let side = if side { Side::Mine } else { Side::Theirs };
        let settled = Settled {
            choices: vec![Choice { side, file: None, part: None }],
            texts: Files::new(),
        };
        let plan = upgrade(&source, "acme", None, &settled).unwrap();
        prop_assert!(plan.is_settled());
        let before = library(&own);
        let mut merged = own.clone();
        for (path, text) in plan.texts() {
            match text {
                Some(text) => merged.insert(path.to_owned(), text.to_owned()),
                None => merged.remove(path),
            };
        }
        let after = library(&merged);
        let said = after.errors_beyond(&before);
        if before.has_errors() {
            return Ok(());
        }
        // What was sound is sound, or what is wrong is said, in whatever file it shows.
        prop_assert_eq!(after.has_errors(), !said.is_empty());
        if !after.has_errors() {
            let whole = after.recipes.keys().filter(|name| name.project() == "acme").count();
            prop_assert_eq!(whole, merged.len() - 1);
        }
    }
}
