//! How lists are shown: aligned on a terminal, tab-separated when piped.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::say;
use crate::data::Value;
use crate::settings::environment;

/// Says something beside a list, where it is no part of what is piped on.
pub(super) fn aside(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints rows below a heading; piped, with tabs between.
pub(super) fn rows(heading: &[&str], rows: Vec<Vec<String>>) -> anyhow::Result<()> {
    if std::io::stdout().is_terminal() {
        let mut table = Table::new();
        if let Some(width) = width() {
            table.set_width(width);
        }
        return say(&format!("{}\n", aligned(heading, rows, table)));
    }
    let mut text = format!("{}\n", heading.join("\t"));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| flat(cell)).collect();
        let _ = writeln!(text, "{}", cells.join("\t"));
    }
    say(&text)
}

/// How wide the terminal is: as wide as `COLUMNS` says, or as it says itself.
pub(super) fn width() -> Option<u16> {
    width_of(environment("COLUMNS"), Table::new().width())
}

fn width_of(columns: Option<String>, terminal: Option<u16>) -> Option<u16> {
    let said = columns.and_then(|columns| columns.trim().parse().ok());
    said.filter(|width| *width > 0).or(terminal)
}

/// Rows below their heading, as wide as the table says or the terminal is. Names are there to be
/// copied: the first column is never broken, and no column becomes narrower than its heading.
fn aligned(heading: &[&str], rows: Vec<Vec<String>>, mut table: Table) -> Table {
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(heading.iter().map(|name| name.to_uppercase()))
        .add_rows(rows);
    for (index, (column, name)) in table.column_iter_mut().zip(heading).enumerate() {
        let narrowest = u16::try_from(name.len() + 2).unwrap_or(u16::MAX);
        column.set_constraint(match index {
            0 => ColumnConstraint::ContentWidth,
            _ => ColumnConstraint::LowerBoundary(Width::Fixed(narrowest)),
        });
    }
    table
}

/// Prints data as JSON, readable.
pub(super) fn json(value: &Value) -> anyhow::Result<()> {
    say(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// A value as one cell: text as it is, all else as JSON, nothing for what is not there.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A moment without the fraction of its seconds.
pub(super) fn time(value: &Value) -> String {
    let text = cell(value);
    match text.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => text,
    }
}

/// A value on one line, cut to a length.
pub(super) fn short(value: &Value, chars: usize) -> String {
    let text = flat(&value.to_string());
    if text.chars().count() <= chars {
        return text;
    }
    let cut: String = text.chars().take(chars).collect();
    format!("{cut}...")
}

/// A word of a command as a shell takes it.
pub(super) fn argument(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Text without what would break a row.
fn flat(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

#[cfg(test)]
mod tests;
