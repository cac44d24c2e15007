//! What must hold whatever bytes come in.
//!
//! In: bytes, from a fuzzer or from `tests/data/fuzz/`. Out: nothing, or a panic that says which
//! promise is broken.
//! Always true: the same bytes do the same thing, without files, network or time.

pub mod deliveries;
mod dice;
pub mod files;
pub mod jobs;
pub mod values;
mod vendors;
mod workspace;

use recipe_engine::diagnostic::Diagnostic;

/// A finding helps: it says how to mend what it underlines, and that lies in the text.
fn check_finding(finding: &Diagnostic, text_len: usize) {
    assert!(finding.help.is_some(), "{} does not help", shown(finding));
    let span = finding.place.span;
    assert!(span.line >= 1 && span.column >= 1, "{}", shown(finding));
    let end = span.start.saturating_add(span.len);
    assert!(end <= text_len, "{} of {text_len}", shown(finding));
}

fn shown(finding: &Diagnostic) -> String {
    let (code, span) = (finding.code.0, finding.place.span);
    format!("{code} at {span:?}: {}", finding.message)
}
