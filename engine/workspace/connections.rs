//! Connections saved for somebody who is not at the machine.
//!
//! In: a connection's fields. Out: `connections.yaml` with it, or why nothing changed.
//! Always true: a secret is kept sealed in the database and never told again; a secret that is not
//! given stays as it is; a connection that is cut off while it is saved is all as it was, or all as it
//! shall be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::place::Standing;
use super::written::{Field, with_connection};
use super::{Expected, NotSaved, Workspace};
use crate::connector::{Connections, Connector, FieldSource};
use crate::data::{Secret, Value, digest};
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::names::{ConnectionName, ConnectorName, SecretName};
use crate::outbound::Probe;
use crate::source::{self, Document};
use crate::store::{AuditEntry, Saving, SavingEnded, Store, StoreError};

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
        connections_hash(&self.folder)
    }

    /// Asks the vendor whether a connection works, with a call that changes nothing.
    pub async fn probe(&self, name: &ConnectionName) -> Probe {
        self.outbound.probe(name).await
    }

    /// Saves a connection and lets the next calls go through it.
    pub async fn save_connection(&self, save: SaveConnection) -> Result<(), NotSaved> {
        // What is not given stays as the file says it.
        let rests = self.at_rest(&|path| path == FILE, async || ()).await;
        rests.map_err(NotSaved::Restless)?;
        let mut turn = self.turn.lock().await;
        self.finish_change().await.map_err(NotSaved::Unwritable)?;
        self.settle_saving().await.map_err(NotSaved::Store)?;
        let standing = Standing::now(&self.folder, FILE);
        let bytes = match standing.bytes() {
            None => Vec::new(),
            Some(Ok(bytes)) => bytes.clone(),
            Some(Err(why)) => {
                let why = format!("connections.yaml cannot be read: {why}");
                return Err(NotSaved::BadPlace(why));
            }
        };
        let (text, secrets) = self.judged_connection(&save, &bytes)?;
        self.put_connection(&save, &text, secrets, standing).await?;
        let held = self.hold_others(&BTreeSet::from([FILE]), &mut turn).await;
        let taken = self.read_all(held).await;
        taken.map_err(|why| NotSaved::Unwritable(format!("it is saved, but {why}")))?;
        Ok(())
    }

    /// The file as it would be, and the secrets that come with it, if nothing is wrong with them.
    fn judged_connection(&self, save: &SaveConnection, bytes: &[u8]) -> Result<Text, NotSaved> {
        let (connectors, connections) = self.intake.shelf.accounts();
        let known = connections.get(&save.name);
        match &save.expected {
            Expected::Nothing if known.is_some() => return Err(NotSaved::IsThere),
            Expected::OneOf(hashes) if !hashes.contains(&digest(bytes)) => {
                return Err(NotSaved::Changed(Some(digest(bytes))));
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
        let (document, _) = source::parse(&Arc::from(FILE), bytes);
        if document.is_none() && !bytes.trim_ascii().is_empty() {
            let why = "connections.yaml cannot be read as it is; mend it by hand first";
            return Err(NotSaved::BadPlace(why.to_owned()));
        }
        let before = known.map(|known| &known.fields);
        let (fields, secrets) = written(save, &connector, &|name| before?.get(name).cloned())?;
        let text = String::from_utf8_lossy(bytes);
        let root = document.as_ref().map(|document| &document.root);
        let text = with_connection(&text, root, save.name.as_str(), &fields)
            .map_err(NotSaved::BadPlace)?;
        check(&text, &connectors)?;
        Ok((text, secrets))
    }

    /// Has the secrets wait, puts the file in its place, and lets them count with it; if any of that
    /// does not work, none of it counts.
    async fn put_connection(
        &self,
        save: &SaveConnection,
        text: &str,
        secrets: Vec<(SecretName, Secret)>,
        before: Standing,
    ) -> Result<(), NotSaved> {
        let entry = AuditEntry {
            at: self.intake.clock.now(),
            by: save.by.clone(),
            action: "connection_saved".to_owned(),
            subject: format!("connection:{}", save.name),
            detail: json!({ "fields": save.fields.keys().collect::<Vec<_>>() }),
        };
        let file = digest(text.as_bytes());
        let was = match before.bytes() {
            Some(Ok(bytes)) => digest(bytes),
            _ => digest(b""),
        };
        let saving = Saving {
            file: file.clone(),
            entry,
            secrets,
        };
        let store = &self.intake.store;
        self.is_saving.store(true, Ordering::SeqCst);
        let put = async {
            let begun = store.begin_saving(saving).await;
            begun.map_err(NotSaved::Store)?;
            let counts = async { store.end_saving(&file).await.map(drop) };
            self.put_noted(FILE, text, before, counts).await
        };
        if let Err(why) = put.await {
            // Where the file is the same as before, it does not tell whether the secrets count.
            let is_in_place = file != was && self.connections_hash() == file;
            if !is_in_place && let Err(error) = store.end_saving(NEVER).await {
                tracing::error!("a connection that was not saved is still noted: {error}");
            }
            return Err(why);
        }
        self.is_saving.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Comes to an end with a connection that was being saved: it counts if its file is in its place.
    pub(super) async fn settle_saving(&self) -> Result<(), StoreError> {
        if !self.is_saving.load(Ordering::SeqCst) {
            return Ok(());
        }
        settle_saving(&self.intake.store, &self.connections_hash()).await?;
        self.is_saving.store(false, Ordering::SeqCst);
        Ok(())
    }
}

/// Comes to an end with a connection that was being saved when a server stopped: it counts if the
/// file of connections is the one of this hash that was to be.
pub async fn settle_saving(store: &Store, file: &str) -> Result<(), StoreError> {
    if let SavingEnded::Forgotten(subject) = store.end_saving(file).await? {
        tracing::warn!(
            %subject,
            "a connection was not saved to its end, and nothing of it counts; if connections.yaml \
             is not as it should be, save the connection again"
        );
    }
    Ok(())
}

/// The hash of a workspace's `connections.yaml` as it is now.
pub fn connections_hash(workspace: &Path) -> String {
    let bytes = fs::read(workspace.join(FILE)).unwrap_or_default();
    digest(bytes.as_slice())
}

/// The hash of no file.
const NEVER: &str = "";

/// A file as it would be, and the secrets that come with it.
type Text = (String, Vec<(SecretName, Secret)>);

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
