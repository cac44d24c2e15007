//! What is said of the mistakes people make.

use serde_json::json;

use super::*;

const MISTAKES: &[(&str, &str)] = &[
    (
        "Hello $.input.email, welcome",
        "R111 7+13: this path will not be replaced, since it \
          stands inside a longer text | write `{{input.email}}`; `\\$.` writes the characters",
    ),
    (
        "steps.found.count",
        "R112 1+17: `steps.found.count` looks like a path, but is taken as \
          text | write `$.steps.found.count`; for the text itself write \
          `{{to_text \"steps.found.count\"}}`",
    ),
    (
        "{{#each input.tags}}x{{/each}}",
        "R113 1+20: blocks are not part of templates | use a \
          `transform` step, the helper `join` or the helper `if_else`",
    ),
    (
        "{{input.tags[0]}}",
        "R114 13+3: an index or name in brackets needs a dot before it in a \
          template | write `input.tags.[0]`",
    ),
    (
        "{{lowercas input.email}}",
        "R104 3+8: there is no helper `lowercas` | did you mean \
          `lowercase`?",
    ),
    (
        "{{lowercase input.email 1}}",
        "R105 3+9: `lowercase` takes one argument, not 2 | for \
          example `{{lowercase input.email}}`",
    ),
    (
        "{{lowercase input.id}}",
        "R106 13+8: `lowercase`: `text` is text, not a whole number | \
          `to_text` makes text of a number; `join` of a list",
    ),
    (
        "$.steps.found.items[*].groop.id",
        "R103 24+5: `$.steps.found.items[*]` has no `groop` | \
          did you mean `group`?",
    ),
    (
        "$.steps.found.items.id",
        "R103 21+2: `$.steps.found.items` is a list of objects with \
          `id`, `group`, `email` and has no `id` | name the elements you mean: `[*].id` for all, \
          `[0].id` for the first; a list has its length by `count`",
    ),
    (
        "$.steps.fund.items",
        "R102 9+4: there is no step `fund` before this one | check the \
         spelling of `fund`",
    ),
    (
        "$.steps.found.items[?@.idd==1].id",
        "R103 20+1: the filter's `@` has no `idd` | did you mean `id`?",
    ),
    (
        "{{pluck steps.found.items \"idd\"}}",
        "R103 27+5: `pluck`: each element has no `idd` | did you mean `id`?",
    ),
    (
        "{{pick steps.found.items.[0] \"id\" \"nam\"}}",
        "R103 35+5: `pick`: the value has no `nam` | it has: id, group, email",
    ),
    (
        "$.50",
        "R100 1+4: `$.50` is not a path that can be read | write `\\$.` if the characters are meant",
    ),
    (
        "$.inptu.email",
        "R102 3+5: there is no `inptu` here | did you mean `input`?",
    ),
    (
        "{{inptu.email}}",
        "R102 3+5: there is no `inptu` here | did you mean `input`?",
    ),
    (
        "$.input.a-b",
        "R100 9+3: `$.input.a-b` is not a path that can be read | write \
          `$.input['a-b']`",
    ),
    (
        "$.input.tags.0",
        "R100 14+1: `$.input.tags.0` is not a path that can be read | an element \
          is written `[0]`",
    ),
    (
        "$.input?.name",
        "R100 8+1: `$.input?.name` is not a path that can be read | the `?` \
          stands at the end: `$.input.name?`",
    ),
    (
        "$.input.email is it",
        "R100 14+6: a path ends at the first space | inside text write \
          `{{steps.user.email}}`; a name with a space is written `$.row['full name']`",
    ),
    (
        "$.item.rows[?@.a==$.input.id]",
        "R115 1+29: comparing with other data (`$`) inside a \
          filter is not offered in paths | use a `transform` step with `from` and `where`",
    ),
    (
        "$.item.rows[?@[?@.a>1]]",
        "R115 1+23: anything but names and indexes after `@` is not \
          offered in paths | use a `transform` step with `from` and `where`",
    ),
    (
        "$.item..['a','d']",
        "R115 1+17: several selectors after `..` is not offered in paths | \
          ask for one name after `..`, or name the place: `$.steps.x.items[*]`",
    ),
    (
        "{{input.id == 7}}",
        "R101 3+13: `{{input.id == 7}}` cannot be read | there is no `==`; \
          write the helper first: `{{eq a b}}`",
    ),
    (
        "{{input.email | lowercase}}",
        "R101 3+23: `{{input.email | lowercase}}` cannot be read | \
          there is no `|`; the helper comes first: `{{lowercase input.email}}`",
    ),
    (
        "{{$.input.id}}",
        "R101 3+10: inside `{{ }}` a path has no `$.` | write `{{input.id}}`",
    ),
    (
        "{{this.id}}",
        "R101 3+7: `this.id` is not a path | a path begins with a root, such as \
          `input.email`; there is no `this` and no `../`",
    ),
    (
        "{{input.id",
        "R101 1+2: `{{` is not closed | close it with `}}`, or write `\\{{` for the \
          characters",
    ),
    (
        "all: {{input.tags}}",
        "R116 8+10: a list of texts cannot stand inside text | join it: \
          `{{join input.tags \", \"}}`",
    ),
    (
        "{{matches input.email \"(\"}}",
        "R124 23+3: `(` is no regular expression: unclosed group \
          | write for example `^[A-Z]{2}[0-9]+$`",
    ),
    (
        "{{today \"Rome\"}}",
        "R106 9+6: `today`: `zone`: `Rome` is no time zone; write for \
          example Europe/Rome or UTC | time zones have IANA names: UTC, Europe/Rome, \
          America/New_York",
    ),
    (
        "{{if input.active 1 2}}",
        "R104 3+2: there is no helper `if` | did you mean `if_else`?",
    ),
    (
        "$.steps",
        "R102 1+7: `steps` is no value of its own | name the step you mean: \
          `$.steps.name`",
    ),
];

#[test]
fn mistakes_get_their_own_message() {
    let mut wrong = Vec::new();
    for &(written, expected) in MISTAKES {
        let found = findings(&json!(written), None);
        if found != [expected] {
            wrong.push(format!("{written}\n  {found:?}\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_mistake_is_left_alone() {
    for written in [
        "user.created",
        "course.enrollment.completed",
        "input.csv",
        "Step steps.found",
        "a $.50 fee",
        "{{add_days today 30}}",
        "{{if_else (gt (count steps.found.items) 0) \"a\" 'b \"c\"'}}",
    ] {
        let expected: &[&str] = match written {
            "user.created" => &[
                "R112 1+12: `user.created` looks like a path, but is taken as text \
                | write `$.user.created`; for the text itself write `{{to_text \"user.created\"}}`",
            ],
            _ => &[],
        };
        assert_eq!(findings(&json!(written), None), expected, "{written}");
    }
}
