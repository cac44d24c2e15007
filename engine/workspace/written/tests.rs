//! Connections put into a text.

use std::sync::Arc;

use serde_json::json;

use super::{Field, with_connection};
use crate::source::parse;

fn put(text: &str, name: &str) -> Result<String, String> {
    let (document, _) = parse(&Arc::from("connections.yaml"), text.as_bytes());
    let fields = [
        ("base_url".to_owned(), Field::Plain(json!("https://x"))),
        (
            "secret".to_owned(),
            Field::Reference("file", "data/s".to_owned()),
        ),
    ];
    let root = document.map(|document| document.root);
    with_connection(text, root.as_ref(), name, &fields)
}

const BLOCK: &str = "  b:\n    base_url: \"https://x\"\n    secret: { file: \"data/s\" }\n";

#[test]
fn a_connection_stands_in_its_place_and_all_else_stays() {
    assert_eq!(put("", "b").unwrap(), format!("connections:\n{BLOCK}"));
    assert_eq!(
        put("# mine\nconnections:\n", "b").unwrap(),
        format!("# mine\nconnections:\n{BLOCK}")
    );
    for empty in ["connections: {}\n", "connections: ~\n", "connections: { }"] {
        assert_eq!(put(empty, "b").unwrap(), format!("connections:\n{BLOCK}"));
    }
    let remarks = "connections: {} # none yet\n# so be it\n";
    let is = put(&format!("# mine\n{remarks}other: 1\n"), "b").unwrap();
    let opened = "# mine\nconnections: # none yet\n";
    assert_eq!(is, format!("{opened}{BLOCK}# so be it\nother: 1\n"));
    let before = "connections:\n  # first\n  a: { base_url: y } # so\n";
    let after = "\n  # last\n  c:\n    base_url: z # end\n";
    let old = "  b:\n    base_url: |\n      old\n    # gone with it\n    x: 1\n";
    let is = put(&format!("{before}{old}{after}"), "b").unwrap();
    assert_eq!(is, format!("{before}{BLOCK}{after}"));
    let is = put(&format!("{before}{after}"), "b").unwrap();
    assert_eq!(is, format!("{before}{after}{BLOCK}"));
    let unended = put(before.trim_end(), "b").unwrap();
    assert_eq!(unended, format!("{before}{BLOCK}"));
}

#[test]
fn what_stands_in_one_line_is_changed_by_hand() {
    for text in [
        "connections: { a: {}, b: {} }\n",
        "connections: { # none\n}\n",
        "{ connections: { a: {} } }\n",
    ] {
        assert!(put(text, "b").unwrap_err().contains("by hand"), "{text}");
    }
}
