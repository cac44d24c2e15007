//! Findings as a person reads them.
//!
//! In: findings and the texts of their files. Out: text with the place underlined.
//! Always true: the plain look holds nothing but ASCII art and the words themselves, so that it
//! can be piped, compared and searched.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource};

use super::{Diagnostic, Place, Severity};

/// How findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// With colours and lines, for a terminal.
    Colourful,
    /// Without, for pipes and files.
    Plain,
}

/// How many bytes of one line are shown at most; rows of tables can be very long.
const LINE_BYTES_MAX: usize = 160;

/// All findings as text, each with its code, place, the place underlined, and help.
pub fn print(found: &[Diagnostic], texts: &BTreeMap<Arc<str>, Arc<str>>, look: Look) -> String {
    let mut out = String::new();
    for diagnostic in found {
        let text = texts.get(&diagnostic.place.file).map(|text| &**text);
        match look {
            Look::Plain => print_plain(&mut out, diagnostic, text),
            Look::Colourful => print_colourful(&mut out, diagnostic, text.unwrap_or("")),
        }
        out.push('\n');
    }
    out
}

fn print_plain(out: &mut String, found: &Diagnostic, text: Option<&str>) {
    let code = found.code.0;
    let kind = found.severity;
    let _ = writeln!(out, "{kind}[{code}]: {}", found.message);
    let _ = writeln!(out, "  --> {}", found.place);
    let line = text.and_then(|text| text.lines().nth(found.place.span.line.max(1) as usize - 1));
    if let Some(line) = line {
        underline(out, line, &found.place);
    }
    for related in &found.related {
        let _ = writeln!(out, "  note: {} at {}", related.message, related.place);
    }
    if let Some(help) = &found.help {
        let _ = writeln!(out, "  help: {help}");
    }
}

fn underline(out: &mut String, line: &str, place: &Place) {
    let number = place.span.line.to_string();
    let margin = " ".repeat(number.len());
    let before: String = line
        .chars()
        .take(place.span.column.saturating_sub(1) as usize)
        .collect();
    let rest = &line[before.len()..];
    let marked = rest
        .char_indices()
        .take_while(|(offset, _)| *offset < place.span.len)
        .count()
        .max(1);
    // A very long line is shown from shortly before the place.
    let cut = before.len().saturating_sub(LINE_BYTES_MAX / 2);
    let start = (cut..=before.len())
        .find(|at| line.is_char_boundary(*at))
        .unwrap_or(0);
    let shown: String = line[start..].chars().take(LINE_BYTES_MAX).collect();
    let indent: String = before[start..]
        .chars()
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let marked = marked.min(LINE_BYTES_MAX);
    let _ = writeln!(out, " {margin} |");
    let _ = writeln!(out, " {number} | {}", shown.trim_end());
    let _ = writeln!(out, " {margin} | {indent}{}", "^".repeat(marked));
}

fn print_colourful(out: &mut String, found: &Diagnostic, text: &str) {
    let mut labels = vec![label(&found.place, text, None)];
    for related in &found.related {
        if related.place.file == found.place.file {
            labels.push(label(&related.place, text, Some(related.message.clone())));
        }
    }
    let mut report = MietteDiagnostic::new(found.message.clone())
        .with_code(found.code.0)
        .with_severity(match found.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Advice => miette::Severity::Advice,
        })
        .with_labels(labels);
    if let Some(help) = &found.help {
        report = report.with_help(help.clone());
    }
    let source = NamedSource::new(&*found.place.file, text.to_owned());
    let report = miette::Report::new(report).with_source_code(source);
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode())
        .with_width(100)
        .with_context_lines(1);
    // A place that the file no longer has cannot be drawn; the plain look still says it all.
    let mut drawn = String::new();
    match handler.render_report(&mut drawn, report.as_ref()) {
        Ok(()) => out.push_str(&drawn),
        Err(_) => print_plain(out, found, Some(text)),
    }
}

fn label(place: &Place, text: &str, message: Option<String>) -> LabeledSpan {
    let start = place.span.start.min(text.len());
    let len = place.span.len.min(text.len() - start);
    LabeledSpan::new(message, start, len)
}
