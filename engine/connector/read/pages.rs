//! The `pages` of a listing.

use super::super::codes;
use super::super::grammar::{PAGES, SIZE};
use super::super::paging::{Ends, PAGES_MAX, PageKind, Pages, Target};
use super::super::roots::Shapes;
use super::fields::{count, entries, known, list, required, text_of, value, word};
use crate::diagnostic::Report;
use crate::expression::Expression;
use crate::source::{Node, NodeKind};

/// The kinds of paging, as they are written.
const KINDS: [(&str, PageKind); 7] = [
    ("page_number", PageKind::PageNumber),
    ("offset", PageKind::Offset),
    ("cursor_in_query", PageKind::CursorInQuery),
    ("cursor_in_body", PageKind::CursorInBody),
    ("next_url", PageKind::NextUrl),
    ("relay", PageKind::Relay),
    ("header_cursor", PageKind::HeaderCursor),
];

/// Reads the paging of a listing.
pub(super) fn read(node: &Node, roots: &Shapes, report: &mut Report) -> Option<Pages> {
    known(node, "`pages`", &PAGES.names(), report);
    let by = required(node, "by", "`pages`", report)
        .and_then(|node| word(node, "`by`", &KINDS, report))?;
    let mut expression = |key: &str| node.get(key).map(|node| value(node, roots, report));
    let (next, more, total) = (expression("next"), expression("more"), expression("total"));
    let pages = Pages {
        by,
        send: node.get("send").and_then(|node| target(node, report)),
        size: node.get("size").and_then(|node| read_size(node, report)),
        first: read_first(node, by, report),
        next,
        more,
        total,
        cap: node
            .get("cap")
            .and_then(|node| count(node, "`cap`", report))
            .unwrap_or(PAGES_MAX),
        on_first: targets(node, "on_first", roots, report),
        carry: targets(node, "carry", roots, report),
        ends: read_ends(node, report),
    };
    check(node, &pages, report);
    Some(pages)
}

/// Whether the kind has all it needs.
fn check(node: &Node, pages: &Pages, report: &mut Report) {
    let mut lacks = |key: &str, help: &str| {
        report
            .error(
                codes::PAGES,
                node.span,
                format!("this kind of paging needs `{key}`"),
            )
            .help(help);
    };
    let is_url = pages.by == PageKind::NextUrl;
    if !is_url && pages.send.is_none() && node.get("send").is_none() {
        lacks(
            "send",
            "write where it goes: `query.page`, `body.page.cursor` or `header.X-Cursor`",
        );
    }
    let counts = matches!(pages.by, PageKind::PageNumber | PageKind::Offset);
    if !counts && pages.next.is_none() {
        lacks("next", "write the path to the next cursor in the reply");
    }
    if pages.by == PageKind::Relay && pages.more.is_none() {
        lacks("more", "write the path to `hasNextPage` in the reply");
    }
    let fits = match (pages.by, &pages.send) {
        (PageKind::CursorInQuery, Some(target)) => matches!(target, Target::Query(_)),
        (PageKind::CursorInBody, Some(target)) => matches!(target, Target::Body(_)),
        _ => true,
    };
    if !fits {
        report
            .error(codes::PAGES, node.span, "`send` does not fit `by`")
            .help("`cursor_in_query` sends to `query.NAME`, `cursor_in_body` to `body.NAME`");
    }
    if pages.ends.short_page && pages.size.is_none() {
        report
            .error(codes::PAGES, node.span, "`short_page` needs `size`")
            .help("without a size nobody knows when a page is short");
    }
}

fn target(node: &Node, report: &mut Report) -> Option<Target> {
    let written = text_of(node, "`send`", codes::PAGES, report)?;
    let target = Target::parse(&written);
    if target.is_none() {
        wrong_target(&written, node.span, report);
    }
    target
}

fn wrong_target(written: &str, span: crate::diagnostic::Span, report: &mut Report) {
    report
        .error(
            codes::PAGES,
            span,
            format!("`{written}` is no place in a request"),
        )
        .help("write `query.NAME`, `header.NAME` or `body.PATH`");
}

fn targets(
    node: &Node,
    key: &str,
    roots: &Shapes,
    report: &mut Report,
) -> Vec<(Target, Expression)> {
    let Some(node) = node.get(key) else {
        return Vec::new();
    };
    let mut targets = Vec::new();
    for (key, node) in entries(node, &format!("`{key}`"), codes::PAGES, report) {
        match Target::parse(&key.text) {
            Some(target) => targets.push((target, value(node, roots, report))),
            None => wrong_target(&key.text, key.span, report),
        }
    }
    targets
}

fn read_size(node: &Node, report: &mut Report) -> Option<(Target, u64)> {
    known(node, "`size`", &SIZE.names(), report);
    let send = required(node, "send", "`size`", report).and_then(|node| target(node, report));
    let size =
        required(node, "value", "`size`", report).and_then(|node| count(node, "`value`", report));
    send.zip(size)
}

fn read_first(node: &Node, by: PageKind, report: &mut Report) -> i64 {
    let usual = i64::from(by == PageKind::PageNumber);
    match node.get("first").map(|node| (&node.kind, node.span)) {
        None => usual,
        Some((NodeKind::Integer(first), _)) => *first,
        Some((_, span)) => {
            report
                .error(codes::PAGES, span, "`first` must be a whole number")
                .help("write the number of the first page: 0 or 1");
            usual
        }
    }
}

fn read_ends(node: &Node, report: &mut Report) -> Ends {
    let mut ends = Ends::default();
    let Some(node) = node.get("ends_when") else {
        return ends;
    };
    let words = [("short_page", 0), ("empty_page", 1), ("same_cursor", 2)];
    for node in list(node) {
        match word(node, "`ends_when`", &words, report) {
            Some(0) => ends.short_page = true,
            Some(1) => ends.empty_page = true,
            Some(_) => ends.same_cursor = true,
            None => {}
        }
    }
    ends
}
