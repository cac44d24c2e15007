//! Upgrading clones that have tables of their own.

use super::super::{Outcome, Tables};
use super::workspace::{Files, Workspace, project};

const PROJECT: &str = "recipes/acme/project.yaml";
const EXTRA: &str = "lookup-tables/acme-extra.yaml";

/// The project at a version, with recipes that use these tables.
fn using(version: &str, tables: &[&str]) -> Files {
    let mut files = project(version);
    for table in tables {
        let recipe = format!(
            "title: Keep\ntrigger: {{ function: {{}} }}\nsteps:\n  - table: {table}\n    count: {{}}\n"
        );
        files.insert(format!("recipes/news/keep-{table}.yaml"), recipe);
        let text = format!("title: {table}\ncolumns: {{}}\n");
        files.insert(format!("lookup-tables/{table}.yaml"), text);
    }
    files
}

/// A clone with own tables of a project that uses a table, when the original uses a further one.
fn meeting(written: &str) -> Workspace {
    let mut workspace = Workspace::cloned_with(using("1.0.0", &["notes"]), Tables::Own);
    workspace.edit(PROJECT, "tables:\n  notes: acme-notes\n", written);
    workspace.bundled = using("1.1.0", &["notes", "extra"]);
    workspace
}

#[test]
fn a_table_that_the_original_newly_uses_becomes_an_own_one_too() {
    for (written, expected) in [
        (
            "tables:\n  notes: acme-notes\n",
            "tables:\n  notes: acme-notes\n  extra: acme-extra\n",
        ),
        (
            "tables: { notes: acme-notes }   # mine\n",
            "tables: { notes: acme-notes, extra: acme-extra }   # mine\n",
        ),
        (
            "tables:\n    notes: acme-notes   # mine\n\nconnections:\n  lms: acme\n",
            "tables:\n    notes: acme-notes   # mine\n    extra: acme-extra\n\nconnections:\n  lms: acme\n",
        ),
    ] {
        let mut workspace = meeting(written);
        let plan = workspace.upgrade("acme", &[]).unwrap();
        assert!(plan.is_settled());
        assert!(matches!(plan.files[EXTRA], Outcome::Added(_)), "{plan:?}");
        assert_eq!(plan.lock.files[EXTRA].of, "lookup-tables/extra.yaml");
        workspace.become_of(plan);
        let text = &workspace.own[PROJECT];
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("version: 1.1.0\n"), "{text}");
        assert!(workspace.upgrade("acme", &[]).unwrap().files.is_empty());
    }
}

#[test]
fn a_copy_without_tables_of_the_original_has_own_ones_from_the_first_on() {
    let mut workspace =
        Workspace::cloned_with(using("1.0.0", &["integration-settings"]), Tables::Own);
    assert!(workspace.own[PROJECT].contains("tables: {}\n"));
    workspace.bundled = using("1.1.0", &["extra", "integration-settings"]);
    let plan = workspace.upgrade("acme", &[]).unwrap();
    workspace.become_of(plan);
    assert!(workspace.own[PROJECT].contains("tables: { extra: acme-extra }\n"));
    assert!(workspace.own.contains_key(EXTRA));
}

#[test]
fn what_is_wired_by_hand_and_the_tables_of_other_clones_stay() {
    // Wired to another table on purpose.
    let mut workspace = meeting("tables:\n  notes: acme-notes\n  extra: shared\n");
    let plan = workspace.upgrade("acme", &[]).unwrap();
    assert!(!plan.files.contains_key(EXTRA));
    workspace.become_of(plan);
    assert!(workspace.own[PROJECT].contains("  extra: shared\n"));
    // Wired already to a table that does not exist yet.
    let workspace = meeting("tables:\n  notes: acme-notes\n  extra: acme-extra\n");
    let plan = workspace.upgrade("acme", &[]).unwrap();
    assert!(matches!(plan.files[EXTRA], Outcome::Added(_)));
    // Taken out by hand, so that the original's is used; what is new is an own one all the same.
    let mut workspace = meeting("tables: {}\n");
    let plan = workspace.upgrade("acme", &[]).unwrap();
    workspace.become_of(plan);
    assert!(workspace.own[PROJECT].contains("tables: { extra: acme-extra }\n"));
    // A clone that shares its original's tables goes on to.
    let mut workspace = Workspace::cloned(using("1.0.0", &["notes"]));
    workspace.bundled = using("1.1.0", &["notes", "extra"]);
    let plan = workspace.upgrade("acme", &[]).unwrap();
    assert!(!plan.files.contains_key(EXTRA));
    workspace.become_of(plan);
    assert!(!workspace.own[PROJECT].contains("tables"));
}

#[test]
fn tables_that_cannot_be_added_as_the_file_is_written_are_told_of() {
    let workspace = meeting("tables: &own { notes: acme-notes }\n");
    match workspace.upgrade("acme", &[]) {
        Ok(plan) => {
            let text = plan.files[PROJECT].text().unwrap().unwrap();
            assert!(text.contains("extra: acme-extra"), "{text}");
        }
        Err(refused) => {
            assert_eq!(refused.code, "cannot_wire_tables");
            assert!(refused.message.contains("  extra: acme-extra"), "{refused}");
        }
    }
}
