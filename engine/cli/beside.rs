//! Versions side by side: the three of a conflict, or what a test expected and what it found.
//!
//! In: the lines of each side. Out: a table in which lines that all have stand in one row.
//! Always true: no line that differs is left out; a line that is broken keeps its indentation.

use std::io::IsTerminal;
use std::iter;

use comfy_table::{ContentArrangement, Table, presets};

use super::show;
use super::upgrade::part;
use crate::data::Value;

/// How many lines that all have are shown around those that differ.
const AROUND: usize = 2;
/// Beyond so many pairs of lines, texts are shown beside one another as they are.
const COMPARED_MAX: usize = 4_000_000;
/// How wide the table is where there is no terminal.
const WIDTH: u16 = 150;
/// What borders and the column of marks take.
const FRAME: u16 = 5;
/// What stands left and right of a side, in all.
const MARGINS: usize = 2;
/// No side is narrower.
const SIDE_MIN: usize = 16;
/// How much further a line that is broken goes on.
const FURTHER: usize = 4;

/// A conflict of a file, with a heading.
pub(super) fn beside(path: &str, conflict: &Value) -> String {
    let sides = ["base", "mine", "theirs"].map(|side| conflict[side].as_str());
    let indent = indent(sides.into_iter().flatten());
    let rows = rows(sides.map(|text| lines(text.unwrap_or_default(), indent)));
    let absent = sides.map(|side| if side.is_none() { "(not there)" } else { "" });
    let absent = absent.iter().any(|text| !text.is_empty()).then_some(Row {
        cells: absent,
        is_same: true,
    });
    let whole = match std::io::stdout().is_terminal() {
        true => show::width().unwrap_or(WIDTH),
        false => WIDTH,
    };
    let heading = ["BEFORE (base)", "YOURS (mine)", "THE ORIGINAL NOW (theirs)"];
    let rows = absent.into_iter().chain(shortened(rows));
    let table = columns(heading, rows, whole);
    format!("\n{path}: {}\n{table}\n", part(conflict))
}

/// Sides in columns of a table that is as wide as this; rows that differ are marked.
pub(super) fn columns<'a, const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = Row<'a, N>>,
    whole: u16,
) -> Table {
    let width = usize::from(whole.saturating_sub(FRAME)) / N;
    let width = width.saturating_sub(MARGINS).max(SIDE_MIN);
    let mut table = Table::new();
    // The table would break lines without regard to what they are indented by.
    table
        .load_preset(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(iter::once("").chain(heading));
    for row in rows {
        let mark = if row.is_same { "" } else { "!" };
        let cells = row.cells.map(|line| broken(line, width));
        table.add_row(iter::once(mark).chain(cells.iter().map(String::as_str)));
    }
    table
}

/// A line, broken at blanks where it is too long; what is broken off stands further in than its
/// beginning.
pub(super) fn broken(line: &str, width: usize) -> String {
    let own = line.chars().take_while(|&c| c == ' ').count();
    let further = " ".repeat((own + FURTHER).min(width / 2));
    let mut shown = String::new();
    let mut rest = line.to_owned();
    while let Some((end, _)) = rest.char_indices().nth(width) {
        let first = rest.len() - rest.trim_start_matches(' ').len();
        let blank = rest[..end].rfind(' ').filter(|&at| at > first);
        let (head, tail) = rest.split_at(blank.unwrap_or(end));
        shown.push_str(head);
        shown.push('\n');
        rest = format!("{further}{}", tail.trim_start_matches(' '));
    }
    shown + &rest
}

/// How far all lines that are not empty are indented.
fn indent<'a>(sides: impl Iterator<Item = &'a str>) -> usize {
    let lines = sides.flat_map(str::lines);
    let lines = lines.filter(|line| !line.trim().is_empty());
    lines
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or_default()
}

/// The lines of a text, without an indentation that all have.
fn lines(text: &str, indent: usize) -> Vec<&str> {
    let lines = text.lines();
    lines
        .map(|line| line.get(indent..).unwrap_or_default())
        .collect()
}

/// One line of each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row<'a, const N: usize = 3> {
    pub(super) cells: [&'a str; N],
    pub(super) is_same: bool,
}

/// The lines of all sides, those that all have in one row.
pub(super) fn rows<'a>(sides: [Vec<&'a str>; 3]) -> Vec<Row<'a>> {
    let [base, mine, theirs] = &sides;
    let (in_mine, in_theirs) = (matches(base, mine), matches(base, theirs));
    let mut rows = Vec::new();
    let mut at = [0; 3];
    for (line, text) in base.iter().enumerate() {
        let (Some(m), Some(t)) = (in_mine[line], in_theirs[line]) else {
            continue;
        };
        differing(&sides, at, [line, m, t], &mut rows);
        rows.push(Row {
            cells: [text; 3],
            is_same: true,
        });
        at = [line + 1, m + 1, t + 1];
    }
    let ends = [base.len(), mine.len(), theirs.len()];
    differing(&sides, at, ends, &mut rows);
    rows
}

fn differing<'a>(
    sides: &[Vec<&'a str>; 3],
    from: [usize; 3],
    to: [usize; 3],
    rows: &mut Vec<Row<'a>>,
) {
    let stretches: [&[&'a str]; 3] = std::array::from_fn(|side| &sides[side][from[side]..to[side]]);
    let longest = stretches.iter().map(|lines| lines.len()).max();
    for line in 0..longest.unwrap_or_default() {
        rows.push(Row {
            cells: stretches.map(|lines| lines.get(line).copied().unwrap_or_default()),
            is_same: false,
        });
    }
}

/// For each line of one text its place in the other, in order: the longest common subsequence.
fn matches(one: &[&str], other: &[&str]) -> Vec<Option<usize>> {
    if one.len().saturating_mul(other.len()) > COMPARED_MAX {
        return vec![None; one.len()];
    }
    let width = other.len() + 1;
    let mut lengths = vec![0_usize; (one.len() + 1) * width];
    for a in (0..one.len()).rev() {
        for b in (0..other.len()).rev() {
            lengths[a * width + b] = match one[a] == other[b] {
                true => lengths[(a + 1) * width + b + 1] + 1,
                false => lengths[(a + 1) * width + b].max(lengths[a * width + b + 1]),
            };
        }
    }
    let (mut places, mut b) = (Vec::with_capacity(one.len()), 0);
    for a in 0..one.len() {
        while b < other.len()
            && one[a] != other[b]
            && lengths[a * width + b + 1] > lengths[(a + 1) * width + b]
        {
            b += 1;
        }
        if b < other.len() && one[a] == other[b] {
            places.push(Some(b));
            b += 1;
        } else {
            places.push(None);
        }
    }
    places
}

/// Leaves out what all have, but for a few lines around what differs.
fn shortened(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    let near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        rows[from..(at + AROUND + 1).min(rows.len())]
            .iter()
            .any(|row| !row.is_same)
    };
    let mut shown = Vec::new();
    let mut was_left_out = false;
    for (at, row) in rows.iter().enumerate() {
        let is_shown = near(at);
        if !is_shown && !was_left_out {
            shown.push(Row {
                cells: ["..."; 3],
                is_same: true,
            });
        }
        was_left_out = !is_shown;
        if is_shown {
            shown.push(row.clone());
        }
    }
    shown
}
