//! What is said of connector files, mistakes above all.

use super::*;
use crate::diagnostic::Code;

#[test]
fn shipped_connectors_are_sound() {
    for name in ["docebo", "accredible"] {
        let file = format!("connectors/{name}.yaml");
        let text = std::fs::read_to_string(&file).expect("a shipped connector");
        let (connector, found) = read_text(name, &file, &text);
        assert!(found.is_empty(), "{}", shown(&found));
        assert_eq!(check_shipped(&connector), Vec::<String>::new());
    }
}

#[test]
fn built_in_connectors_are_sound() {
    for (name, text) in builtin::ALL {
        let (_, found) = read_text(name, &format!("built-in/{name}.yaml"), text);
        assert!(found.is_empty(), "{}", shown(&found));
    }
}

/// A connector that has one action; each case replaces one line of it.
const SOUND: &str = "\
title: Vendor
connection: { key: { type: string, secret: true } }
base_url: https://api.example.com
sign_in: { header: { X-Key: $.connection.key } }
probe: look
budget: [{ calls: 10, per: 1m }]
actions:
  look: { title: Look, effect: read, request: { get: /look }, output: { id: integer } }
  list:
    title: List
    effect: read
    request: { get: /list }
    pages: { by: page_number, send: query.page }
    items: $.reply.body.items
    output: { id: integer, name: string? }
  make:
    title: Make
    effect: once
    input: { name: string }
    request: { post: /make, body: { name: $.input.name } }
    replies: [{ status: 404, verdict: absent }]
    output: { id: integer }
    verify:
      action: list
      pick: { $.item.name?: { equals: $.input.name } }
      output: { id: $.verify.picked.id }
";

/// A line of the connector, what stands there instead, the finding, and a part of its words.
type Mistake = (&'static str, &'static str, Code, &'static str);

const MISTAKES: [Mistake; 36] = [
    ("title: Vendor\n", "", codes::MISSING_KEY, "has no `title`"),
    (
        "title: Vendor",
        "titel: Vendor",
        codes::UNKNOWN_KEY,
        "did you mean `title`?",
    ),
    (
        "title: Vendor",
        "title: [Vendor]",
        codes::WRONG_KIND,
        "must be text, not a list",
    ),
    (
        "base_url: https://api.example.com\n",
        "",
        codes::MISSING_KEY,
        "has no `base_url`",
    ),
    (
        "{ key: {",
        "{ Key: {",
        codes::WRONG_NAME,
        "`Key` is not a name",
    ),
    (
        "{ header: {",
        "{ headers: {",
        codes::UNKNOWN_KEY,
        "did you mean `header`?",
    ),
    (
        "{ header: { X-Key: $.connection.key } }",
        "{ header: {}, query: {} }",
        codes::SIGN_IN,
        "one form",
    ),
    (
        "probe: look",
        "probe: make",
        codes::PROBE,
        "changes something",
    ),
    (
        "probe: look",
        "probe: loko",
        codes::PROBE,
        "no action `loko`",
    ),
    ("calls: 10", "calls: 0", codes::QUANTITY, "above zero"),
    (
        "per: 1m",
        "per: 1 minute",
        codes::QUANTITY,
        "not a length of time",
    ),
    (
        "effect: once",
        "effect: twice",
        codes::UNKNOWN_WORD,
        "`effect` cannot be `twice`",
    ),
    (
        "    effect: once\n",
        "",
        codes::MISSING_KEY,
        "has no `effect`",
    ),
    (
        "{ get: /list }",
        "{ get: /list, post: /list }",
        codes::REQUEST,
        "exactly one method",
    ),
    (
        "{ get: /list }",
        "{ fetch: /list }",
        codes::REQUEST,
        "exactly one method",
    ),
    (
        "{ get: /list }",
        "{ get: list }",
        codes::PATH,
        "no path below the base URL",
    ),
    (
        "{ get: /list }",
        "{ get: '/list/{{input.x' }",
        codes::PATH,
        "without its",
    ),
    (
        "body: {",
        "form: {}, body: {",
        codes::REQUEST,
        "not `form` too",
    ),
    (
        "by: page_number,",
        "by: pages,",
        codes::UNKNOWN_WORD,
        "cannot be `pages`",
    ),
    (", send: query.page }", " }", codes::PAGES, "needs `send`"),
    (
        "send: query.page",
        "send: page",
        codes::PAGES,
        "no place in a request",
    ),
    (
        "by: page_number",
        "by: next_url",
        codes::PAGES,
        "needs `next`",
    ),
    (
        "by: page_number",
        "by: cursor_in_body, next: $.reply.body.n",
        codes::PAGES,
        "does not fit",
    ),
    (
        "    items: $.reply.body.items\n",
        "",
        codes::ITEMS,
        "needs `items`",
    ),
    (
        "    pages: { by: page_number, send: query.page }\n",
        "",
        codes::ITEMS,
        "needs `pages`",
    ),
    (
        "name: string? }",
        "name: { type: string, if_unfit: drop } }",
        codes::OUTPUT,
        "cannot be dropped",
    ),
    (
        "name: string? }",
        "name: { type: string?, if_unfit: null } }",
        codes::OUTPUT,
        "must be text",
    ),
    (
        "{ status: 404, verdict: absent }",
        "{ verdict: absent }",
        codes::REPLY_RULE,
        "for no replies",
    ),
    (
        "status: 404",
        "status: 4444",
        codes::REPLY_RULE,
        "no HTTP status",
    ),
    (
        "verdict: absent",
        "verdict: missing",
        codes::UNKNOWN_WORD,
        "cannot be `missing`",
    ),
    (
        "effect: once",
        "effect: repeatable",
        codes::VERIFY,
        "effect once",
    ),
    (
        "action: list",
        "action: lits",
        codes::VERIFY,
        "no action `lits`",
    ),
    (
        "action: list",
        "action: make",
        codes::VERIFY,
        "changes something",
    ),
    (
        "      pick: { $.item.name?: { equals: $.input.name } }\n",
        "",
        codes::VERIFY,
        "what the answer means",
    ),
    (
        "sign_in: { header: { X-Key: $.connection.key } }",
        "sign_in: { oauth2: { grant: jwt_bearer, token: /t, client_id: a, client_secret: b } }",
        codes::NOT_AVAILABLE,
        "`jwt_bearer` is not available yet",
    ),
    (
        "{ id: $.verify.picked.id }",
        "{ id: $.verify.picked.nmae }",
        Code(""),
        "nmae",
    ),
];

#[test]
fn each_mistake_is_found_where_it_stands() {
    let (_, found) = read_text("vendor", "connectors/vendor.yaml", SOUND);
    assert!(found.is_empty(), "{}", shown(&found));
    for (right, wrong, code, words) in MISTAKES {
        assert_eq!(SOUND.matches(right).count().min(1), 1, "{right}");
        let at = SOUND.find(right).expect("a place");
        let text = SOUND.replacen(right, wrong, 1);
        let (_, found) = read_text("vendor", "connectors/vendor.yaml", &text);
        let line = u32::try_from(SOUND[..at].matches('\n').count() + 1).expect("a line");
        let told = found.iter().find(|found| {
            let text = format!(
                "{} {}",
                found.message,
                found.help.clone().unwrap_or_default()
            );
            (code.0.is_empty() || found.code == code) && text.contains(words)
        });
        let told = told.unwrap_or_else(|| panic!("{wrong}: {}", shown(&found)));
        // What is missing is said of the mapping that lacks it, which begins further up.
        assert!(
            told.place.span.line.abs_diff(line) <= 8,
            "{wrong}: {}",
            shown(&found)
        );
    }
}

#[test]
fn every_code_has_a_mistake_and_an_explanation() {
    let elsewhere = [
        // Said of shipped connectors by those who know which ones are shipped.
        codes::ANY_IN_SHIPPED,
        codes::OVERRIDE,
    ];
    for (code, title, explanation) in codes::ALL {
        assert!(!title.is_empty() && explanation.len() > 40, "{}", code.0);
        let is_shown = MISTAKES.iter().any(|(_, _, shown, _)| shown == code)
            || super::connecting::MISTAKES
                .iter()
                .any(|(_, shown, _)| shown == code)
            || elsewhere.contains(code);
        assert!(is_shown, "{} has no example", code.0);
    }
}

#[test]
fn many_mistakes_are_told_at_once() {
    let text = SOUND
        .replace("probe: look", "probe: loko")
        .replace("effect: once", "effect: twice")
        .replace("send: query.page", "send: page");
    let (_, found) = read_text("vendor", "connectors/vendor.yaml", &text);
    assert_eq!(found.len(), 3, "{}", shown(&found));
}

#[test]
fn an_action_that_knows_absence_has_found() {
    let (connector, _) = read_text("vendor", "connectors/vendor.yaml", SOUND);
    let Shape::Fields(output) = &connector.actions["make"].output else {
        panic!("no fields");
    };
    assert_eq!(output.keys().collect::<Vec<_>>(), ["found", "id"]);
    assert!(!output["found"].optional && output["id"].optional);
    let list = &connector.actions["list"];
    assert_eq!(list.output.to_string(), "an object with `items`");
    assert_eq!(list.element().to_string(), "an object with `id`, `name`");
}
