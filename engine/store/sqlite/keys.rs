//! The key of a database: whether a key file fits it, and a new one in its place.
//!
//! In: a database and a key file. Out: what seals and opens its secrets.
//! Always true: a key file that does not fit the database is refused before anything is sealed with
//! it; a new key is in the file before anything is sealed with it.

use std::path::{Path, PathBuf};

use sqlx::SqliteConnection;

use super::error::store_error;
use super::recipes::note;
use super::seal::Sealer;
use super::vault::about;
use super::{Sqlite, key_file, open};
use crate::clock::Moment;
use crate::data::Secret;
use crate::store::{AuditEntry, StoreError};

/// Under which name the proof is sealed that a key file fits, and what it says.
const CHECK: &str = "key-check";
const FITS: &str = "fits";

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
    sqlx::query(
        "DELETE FROM sealed; DELETE FROM secret; DELETE FROM saving_secret; DELETE FROM saving;
         DELETE FROM key_check",
    )
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    note(connection, &about_key("key_replaced", by, at)).await?;
    fitting(connection, key).await?;
    opened.readers.close().await;
    Ok(aside)
}

impl Sqlite {
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
        let _turn = self.vault.turn().lock().await;
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
                    (
                        "SELECT name, body FROM saving_secret",
                        "UPDATE saving_secret SET body = $2 WHERE name = $1",
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

fn about_key(action: &str, by: &str, at: Moment) -> AuditEntry {
    about(action, "key".to_owned(), by, at)
}
