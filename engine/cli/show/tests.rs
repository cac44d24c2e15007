//! Tables that are narrower than what they hold.

use comfy_table::Table;

use super::{aligned, width_of};

#[test]
fn names_and_headings_are_never_broken() {
    let name = "accredible/assign-accredible-credential-for-course-additional-field-element";
    let heading = ["name", "status", "activation", "title"];
    let title = "Assign an Accredible credential for the element of an additional course field";
    let row = [name, "started", "recommended", title];
    let rows = vec![row.iter().map(ToString::to_string).collect()];
    let mut table = Table::new();
    table.set_width(120);
    let text = aligned(&heading, rows, table).to_string();
    assert!(text.contains(name), "{text}");
    for heading in heading {
        assert!(text.contains(&heading.to_uppercase()), "{text}");
    }
    assert!(!text.contains(title), "it should not fit:\n{text}");
}

#[test]
fn columns_say_how_wide_a_terminal_is_before_it_says_so_itself() {
    let of = |columns: &str, terminal| width_of(Some(columns.to_owned()), terminal);
    assert_eq!(of(" 60 ", Some(120)), Some(60));
    for nonsense in ["", "wide", "0", "-1", "70000"] {
        assert_eq!(of(nonsense, Some(120)), Some(120), "{nonsense}");
    }
    assert_eq!(width_of(None, Some(120)), Some(120));
    assert_eq!(width_of(None, None), None);
}

#[test]
fn a_table_is_no_wider_than_its_terminal_as_long_as_names_fit() {
    let heading = ["job", "status", "recipe", "why"];
    let why = "the vendor refused the call, since its own budget of the month is used up by now";
    let row = ["01a20391-f88c", "failed", "accredible/create", why];
    let rows = vec![row.iter().map(ToString::to_string).collect()];
    for width in [60, 80, 132] {
        let mut table = Table::new();
        table.set_width(width);
        let text = aligned(&heading, Vec::clone(&rows), table).to_string();
        for line in text.lines() {
            assert!(
                line.chars().count() <= usize::from(width),
                "{width}: {line}"
            );
        }
    }
}
