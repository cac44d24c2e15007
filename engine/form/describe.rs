//! Forms as tables of the reference documentation.
//!
//! In: a form. Out: Markdown: a section for it and for every form inside it, each once.
//! Always true: a key that the reader knows stands in a table; nothing else does.

use std::collections::VecDeque;
use std::fmt::Write;

use super::{Form, Key, Kind, Variant};

/// Describes a form and all forms inside it, in the order in which they are met.
pub fn describe(root: &'static Form) -> String {
    let mut met: Vec<&'static Form> = vec![root];
    let mut open = VecDeque::from([root]);
    let mut text = String::new();
    while let Some(form) = open.pop_front() {
        section(form, &mut text);
        for key in form.all_keys() {
            inner_forms(&key.kind, &mut |inner| {
                if !met.iter().any(|known| std::ptr::eq(*known, inner)) {
                    met.push(inner);
                    open.push_back(inner);
                }
            });
        }
    }
    text.trim_end().to_owned()
}

fn section(form: &Form, text: &mut String) {
    let _ = write!(text, "### Keys of `{}`\n\n{}\n\n", form.name, form.doc);
    if !form.keys.is_empty() {
        text.push_str("| key | takes | meaning |\n|---|---|---|\n");
        for key in form.keys {
            row(&format!("`{}`", key.name), key, text);
        }
        text.push('\n');
    }
    if form.variants.is_empty() {
        return;
    }
    text.push_str("Exactly one of these, with the keys that belong to it:\n\n");
    text.push_str("| key | takes | meaning |\n|---|---|---|\n");
    for variant in form.variants {
        kind_rows(variant, text);
    }
    text.push('\n');
}

fn kind_rows(variant: &Variant, text: &mut String) {
    let name = variant.key.name;
    row(&format!("**`{name}`**"), &variant.key, text);
    for key in variant.with {
        row(&format!("`{name}` + `{}`", key.name), key, text);
    }
    for key in variant.one_of {
        row(&format!("`{name}` + one of: `{}`", key.name), key, text);
    }
}

fn row(name: &str, key: &Key, text: &mut String) {
    let required = if key.is_required { " (required)" } else { "" };
    let doc = key.doc.replace('|', "\\|");
    let _ = writeln!(text, "| {name}{required} | {} | {doc} |", takes(&key.kind));
}

/// What a key takes, for a table; forms are links to their section.
fn takes(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Flag => "true or false".to_owned(),
        Kind::Whole { min, max } => format!("whole number, {} to {}", grouped(*min), grouped(*max)),
        Kind::Factor => "number, 1 to 100".to_owned(),
        Kind::Period => "length of time".to_owned(),
        Kind::Word(words) => words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Kind::Id => "id".to_owned(),
        Kind::Name => "name".to_owned(),
        Kind::Value => "value".to_owned(),
        Kind::Condition => "condition".to_owned(),
        Kind::Type => "type".to_owned(),
        Kind::Fields => "names and types".to_owned(),
        Kind::Data => "data".to_owned(),
        Kind::Form(form) => link(form),
        Kind::FormOrNothing(form) => format!("{}, or nothing", link(form)),
        Kind::List(element) => format!("list of: {}", takes(element)),
        Kind::Map(_, element) => format!("mapping of names to: {}", takes(element)),
        Kind::Either(kinds) => kinds.iter().map(takes).collect::<Vec<_>>().join("; or "),
    }
}

fn link(form: &Form) -> String {
    format!("[{}](#keys-of-{})", form.name, form.name.replace(' ', "-"))
}

/// A whole number with a comma between thousands.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn inner_forms(kind: &'static Kind, visit: &mut dyn FnMut(&'static Form)) {
    match kind {
        Kind::Form(form) | Kind::FormOrNothing(form) => visit(form),
        Kind::List(element) | Kind::Map(_, element) => inner_forms(element, visit),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| inner_forms(kind, visit)),
        _ => {}
    }
}
