//! Secrets of connections that an admin gave: sealed in the database, open in memory.
//!
//! Always true: what is in memory is what is in the database; nothing here tells a secret but to
//! who builds a request.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::Mutex;

use super::error::store_error;
use super::recipes::note;
use super::seal::Sealer;
use super::{Sqlite, open};
use crate::clock::Moment;
use crate::data::Secret;
use crate::mask::learn_secret;
use crate::names::SecretName;
use crate::store::{AuditEntry, StoreError};

/// The secrets of connections, open; clones share them.
#[derive(Clone, Default)]
pub struct Vault {
    held: Arc<RwLock<Held>>,
    /// One change at a time, so that the last one in the database is the last one here.
    turn: Arc<Mutex<()>>,
}

#[derive(Default)]
struct Held {
    open: BTreeMap<SecretName, Secret>,
    /// Those that the database has, and nobody is told of before the connections that they are for
    /// are there.
    coming: BTreeMap<SecretName, Secret>,
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
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.open.get(name).cloned()
    }

    /// Tells from now on of the secrets that came with connections, which are there by now.
    pub fn arrive(&self) {
        let mut held = self.write();
        let coming = std::mem::take(&mut held.coming);
        held.open.extend(coming);
    }

    /// Reads the secrets of a database beside whoever works on it, as they go with the file of
    /// connections of this SHA-256; none if there is no database.
    pub async fn read(database: &Path, key: &Path, file: &str) -> Result<Self, StoreError> {
        let vault = Self::default();
        if !database.exists() || !key.exists() {
            return Ok(vault);
        }
        if let Some(mut connection) = open::open_beside(database).await? {
            vault.fill(&mut connection, &Sealer::at(key)?, file).await?;
            connection.close().await.map_err(store_error)?;
        }
        Ok(vault)
    }

    async fn fill(
        &self,
        connection: &mut SqliteConnection,
        sealer: &Sealer,
        file: &str,
    ) -> Result<(), StoreError> {
        // Those of a connection whose saving was cut off once its file was in its place come last.
        let sql = "SELECT name, body, 0 AS is_late FROM secret UNION ALL
             SELECT name, body, 1 FROM saving_secret
                WHERE EXISTS (SELECT 1 FROM saving WHERE file = $1)
             ORDER BY is_late";
        let rows: Vec<(String, Vec<u8>, i64)> = sqlx::query_as(sql)
            .bind(file)
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
        for (name, body, _) in rows {
            match (SecretName::new(&name), sealer.open(&name, &body)) {
                (Ok(name), Some(secret)) => self.put(name, secret),
                _ => tracing::error!(%name, "a secret is damaged; set it again"),
            }
        }
        Ok(())
    }

    /// What who changes a secret has.
    pub(super) fn turn(&self) -> &Mutex<()> {
        &self.turn
    }

    /// Takes a secret in that is told of once it arrives.
    pub(super) fn come(&self, name: SecretName, secret: Secret) {
        learn_secret(secret.reveal());
        self.write().coming.insert(name, secret);
    }

    fn put(&self, name: SecretName, secret: Secret) {
        learn_secret(secret.reveal());
        let mut held = self.write();
        held.coming.remove(&name);
        held.open.insert(name, secret);
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_tuple("Vault").field(&held.open.keys()).finish()
    }
}

impl Sqlite {
    /// Reads the secrets of connections into memory.
    pub(super) async fn open_vault(&self) -> Result<(), StoreError> {
        let (vault, sealer) = (self.vault.clone(), self.sealer.clone());
        self.with_reader(move |connection| {
            Box::pin(async move { vault.fill(connection, &sealer, "").await })
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
                keep(connection, &name, &body, &entry).await?;
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
        let mut held = self.vault.write();
        held.open.remove(&name);
        held.coming.remove(&name);
        Ok(())
    }
}

/// Keeps a sealed secret in place of the last one of its name, with the entry that tells who gave it.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    name: &SecretName,
    body: &[u8],
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO secret (name, body, set_at, set_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET body = excluded.body,
            set_at = excluded.set_at, set_by = excluded.set_by",
    )
    .bind(name.as_str())
    .bind(body)
    .bind(entry.at.0)
    .bind(&entry.by)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    note(connection, entry).await
}

/// What a person did about a secret.
pub(super) fn about_secret(action: &str, name: &SecretName, by: &str, at: Moment) -> AuditEntry {
    about(action, format!("secret:{name}"), by, at)
}

pub(super) fn about(action: &str, subject: String, by: &str, at: Moment) -> AuditEntry {
    AuditEntry {
        at,
        by: by.to_owned(),
        action: action.to_owned(),
        subject,
        detail: json!(null),
    }
}
