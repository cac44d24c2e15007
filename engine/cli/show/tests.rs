//! Tables that are narrower than what they hold.

use serde_json::json;

use super::{cell, laid_out, width_of};

const JOBS: [&str; 6] = ["job", "status", "recipe", "queued at", "took", "why"];
const LIST: [&str; 7] = [
    "name",
    "status",
    "trigger",
    "activation",
    "origin",
    "problems",
    "title",
];
const WHY: &str =
    "the vendor refused the call, since its own budget of the month is used up by now";
const TITLE: &str = "Create or update credentials in Accredible for the learners of a course";

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(ToString::to_string).collect()
}

/// Jobs and recipes as they are listed, with names as long as those of the bundle.
fn lists() -> [(Vec<&'static str>, Vec<Vec<String>>); 2] {
    let at = "2026-11-22T14:29:42Z";
    let jobs = vec![
        row(&[
            "01a20391-f88c-7c11-9b5a-0f4f5f8f8a01",
            "succeeded",
            "hello/late",
            at,
            "361ms",
            "",
        ]),
        row(&[
            "01a20391-f88c-7c11-9b5a-0f4f5f8f8a02",
            "succeeded_with_errors",
            "acme/event-dispatcher-accredible",
            at,
            "1m 2s",
            WHY,
        ]),
    ];
    let list = vec![
        row(&[
            "hello/late",
            "ready",
            "function",
            "",
            "",
            "",
            "Finds who is late",
        ]),
        row(&[
            "accredible/create-update-credentials",
            "started",
            "schedule",
            "recommended",
            "customised (as the original)",
            "2",
            TITLE,
        ]),
    ];
    [(JOBS.to_vec(), jobs), (LIST.to_vec(), list)]
}

#[test]
fn no_word_is_broken_and_no_line_is_wider_than_its_terminal() {
    for (heading, rows) in lists() {
        for width in (60..200).chain([400]) {
            let text = laid_out(&heading, &rows, Some(width));
            for line in text.lines() {
                let is_narrow = line.chars().count() <= usize::from(width);
                assert!(is_narrow, "{width}: {line}\n{text}");
            }
            let shown: Vec<&str> = text.split_whitespace().collect();
            let cells = rows.iter().flatten();
            for word in cells.flat_map(|cell| cell.split_whitespace()) {
                assert!(shown.contains(&word), "{width}: {word}\n{text}");
            }
        }
    }
}

#[test]
fn rows_stand_below_their_headings_where_there_is_room_and_one_after_another_else() {
    let [(jobs, rows), (list, recipes)] = lists();
    let text = laid_out(&jobs, &rows[1..], Some(80));
    assert_eq!(
        text,
        "01a20391-f88c-7c11-9b5a-0f4f5f8f8a02
  status     succeeded_with_errors
  recipe     acme/event-dispatcher-accredible
  queued at  2026-11-22T14:29:42Z
  took       1m 2s
  why        the vendor refused the call, since its own budget of the month is
             used up by now
"
    );
    // What is empty is left out, and an empty line stands between two rows.
    let text = laid_out(&jobs, &rows, Some(80));
    assert!(text.contains("took       361ms\n\n01a2"), "{text}");
    let text = laid_out(&list, &recipes, Some(60));
    assert!(
        text.contains("\n\naccredible/create-update-credentials\n"),
        "{text}"
    );
    for (heading, rows) in lists() {
        let text = laid_out(&heading, &rows, Some(160));
        let first = text.lines().next().unwrap();
        for name in heading {
            assert!(first.contains(&name.to_uppercase()), "{text}");
        }
    }
    // Of a list without rows, the headings are there.
    assert!(laid_out(&jobs, &[], Some(20)).contains("JOB"));
}

#[test]
fn a_word_that_is_wider_than_the_terminal_stays_whole_and_widens_no_other_line() {
    let name = "accredible/assign-accredible-credential-for-course-additional-field-element";
    let text = laid_out(
        &["at", "about", "why"],
        &[row(&["now", name, WHY])],
        Some(60),
    );
    assert!(text.contains(&format!("  about  {name}\n")), "{text}");
    let others = text.lines().filter(|line| !line.contains(name));
    for line in others {
        assert!(line.chars().count() <= 60, "{line}\n{text}");
    }
}

#[test]
fn a_terminal_that_tells_no_width_gets_lines_as_long_as_they_are() {
    let [(jobs, rows), _] = lists();
    let text = laid_out(&jobs, &rows, None);
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains(WHY), "{text}");
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
fn what_a_terminal_would_take_for_an_order_is_shown_as_a_sign() {
    let text = json!("bad order \u{1b}]52;c;x\u{7}\rall is well\r\n\tsecond line\u{9b}2J");
    let shown = cell(&text);
    assert_eq!(
        shown,
        "bad order \u{fffd}]52;c;x\u{fffd}\u{fffd}all is well\n\tsecond line\u{fffd}2J"
    );
}
