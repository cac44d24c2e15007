//! Connector and connection files, read and used, without a network.

mod connecting;
mod judging;
mod planning;
mod reading;

use std::sync::Arc;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::source::parse;

/// Reads a connector file as it stands in a workspace.
fn read_text(name: &str, file: &str, text: &str) -> (Connector, Vec<Diagnostic>) {
    let file: Arc<str> = Arc::from(file);
    let (document, mut report) = parse(&file, text.as_bytes());
    let document = document.expect("a document");
    let name = ConnectorName::new(name).expect("a name");
    let connector = read(&name, &document, &mut report);
    (connector, report.into_diagnostics())
}

/// A connector without findings, made of what stands below its top.
fn sound(rest: &str) -> Connector {
    let text = format!("title: Vendor\nbase_url: https://api.example.com/v1/\n{rest}");
    let (connector, found) = read_text("vendor", "connectors/vendor.yaml", &text);
    assert!(found.is_empty(), "{}", shown(&found));
    connector
}

/// Findings, a line each.
fn shown(found: &[Diagnostic]) -> String {
    found
        .iter()
        .map(|found| {
            let help = found.help.clone().unwrap_or_default();
            let place = &found.place;
            format!("{} {place} {} | {help}\n", found.code.0, found.message)
        })
        .collect()
}
