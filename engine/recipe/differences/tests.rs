//! Two versions of a recipe, and what is told of them.

use std::sync::Arc;

use super::differences;
use crate::source::{Node, parse};

const BEFORE: &str = "
title: Plans
trigger: { schedule: { every: 1h } }
steps:
  - id: plans
    action: docebo.list_plans
    with: { page_size: 100 }
  - log: hello
  - id: check
    if: \"{{steps.plans.count}}\"
    then:
      - id: mail
        call: send-mail
      - log: sent
  - id: end
    return: { count: 1 }
";

fn tree(text: &str) -> Node {
    let (document, _) = parse(&Arc::from("recipes/a/b.yaml"), text.as_bytes());
    document.unwrap().root
}

fn told(changes: &[(&str, &str)]) -> Vec<String> {
    let after = changes.iter().fold(BEFORE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    differences(&tree(BEFORE), &tree(&after))
}

#[test]
fn what_means_the_same_is_no_difference() {
    let none: [String; 0] = [];
    assert_eq!(told(&[]), none);
    assert_eq!(told(&[("title: Plans", "# why\n\ntitle: \"Plans\"")]), none);
    let turned = "    with: { page_size: 100 }\n    action: docebo.list_plans\n";
    let there = "    action: docebo.list_plans\n    with: { page_size: 100 }\n";
    assert_eq!(told(&[(there, turned)]), none);
}

#[test]
fn what_changed_in_a_step_is_told_in_words() {
    let retry = "{ page_size: 100 }\n    retry: { tries: 3 }\n    timeout: 30s";
    assert_eq!(
        told(&[("{ page_size: 100 }", retry)]),
        [
            "step `plans`: added a retry of 3",
            "step `plans`: added a timeout of `30s`",
        ]
    );
    assert_eq!(
        told(&[
            ("page_size: 100", "page_size: 50"),
            ("every: 1h", "every: 2h")
        ]),
        [
            "`trigger.schedule.every` is `2h`, and was `1h`",
            "step `plans`: `with.page_size` is 50, and was 100",
        ]
    );
    assert_eq!(
        told(&[("- log: hello", "- log: good day")]),
        ["the `log` step in line 8: `log` is `good day`, and was `hello`"]
    );
    assert_eq!(
        told(&[
            ("{ count: 1 }", "{ count: 1, at: 2 }"),
            ("title: Plans\n", "title: P\n")
        ]),
        [
            "`title` is `P`, and was `Plans`",
            "step `end`: added `return.at`: 2"
        ]
    );
}

#[test]
fn steps_that_come_go_and_move_are_told_by_their_ids() {
    assert_eq!(
        told(&[("  - log: hello\n", "  - { id: rest, wait: 5m }\n")]),
        [
            "step `rest` was added",
            "the `log` step in line 8 of the earlier version was removed",
        ]
    );
    let mail = "      - id: mail\n        call: send-mail\n";
    let out = "  - id: mail\n    call: send-mail\n  - log: hello\n";
    assert_eq!(
        told(&[(mail, ""), ("  - log: hello\n", out)]),
        ["step `mail` stands in another place now"]
    );
    let check = &BEFORE[BEFORE.find("  - id: check").unwrap()..BEFORE.find("  - id: end").unwrap()];
    assert_eq!(
        told(&[(check, "")]),
        ["step `check` was removed, with the 2 steps in it"]
    );
    let hello = "  - log: hello\n";
    let turned = format!("{check}{hello}");
    assert_eq!(
        told(&[(hello, ""), (check, &turned)]),
        ["the `log` step in line 14 comes after step `check` now"]
    );
}

#[test]
fn long_values_are_told_with_both_texts_as_far_as_they_differ() {
    let long = "with:\n      body: |\n        Dear all,\n        it is TIME.\n        Yours\n";
    let before = BEFORE.replace("with: { page_size: 100 }\n", long);
    let after = before.replace("it is TIME.", "it is late.\n        Go home.");
    assert_eq!(
        differences(&tree(&before), &tree(&after)),
        ["step `plans`: `with.body` is another one:\
          \n    - it is TIME.\n    + it is late.\n    + Go home."]
    );
    assert_eq!(
        differences(&tree(BEFORE), &tree(&before)),
        [
            "step `plans`: added `with.body`:\n    + Dear all,\n    + it is TIME.\n    + Yours",
            "step `plans`: removed `with.page_size`, which was 100",
        ]
    );
    let word = "a word that is so long that it does not stand within a sentence, ";
    let list = format!("with: {{ to: [\"{word}one\", two] }}\n");
    let before = BEFORE.replace("with: { page_size: 100 }\n", &list);
    let after = before.replace("two", "three");
    assert_eq!(
        differences(&tree(&before), &tree(&after)),
        ["step `plans`: `with.to[1]` is `three`, and was `two`"]
    );
}
