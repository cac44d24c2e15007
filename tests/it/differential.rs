//! Our reading of YAML beside that of another parser, over all files of the repository.

use std::sync::Arc;

use recipe_engine::data::Value;
use recipe_engine::source::parse;

use crate::golden::{files_below, root};

#[test]
fn all_yaml_files_are_read_as_another_parser_reads_them() {
    let mut count = 0;
    for folder in [
        "recipes",
        "connectors",
        "lookup-tables",
        "tests/lint/workspace",
    ] {
        for path in files_below(&root().join(folder)) {
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("it can be read");
            let (document, report) = parse(&Arc::from("file"), text.as_bytes());
            assert!(!report.has_errors(), "{}", path.display());
            let ours = document.expect("it was read").root.to_value();
            let mut theirs: serde_yaml::Value =
                serde_yaml::from_str(&text).expect("the other parser reads it");
            theirs.apply_merge().expect("merge keys lead to mappings");
            let theirs: Value = serde_json::to_value(&theirs).expect("it is JSON");
            assert_eq!(ours, theirs, "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 40, "only {count} files were compared");
}
