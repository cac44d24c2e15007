//! Secrets of connections that an admin gave: sealed in the database, open in memory.
//!
//! Always true: what is in memory is what is in the database; nothing here tells a secret but to
//! who builds a request; a key file that does not fit the database is refused before anything is
//! sealed with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::Mutex;

use super::error::store_error;
use super::recipes::note;
use super::seal::Sealer;
use super::{Sqlite, key_file, open};
use crate::clock::Moment;
use crate::data::Secret;
use crate::mask::learn_secret;
use crate::names::SecretName;
use crate::store::{AuditEntry, StoreError};

/// Under which name the proof is sealed that a key file fits, and what it says.
const CHECK: &str = "key-check";
const FITS: &str = "fits";

/// The secrets of connections, open; clones share them.
#[derive(Clone, Default)]
pub struct Vault {
    open: Arc<RwLock<BTreeMap<SecretName, Secret>>>,
    /// One change at a time, so that the last one in the database is the last one here.
    turn: Arc<Mutex<()>>,
}

/// That there is a secret; never what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRecord {
    /// What it is called.
    pub name: SecretName,
    /// When it was given.
    pub set_at: Moment,
    /// Who gave it.
    pub set_by: String,
}

impl Vault {
    /// The secret of this name.
    pub fn get(&self, name: &SecretName) -> Option<Secret> {
        let all = self.open.read().unwrap_or_else(PoisonError::into_inner);
        all.get(name).cloned()
    }

    /// Reads the secrets of a database beside whoever works on it; none if there is no database.
    pub async fn read(database: &Path, key: &Path) -> Result<Self, StoreError> {
        let vault = Self::default();
        if !database.exists() || !key.exists() {
            return Ok(vault);
        }
        if let Some(mut connection) = open::open_beside(database).await? {
            vault.fill(&mut connection, &Sealer::at(key)?).await?;
            connection.close().await.map_err(store_error)?;
        }
        Ok(vault)
    }

    async fn fill(
        &self,
        connection: &mut SqliteConnection,
        sealer: &Sealer,
    ) -> Result<(), StoreError> {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as("SELECT name, body FROM secret")
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
        for (name, body) in rows {
            match (SecretName::new(&name), sealer.open(&name, &body)) {
                (Ok(name), Some(secret)) => self.put(name, secret),
                _ => tracing::error!(%name, "a secret is damaged; set it again"),
            }
        }
        Ok(())
    }

    fn put(&self, name: SecretName, secret: Secret) {
        learn_secret(secret.reveal());
        let mut all = self.open.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name, secret);
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.open.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_tuple("Vault").field(&all.keys()).finish()
    }
}

/// The sealer of a database, whose key file fits it.
pub(super) async fn fitting(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<Sealer, StoreError> {
    let body: Option<Vec<u8>> = sqlx::query_scalar("SELECT body FROM key_check")
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let Some(body) = body else {
        let sealer = Sealer::at(path)?;
        write_check(connection, &sealer).await?;
        return Ok(sealer);
    };
    let refuse = |what: &str| {
        StoreError::Conflict(format!(
            "the key file `{}` {what}: put the one back that belongs to this database, or say \
             where it stands (`key_file` in settings.yaml, or RECIPES_KEY_FILE). If it is lost for \
             good, `recipes secrets rekey --key-is-lost` makes a new one, and all secrets must be \
             given anew",
            path.display()
        ))
    };
    if !path.exists() {
        return Err(refuse("is missing"));
    }
    let sealer = Sealer::at(path)?;
    match sealer.open(CHECK, &body) {
        Some(_) => Ok(sealer),
        None => Err(refuse("does not fit")),
    }
}

async fn write_check(connection: &mut SqliteConnection, sealer: &Sealer) -> Result<(), StoreError> {
    let body = sealer.seal(CHECK, &Secret::new(FITS))?;
    sqlx::query("DELETE FROM key_check; INSERT INTO key_check (body) VALUES ($1)")
        .bind(body)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Forgets all that was sealed with a key that is lost, and makes a new one; answers where what
/// stood in the key file's place was put.
pub async fn forget_key(
    database: &Path,
    key: &Path,
    by: &str,
    at: Moment,
) -> Result<Option<PathBuf>, StoreError> {
    let mut opened = open::open_file(database).await?;
    let mut aside = None;
    if key.exists() {
        let mut name = key.as_os_str().to_owned();
        name.push(format!(".until-{}", at.0 / 1_000_000));
        let name = PathBuf::from(name);
        std::fs::rename(key, &name).map_err(|error| {
            StoreError::Unavailable(format!("the key file `{}`: {error}", key.display()))
        })?;
        aside = Some(name);
    }
    let connection = &mut opened.writer;
    sqlx::query("DELETE FROM sealed; DELETE FROM secret; DELETE FROM key_check")
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    note(connection, &about_key("key_replaced", by, at)).await?;
    fitting(connection, key).await?;
    opened.readers.close().await;
    Ok(aside)
}

impl Sqlite {
    /// Reads the secrets of connections into memory.
    pub(super) async fn open_vault(&self) -> Result<(), StoreError> {
        let (vault, sealer) = (self.vault.clone(), self.sealer.clone());
        self.with_reader(move |connection| {
            Box::pin(async move { vault.fill(connection, &sealer).await })
        })
        .await
    }

    /// The secrets of connections, as they are now and will be.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Which secrets of connections there are.
    pub async fn secrets(&self) -> Result<Vec<SecretRecord>, StoreError> {
        let rows: Vec<(String, i64, String)> = self
            .with_reader(|connection| {
                Box::pin(async move {
                    sqlx::query_as("SELECT name, set_at, set_by FROM secret ORDER BY name")
                        .fetch_all(connection)
                        .await
                        .map_err(store_error)
                })
            })
            .await?;
        rows.into_iter()
            .map(|(name, set_at, set_by)| {
                Ok(SecretRecord {
                    name: SecretName::new(&name).map_err(StoreError::Corrupt)?,
                    set_at: Moment(set_at),
                    set_by,
                })
            })
            .collect()
    }

    /// Keeps a connection's secret, sealed, in place of the last one of its name.
    pub async fn set_secret(
        &self,
        name: SecretName,
        secret: Secret,
        by: &str,
        at: Moment,
    ) -> Result<(), StoreError> {
        learn_secret(secret.reveal());
        let entry = about_secret("secret_set", &name, by, at);
        let vault = self.vault.clone();
        let _turn = vault.turn.lock().await;
        let body = self.sealer.seal(name.as_str(), &secret)?;
        self.with_writer(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO secret (name, body, set_at, set_by) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (name) DO UPDATE SET body = excluded.body,
                        set_at = excluded.set_at, set_by = excluded.set_by",
                )
                .bind(name.as_str())
                .bind(body)
                .bind(at.0)
                .bind(&entry.by)
                .execute(&mut *connection)
                .await
                .map_err(store_error)?;
                note(connection, &entry).await?;
                Ok((name, secret))
            })
        })
        .await
        .map(|(name, secret)| vault.put(name, secret))
    }

    /// Removes a connection's secret.
    pub async fn remove_secret(
        &self,
        name: SecretName,
        by: &str,
        at: Moment,
    ) -> Result<(), StoreError> {
        let entry = about_secret("secret_removed", &name, by, at);
        let wanted = name.clone();
        let _turn = self.vault.turn.lock().await;
        self.with_writer(move |connection| {
            Box::pin(async move {
                let done = sqlx::query("DELETE FROM secret WHERE name = $1")
                    .bind(wanted.as_str())
                    .execute(&mut *connection)
                    .await
                    .map_err(store_error)?;
                if done.rows_affected() == 0 {
                    return Err(StoreError::NotFound(format!("the secret `{wanted}`")));
                }
                note(connection, &entry).await
            })
        })
        .await?;
        let mut all = self
            .vault
            .open
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        all.remove(&name);
        Ok(())
    }

    /// Refuses unless every secret opens: one that does not would look as if it were sealed anew.
    async fn check_all_open(&self) -> Result<(), StoreError> {
        let sealer = self.sealer.clone();
        let rows: Vec<(String, Vec<u8>)> = self
            .with_reader(|connection| {
                Box::pin(async move {
                    sqlx::query_as("SELECT name, body FROM secret ORDER BY name")
                        .fetch_all(connection)
                        .await
                        .map_err(store_error)
                })
            })
            .await?;
        let closed = rows
            .into_iter()
            .filter(|(name, body)| sealer.open(name, body).is_none());
        let closed: Vec<String> = closed.map(|(name, _)| format!("`{name}`")).collect();
        if closed.is_empty() {
            return Ok(());
        }
        Err(StoreError::Conflict(format!(
            "these secrets are damaged and cannot be sealed anew: {}; give them again (`recipes \
             secrets set`) or remove them first",
            closed.join(", ")
        )))
    }

    /// Seals with a new key from now on, the secrets that are kept included. The key file keeps the
    /// old one, with which the rows and the history of before are opened.
    pub async fn rekey(&self, by: &str, at: Moment) -> Result<(), StoreError> {
        let Some(path) = &self.key_file else {
            return Ok(());
        };
        // Of two at once, the second would write its file without the first one's key.
        let _turn = self.vault.turn.lock().await;
        self.check_all_open().await?;
        self.sealer.renew(path)?;
        let sealer = self.sealer.clone();
        let entry = about_key("key_renewed", by, at);
        self.with_writer(move |connection| {
            Box::pin(async move {
                for (all, change) in [
                    (
                        "SELECT name, body FROM sealed",
                        "UPDATE sealed SET body = $2 WHERE name = $1",
                    ),
                    (
                        "SELECT name, body FROM secret",
                        "UPDATE secret SET body = $2 WHERE name = $1",
                    ),
                ] {
                    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(all)
                        .fetch_all(&mut *connection)
                        .await
                        .map_err(store_error)?;
                    for (name, body) in rows {
                        let Some(secret) = sealer.open(&name, &body) else {
                            continue;
                        };
                        let body = sealer.seal(&name, &secret)?;
                        sqlx::query(change)
                            .bind(name)
                            .bind(body)
                            .execute(&mut *connection)
                            .await
                            .map_err(store_error)?;
                    }
                }
                write_check(connection, &sealer).await?;
                note(connection, &entry).await
            })
        })
        .await
    }
}

/// The key file of a database unless it is said otherwise.
pub fn key_beside(database: &Path) -> PathBuf {
    key_file::beside(database)
}

fn about_secret(action: &str, name: &SecretName, by: &str, at: Moment) -> AuditEntry {
    about(action, format!("secret:{name}"), by, at)
}

fn about_key(action: &str, by: &str, at: Moment) -> AuditEntry {
    about(action, "key".to_owned(), by, at)
}

fn about(action: &str, subject: String, by: &str, at: Moment) -> AuditEntry {
    AuditEntry {
        at,
        by: by.to_owned(),
        action: action.to_owned(),
        subject,
        detail: json!(null),
    }
}
