//! The poll trigger, checked.
//!
//! Always true: `cursor.from` and the dedupe key look at one item, also where a job takes a batch.

use super::Walk;
use super::trigger::trigger_shape;
use crate::compile::codes;
use crate::compile::scope::Visible;
use crate::compile::{Cursor, Poll};
use crate::connector::Effect;
use crate::shape::Shape;
use crate::source::{Node, NodeKind};

impl Walk<'_> {
    pub(super) fn poll(&mut self, node: &Node) -> Option<Poll> {
        let target = node.get("action")?;
        let (action, found) = self.action_ref(node, target)?;
        if !found.is_listing || found.effect != Effect::Read {
            self.report
                .error(codes::NOT_A_LISTING, target.span, "a poll asks a listing")
                .help("choose an action that gives `items` page by page and changes nothing");
        }
        let nothing = Node {
            span: target.span,
            plain: false,
            kind: NodeKind::Map(Vec::new()),
        };
        let with = node.get("with").unwrap_or(&nothing);
        let mut input = found.input.clone();
        let cursor = node.get("cursor");
        let mut sent_shape = None;
        if let Some(sent) = cursor.and_then(|cursor| cursor.get("send"))
            && let Some(name) = sent.as_text()
            && let Shape::Fields(fields) = &mut input
        {
            match fields.get_mut(&**name) {
                Some(field) => {
                    field.optional = true;
                    sent_shape = Some(field.shape.clone());
                }
                None => {
                    let known: Vec<&str> = fields.keys().map(String::as_str).collect();
                    let message = format!("the action has no argument `{name}`");
                    self.report
                        .error(codes::BAD_CURSOR, sent.span, message)
                        .help(super::meant(name, &known));
                }
            }
            if let Some(written) = with.get(name) {
                self.report
                    .error(
                        codes::BAD_CURSOR,
                        written.span,
                        format!("`{name}` is what the cursor is sent as"),
                    )
                    .help("take it out of `with`; `cursor.start` says what is sent the first time");
            }
        }
        let with = self.value_of(with, &["settings"], Some(&input)).expression;
        if cursor.is_none() && node.get("dedupe").is_none() {
            self.report
                .warning(
                    codes::ALWAYS_NEW,
                    target.span,
                    "nothing tells new items from known ones: each poll makes jobs of all items",
                )
                .help("add `cursor`, `dedupe` or both");
        }
        // One item, whatever the steps see.
        let item = trigger_shape("poll", false).unwrap_or(Shape::Any);
        let one = Visible::default().with_root("trigger", item);
        let cursor = cursor.and_then(|cursor| self.cursor(cursor, &one, sent_shape.as_ref()));
        Some(Poll {
            action,
            with,
            rule: self.interval(node)?,
            cursor,
            dedupe: self.dedupe(node, &one),
            batch: node
                .get("batch")
                .is_some_and(|node| node.kind == NodeKind::Bool(true)),
        })
    }

    /// Where a poll goes on: what of an item is kept, and what it is sent as.
    fn cursor(&mut self, cursor: &Node, one: &Visible, sent: Option<&Shape>) -> Option<Cursor> {
        let from = cursor.get("from")?;
        let from = self.value_beside(from, one, &[], None).expression;
        let start = cursor
            .get("start")
            .map(|node| self.value_of(node, &["settings"], sent).expression);
        let send = cursor.get("send")?.as_text()?.to_string();
        Some(Cursor { from, send, start })
    }
}
