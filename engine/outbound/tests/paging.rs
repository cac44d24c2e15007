//! Listings, page by page, in every way vendors know.

use super::bench::{Bench, HEADER};
use super::server::{Answer, Seen, Server};

const ITEMS: usize = 7;

fn connector(pages: &str, request: &str) -> String {
    format!(
        "{HEADER}actions:\n  all:\n    title: All\n    effect: read\n    request: {request}\n    \
         pages: {pages}\n    items: $.reply.body.items\n    output: {{ id: integer }}\n"
    )
}

/// The number after `name=` in the query, or after `"name":` in the body.
fn asked(seen: &Seen, name: &str) -> Option<usize> {
    let text = format!("{} {}", seen.line, seen.body);
    let at = text
        .find(&format!("{name}="))
        .map(|at| at + name.len() + 1)
        .or_else(|| {
            text.find(&format!("\"{name}\":"))
                .map(|at| at + name.len() + 3)
        })?;
    let digits: String = text[at..]
        .trim_start_matches(['"', 'c'])
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

fn items(from: usize, count: usize) -> String {
    let ids = (from..ITEMS.min(from + count)).map(|id| format!(r#"{{"id":{id}}}"#));
    format!("[{}]", ids.collect::<Vec<_>>().join(","))
}

async fn check(pages: &str, request: &str, answer: fn(&Seen) -> String) {
    let server = Server::start(move |seen, _| {
        let (headers, body) = match answer(seen).split_once('|') {
            Some(("next", body)) => ("X-Next: c6\r\n", body.to_owned()),
            Some((_, body)) => ("", body.to_owned()),
            None => ("", answer(seen)),
        };
        Answer::Reply(200, headers, body)
    })
    .await;
    let bench = Bench::new(&connector(pages, request), &server.url).await;
    let items = bench
        .list("all")
        .await
        .unwrap_or_else(|failure| panic!("{pages}: {failure:?}"));
    let ids: Vec<u64> = items
        .iter()
        .filter_map(|item| item["id"].as_u64())
        .collect();
    assert_eq!(ids, [0, 1, 2, 3, 4, 5, 6], "{pages}: {:?}", server.lines());
}

#[tokio::test]
async fn numbers_given_by_the_reply() {
    check(
        "{ by: page_number, send: query.page, size: { send: query.size, value: 3 }, \
         next: $.reply.body.next, total: $.reply.body.total }",
        "{ get: /all }",
        |seen| {
            let page = asked(seen, "page").unwrap_or(0);
            let next = if page < 3 {
                (page + 1).to_string()
            } else {
                "null".to_owned()
            };
            format!(
                r#"{{"items":{},"next":{next},"total":"7"}}"#,
                items((page - 1) * 3, 3)
            )
        },
    )
    .await;
}

#[tokio::test]
async fn numbers_that_grow_and_a_cursor_carried_along() {
    check(
        "{ by: page_number, send: query.page, more: $.reply.body.more, \
         on_first: { query.want: 1 }, carry: { query.cursor: $.reply.body.cursor? } }",
        "{ get: /all }",
        |seen| {
            let page = asked(seen, "page").unwrap_or(0);
            assert_eq!(asked(seen, "want").is_some(), page == 1);
            // Only the first page gives a cursor, which all later ones must send.
            assert_eq!(asked(seen, "cursor"), (page > 1).then_some(9));
            let cursor = if page == 1 { r#","cursor":9"# } else { "" };
            let items = items((page - 1) * 3, 3);
            format!(
                r#"{{"items":{items},"more":{}{cursor}}}"#,
                u8::from(page < 3)
            )
        },
    )
    .await;
}

#[tokio::test]
async fn offsets() {
    check(
        "{ by: offset, send: query.from, size: { send: query.size, value: 3 } }",
        "{ get: /all }",
        |seen| {
            format!(
                r#"{{"items":{}}}"#,
                items(asked(seen, "from").unwrap_or(0), 3)
            )
        },
    )
    .await;
}

#[tokio::test]
async fn cursors_in_the_query() {
    check(
        "{ by: cursor_in_query, send: query.cursor, next: $.reply.body.next? }",
        "{ get: /all, query: { fixed: 1 } }",
        |seen| {
            assert_eq!(asked(seen, "fixed"), Some(1));
            match asked(seen, "cursor") {
                None => format!(r#"{{"items":{},"next":"c4"}}"#, items(0, 4)),
                Some(from) => format!(r#"{{"items":{},"next":""}}"#, items(from, 4)),
            }
        },
    )
    .await;
}

#[tokio::test]
async fn cursors_in_the_body() {
    check(
        "{ by: cursor_in_body, send: body.page.cursor, next: $.reply.body.next?, \
         size: { send: body.page.size, value: 4 }, ends_when: [short_page, same_cursor] }",
        "{ post: /all, body: { query: {} } }",
        |seen| match asked(seen, "cursor") {
            None => format!(r#"{{"items":{},"next":"c4"}}"#, items(0, 4)),
            Some(from) => format!(r#"{{"items":{},"next":"c4"}}"#, items(from, 4)),
        },
    )
    .await;
}

#[tokio::test]
async fn urls() {
    check(
        "{ by: next_url, next: $.reply.body.next? }",
        "{ get: /all }",
        |seen| match asked(seen, "from") {
            None => format!(r#"{{"items":{},"next":"/all?from=5"}}"#, items(0, 5)),
            Some(from) => format!(r#"{{"items":{},"next":null}}"#, items(from, 5)),
        },
    )
    .await;
}

#[tokio::test]
async fn relay_connections() {
    check(
        "{ by: relay, send: body.variables.after, next: $.reply.body.page.end?, \
         more: $.reply.body.page.more }",
        "{ post: /all, graphql: { query: 'query { all }' } }",
        |seen| match asked(seen, "after") {
            None => format!(
                r#"{{"items":{},"page":{{"end":"c2","more":true}}}}"#,
                items(0, 2)
            ),
            Some(from) => {
                format!(
                    r#"{{"items":{},"page":{{"end":"c7","more":false}}}}"#,
                    items(from, 5)
                )
            }
        },
    )
    .await;
}

#[tokio::test]
async fn cursors_in_a_header() {
    check(
        "{ by: header_cursor, send: query.cursor, next: \"$.reply.headers['x-next']?\" }",
        "{ get: /all }",
        |seen| match asked(seen, "cursor") {
            None => format!(r#"next|{{"items":{}}}"#, items(0, 6)),
            Some(from) => format!(r#"last|{{"items":{}}}"#, items(from, 6)),
        },
    )
    .await;
}

#[tokio::test]
async fn a_listing_is_never_silently_shorter() {
    let number = "{ by: page_number, send: query.page, next: $.reply.body.next, \
                  total: $.reply.body.total? }";
    let cursor = "{ by: cursor_in_query, send: query.cursor, next: $.reply.body.next }";
    let capped = "{ by: page_number, send: query.page, more: $.reply.body.more, cap: 3 }";
    let url = "{ by: next_url, next: $.reply.body.next }";
    let cases: [(&str, &str, &str); 7] = [
        (
            number,
            r#"{"items":[{"id":1}],"next":null,"total":2}"#,
            "incomplete_listing",
        ),
        (
            number,
            r#"{"items":[{"id":1}],"next":1}"#,
            "repeated_cursor",
        ),
        (
            number,
            r#"{"items":[{"id":1}],"next":"soon"}"#,
            "unexpected_reply",
        ),
        (number, r#"{"items":{}}"#, "unexpected_reply"),
        (cursor, r#"{"items":[],"next":"a"}"#, "repeated_cursor"),
        (
            capped,
            r#"{"items":[{"id":1}],"more":"yes"}"#,
            "too_many_pages",
        ),
        (
            url,
            r#"{"items":[],"next":"http://127.0.0.1:1/all"}"#,
            "foreign_host",
        ),
    ];
    for (pages, body, code) in cases {
        let server = Server::always(200, body).await;
        let bench = Bench::new(&connector(pages, "{ get: /all }"), &server.url).await;
        let failure = bench.list("all").await.expect_err("it must fail");
        assert_eq!(failure.code, code, "{failure:?}");
    }
}

#[tokio::test]
async fn a_long_circle_is_found() {
    let server = Server::start(|seen, _| {
        let at = asked(seen, "cursor").unwrap_or(0);
        // Three cursors lead into a circle of five.
        let next = if at == 7 { 3 } else { at + 1 };
        Answer::Reply(
            200,
            "",
            format!(r#"{{"items":[{{"id":{at}}}],"next":"c{next}"}}"#),
        )
    })
    .await;
    let pages = "{ by: cursor_in_query, send: query.cursor, next: $.reply.body.next }";
    let bench = Bench::new(&connector(pages, "{ get: /all }"), &server.url).await;
    let failure = bench.list("all").await.expect_err("it must fail");
    assert_eq!(failure.code, "repeated_cursor");
    assert!(server.seen().len() < 25, "{}", server.seen().len());
}
