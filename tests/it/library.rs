//! A workspace's own files stand before the bundled ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use recipe_engine::library::{Found, Library};
use recipe_engine::names::{ConnectorName, RecipeName};

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("it is below")).expect("folders can be made");
    fs::write(path, text).expect("it can be written");
}

#[test]
fn an_empty_workspace_has_what_is_bundled() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let library = Library::read(folder.path()).expect("it can be listed");
    assert!(!library.has_errors());
    assert!(library.written.len() >= 30);
    assert!(library.written.values().all(|written| written.is_bundled));
}

#[test]
fn a_recipe_of_the_workspace_stands_before_the_bundled_one() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let own = "title: Own\ntrigger: { function: {} }\nsteps:\n  - log: Hello\n";
    let path = "recipes/accredible/retrieve-lookup-table-values.yaml";
    write(folder.path(), path, own);
    let library = Library::read(folder.path()).expect("it can be listed");
    let name = RecipeName::new("accredible/retrieve-lookup-table-values").expect("a name");
    assert!(!library.written[&name].is_bundled);
    assert_eq!(library.recipes[&name].title, "Own");
}

#[test]
fn one_action_of_a_connector_can_be_changed() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let own = "actions:\n  session:\n    title: Mine\n    effect: read\n    request: { get: /mine }\n    \
               output: {}\n";
    write(folder.path(), "connectors/docebo.yaml", own);
    let library = Library::read(folder.path()).expect("it can be listed");
    let name = ConnectorName::new("docebo").expect("a name");
    let (bundled, changed) = (
        &Library::bundled().catalogue.connectors[&name],
        &library.catalogue.connectors[&name],
    );
    assert_eq!(changed.actions["session"].title, "Mine");
    assert_eq!(changed.actions.len(), bundled.actions.len());
    assert_eq!(changed.title, bundled.title);
    assert_ne!(changed.hash, bundled.hash);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    assert!(Library::read(&folder.path().join("nothing")).is_err());
}

/// Recipes that call one another, of which some are wrong in different ways.
const WEB: [(&str, &str); 5] = [
    (
        "a",
        "title: A\ntrigger: { function: { input: { x: integer }, output: { y: integer } } }\n\
         steps: [{ return: { y: 1 } }]\n",
    ),
    (
        "b",
        "title: B\ntrigger: { function: { input: {}, output: {} } }\n\
         steps: [{ id: a, call: a, with: { x: 1 } }, { log: \"{{steps.a.y}}\" }]\n",
    ),
    (
        "c",
        "title: C\ntrigger: { function: { input: {}, output: {} } }\nsteps: [{ call: b }]\n\
         on_failure: { call: d }\n",
    ),
    (
        "d",
        "title: D\ntrigger: { manual: }\nsteps: [{ call: nobody }, { logg: 1 }]\n",
    ),
    (
        "e",
        "title: E\ntrigger: { manual: }\nsteps: [{ start: d }]\ndoctor: no\n",
    ),
];

#[test]
fn a_saved_file_is_taken_up_as_if_all_were_read_again() {
    let other = [
        WEB[0].1.replace("x: integer", "z: text"),
        WEB[0].1.replace("return: { y: 1 }", "call: c"),
        WEB[0].1.replace("integer } } }", "text } } }"),
        "title: A\n".to_owned(),
        "{".to_owned(),
        WEB[1].1.to_owned(),
        WEB[3].1.to_owned(),
        WEB[3]
            .1
            .replace("call: nobody", "call: a")
            .replace("logg", "log"),
    ];
    let path = |name: &str| format!("recipes/web/{name}.yaml");
    let found = |text: &str| Found {
        bytes: Ok(text.as_bytes().to_vec()),
        is_bundled: false,
        is_here: true,
    };
    let project = "title: Web\nversion: 1.0.0\ndoctor: c\n";
    let project_path = "recipes/web/project.yaml".to_owned();
    let mut files = BTreeMap::from([(project_path.clone(), found(project))]);
    files.extend(WEB.map(|(name, text)| (path(name), found(text))));
    let mut library = Library::of(files.clone());
    for name in ["a", "d", "nobody", "b", "c"] {
        for text in other
            .iter()
            .map(String::as_str)
            .chain(WEB.map(|(_, text)| text))
        {
            let saved = BTreeMap::from([(path(name), found(text))]);
            files.extend(saved.clone());
            let saved = library.with_saved(saved).unwrap();
            let whole = Library::of(files.clone());
            assert_eq!(saved.diagnostics, whole.diagnostics, "{name}: {text}");
            assert!(
                saved.recipes.keys().eq(whole.recipes.keys()),
                "{name}: {text}"
            );
            assert!(saved.paths == whole.paths && saved.texts == whole.texts);
            library = saved;
        }
    }
    // What reaches further than recipes is not taken up in parts.
    let saved = BTreeMap::from([(project_path, found(project))]);
    assert!(library.with_saved(saved).is_none());
}
