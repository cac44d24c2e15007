//! Figures, and how they are shown.

use std::fmt::Write;

use serde_json::json;

use crate::data::Value;

/// What was measured, in order.
#[derive(Default)]
pub(super) struct Report(Vec<Figure>);

struct Figure {
    group: &'static str,
    name: String,
    value: Option<f64>,
    unit: &'static str,
    of_limit: Option<(f64, &'static str)>,
}

impl Report {
    /// Keeps a figure; none where the system does not tell.
    pub(super) fn add(
        &mut self,
        group: &'static str,
        name: impl Into<String>,
        value: impl Into<Option<f64>>,
        unit: &'static str,
    ) {
        self.0.push(Figure {
            group,
            name: name.into(),
            value: value.into(),
            unit,
            of_limit: None,
        });
    }

    /// Says what the last figure is of a limit of the machine.
    pub(super) fn of(&mut self, limit: f64, name: &'static str) {
        if let Some(figure) = self.0.last_mut()
            && let Some(value) = figure.value
            && limit > 0.0
        {
            figure.of_limit = Some((value / limit, name));
        }
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        let figures = self.0.iter().map(|figure| {
            json!({
                "group": figure.group,
                "name": figure.name,
                "value": figure.value,
                "unit": figure.unit,
                "ratio": figure.of_limit.map(|(ratio, _)| ratio),
                "ratio_to": figure.of_limit.map(|(_, name)| name),
            })
        });
        json!({ "figures": figures.collect::<Vec<_>>() })
    }

    /// For people.
    pub(super) fn to_text(&self) -> String {
        let width = self.0.iter().map(|figure| figure.name.chars().count());
        let width = width.max().unwrap_or(0);
        let mut text = String::new();
        let mut group = "";
        for figure in &self.0 {
            if figure.group != group {
                group = figure.group;
                let _ = writeln!(text, "\n{group}");
            }
            let value = figure.value.map_or_else(|| "not known".to_owned(), number);
            let _ = write!(
                text,
                "  {:width$}  {value:>10} {}",
                figure.name, figure.unit
            );
            if let Some((ratio, name)) = figure.of_limit {
                let _ = write!(text, "  ({} of {name})", number(ratio));
            }
            text.push('\n');
        }
        text
    }
}

/// A number with as many digits as mean something.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The value below which this part (0 to 1) of all lies; none if there are none.
pub(super) fn part(sorted: &[f64], part: f64) -> Option<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list"
    )]
    let place = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(place).copied()
}
