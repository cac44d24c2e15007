//! Connector files, read and used, without a network.

use std::sync::Arc;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::source::parse;

/// Reads a connector file as it stands in a workspace.
pub(crate) fn read_text(name: &str, file: &str, text: &str) -> (Connector, Vec<Diagnostic>) {
    let file: Arc<str> = Arc::from(file);
    let (document, mut report) = parse(&file, text.as_bytes());
    let document = document.expect("a document");
    let name = ConnectorName::new(name).expect("a name");
    let connector = read(&name, &document, &mut report);
    (connector, report.into_diagnostics())
}

fn shown(found: &[Diagnostic]) -> String {
    found
        .iter()
        .map(|found| {
            let help = found.help.clone().unwrap_or_default();
            format!(
                "{} {} {} | {help}\n",
                found.code.0, found.place, found.message
            )
        })
        .collect()
}

#[test]
fn shipped_connectors_are_sound() {
    for name in ["docebo", "accredible"] {
        let file = format!("connectors/{name}.yaml");
        let text = std::fs::read_to_string(&file).expect("a shipped connector");
        let (connector, found) = read_text(name, &file, &text);
        assert!(found.is_empty(), "{}", shown(&found));
        assert_eq!(check_shipped(&connector), Vec::<String>::new());
    }
}

#[test]
fn built_in_connectors_are_sound() {
    for (name, text) in builtin::ALL {
        let (_, found) = read_text(name, &format!("built-in/{name}.yaml"), text);
        assert!(found.is_empty(), "{}", shown(&found));
    }
}
