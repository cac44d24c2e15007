//! What a mail says: text, a table below it, a CSV beside it.
//!
//! Always true: values never become markup, and a cell of a CSV never becomes a formula.

use crate::connector::Trouble;
use crate::data::{Value, kind_of};

/// A mail, before it is wrapped up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Letter {
    /// The addresses.
    pub(super) to: Vec<String>,
    /// The subject.
    pub(super) subject: String,
    /// The text, the table below it.
    pub(super) text: String,
    /// The same with the table as markup, if there is one.
    pub(super) html: Option<String>,
    /// A CSV: its name and its text.
    pub(super) attachment: Option<(String, String)>,
}

/// The widest column of a table in plain text, in characters.
const COLUMN_WIDTH_MAX: usize = 60;

/// Composes a mail from the input of `mail.send`.
pub(super) fn compose(input: &Value) -> Result<Letter, Trouble> {
    let text = one_text(input, "text")?;
    let rows = rows_of(input.get("table"));
    let mut letter = Letter {
        to: addresses(input.get("to"))?,
        subject: one_text(input, "subject")?
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        text: text.clone(),
        html: None,
        attachment: None,
    };
    if !rows.is_empty() {
        let (columns, cells) = cells(rows);
        letter.text = format!("{}\n\n{}", text.trim_end(), plain(&columns, &cells));
        letter.html = Some(markup(&text, &columns, &cells));
    }
    if let Some(csv) = input.get("attach_csv").filter(|csv| !csv.is_null()) {
        let (columns, cells) = cells(rows_of(csv.get("rows")));
        letter.attachment = Some((
            file_name(&one_text(csv, "name")?),
            written(&columns, &cells)?,
        ));
    }
    Ok(letter)
}

fn addresses(to: Option<&Value>) -> Result<Vec<String>, Trouble> {
    let wrong = |there: &str| {
        let why = format!("`to` must be an e-mail address or a list of them, not {there}");
        Trouble::new("invalid_request", why)
    };
    let all: Vec<String> = match to {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list
            .iter()
            .map(|value| {
                value
                    .as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| wrong(kind_of(value)))
            })
            .collect::<Result<_, _>>()?,
        other => return Err(wrong(other.map_or("nothing", kind_of))),
    };
    if all.is_empty() {
        return Err(wrong("an empty list"));
    }
    Ok(all)
}

fn one_text(input: &Value, name: &str) -> Result<String, Trouble> {
    match input.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        other => Err(Trouble::new(
            "invalid_request",
            format!(
                "`{name}` must be text, not {}",
                other.map_or("nothing", kind_of)
            ),
        )),
    }
}

fn rows_of(rows: Option<&Value>) -> &[Value] {
    rows.and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The columns in the order in which the rows first name them, and the cells.
fn cells(rows: &[Value]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut columns: Vec<String> = Vec::new();
    for name in rows
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|row| row.keys())
    {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let cells = rows
        .iter()
        .map(|row| columns.iter().map(|column| cell(row.get(column))).collect())
        .collect();
    (columns, cells)
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            let parts: Vec<String> = list.iter().map(|value| cell(Some(value))).collect();
            parts.join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// A table in plain text, its columns aligned.
fn plain(columns: &[String], cells: &[Vec<String>]) -> String {
    let width = |index: usize| {
        cells
            .iter()
            .filter_map(|row| row.get(index))
            .chain(columns.get(index))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .min(COLUMN_WIDTH_MAX)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{:width$}", cell.replace('\n', " ")))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let rows: String = cells.iter().map(|row| line(row)).collect();
    format!("{}{}{rows}", line(columns), line(&rule))
}

fn markup(text: &str, columns: &[String], cells: &[Vec<String>]) -> String {
    let row = |tag: &str, cells: &[String]| {
        let cells: String = cells
            .iter()
            .map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell)))
            .collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = cells.iter().map(|cells| row("td", cells)).collect();
    format!(
        "<p>{}</p>\n<table border=\"1\" cellpadding=\"4\" cellspacing=\"0\">\n{}{rows}</table>\n",
        escaped(text).replace('\n', "<br>\n"),
        row("th", columns),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn written(columns: &[String], cells: &[Vec<String>]) -> Result<String, Trouble> {
    let broken =
        |why: String| Trouble::new("internal", format!("the CSV cannot be written: {why}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    if !columns.is_empty() {
        writer
            .write_record(columns)
            .map_err(|why| broken(why.to_string()))?;
    }
    for row in cells {
        let row: Vec<String> = row.iter().map(|cell| defused(cell)).collect();
        writer
            .write_record(&row)
            .map_err(|why| broken(why.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|why| broken(why.to_string()))?;
    String::from_utf8(bytes).map_err(|why| broken(why.to_string()))
}

/// A cell that a spreadsheet does not take for a formula.
fn defused(cell: &str) -> String {
    let is_number = cell.parse::<f64>().is_ok();
    if !is_number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{cell}");
    }
    cell.to_owned()
}

/// The name of the file: no folders, with its ending.
fn file_name(written: &str) -> String {
    let name: String = written
        .chars()
        .map(|c| {
            if c.is_control() || "/\\:\"<>|?*".contains(c) {
                '-'
            } else {
                c
            }
        })
        .collect();
    if name.to_ascii_lowercase().ends_with(".csv") {
        return name;
    }
    format!("{name}.csv")
}
