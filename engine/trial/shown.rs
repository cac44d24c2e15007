//! What was expected and what there is, line by line.
//!
//! In: two values. Out: their lines as YAML, aligned: those of both, of the first, of the second.
//! Always true: the lines of each side, put together, are that value.

use crate::data::Value;

use super::align::{Aligned, align};
use super::yaml::block;

/// Fields that fit into so many columns are shown on one line.
const WIDTH: usize = 48;

/// So many lines of both sides are shown around what differs.
const AROUND: usize = 3;

/// A line of two values that were put side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose line it is.
    pub side: Side,
    /// The line.
    pub text: String,
}

/// Whose line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It is the same on both sides.
    Both,
    /// It was expected.
    Expected,
    /// It was found.
    Found,
    /// Lines of both sides that are left out; how many.
    LeftOut(usize),
}

/// Two values, line by line; null stands for nothing.
pub fn side_by_side(expected: &Value, found: &Value) -> Vec<Line> {
    let (expected, found) = (lines(expected), lines(found));
    let is_same = |i: usize, j: usize| expected[i] == found[j];
    let all: Vec<Line> = align(expected.len(), found.len(), &is_same)
        .into_iter()
        .map(|one| match one {
            Aligned::Both(i, _) => (Side::Both, &expected[i]),
            Aligned::Left(i) => (Side::Expected, &expected[i]),
            Aligned::Right(j) => (Side::Found, &found[j]),
        })
        .map(|(side, text)| Line {
            side,
            text: text.clone(),
        })
        .collect();
    without_distant(all)
}

fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        value => block(value, 0, WIDTH).lines().map(str::to_owned).collect(),
    }
}

/// Leaves out what is far from any difference, but for the heads that say of what it is a part.
fn without_distant(all: Vec<Line>) -> Vec<Line> {
    let mut is_near = vec![false; all.len()];
    for (at, line) in all.iter().enumerate() {
        if line.side == Side::Both {
            continue;
        }
        let to = (at + AROUND + 1).min(all.len());
        is_near[at.saturating_sub(AROUND)..to].fill(true);
        // The lines above that stand further to the left say where this is.
        let mut indent = indent_of(&line.text);
        for above in (0..at).rev() {
            if indent_of(&all[above].text) < indent {
                indent = indent_of(&all[above].text);
                is_near[above] = true;
            }
        }
    }
    let mut shown: Vec<Line> = Vec::new();
    for (line, is_near) in all.into_iter().zip(is_near) {
        match (shown.last_mut().map(|last| &mut last.side), is_near) {
            (_, true) => shown.push(line),
            (Some(Side::LeftOut(count)), false) => *count += 1,
            (_, false) => shown.push(Line {
                side: Side::LeftOut(1),
                text: String::new(),
            }),
        }
    }
    shown
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}
