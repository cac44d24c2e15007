//! Bytes as files of a workspace.
//!
//! In: bytes. Out: nothing; whatever they hold, they are read and compiled as each kind of file.
//! Always true: no reader panics; every finding helps, has a place in the text and can be printed;
//! a document that is given has a tree inside its text.

use std::collections::BTreeMap;
use std::sync::Arc;

use recipe_engine::connector;
use recipe_engine::diagnostic::{Diagnostic, Look, Report, print};
use recipe_engine::names::{ConnectorName, TableName};
use recipe_engine::recipe::ProjectFile;
use recipe_engine::source::{Node, NodeKind, parse};
use recipe_engine::table::Table;

use super::check_finding;
use super::workspace::{compiled, program_of};

/// Reads the bytes as each kind of file.
pub fn check(bytes: &[u8]) {
    let file: Arc<str> = Arc::from("file.yaml");
    let (document, report) = parse(&file, bytes);
    let mut found = report.into_diagnostics();
    assert!(
        document.is_some() || !found.is_empty(),
        "refused without a word"
    );
    if let Some(document) = document {
        check_tree(&document.root, &document.text);
        let name = ConnectorName::new("own").expect("it is a name");
        let mut report = Report::of(&file);
        connector::read(&name, &document, &mut report);
        found.extend(report.into_diagnostics());
        let name = TableName::new("own").expect("it is a name");
        found.extend(Table::read(name, &document).1.into_diagnostics());
        found.extend(ProjectFile::read("p", &document).1.into_diagnostics());
        let compiled = compiled(vec![("own", document)]);
        let _ = program_of("own", &compiled);
        found.extend(compiled.into_values().flat_map(|compiled| compiled.found));
    }
    check_findings(&found, &file, bytes);
}

fn check_findings(found: &[Diagnostic], file: &Arc<str>, bytes: &[u8]) {
    for finding in found {
        check_finding(finding, bytes.len());
    }
    let text: Arc<str> = Arc::from(String::from_utf8_lossy(bytes));
    let texts = BTreeMap::from([(file.clone(), text)]);
    // Long lists say the same in more lines.
    let some = &found[..found.len().min(5)];
    for look in [Look::Plain, Look::Colourful] {
        let printed = print(some, &texts, look);
        assert!(printed.lines().count() >= some.len(), "{printed}");
    }
}

/// Every value stands where the text has a letter.
fn check_tree(node: &Node, text: &str) {
    let span = node.span;
    let slice = text.get(span.start..span.start.saturating_add(span.len));
    assert!(slice.is_some(), "{span:?} cuts a letter or leaves the text");
    match &node.kind {
        NodeKind::List(elements) => elements.iter().for_each(|node| check_tree(node, text)),
        NodeKind::Map(entries) => {
            for (key, node) in entries {
                let end = key.span.start.saturating_add(key.span.len);
                let slice = text.get(key.span.start..end);
                assert!(slice.is_some(), "{:?} of `{}`", key.span, key.text);
                check_tree(node, text);
            }
        }
        NodeKind::Text(text) => {
            let part = node.part(0, text.len());
            assert!(part.start >= span.start, "{part:?} in {span:?}");
        }
        _ => {}
    }
}
