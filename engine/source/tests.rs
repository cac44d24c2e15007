//! What the parser accepts, refuses and says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::parse;
use crate::data::Value;

fn read(text: &[u8]) -> (Option<Value>, Vec<&'static str>) {
    let (document, report) = parse(&Arc::from("test.yaml"), text);
    let codes = report.into_diagnostics().iter().map(|d| d.code.0).collect();
    (document.map(|document| document.root.to_value()), codes)
}

#[test]
fn nothing_is_guessed() {
    let text = b"a: 'no'\nb: \"007\"\nc: 2026-11-21\nd: 12:30\ne: 1_000\non: true\n1: one\nf: ~\n";
    let (value, codes) = read(text);
    assert_eq!(codes, Vec::<&str>::new());
    let expected = serde_json::json!({
        "a": "no", "b": "007", "c": "2026-11-21", "d": "12:30", "e": "1_000", "on": true,
        "1": "one", "f": null
    });
    assert_eq!(value, Some(expected));
}

#[test]
fn tags_that_say_what_is_there_anyway_are_accepted() {
    let text = "a: !!str 12\nb: !!int \"3\"\nc: ! 4\nd: ['x !y', z]\n\
                e: # see !foo\n  f\n'g !h': i\nj: [!!str &k 5, *k]\n";
    let (value, codes) = read(text.as_bytes());
    assert_eq!(codes, Vec::<&str>::new());
    let expected = serde_json::json!({
        "a": "12", "b": 3, "c": "4", "d": ["x !y", "z"], "e": "f", "g !h": "i", "j": ["5", "5"]
    });
    assert_eq!(value, Some(expected));
}

#[test]
fn merge_keys_and_aliases_are_resolved() {
    let (value, codes) = read(b"x: &x { a: 1, b: 2 }\ny: { <<: *x, b: 3 }\nz: *x\n");
    assert_eq!(codes, Vec::<&str>::new());
    let expected =
        serde_json::json!({"x": {"a": 1, "b": 2}, "y": {"b": 3, "a": 1}, "z": {"a": 1, "b": 2}});
    assert_eq!(value, Some(expected));
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_accepted() {
    let (value, codes) = read(b"\xef\xbb\xbfa: b\r\nc: |\r\n  d\r\n");
    assert_eq!(codes, Vec::<&str>::new());
    assert_eq!(value, Some(serde_json::json!({"a": "b", "c": "d\n"})));
}

#[test]
fn a_tab_is_told_of_where_it_stands() {
    for (text, line, column) in [
        ("title: x\n\tsteps: []\n", 2, 1),
        ("a:\n\tb: 1\n", 2, 1),
        ("a:\n  b: 1\n  \tc: 2\n", 3, 3),
        ("a:\n- b\n\t- c\n", 3, 1),
        ("a: x\n# why\n\n\tb: 1\n", 4, 1),
        ("a: {\n\tb: 1 c: 2\n}\n", 2, 1),
        ("a:\n  - x: 1\n\ty: 2\n", 3, 1),
        ("a:\n  b: |\n    x\n\ty\n", 4, 1),
    ] {
        let (document, report) = parse(&Arc::from("test.yaml"), text.as_bytes());
        assert!(document.is_none(), "{text:?} is read");
        let found = report.into_diagnostics();
        let span = found[0].place.span;
        assert_eq!(
            (span.line, span.column),
            (line, column),
            "{text:?}: {found:?}"
        );
        assert_eq!(found[0].message, "a tab stands here", "{text:?}");
        assert!(found[0].help.as_deref().unwrap().starts_with("use spaces"));
    }
    // Another mistake behind a tab that is allowed is not laid on the tab.
    for text in ["a:\tx\nb: ]\n", "a: \"x\"\ty\nb: 1\n", "a:\tx\n  b: 1\n"] {
        let (document, report) = parse(&Arc::from("test.yaml"), text.as_bytes());
        assert!(document.is_none(), "{text:?} is read");
        for found in report.into_diagnostics() {
            assert_ne!(found.message, "a tab stands here", "{text:?}");
        }
    }
}

#[test]
fn the_mistakes_that_people_make_get_their_own_code() {
    for (text, expected) in [
        ("a: {{ x }}\n", "R005"),
        ("a: b\nc: {{x}} {{y}}\n", "R005"),
        ("- {{x}}\n", "R005"),
        ("b: { a: $.steps[0].x }\n", "R006"),
        ("b: { a: $.x[*].y, c: d }\n", "R006"),
        ("a: yes\n", "R007"),
        ("a: [Off]\n", "R007"),
        ("a: 007\n", "R008"),
        ("a: 123456789012345678901\n", "R009"),
        ("a: 9223372036854775808\n", "R009"),
        ("a: .nan\n", "R009"),
        ("a: 1e400\n", "R009"),
        ("a: text #lost\n", "R010"),
        ("a: #lost\n", "R010"),
        ("a: word#word\n", "R011"),
        ("a: 0x1F\n", "R008"),
        ("a: -0b1\n", "R008"),
        ("a: 0xFFFFFFFFFFFFFFFFFF\n", "R008"),
        ("a: !secret x\n", "R013"),
        ("a: !!binary aGVsbG8=\n", "R013"),
        ("a: !!binary /w==\n", "R013"),
        ("a: !!binary &x # note\n  |\n  aGVsbG8=\n", "R013"),
        ("a: !<tag:yaml.org,2002:binary> 'aGVsbG8='\n", "R013"),
        (
            "%TAG !y! tag:yaml.org,2002:\n---\na: !y!binary aGVsbG8=\n",
            "R013",
        ),
        ("!!binary aGVsbG8=: x\n", "R013"),
        ("a: !!null x\n", "R013"),
        ("a: !!timestamp 2026-01-01\n", "R013"),
        ("? [a]\n: b\n", "R014"),
        ("null: b\n", "R014"),
        ("a: 1\n---\nb: 2\n", "R015"),
        ("", "R016"),
        ("# only a comment\n", "R016"),
        ("a: b: c\n", "R003"),
        ("a: [1, 2\n", "R003"),
        ("a: 'x\n", "R003"),
        ("a: 1\na: 2\n", "R004"),
    ] {
        assert_eq!(read(text.as_bytes()).1, [expected], "{text:?}");
    }
}

#[test]
fn comments_after_two_blanks_or_values_that_are_no_text_are_fine() {
    let (_, codes) = read(b"a: text  # note\nb: 5 # note\nc: # note\n  - 'x' # note\n# end\n");
    assert_eq!(codes, Vec::<&str>::new());
}

#[test]
fn hostile_files_are_refused_quickly() {
    let bomb: String = (0..9).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
        let next = level + 1;
        let repeated = vec![format!("*a{level}"); 9].join(", ");
        format!("{text}a{next}: &a{next} [{repeated}]\n")
    });
    let block: String = (0..500)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    for (text, expected) in [
        (bomb.into_bytes(), "R012"),
        (vec![b'['; 500_000], "R012"),
        (
            b"a: ".iter().copied().chain(vec![b'{'; 500_000]).collect(),
            "R012",
        ),
        (block.into_bytes(), "R012"),
        (b"a: &a [*a]\n".to_vec(), "R012"),
        // One long line of many values, and many values one to a line.
        (
            format!("[{}007]", "x, ".repeat(190_000)).into_bytes(),
            "R008",
        ),
        (
            format!("{}- 007", "- x\n".repeat(190_000)).into_bytes(),
            "R008",
        ),
        (b"title: caf\xe9\n".to_vec(), "R002"),
        (vec![b'a'; super::FILE_BYTES_MAX + 1], "R001"),
        (b"a: b\0c\n".to_vec(), "R003"),
        (vec![0; 1000], "R003"),
    ] {
        let before = Instant::now();
        let (_, codes) = read(&text);
        assert_eq!(
            codes,
            [expected],
            "{:?}",
            String::from_utf8_lossy(&text[..20.min(text.len())])
        );
        // Generous: the point is that it does not run for minutes.
        assert!(before.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn places_are_exact() {
    let (document, _) = parse(
        &Arc::from("t"),
        "ü: { b: \"é{{x}}\" }\nl:\n- |\n  x\n".as_bytes(),
    );
    let document = document.expect("it is sound");
    let b = document
        .root
        .get("ü")
        .and_then(|node| node.get("b"))
        .expect("it is there");
    assert_eq!((b.span.line, b.span.column, b.span.start), (1, 9, 9));
    let part = b.part(2, 5);
    assert_eq!(&document.text[part.start..part.start + part.len], "{{x}}");
    assert_eq!(part.column, 11);
    let l = document
        .root
        .get("l")
        .and_then(|node| node.as_list())
        .expect("it is a list");
    assert!(!l[0].plain);
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let block: String = (0..60)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    let closed = format!("{block}{}b", " ".repeat(60));
    assert_eq!(read(closed.as_bytes()).1, Vec::<&str>::new());
}
