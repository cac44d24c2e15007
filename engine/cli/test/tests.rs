//! How what was expected and what was found are put.

use serde_json::json;

use super::tell::{Layout, in_columns};
use crate::diagnostic::Look;
use crate::trial::Difference;

fn difference() -> Difference {
    let request = |id: i64, more: &str| {
        json!({
            "action": "crm.put_user",
            "with": { "id": id, "name": "Ann Example", "note": more, "origin": "recipes" },
        })
    };
    let long = "a note that is so long that it does not fit into one half of the page in one line";
    Difference {
        part: "requests".into(),
        expected: json!([request(7, "short"), { "action": "crm.leave" }]),
        found: json!([request(8, long)]),
    }
}

#[test]
fn expected_and_found_stand_beside_one_another_with_a_mark_where_they_differ() {
    let text = in_columns(&difference(), 106);
    assert_eq!(
        text,
        "\
┌─────────────────────────────────────────────────────────────────────────┐
│     EXPECTED                  FOUND                                     │
╞═════════════════════════════════════════════════════════════════════════╡
│     - action: crm.put_user    - action: crm.put_user                    │
│       with:                     with:                                   │
│ !       id: 7                     id: 8                                 │
│         name: Ann Example         name: Ann Example                     │
│ !       note: short               note: a note that is so long that it  │
│                                       does not fit into one half of the │
│                                       page in one line                  │
│         origin: recipes           origin: recipes                       │
│ !   - { action: crm.leave }                                             │
└─────────────────────────────────────────────────────────────────────────┘"
    );
}

#[test]
fn two_columns_need_a_terminal_with_room_for_them() {
    let of = |width| Layout::of(width, Look::Colourful);
    assert_eq!(of(Some(100)), Layout::Columns(100));
    for width in [Some(99), Some(40), None] {
        assert_eq!(of(width), Layout::Lines(Look::Colourful));
    }
}

#[test]
fn no_row_is_wider_than_the_terminal_and_no_word_is_lost() {
    for width in 100..180 {
        let text = in_columns(&difference(), width);
        for line in text.lines() {
            assert!(
                line.chars().count() + 6 <= usize::from(width),
                "{width}: {line}"
            );
        }
        for word in ["so", "long", "line", "crm.leave", "Ann", "Example"] {
            assert!(text.contains(word), "{width}: {word}\n{text}");
        }
    }
}
