//! Holds a node against a form.
//!
//! In: a node. Out: findings, each with what was expected and what was probably meant.
//! Always true: reading goes on after a finding, so that all of them are reported at once.

use super::scalar::{check_id, check_name, check_scalar, wrong_kind};
use super::{Form, Key, Kind, Naming, codes};
use crate::diagnostic::{Report, Span, did_you_mean};
use crate::source::{Key as Written, Node, NodeKind};

/// Reports every place where the node leaves the form.
pub fn check(node: &Node, form: &'static Form, report: &mut Report) {
    let Some(entries) = node.as_map() else {
        wrong_kind(node, &Kind::Form(form), None, report);
        return;
    };
    let chosen: Vec<&'static super::Variant> = form
        .variants
        .iter()
        .filter(|variant| node.get(variant.key.name).is_some())
        .collect();
    let here = entries.first().map_or(node.span, |(key, _)| key.span);
    check_kinds(node, here, form, &chosen, report);
    for (key, value) in entries {
        match find(form, &chosen, &key.text) {
            Some(known) => check_kind(value, &known.kind, Some((key, known)), report),
            None => unknown_key(form, &chosen, key, report),
        }
    }
    let of_chosen = chosen.iter().flat_map(|variant| variant.with);
    check_required(form.keys.iter().chain(of_chosen), node, here, report);
}

/// Reports the keys that must be there and are not.
fn check_required<'a>(
    keys: impl Iterator<Item = &'a Key>,
    node: &Node,
    here: Span,
    report: &mut Report,
) {
    for key in keys.filter(|key| key.is_required && node.get(key.name).is_none()) {
        report
            .error(
                codes::MISSING_KEY,
                here,
                format!("`{}` is missing", key.name),
            )
            .help(format!("{}: {}", key.name, key.doc));
    }
}

fn find(
    form: &'static Form,
    chosen: &[&'static super::Variant],
    name: &str,
) -> Option<&'static Key> {
    let of_chosen = chosen.iter().flat_map(|variant| {
        std::iter::once(&variant.key)
            .chain(variant.with)
            .chain(variant.one_of)
    });
    form.keys
        .iter()
        .chain(of_chosen)
        .find(|key| key.name == name)
}

fn check_kinds(
    node: &Node,
    here: Span,
    form: &'static Form,
    chosen: &[&'static super::Variant],
    report: &mut Report,
) {
    if form.variants.is_empty() {
        return;
    }
    let names = || listed(form.variants.iter().map(|variant| variant.key.name));
    match chosen {
        [] => {
            // A misspelt kind is reported as an unknown key already, with its help.
            let is_misspelt = node.as_map().unwrap_or_default().iter().any(|(key, _)| {
                let kinds = form.variants.iter().map(|variant| variant.key.name);
                find(form, &[], &key.text).is_none() && did_you_mean(&key.text, kinds).is_some()
            });
            if !is_misspelt {
                report
                    .error(
                        codes::NO_KIND,
                        here,
                        format!("this {} does not say what it is", form.name),
                    )
                    .help(format!("it needs exactly one of {}", names()));
            }
        }
        [variant] => {
            let written: Vec<_> = variant
                .one_of
                .iter()
                .filter(|key| node.get(key.name).is_some())
                .collect();
            let choices = || listed(variant.one_of.iter().map(|key| key.name));
            let kind = variant.key.name;
            match (&written[..], variant.one_of) {
                ([], [_, ..]) => {
                    report
                        .error(
                            codes::NO_KIND,
                            here,
                            format!("`{kind}` does not say what to do"),
                        )
                        .help(format!("it needs exactly one of {}", choices()));
                }
                ([first, second, ..], _) => two(node, first.name, second.name, report),
                _ => {}
            }
        }
        [first, second, ..] => two(node, first.key.name, second.key.name, report),
    }
}

fn two(node: &Node, first: &str, second: &str, report: &mut Report) {
    let span = |name: &str| {
        let entries = node.as_map().unwrap_or_default();
        let found = entries.iter().find(|(key, _)| &*key.text == name);
        found.map_or(node.span, |(key, _)| key.span)
    };
    let (a, b) = (span(first), span(second));
    let (early, late) = if a.start <= b.start { (a, b) } else { (b, a) };
    report
        .error(
            codes::TWO_KINDS,
            late,
            format!("`{first}` and `{second}` at once"),
        )
        .related(early, "the other one")
        .help("keep one of them, or make two of it");
}

fn unknown_key(
    form: &'static Form,
    chosen: &[&'static super::Variant],
    key: &Written,
    report: &mut Report,
) {
    let owners: Vec<_> = form
        .variants
        .iter()
        .filter(|variant| {
            let mut own = variant.with.iter().chain(variant.one_of);
            own.any(|own| own.name == &*key.text)
        })
        .map(|variant| variant.key.name)
        .collect();
    // Without a kind, that is what is missing, and it is reported already.
    if !owners.is_empty() && chosen.is_empty() {
        return;
    }
    if !owners.is_empty() {
        let this = chosen.first().map_or(form.name, |variant| variant.key.name);
        report
            .error(
                codes::KEY_OF_ANOTHER_KIND,
                key.span,
                format!("`{}` does not belong to `{this}`", key.text),
            )
            .help(format!("it belongs to {}", listed(owners)));
        return;
    }
    let of_chosen = chosen
        .iter()
        .flat_map(|variant| variant.with.iter().chain(variant.one_of));
    let mut known: Vec<_> = form
        .keys
        .iter()
        .chain(of_chosen)
        .map(|key| key.name)
        .collect();
    if chosen.is_empty() {
        known.extend(form.variants.iter().map(|variant| variant.key.name));
    }
    let meant = did_you_mean(&key.text, known.iter().copied());
    let help = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    report
        .error(
            codes::UNKNOWN_KEY,
            key.span,
            format!("unknown key `{}` in the {}", key.text, form.name),
        )
        .help(help);
}

/// Holds a value against what its key takes.
fn check_kind(
    node: &Node,
    kind: &'static Kind,
    key: Option<(&Written, &Key)>,
    report: &mut Report,
) {
    match kind {
        Kind::Value | Kind::Condition | Kind::Type | Kind::Data => {}
        Kind::Fields => {
            if node.as_map().is_none() && !matches!(node.kind, NodeKind::Null) {
                wrong_kind(node, kind, key, report);
            }
        }
        Kind::FormOrNothing(_) if matches!(node.kind, NodeKind::Null) => {}
        // What is left empty lacks what it must have: one word for it, however it is written.
        Kind::Form(form) if matches!(node.kind, NodeKind::Null) && has_required(form) => {
            let here = key.map_or(node.span, |(key, _)| key.span);
            check_required(form.keys.iter(), node, here, report);
        }
        Kind::Form(form) | Kind::FormOrNothing(form) => match node.kind {
            NodeKind::Map(_) => check(node, form, report),
            _ => wrong_kind(node, kind, key, report),
        },
        Kind::List(element) => match node.as_list() {
            Some(elements) => {
                for node in elements {
                    check_kind(node, element, None, report);
                }
            }
            None => wrong_kind(node, kind, key, report),
        },
        Kind::Map(naming, element) => check_map(node, *naming, element, key, report),
        Kind::Either(kinds) => match kinds.iter().find(|kind| is_written_as(node, kind)) {
            Some(kind) => check_kind(node, kind, key, report),
            None => wrong_kind(node, kind, key, report),
        },
        _ => check_scalar(node, kind, key, report),
    }
}

fn check_map(
    node: &Node,
    naming: Naming,
    element: &'static Kind,
    key: Option<(&Written, &Key)>,
    report: &mut Report,
) {
    let Some(entries) = node.as_map() else {
        if !matches!(node.kind, NodeKind::Null) {
            wrong_kind(node, &Kind::Fields, key, report);
        }
        return;
    };
    for (name, value) in entries {
        match naming {
            Naming::Id => check_id(&name.text, name.span, report),
            Naming::Name => check_name(&name.text, name.span, report),
            Naming::Free => {}
        }
        check_kind(value, element, None, report);
    }
}

/// Whether the node is at least written in the way of this kind.
fn is_written_as(node: &Node, kind: &'static Kind) -> bool {
    match (kind, &node.kind) {
        (Kind::Word(words), NodeKind::Text(text)) => words.contains(&&**text),
        (Kind::Form(form), NodeKind::Map(_)) => {
            form.variants.is_empty() || form.variants.iter().any(|v| node.get(v.key.name).is_some())
        }
        (Kind::Map(..) | Kind::Fields | Kind::FormOrNothing(_), NodeKind::Map(_))
        | (Kind::FormOrNothing(_), NodeKind::Null)
        | (Kind::List(_), NodeKind::List(_))
        | (Kind::Text | Kind::Id | Kind::Name | Kind::Period, NodeKind::Text(_))
        | (Kind::Flag, NodeKind::Bool(_))
        | (Kind::Whole { .. }, NodeKind::Integer(_))
        | (Kind::Factor, NodeKind::Integer(_) | NodeKind::Number(_))
        | (Kind::Value | Kind::Condition | Kind::Type | Kind::Data, _) => true,
        _ => false,
    }
}

fn has_required(form: &Form) -> bool {
    form.keys.iter().any(|key| key.is_required)
}

fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
