//! Findings underline the very words, in files as they are written.

use super::*;
use crate::source::parse;

/// What a file's findings underline.
fn underlined(text: &str) -> Vec<String> {
    let file: Arc<str> = Arc::from("recipe.yaml");
    let (document, mut report) = parse(&file, text.as_bytes());
    let document = document.unwrap();
    Expression::compile(
        document.root.get("value").unwrap(),
        &world(),
        None,
        &mut report,
    );
    if let Some(condition) = document.root.get("if") {
        Condition::compile(condition, &world(), &mut report);
    }
    report
        .into_diagnostics()
        .iter()
        .map(|found| {
            let span = found.place.span;
            format!(
                "{} {}:{} {}",
                found.code.0,
                span.line,
                span.column,
                &text[span.start..span.start + span.len]
            )
        })
        .collect()
}

#[test]
fn the_very_words_are_underlined() {
    let text = "\
value:
  plain: $.input.emial
  quoted: \"$.steps.fund.items\"
  single: '{{lowercas input.email}}'
  wide: \"äöü {{lowercase input.id}} {{uppercase input.emial}}\"
  list: [ok, \"Hi $.input.email!\"]
  nested: \"{{join (pluck steps.found.items 'nam') ','}}\"
  bare: steps.found.count
if:
  $.input.knd: { equals: x }
  \"$.input.kind\": { equals: cours, equal: z }
  any: [{ $.input.id: { less_than: many } }]
";
    assert_eq!(
        underlined(text),
        [
            "R103 2:18 emial",
            "R102 3:20 fund",
            "R104 4:14 lowercas",
            "R106 5:26 input.id",
            "R103 5:55 emial",
            "R111 6:18 $.input.email",
            "R103 7:44 'nam'",
            "R112 8:9 steps.found.count",
            "R103 10:11 knd",
            "R122 11:29 cours",
            "R121 11:36 equal",
            "R122 12:36 many",
        ]
    );
}

#[test]
fn names_alone_are_read_without_the_library() {
    for (path, count) in [
        ("$.input.email", Some(2)),
        ("$.steps._a.B2", Some(3)),
        ("$.a", Some(1)),
    ] {
        assert_eq!(plain::names(path).map(|names| names.len()), count, "{path}");
    }
    for other in [
        "$.", "$.a.", "$.a..b", "$.2a", "$.a-b", "$.a[0]", "$['a']", "$.ü", "$.a b", "a.b",
    ] {
        assert!(plain::names(other).is_none(), "{other}");
    }
}
