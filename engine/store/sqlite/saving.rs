//! Connections that are being saved: their secrets wait until their file is in its place.
//!
//! In: secrets, and the hash that the file of connections will have. Out: they count from the moment
//! that it has it, or are forgotten.
//! Always true: a secret that waits reaches nobody; a crash leaves all of a connection as it was, or
//! all as it shall be.

use sqlx::{Row, SqliteConnection};

use super::Sqlite;
use super::error::{corrupt, store_error};
use super::recipes::note;
use super::vault::{about_secret, keep};
use crate::clock::Moment;
use crate::data::Secret;
use crate::mask::learn_secret;
use crate::names::SecretName;
use crate::store::{AuditEntry, StoreError};

/// A connection that is being saved.
#[derive(Clone, Debug)]
pub struct Saving {
    /// The SHA-256 of the file of connections, once it has it.
    pub file: String,
    /// Who saves which one.
    pub entry: AuditEntry,
    /// The secrets that come with it.
    pub secrets: Vec<(SecretName, Secret)>,
}

/// What became of a connection that was being saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavingEnded {
    /// There was none.
    None,
    /// It counts.
    Counts,
    /// It does not: the subject of its entry.
    Forgotten(String),
}

impl Sqlite {
    /// Keeps what a connection is saved with, sealed, until its file is in its place. What was
    /// waiting is forgotten.
    pub async fn begin_saving(&self, saving: Saving) -> Result<(), StoreError> {
        let mut bodies = Vec::new();
        for (name, secret) in &saving.secrets {
            learn_secret(secret.reveal());
            bodies.push((name.clone(), self.sealer.seal(name.as_str(), secret)?));
        }
        let Saving { file, entry, .. } = saving;
        self.with_writer(move |connection| {
            Box::pin(async move {
                forget(connection).await?;
                sqlx::query(
                    "INSERT INTO saving (file, at, by, action, subject, detail)
                     VALUES ($1, $2, $3, $4, $5, $6)",
                )
                .bind(file)
                .bind(entry.at.0)
                .bind(entry.by)
                .bind(entry.action)
                .bind(entry.subject)
                .bind(entry.detail.to_string())
                .execute(&mut *connection)
                .await
                .map_err(store_error)?;
                for (name, body) in bodies {
                    sqlx::query("INSERT INTO saving_secret (name, body) VALUES ($1, $2)")
                        .bind(name.as_str())
                        .bind(body)
                        .execute(&mut *connection)
                        .await
                        .map_err(store_error)?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Lets a connection that is being saved count if the file of connections has this SHA-256, and
    /// forgets it if it has another. Its secrets are told once they [arrive](super::Vault::arrive).
    pub async fn end_saving(&self, file: &str) -> Result<SavingEnded, StoreError> {
        let file = file.to_owned();
        let _turn = self.vault.turn().lock().await;
        let (ended, bodies) = self
            .with_writer(move |connection| Box::pin(async move { end(connection, &file).await }))
            .await?;
        for (name, body) in bodies {
            match self.sealer.open(name.as_str(), &body) {
                Some(secret) => self.vault.come(name, secret),
                None => tracing::error!(%name, "a secret is damaged; set it again"),
            }
        }
        Ok(ended)
    }
}

/// Secrets as they are sealed.
type Bodies = Vec<(SecretName, Vec<u8>)>;

async fn end(
    connection: &mut SqliteConnection,
    file: &str,
) -> Result<(SavingEnded, Bodies), StoreError> {
    let Some((wanted, entry)) = waiting(connection).await? else {
        return Ok((SavingEnded::None, Vec::new()));
    };
    if wanted != file {
        forget(connection).await?;
        return Ok((SavingEnded::Forgotten(entry.subject), Vec::new()));
    }
    let rows: Vec<(String, Vec<u8>)> =
        sqlx::query_as("SELECT name, body FROM saving_secret ORDER BY name")
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
    let mut bodies = Vec::new();
    for (name, body) in rows {
        let name = SecretName::new(&name).map_err(StoreError::Corrupt)?;
        let about = about_secret("secret_set", &name, &entry.by, entry.at);
        keep(connection, &name, &body, &about).await?;
        bodies.push((name, body));
    }
    note(connection, &entry).await?;
    forget(connection).await?;
    Ok((SavingEnded::Counts, bodies))
}

async fn waiting(
    connection: &mut SqliteConnection,
) -> Result<Option<(String, AuditEntry)>, StoreError> {
    let row = sqlx::query("SELECT file, at, by, action, subject, detail FROM saving")
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    let Some(row) = row else { return Ok(None) };
    let detail: &str = row.try_get(5).map_err(store_error)?;
    let entry = AuditEntry {
        at: Moment(row.try_get(1).map_err(store_error)?),
        by: row.try_get(2).map_err(store_error)?,
        action: row.try_get(3).map_err(store_error)?,
        subject: row.try_get(4).map_err(store_error)?,
        detail: serde_json::from_str(detail).map_err(|e| corrupt("a connection's saving", &e))?,
    };
    Ok(Some((row.try_get(0).map_err(store_error)?, entry)))
}

async fn forget(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM saving_secret; DELETE FROM saving")
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}
