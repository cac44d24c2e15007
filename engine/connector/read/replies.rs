//! Reply rules.

use super::super::codes;
use super::super::grammar::RULE;
use super::super::reply::{ReplyRule, StatusTest, VerdictWord};
use super::super::roots::Shapes;
use super::fields::{flag, known, list, required, text_under, value, word};
use crate::diagnostic::Report;
use crate::expression::Condition;
use crate::source::{Node, NodeKind};

/// Reads a list of rules; no node is no rules.
pub(super) fn read(node: Option<&Node>, roots: &Shapes, report: &mut Report) -> Vec<ReplyRule> {
    let Some(node) = node else { return Vec::new() };
    let Some(rules) = node.as_list() else {
        let message = format!(
            "`replies` must be a list of rules, not {}",
            node.kind_name()
        );
        report
            .error(codes::WRONG_KIND, node.span, message)
            .help("write for example `replies: [{ status: 404, verdict: absent }]`");
        return Vec::new();
    };
    rules
        .iter()
        .filter_map(|node| read_rule(node, roots, report))
        .collect()
}

/// Whether a rule says that the thing is absent.
pub(super) fn means_absent(rule: &ReplyRule) -> bool {
    rule.verdict == VerdictWord::Absent
}

fn read_rule(node: &Node, roots: &Shapes, report: &mut Report) -> Option<ReplyRule> {
    known(node, "a reply rule", &RULE.names(), report);
    if node.get("status").is_none() && node.get("when").is_none() {
        report
            .error(codes::REPLY_RULE, node.span, "the rule is for no replies")
            .help("add `status`, `when` or both");
    }
    let verdict = required(node, "verdict", "the rule", report)
        .and_then(|node| word(node, "`verdict`", &VerdictWord::ALL, report))?;
    let code = text_under(node, "code", report);
    Some(ReplyRule {
        status: node
            .get("status")
            .map(|node| read_status(node, report))
            .unwrap_or_default(),
        when: node
            .get("when")
            .map(|node| Condition::compile(node, roots, report)),
        verdict,
        code: (!code.is_empty()).then_some(code),
        message: node.get("message").map(|node| value(node, roots, report)),
        after: node.get("after").map(|node| value(node, roots, report)),
        not_applied: node
            .get("not_applied")
            .is_some_and(|node| flag(node, "`not_applied`", report)),
    })
}

fn read_status(node: &Node, report: &mut Report) -> Vec<StatusTest> {
    list(node)
        .iter()
        .filter_map(|node| {
            let test = match &node.kind {
                NodeKind::Integer(status @ 100..=599) => {
                    u16::try_from(*status).ok().map(StatusTest::Exactly)
                }
                NodeKind::Text(text) => ["1xx", "2xx", "3xx", "4xx", "5xx"]
                    .iter()
                    .zip(1..)
                    .find(|(word, _)| ***word == **text)
                    .map(|(_, hundred)| StatusTest::Hundred(hundred)),
                _ => None,
            };
            if test.is_none() {
                report
                    .error(codes::REPLY_RULE, node.span, "this is no HTTP status")
                    .help("write 404, [403, 404] or 4xx");
            }
            test
        })
        .collect()
}
