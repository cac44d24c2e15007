//! Merging: what must hold of any edits, and what admins meet.

use super::super::merge::merge;
use super::super::parts::parts;
use super::super::{Conflict, Side};

const BASE: &str = "title: Issue\n\n# When.\ntrigger:\n  function: {}\nsteps:\n  # Who.\n  - id: user\n    \
                    action: lms.get_user\n    with: { id: 7 }\n    timeout: 10s\n\n  - id: held\n    \
                    action: badges.search\n  - log: looked\n\n  # What.\n  - id: issue\n    action: badges.issue\n";

fn merged(mine: &str, theirs: &str) -> Result<String, Vec<Conflict>> {
    merge(BASE, mine, theirs, &|_| None).map_err(|clash| clash.conflicts)
}

#[test]
fn a_file_falls_into_named_parts_with_their_comments() {
    let parts = parts(BASE);
    let names: Vec<&str> = parts.iter().map(|part| &*part.name).collect();
    assert_eq!(
        names,
        [
            "title",
            "trigger",
            "steps",
            "steps.user",
            "steps.held",
            "steps after held",
            "steps.issue"
        ]
    );
    assert_eq!(parts[1].text, "\n# When.\ntrigger:\n  function: {}\n");
    assert_eq!(parts[5].text, "  - log: looked\n");
    assert!(parts[6].text.starts_with("\n  # What.\n"));
}

#[test]
fn texts_without_parts_are_one() {
    for text in ["", "- a\n- b\n", "{ a: 1, b: 2 }\n", "a: 1\nb: [\n", "a: 1"] {
        let parts = parts(text);
        let whole: String = parts.iter().map(|part| &*part.text).collect();
        assert_eq!((parts.len(), &*whole), (1, text));
    }
    // The same id twice names no part.
    assert_eq!(parts("steps:\n  - id: a\n  - id: a\n").len(), 1);
}

#[test]
fn edits_of_different_steps_and_of_different_lines_of_one_go_together() {
    let mine = BASE
        .replace("timeout: 10s", "timeout: 30s   # slow")
        .replace("title: Issue", "title: Mine");
    let theirs = BASE
        .replace("lms.get_user", "lms.find_user")
        .replace("  # What.\n", "  - id: log\n    log: found\n  # What.\n");
    let text = merged(&mine, &theirs).unwrap();
    let expected = theirs
        .replace("timeout: 10s", "timeout: 30s   # slow")
        .replace("title: Issue", "title: Mine");
    assert_eq!(text, expected);
}

#[test]
fn one_line_changed_twice_is_a_conflict_until_it_is_settled() {
    let mine = BASE.replace("10s", "30s");
    let theirs = BASE
        .replace("10s", "20s")
        .replace("badges.issue", "badges.give");
    let conflicts = merged(&mine, &theirs).unwrap_err();
    assert_eq!(conflicts.len(), 1);
    let conflict = &conflicts[0];
    assert_eq!(conflict.part, "steps.user");
    assert!(conflict.base.as_ref().unwrap().contains("10s"));
    assert!(conflict.mine.as_ref().unwrap().contains("30s"));
    assert!(conflict.theirs.as_ref().unwrap().contains("20s"));
    for (side, timeout) in [(Side::Mine, "30s"), (Side::Theirs, "20s")] {
        let text = merge(BASE, &mine, &theirs, &|part| {
            (part == conflict.part).then_some(side)
        });
        let text = text.unwrap();
        assert_eq!(text, theirs.replace("20s", timeout));
    }
}

#[test]
fn a_changed_step_that_the_other_removed_is_a_conflict() {
    let mine = BASE.replace("  - id: held\n    action: badges.search\n", "");
    let theirs = BASE.replace("badges.search", "badges.find");
    let conflicts = merged(&mine, &theirs).unwrap_err();
    assert_eq!(conflicts[0].part, "steps.held");
    assert_eq!(conflicts[0].mine, None);
    let untouched = BASE.replace("10s", "20s");
    assert_eq!(
        merged(&mine, &untouched).unwrap(),
        mine.replace("10s", "20s")
    );
}

#[test]
fn a_changed_id_is_a_removal_and_an_addition() {
    let mine = BASE.replace("id: held", "id: found");
    let theirs = BASE.replace("badges.search", "badges.find");
    assert_eq!(merged(&mine, &theirs).unwrap_err()[0].part, "steps.held");
    let theirs = BASE.replace("10s", "20s");
    assert_eq!(merged(&mine, &theirs).unwrap(), mine.replace("10s", "20s"));
}

#[test]
fn other_line_ends_are_no_change_and_stay() {
    let mine = BASE.replace("10s", "30s").replace('\n', "\r\n");
    let theirs = BASE.replace("badges.issue", "badges.give");
    let text = merged(&mine, &theirs).unwrap();
    assert_eq!(text, mine.replace("badges.issue", "badges.give"));
}

/// Steps one after the other: `a` has the id a, `(mail)` is a step without one.
fn steps(written: &str) -> String {
    let one = |step: &str| match step.strip_prefix('(') {
        Some(unnamed) => format!("  - call: {}\n", unnamed.trim_end_matches(')')),
        None => format!("  - id: {step}\n    log: {step}\n"),
    };
    let steps: String = written.split_whitespace().map(one).collect();
    format!("title: T\nsteps:\n{steps}")
}

/// Base, mine, theirs, and what comes of them: `a` is a step with an id, `(mail)` one without.
const TOGETHER: [(&str, &str, &str, &str); 7] = [
    (
        "a (mail)",
        "a mine (mail)",
        "a theirs (mail)",
        "a mine theirs (mail)",
    ),
    (
        "a b (mail) z",
        "a (mail) z",
        "a b theirs (mail) z",
        "a theirs (mail) z",
    ),
    (
        "a (mail) b",
        "a (mail) mine b",
        "a theirs (mail) b",
        "a theirs (mail) mine b",
    ),
    (
        "(mail) b",
        "mine (mail) b",
        "(mail) theirs b",
        "mine (mail) theirs b",
    ),
    (
        "a (mail)",
        "a mine (mail)",
        "a (first) theirs (mail)",
        "a mine (first) theirs (mail)",
    ),
    (
        "a (mail)",
        "a (mail) mine",
        "a (first) theirs (mail)",
        "a (first) theirs (mail) mine",
    ),
    (
        "a (mail) b",
        "a mine b",
        "a (mail) b theirs",
        "a mine b theirs",
    ),
];

#[test]
fn a_step_without_an_id_is_not_doubled_when_both_change_what_stands_before_it() {
    let together = |base: &str, mine: &str, theirs: &str| {
        merge(&steps(base), &steps(mine), &steps(theirs), &|_| None)
    };
    for (base, mine, theirs, expected) in TOGETHER {
        assert_eq!(
            together(base, mine, theirs),
            Ok(steps(expected)),
            "{mine} and {theirs}"
        );
    }
}

#[test]
fn steps_without_ids_that_cannot_be_told_apart_are_asked_for() {
    let together = |base: &str, mine: &str, theirs: &str| {
        merge(&steps(base), &steps(mine), &steps(theirs), &|_| None)
    };
    // Both changed what they moved, or both put the same step into different places.
    for (base, mine, theirs) in [
        ("a (mail)", "a mine (letter)", "a theirs (post)"),
        ("a (mail)", "a mine (letter)", "a (post)"),
        (
            "a (one) (two)",
            "a (one) mine (two)",
            "a (one) theirs (two)",
        ),
        ("a b", "a (mail) b", "a b (mail)"),
        ("a (mail)", "a mine (post) (mail)", "a theirs (mail)"),
    ] {
        let open = together(base, mine, theirs).unwrap_err();
        assert!(!open.conflicts.is_empty(), "{mine} and {theirs}");
        let marked = open.marked.unwrap();
        assert!(marked.contains("<<<<<<<"), "{marked}");
        for side in [Side::Mine, Side::Theirs] {
            let text = merge(&steps(base), &steps(mine), &steps(theirs), &|_| Some(side));
            assert!(text.is_ok(), "{mine} and {theirs}");
        }
    }
}

#[test]
fn what_one_side_removes_is_not_lost_when_the_other_writes_it_in_another_style() {
    let base = "title: T\nsteps:\n  - id: a\n    log: a\n  - id: b\n    log: b\n";
    let removed = "title: T\nsteps:\n  - id: a\n    log: a\n";
    for mine in [
        "{ title: Mine, steps: [{ id: a, log: a }, { id: b, log: b }] }\n",
        "title: Mine\nsteps: [{ id: a, log: a }, { id: b, log: b }]\n",
        "title: Mine\nsteps:\n  - id: a\n    log: a\n  -\n    id: b\n    log: b\n",
        "\"title\": Mine\n\"steps\":\n  - id: a\n    log: a\n  - id: b\n    log: b\n",
        "title: Mine\nsteps:\n  - id: a\n    log: a\n  - id: b\n    log: b\n  - id: a\n    log: c\n",
    ] {
        for (one, other) in [(mine, removed), (removed, mine)] {
            match merge(base, one, other, &|_| None) {
                Ok(text) => assert!(!text.contains("log: b"), "{text}"),
                Err(clash) => assert!(!clash.conflicts.is_empty()),
            }
        }
    }
}

#[test]
fn a_step_that_one_side_moves_and_the_other_removes_is_asked_for() {
    let steps = |top: &str, inside: &str| {
        format!(
            "title: T\nsteps:\n{top}  - id: block\n    if: true\n    then:\n      - log: x\n{inside}"
        )
    };
    for (top, inside) in [
        (
            "  - id: moved\n    call: mail\n",
            "      - id: moved\n        call: mail\n",
        ),
        ("  - call: mail\n", "      - call: mail\n"),
    ] {
        let (base, moved, removed) = (steps("", inside), steps(top, ""), steps("", ""));
        for (mine, theirs) in [(&moved, &removed), (&removed, &moved)] {
            let clash = merge(&base, mine, theirs, &|_| None).unwrap_err();
            assert_eq!(clash.conflicts[0].part, "the file");
            assert!(clash.marked.unwrap().contains("<<<<<<<"));
            let chosen = merge(&base, mine, theirs, &|_| Some(Side::Theirs));
            assert_eq!(chosen.as_ref(), Ok(theirs));
        }
        // A side that only moves it has moved it.
        let other = base.replace("title: T", "title: Theirs");
        let merged = merge(&base, &moved, &other, &|_| None);
        assert_eq!(merged, Ok(moved.replace("title: T", "title: Theirs")));
    }
}
