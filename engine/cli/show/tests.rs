//! Tables that are narrower than what they hold.

use comfy_table::Table;

use super::aligned;

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
