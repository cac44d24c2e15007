//! How lists are shown: aligned on a terminal, tab-separated when piped.
//!
//! In: rows. Out: a table; where the terminal is too narrow for one, a block of lines for each row.
//! Always true: no word is broken, so that names, ids and moments can be read and copied whole.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::say;
use crate::data::Value;
use crate::settings::environment;

/// What stands left and right of a cell, in all.
const MARGINS: u16 = 2;

/// Says something beside a list, where it is no part of what is piped on.
pub(super) fn aside(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints rows below a heading; piped, with tabs between.
pub(super) fn rows(heading: &[&str], rows: Vec<Vec<String>>) -> anyhow::Result<()> {
    if std::io::stdout().is_terminal() {
        return say(&laid_out(heading, &rows, width()));
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

/// How high the terminal is, if it says so.
pub(super) fn height() -> Option<u16> {
    terminal_size::terminal_size().map(|(_, height)| height.0)
}

fn width_of(columns: Option<String>, terminal: Option<u16>) -> Option<u16> {
    let said = columns.and_then(|columns| columns.trim().parse().ok());
    said.filter(|width| *width > 0).or(terminal)
}

/// Rows as a terminal of this width shows them: below their headings; where some word would have to
/// be broken for that, one after another.
fn laid_out(heading: &[&str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let loud: Vec<String> = heading.iter().map(|name| name.to_uppercase()).collect();
    let longest = longest_words(&loud, rows);
    let width = width.unwrap_or(u16::MAX);
    let narrowest = longest.iter().map(|word| word.saturating_add(MARGINS));
    if narrowest.clone().fold(0, u16::saturating_add) > width && !rows.is_empty() {
        let blocks: Vec<String> = rows.iter().map(|row| block(heading, row, width)).collect();
        return blocks.join("\n");
    }
    let mut table = plain(width);
    table.set_header(&loud).add_rows(rows);
    for (column, narrowest) in table.column_iter_mut().zip(narrowest) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(narrowest)));
    }
    format!("{}\n", table.trim_fmt())
}

/// A row by itself: its first cell, and below it all that is not empty, each with its heading.
fn block(heading: &[&str], row: &[String], width: u16) -> String {
    let widest = heading
        .iter()
        .skip(1)
        .map(|name| name.chars().count())
        .max();
    let widest = widest.unwrap_or_default();
    let margin = " ".repeat(widest + 4);
    let beside = width.saturating_sub(u16::try_from(margin.len()).unwrap_or(u16::MAX));
    let mut text = String::new();
    let cells = heading.iter().zip(row).enumerate();
    for (index, (name, cell)) in cells.filter(|(_, (_, cell))| !cell.is_empty()) {
        let _ = match index {
            0 => writeln!(text, "{}", wrapped(cell, width)),
            _ => {
                let cell = wrapped(cell, beside).replace('\n', &format!("\n{margin}"));
                writeln!(text, "  {name:widest$}  {cell}")
            }
        };
    }
    text
}

/// Text in lines of whole words. A word that is wider alone stays whole: the terminal goes on with
/// it in its next line, and copies it in one piece.
fn wrapped(text: &str, width: u16) -> String {
    let text = text.to_owned();
    let longest = longest_words(&[], &[vec![text.clone()]]);
    let longest = longest.into_iter().max().unwrap_or_default();
    let mut table = plain(width.max(longest));
    table.add_row([text]);
    for column in table.column_iter_mut() {
        column.set_padding((0, 0));
    }
    table.trim_fmt()
}

/// How wide the longest word of each column is.
fn longest_words(heading: &[String], rows: &[Vec<String>]) -> Vec<u16> {
    let words_apart = |cell: &String| cell.replace(' ', "\n");
    let mut table = plain(u16::MAX);
    table
        .set_header(heading.iter().map(words_apart))
        .add_rows(rows.iter().map(|row| row.iter().map(words_apart)));
    table.column_max_content_widths()
}

/// An empty table of this width, without borders.
fn plain(width: u16) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
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
        Value::String(text) => harmless(text),
        other => other.to_string(),
    }
}

/// Text without what a terminal takes for an order, such as one to clear the screen: a vendor or a
/// stranger may have written it.
fn harmless(text: &str) -> String {
    let is_order = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    text.replace("\r\n", "\n").replace(is_order, "\u{fffd}")
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
