//! A workspace's own files stand before the bundled ones.

use std::fs;
use std::path::Path;

use recipe_engine::library::Library;
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
