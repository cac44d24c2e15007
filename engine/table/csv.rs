//! Lookup tables as CSV files, with the columns' labels as header.
//!
//! In: a file that somebody exported or typed. Out: rows, or every place that is wrong.
//! Always true: all of a file is taken or nothing; a file that was exported reads back the same, and
//! one that was exported without personal values is not taken for the real one. An empty cell is
//! null, but for secret columns, which no file ever shows: there it says nothing.

use std::collections::BTreeMap;
use std::fmt;

use super::row::MASKED;
use super::{Refused, Table, key_text, text_of_value, value_of_text};
use crate::data::{Object, Value};
use crate::diagnostic::did_you_mean;
use crate::mask::MASK;
use crate::shape::Shape;

/// No more faults than these are listed; who mends them will find the rest.
const FAULTS_MAX: usize = 100;

/// The most rows of one file.
const ROWS_MAX: usize = 500_000;

/// A place of a CSV file that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvFault {
    /// The line, from 1; the header is line 1.
    pub line: u64,
    /// The column, as it is called in the file.
    pub column: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for CsvFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Table {
    /// The rows of a CSV file: checked, normalised, with the columns of the file and no others.
    /// Commas or semicolons separate, as the header shows; a byte-order mark and any line ends are
    /// fine. `also` says what else keeps a row out.
    pub fn parse_csv(
        &self,
        bytes: &[u8],
        also: &dyn Fn(&Object) -> Result<(), Refused>,
    ) -> Result<Vec<Object>, Vec<CsvFault>> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()]
                .iter()
                .filter(|b| **b == b'\n')
                .count();
            vec![fault(
                line as u64 + 1,
                None,
                "is not UTF-8 text; save the file as CSV UTF-8",
            )]
        })?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(text))
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut records = reader.records();
        let header = match records.next() {
            Some(Ok(header)) => header,
            Some(Err(error)) => return Err(vec![fault(1, None, &error.to_string())]),
            None => return Err(vec![fault(1, None, "the file is empty; expected a header")]),
        };
        let columns = self.header_columns(&header)?;
        let mut faults = Vec::new();
        let mut rows = Vec::new();
        let mut lines: BTreeMap<String, u64> = BTreeMap::new();
        for record in records {
            if faults.len() >= FAULTS_MAX {
                break;
            }
            if rows.len() >= ROWS_MAX {
                let why = format!("the file has more than {ROWS_MAX} rows; split it");
                return Err(vec![fault(0, None, &why)]);
            }
            match record {
                Err(error) => faults.push(fault(0, None, &error.to_string())),
                Ok(record) if record.iter().all(|cell| cell.trim().is_empty()) => {}
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    if let Some(row) = self.row(&record, line, &columns, &mut faults) {
                        let filled = self.filled(&self.with_key(row.clone()));
                        if let Err(refused) = also(&filled) {
                            faults.push(fault(line, None, &refused.message));
                        }
                        self.check_twice(&filled, line, &mut lines, &mut faults);
                        rows.push(row);
                    }
                }
            }
        }
        if faults.is_empty() {
            Ok(rows)
        } else {
            Err(faults)
        }
    }

    /// Rows as a CSV file with the labels as header; secret columns are empty.
    pub fn write_csv(&self, rows: &[Object]) -> Result<String, String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let labels = self.columns.keys().map(|name| self.label(name));
        writer
            .write_record(labels)
            .map_err(|error| error.to_string())?;
        for row in rows {
            let cells = self
                .columns
                .keys()
                .map(|name| row.get(name).filter(|_| !self.is_secret(name)))
                .map(|value| value.map(text_of_value).unwrap_or_default());
            writer
                .write_record(cells)
                .map_err(|error| error.to_string())?;
        }
        let bytes = writer.into_inner().map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }

    /// What people call a column: its label, or its name if it has none.
    pub fn label(&self, column: &str) -> &str {
        let (name, label) = match self.columns.get_key_value(column) {
            Some((name, column)) => (name.as_str(), column.field.label.as_deref()),
            None => return "",
        };
        label.unwrap_or(name)
    }

    /// The column that each cell of a line belongs to.
    fn header_columns(&self, header: &csv::StringRecord) -> Result<Vec<String>, Vec<CsvFault>> {
        let mut columns: Vec<String> = Vec::new();
        let mut faults = Vec::new();
        for cell in header {
            let cell = cell.trim();
            let found = self
                .columns
                .keys()
                .find(|name| self.label(name) == cell)
                .or_else(|| self.columns.keys().find(|name| *name == cell));
            match found {
                None => faults.push(fault(1, Some(cell), &self.unknown_label(cell))),
                Some(name) if columns.contains(name) => {
                    faults.push(fault(1, Some(cell), "stands in the header twice"));
                }
                Some(name) => columns.push(name.clone()),
            }
        }
        for (name, column) in &self.columns {
            let is_needed = !column.field.may_be_left_out() && !column.field.secret;
            if is_needed && !columns.contains(name) && faults.is_empty() {
                let label = self.label(name);
                faults.push(fault(
                    1,
                    Some(label),
                    "is required and missing from the header",
                ));
            }
        }
        if faults.is_empty() {
            Ok(columns)
        } else {
            Err(faults)
        }
    }

    fn unknown_label(&self, cell: &str) -> String {
        let labels: Vec<&str> = self.columns.keys().map(|name| self.label(name)).collect();
        let whole = labels.iter().copied();
        let mut begin_so = whole.clone().filter(|label| {
            let begin = label.get(..cell.len()).unwrap_or_default();
            !cell.is_empty() && begin.eq_ignore_ascii_case(cell)
        });
        // Somebody who leaves out the end of a label means it rather than one that is spelt alike.
        let only = begin_so.next().filter(|_| begin_so.next().is_none());
        match only.or_else(|| did_you_mean(cell, whole)) {
            Some(meant) => format!("is no column of this table; did you mean `{meant}`?"),
            None => format!("is no column of this table; it has {}", labels.join(", ")),
        }
    }

    /// One line as a row; what is wrong with it is added to the faults.
    fn row(
        &self,
        record: &csv::StringRecord,
        line: u64,
        columns: &[String],
        faults: &mut Vec<CsvFault>,
    ) -> Option<Object> {
        if record.len() != columns.len() {
            let message = format!(
                "has {} cells, the header has {}",
                record.len(),
                columns.len()
            );
            faults.push(fault(line, None, &message));
            return None;
        }
        let before = faults.len();
        let mut given = Object::new();
        for (name, cell) in columns.iter().zip(record) {
            let column = &self.columns[name];
            let cell = column.normalised(cell);
            // Spreadsheets write TRUE and FALSE, whatever was read.
            let cell = match column.field.shape {
                Shape::Boolean => cell.to_ascii_lowercase(),
                _ => cell,
            };
            let is_mask = cell.trim() == MASK;
            if column.field.secret && (is_mask || cell.trim().is_empty()) {
                continue;
            }
            if column.field.personal && is_mask {
                faults.push(fault(line, Some(self.label(name)), MASKED));
                continue;
            }
            match value_of_text(&column.field, &cell) {
                Ok(Some(value)) => {
                    given.insert(name.clone(), value);
                }
                Ok(None) if column.field.may_be_left_out() => {
                    given.insert(name.clone(), Value::Null);
                }
                Ok(None) => {
                    faults.push(fault(line, Some(self.label(name)), "is required and empty"));
                }
                Err(why) => faults.push(fault(line, Some(self.label(name)), &why)),
            }
        }
        (faults.len() == before).then_some(given)
    }

    /// Reports a key, or a value of a unique column, that a line before holds already.
    fn check_twice(
        &self,
        row: &Object,
        line: u64,
        lines: &mut BTreeMap<String, u64>,
        faults: &mut Vec<CsvFault>,
    ) {
        let unique = self.columns.iter().filter(|(_, column)| column.unique);
        let mut marks: Vec<(String, String)> = unique
            .filter_map(|(name, _)| Some((self.label(name).to_owned(), row.get(name)?)))
            .map(|(label, value)| (format!("{label} {}", key_text(&[value])), label))
            .collect();
        if let Ok(Some(key)) = self.key_of(row) {
            let labels: Vec<&str> = self.key.iter().map(|name| self.label(name)).collect();
            marks.push((key, labels.join(", ")));
        }
        for (mark, column) in marks {
            if let Some(first) = lines.insert(mark, line) {
                let message = format!("holds the same as line {first}");
                faults.push(fault(line, Some(&column), &message));
            }
        }
    }
}

/// Semicolons, if the header has some and no comma: what spreadsheets write in many countries.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    if header.contains(';') && !header.contains(',') {
        return b';';
    }
    b','
}

fn fault(line: u64, column: Option<&str>, message: &str) -> CsvFault {
    CsvFault {
        line,
        column: column.map(str::to_owned),
        message: message.to_owned(),
    }
}

/// Which columns of a row are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Neither secret nor personal ones.
    Masked,
    /// All but secret ones.
    Personal,
}

impl Table {
    /// A row as it is shown: secret columns are masked, personal ones unless they are to be seen.
    pub fn shown_row(&self, row: &Object, sight: Sight) -> Object {
        let mut shown = Object::new();
        for (name, value) in row {
            let field = self.columns.get(name).map(|column| &column.field);
            let is_masked = field
                .is_some_and(|field| field.secret || (field.personal && sight == Sight::Masked));
            let value = if is_masked {
                MASK.into()
            } else {
                value.clone()
            };
            shown.insert(name.clone(), value);
        }
        shown
    }

    /// Whether a row holds a text, in any case: of what is masked, only the whole value counts, so
    /// that nobody finds out letter by letter what stands there.
    pub fn holds(&self, row: &Object, text: &str, sight: Sight) -> bool {
        let text = text.to_lowercase();
        row.iter().any(|(name, value)| {
            let field = self.columns.get(name).map(|column| &column.field);
            if field.is_some_and(|field| field.secret) {
                return false;
            }
            let written = match value {
                Value::String(written) => written.to_lowercase(),
                other => other.to_string().to_lowercase(),
            };
            match sight == Sight::Masked && field.is_some_and(|field| field.personal) {
                true => written == text,
                false => written.contains(&text),
            }
        })
    }
}
