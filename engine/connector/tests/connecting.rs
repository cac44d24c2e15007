//! `connections.yaml`: references, secrets, mistakes.

use std::collections::BTreeMap;

use super::*;
use crate::diagnostic::{Code, Severity};

const VENDOR: &str = "\
connection:
  url: { type: string, label: Address }
  key: { type: string, secret: true }
  number: integer?
  kind: { type: { enum: [a, b] }, default: a }
actions: { look: { title: Look, effect: read, request: { get: / }, output: {} } }
";

/// The file, the finding, and a part of its words.
pub(super) const MISTAKES: [(&str, Code, &str); 10] = [
    (
        "connection: {}",
        codes::CONNECTIONS_SHAPE,
        "did you mean `connections`?",
    ),
    (
        "connections: [vendor]",
        codes::CONNECTIONS_SHAPE,
        "must be a mapping, not a list",
    ),
    (
        "connections: { My Vendor: { connector: vendor } }",
        codes::CONNECTION_NAME,
        "My Vendor",
    ),
    (
        "connections: { mine: { connector: vendro } }",
        codes::UNKNOWN_CONNECTOR,
        "did you mean `vendor`?",
    ),
    (
        "connections: { mine: { url: x } }",
        codes::UNKNOWN_CONNECTOR,
        "does not say",
    ),
    (
        "connections: { vendor: { url: x, kee: { env: K } } }",
        codes::CONNECTION_FIELD,
        "did you mean `key`?",
    ),
    (
        "connections: { vendor: { url: x, key: { evn: K } } }",
        codes::CONNECTION_FIELD,
        "did you mean `env`?",
    ),
    (
        "connections: { vendor: { url: x, key: { env: K }, number: no } }",
        codes::CONNECTION_FIELD,
        "`number`",
    ),
    (
        "connections: { vendor: { url: x } }",
        codes::MISSING_CONNECTION_FIELD,
        "key: { env: KEY }",
    ),
    (
        "connections: { vendor: { url: x, key: s3cr3t } }",
        codes::SECRET_IN_FILE,
        "stands in the file",
    ),
];

struct Given(BTreeMap<&'static str, &'static str>);

impl References for Given {
    fn environment(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|text| (*text).to_owned())
    }

    fn file(&self, path: &str) -> Result<String, String> {
        self.environment(path)
            .ok_or_else(|| "no such file".to_owned())
    }
}

fn read_connections(text: &str) -> (Connections, Arc<Connector>, Vec<Diagnostic>) {
    let vendor = Arc::new(sound(VENDOR));
    let connectors = BTreeMap::from([(vendor.name.clone(), vendor.clone())]);
    let (document, mut report) = parse(&Arc::from("connections.yaml"), text.as_bytes());
    let root = document.expect("a document").root;
    let connections = Connections::read(&root, &connectors, &mut report);
    (connections, vendor, report.into_diagnostics())
}

#[test]
fn each_mistake_is_told() {
    for (text, code, words) in MISTAKES {
        let (_, _, found) = read_connections(text);
        let told = found
            .iter()
            .find(|found| found.code == code)
            .unwrap_or_else(|| panic!("{text}: {}", shown(&found)));
        let said = format!("{} {}", told.message, told.help.clone().unwrap_or_default());
        assert!(said.contains(words), "{text}: {said}");
        assert!(!said.contains("s3cr3t"), "{said}");
        let is_warning = told.severity == Severity::Warning;
        assert_eq!(is_warning, code == codes::SECRET_IN_FILE);
    }
}

#[test]
fn references_are_followed_when_they_are_needed() {
    let text =
        "connections: { vendor: { url: 'https://x', key: { file: k.txt }, number: { env: NUM } } }";
    let (connections, vendor, found) = read_connections(text);
    assert!(found.is_empty(), "{}", shown(&found));
    let connection = &connections.all["vendor"];
    let given = Given(BTreeMap::from([("k.txt", "s3cr3t\n"), ("NUM", "7")]));
    let resolved = connection
        .resolve(&vendor, &given)
        .unwrap_or_else(|why| panic!("{why:?}"));
    let expected =
        serde_json::json!({ "url": "https://x", "key": "s3cr3t", "number": 7, "kind": "a" });
    assert_eq!(*resolved.value, expected);
    assert_eq!(resolved.secrets.len(), 1);
    assert!(!format!("{connections:?}{:?}", resolved.secrets).contains("s3cr3t"));
}

#[test]
fn every_reference_that_leads_nowhere_is_named() {
    let text = "connections: { vendor: { url: { env: URL }, key: { file: k.txt } } }";
    let (connections, vendor, _) = read_connections(text);
    let given = Given(BTreeMap::from([("URL", " ")]));
    let Err(troubles) = connections.all["vendor"].resolve(&vendor, &given) else {
        panic!("it cannot be complete");
    };
    let told: Vec<&str> = troubles
        .iter()
        .map(|trouble| trouble.message.as_str())
        .collect();
    assert_eq!(
        told,
        ["connection `vendor`: field `key`: the file `k.txt` cannot be read: no such file"]
    );
    let Err(troubles) = connections.all["vendor"].resolve(&vendor, &Given(BTreeMap::new())) else {
        panic!("it cannot be complete");
    };
    assert_eq!(
        troubles[0].message,
        "connection `vendor`: field `url`: the environment variable `URL` is not set"
    );
    // Whose it is that stands elsewhere, nobody knows.
    let text = "connections: { vendor: { url: x, key: { env: KEY }, number: { file: k.txt } } }";
    let (connections, vendor, _) = read_connections(text);
    let given = Given(BTreeMap::from([("KEY", "k"), ("k.txt", "s3cr3t")]));
    let Err(troubles) = connections.all["vendor"].resolve(&vendor, &given) else {
        panic!("it cannot be complete");
    };
    assert_eq!(
        troubles[0].message,
        "connection `vendor`: field `number`: expected a whole number, and something else stands \
         there"
    );
}

#[test]
fn what_is_personal_or_secret_is_masked_by_name() {
    let connector = sound(
        "actions:\n  make:\n    title: Make\n    effect: read\n    request: { get: / }\n    \
         output: {}\n    \
         input:\n      id: integer\n      email: { type: string, personal: true }\n      \
         rows: [{ n: integer, tel: { type: string, personal: true } }]",
    );
    let value = serde_json::json!({
        "id": 1, "email": "a@b.c", "rows": [{ "n": 1, "tel": "5" }], "new": "x",
    });
    let masked = serde_json::json!({
        "id": 1, "email": "***", "rows": [{ "n": 1, "tel": "***" }], "new": "***",
    });
    assert_eq!(mask(&connector.actions["make"].input, &value), masked);
}
