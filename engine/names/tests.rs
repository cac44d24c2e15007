//! Which texts may be names.

use super::*;

#[test]
fn titles_become_file_names() {
    assert_eq!(
        slug("Event Dispatcher - Docebo to Accredible"),
        "event-dispatcher-docebo-to-accredible"
    );
    assert_eq!(
        slug("Create/Update credentials"),
        "create-update-credentials"
    );
    assert_eq!(slug("  (x)  "), "x");
}

#[test]
fn ids_and_file_names_are_told_apart() {
    assert!(is_id("find_user") && !is_id("find-user") && !is_id("Find") && !is_id("1st"));
    assert!(is_file_name("blocked-domains") && !is_file_name("a--b") && !is_file_name("../x"));
}

#[test]
fn a_recipe_is_a_project_and_a_name() {
    let recipe = RecipeName::new("accredible/process-certifications").unwrap();
    assert_eq!(
        (recipe.project(), recipe.name()),
        ("accredible", "process-certifications")
    );
    for wrong in ["a", "a/b/c", "A/b", "a/", "../b", "a/b.yaml"] {
        assert!(RecipeName::new(wrong).is_err(), "{wrong}");
    }
}
