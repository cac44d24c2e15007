//! Connections saved for somebody who is not at the machine.
//!
//! In: a connection's fields. Out: `connections.yaml` with it, or why nothing changed.
//! Always true: a secret is kept sealed in the database and never told again; a secret that is not
//! given stays as it is.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use serde_json::json;

use super::place::Beside;
use super::written::{Field, with_connection};
use super::{Expected, NotSaved, Workspace};
use crate::connector::{Connections, Connector, FieldSource};
use crate::data::{Secret, Value, digest};
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::names::{ConnectionName, ConnectorName, SecretName};
use crate::outbound::Probe;
use crate::source::{self, Document};
use crate::store::{AuditEntry, StoreError};

/// The file that names the connections.
const FILE: &str = "connections.yaml";

/// A connection to be saved.
#[derive(Clone)]
pub struct SaveConnection {
    /// Its name.
    pub name: ConnectionName,
    /// The connector it is for; the one of its name if left out.
    pub connector: Option<ConnectorName>,
    /// Whether it may reach private networks.
    pub allow_private: bool,
    /// Its fields. What is null goes.
    pub fields: BTreeMap<String, Given>,
    /// What stands in the file now.
    pub expected: Expected,
    /// Who saves it.
    pub by: String,
}

/// A field as it is given; it may be a secret, and so is never printed.
#[derive(Clone, PartialEq)]
pub enum Given {
    /// The value itself.
    Value(Value),
    /// A variable of the environment.
    Environment(String),
    /// A file below the workspace.
    File(String),
}

impl Workspace {
    /// The hash of `connections.yaml` as it is now.
    pub fn connections_hash(&self) -> String {
        digest(
            fs::read(self.folder.join(FILE))
                .unwrap_or_default()
                .as_slice(),
        )
    }

    /// Asks the vendor whether a connection works, with a call that changes nothing.
    pub async fn probe(&self, name: &ConnectionName) -> Probe {
        self.outbound.probe(name).await
    }

    /// Saves a connection and lets the next calls go through it.
    pub async fn save_connection(&self, save: SaveConnection) -> Result<(), NotSaved> {
        let mut turn = self.turn.lock().await;
        let bytes = fs::read(self.folder.join(FILE)).unwrap_or_default();
        let shelf = &self.intake.shelf;
        let (connectors, connections) = shelf.accounts();
        let known = connections.get(&save.name);
        match &save.expected {
            Expected::Nothing if known.is_some() => return Err(NotSaved::IsThere),
            Expected::OneOf(hashes) if !hashes.contains(&digest(&bytes)) => {
                return Err(NotSaved::Changed(Some(digest(&bytes))));
            }
            _ => {}
        }
        let connector = save.connector.clone().or_else(|| {
            let known = known.map(|known| known.connector.clone());
            known.or_else(|| ConnectorName::new(save.name.as_str()).ok())
        });
        let connector = connector.and_then(|name| connectors.get(&name).cloned());
        let Some(connector) = connector else {
            let why = "there is no such connector; give `connector`, the name of a file below \
                       connectors/ without `.yaml`";
            return Err(NotSaved::BadName(why.to_owned()));
        };
        let (document, _) = source::parse(&Arc::from(FILE), &bytes);
        if document.is_none() && !bytes.trim_ascii().is_empty() {
            let why = "connections.yaml cannot be read as it is; mend it by hand first";
            return Err(NotSaved::BadPlace(why.to_owned()));
        }
        let before = known.map(|known| &known.fields);
        let (fields, secrets) = written(&save, &connector, &|name| before?.get(name).cloned())?;
        let text = String::from_utf8_lossy(&bytes);
        let root = document.as_ref().map(|document| &document.root);
        let text = with_connection(&text, root, save.name.as_str(), &fields)
            .map_err(NotSaved::BadPlace)?;
        check(&text, &connectors)?;
        self.put(&save, &text, secrets).await?;
        let now = super::stamp(&self.folder).await;
        *turn = now.unwrap_or_default();
        self.read_all()
            .await
            .map(|_| ())
            .map_err(NotSaved::Unwritable)
    }

    /// Seals the secrets, notes who does it, and puts the file in its place.
    async fn put(
        &self,
        save: &SaveConnection,
        text: &str,
        secrets: Vec<(SecretName, Secret)>,
    ) -> Result<(), NotSaved> {
        let entry = AuditEntry {
            at: self.intake.clock.now(),
            by: save.by.clone(),
            action: "connection_saved".to_owned(),
            subject: format!("connection:{}", save.name),
            detail: json!({ "fields": save.fields.keys().collect::<Vec<_>>() }),
        };
        let file = Beside::write(&self.folder, FILE, text)?;
        let noted = self.note_connection(entry, secrets, save).await;
        if let Err(error) = noted {
            file.take_away();
            return Err(NotSaved::Store(error));
        }
        file.put_in_place().map_err(|error| {
            NotSaved::Unwritable(format!("`{FILE}` cannot be put in its place: {error}"))
        })?;
        Ok(())
    }

    async fn note_connection(
        &self,
        entry: AuditEntry,
        secrets: Vec<(SecretName, Secret)>,
        save: &SaveConnection,
    ) -> Result<(), StoreError> {
        let store = &self.intake.store;
        for (name, secret) in secrets {
            store.set_secret(name, secret, &save.by, entry.at).await?;
        }
        store.note(entry).await
    }
}

/// The fields as they will stand in the file, and the secrets that it refers to.
type Written = (Vec<(String, Field)>, Vec<(SecretName, Secret)>);

fn written(
    save: &SaveConnection,
    connector: &Connector,
    before: &dyn Fn(&str) -> Option<FieldSource>,
) -> Result<Written, NotSaved> {
    let mut fields = Vec::new();
    let mut secrets = Vec::new();
    if connector.name.as_str() != save.name.as_str() {
        let name = Value::from(connector.name.as_str());
        fields.push(("connector".to_owned(), Field::Plain(name)));
    }
    if save.allow_private {
        fields.push(("allow_private".to_owned(), Field::Plain(true.into())));
    }
    for name in save.fields.keys() {
        if !connector.connection.contains_key(name) {
            let known: Vec<&str> = connector.connection.keys().map(String::as_str).collect();
            return Err(NotSaved::BadField(
                name.clone(),
                format!(
                    "the connector has no such field; it has {}",
                    known.join(", ")
                ),
            ));
        }
    }
    for (name, declared) in &connector.connection {
        let kept = before(name).filter(|_| declared.secret);
        let field = match (save.fields.get(name), kept) {
            (Some(Given::Value(Value::Null)), _) | (None, None) => continue,
            (Some(Given::Value(value)), _) if declared.secret => {
                let secret = value
                    .as_str()
                    .map(str::trim)
                    .filter(|text| !text.is_empty());
                let secret = secret.ok_or_else(|| {
                    let why = "a secret is a text that is not empty".to_owned();
                    NotSaved::BadField(name.clone(), why)
                })?;
                let sealed = SecretName::new(&format!("{}.{name}", save.name))
                    .map_err(|why| NotSaved::BadField(name.clone(), why))?;
                let reference = Field::Reference("secret", sealed.to_string());
                secrets.push((sealed, Secret::new(secret)));
                reference
            }
            (Some(Given::Value(value)), _) => Field::Plain(value.clone()),
            (Some(Given::Environment(variable)), _) => Field::Reference("env", variable.clone()),
            (Some(Given::File(path)), _) => Field::Reference("file", inside(name, path)?),
            (None, Some(FieldSource::Plain(value))) => Field::Plain(value),
            (None, Some(FieldSource::Environment(variable))) => Field::Reference("env", variable),
            (None, Some(FieldSource::File(path))) => Field::Reference("file", path),
            (None, Some(FieldSource::Sealed(sealed))) => {
                Field::Reference("secret", sealed.to_string())
            }
        };
        fields.push((name.clone(), field));
    }
    Ok((fields, secrets))
}

/// A path below the workspace.
fn inside(field: &str, path: &str) -> Result<String, NotSaved> {
    let mut parts = std::path::Path::new(path).components();
    let is_inside = parts.all(|part| matches!(part, std::path::Component::Normal(_)));
    match is_inside && !path.is_empty() {
        true => Ok(path.to_owned()),
        false => Err(NotSaved::BadField(
            field.to_owned(),
            "only files below the workspace can be named here".to_owned(),
        )),
    }
}

/// Refuses a text that has errors.
fn check(text: &str, connectors: &BTreeMap<ConnectorName, Arc<Connector>>) -> Result<(), NotSaved> {
    let file: Arc<str> = Arc::from(FILE);
    let (document, mut report) = source::parse(&file, text.as_bytes());
    if let Some(Document { root, .. }) = &document {
        let mut found = Report::of(&file);
        Connections::read(root, connectors, &mut found);
        report.absorb(found);
    }
    let found = report.into_diagnostics().into_iter();
    let errors: Vec<Diagnostic> = found
        .filter(|found| found.severity == Severity::Error)
        .collect();
    match errors.is_empty() {
        true => Ok(()),
        false => Err(NotSaved::Unsound(errors)),
    }
}
