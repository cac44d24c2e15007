//! The versions of recipes that were live, with their texts.
//!
//! Always true: versions of a recipe are numbered from 1 on without a gap in time; the same text
//! twice in a row is one version; the text of every version that is listed is there.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::Sqlite;
use super::error::store_error;
use super::pack::{compress, decompress};
use super::recipes::{AuditEntry, note};
use crate::clock::Moment;
use crate::names::RecipeName;
use crate::store::StoreError;

/// So many versions of a recipe are kept; with a further one, the oldest goes.
const VERSIONS_MAX: i64 = 1_000;

/// Where a version of a recipe came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionOrigin {
    /// It came with the program.
    Bundled,
    /// Its file was saved.
    File,
    /// Somebody saved it over the API.
    Api,
    /// Somebody brought an earlier one back: this number.
    Restored(u64),
}

/// A version of a recipe that is live from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// The recipe.
    pub recipe: RecipeName,
    /// The SHA-256 of its text.
    pub hash: String,
    /// Its text.
    pub text: String,
    /// Where it came from.
    pub origin: VersionOrigin,
    /// Who brought it, if that is known.
    pub by: Option<String>,
}

/// A version of a recipe that was live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1.
    pub number: u64,
    /// The SHA-256 of its text.
    pub hash: String,
    /// Since when it was.
    pub at: Moment,
    /// Where it came from.
    pub origin: VersionOrigin,
    /// Who brought it, if that is known.
    pub by: Option<String>,
}

impl VersionOrigin {
    fn as_str(self) -> &'static str {
        match self {
            Self::Bundled => "bundled",
            Self::File => "file",
            Self::Api => "api",
            Self::Restored(_) => "restored",
        }
    }

    fn read(word: &str, of: Option<i64>) -> Result<Self, StoreError> {
        match (word, of) {
            ("bundled", _) => Ok(Self::Bundled),
            ("file", _) => Ok(Self::File),
            ("api", _) => Ok(Self::Api),
            ("restored", Some(of)) => Ok(Self::Restored(of.unsigned_abs())),
            _ => Err(StoreError::Corrupt(format!("`{word}` brings no version"))),
        }
    }
}

impl Sqlite {
    /// Keeps versions that are live from now on, with what a person did to bring them; those that
    /// were live already are left out.
    pub async fn keep_versions(
        &self,
        versions: Vec<NewVersion>,
        at: Moment,
        by_hand: Option<AuditEntry>,
    ) -> Result<(), StoreError> {
        let packed = versions.into_iter().map(|version| {
            let body = compress(version.text.as_bytes())?;
            Ok((version, body))
        });
        // Nobody else's commit is to wait for this.
        let versions = packed.collect::<Result<Vec<_>, StoreError>>()?;
        self.with_writer(move |connection| Box::pin(keep(connection, versions, at, by_hand)))
            .await
    }

    /// The hash of the version of each recipe that was last live.
    pub async fn live_versions(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let sql = "SELECT recipe, hash, MAX(number) FROM recipe_version GROUP BY recipe";
        let rows: Vec<(String, String, i64)> = self
            .with_reader(move |connection| {
                Box::pin(async move {
                    let rows = sqlx::query_as(sql).fetch_all(connection).await;
                    rows.map_err(store_error)
                })
            })
            .await?;
        let last = rows.into_iter().map(|(recipe, hash, _)| (recipe, hash));
        Ok(last.collect())
    }

    /// The versions of a recipe, newest first.
    pub async fn versions(&self, recipe: &RecipeName) -> Result<Vec<Version>, StoreError> {
        let recipe = recipe.clone();
        self.with_reader(move |connection| Box::pin(versions(connection, recipe)))
            .await
    }

    /// The text of a version by its hash.
    pub async fn version_text(&self, hash: &str) -> Result<Option<String>, StoreError> {
        let hash = hash.to_owned();
        let body: Option<Vec<u8>> = self
            .with_reader(move |connection| {
                Box::pin(async move {
                    sqlx::query_scalar("SELECT body FROM recipe_text WHERE hash = $1")
                        .bind(hash)
                        .fetch_optional(connection)
                        .await
                        .map_err(store_error)
                })
            })
            .await?;
        let Some(body) = body else { return Ok(None) };
        let text = String::from_utf8(decompress(&body)?);
        text.map(Some)
            .map_err(|_| StoreError::Corrupt("the text of a version".to_owned()))
    }
}

async fn keep(
    connection: &mut SqliteConnection,
    versions: Vec<(NewVersion, Vec<u8>)>,
    at: Moment,
    by_hand: Option<AuditEntry>,
) -> Result<(), StoreError> {
    for (version, body) in versions {
        keep_one(connection, version, body, at).await?;
    }
    match by_hand {
        Some(entry) => note(connection, &entry).await,
        None => Ok(()),
    }
}

async fn keep_one(
    connection: &mut SqliteConnection,
    version: NewVersion,
    body: Vec<u8>,
    at: Moment,
) -> Result<(), StoreError> {
    let last: Option<(i64, String)> = sqlx::query_as(
        "SELECT number, hash FROM recipe_version WHERE recipe = $1 ORDER BY number DESC LIMIT 1",
    )
    .bind(version.recipe.as_str())
    .fetch_optional(&mut *connection)
    .await
    .map_err(store_error)?;
    if last.as_ref().is_some_and(|(_, hash)| *hash == version.hash) {
        return Ok(());
    }
    let number = last.map_or(0, |(number, _)| number) + 1;
    let of = match version.origin {
        VersionOrigin::Restored(of) => i64::try_from(of).ok(),
        _ => None,
    };
    sqlx::query("INSERT INTO recipe_text (hash, body) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(&version.hash)
        .bind(body)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(
        "INSERT INTO recipe_version (recipe, number, hash, at, origin, by, of)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(version.recipe.as_str())
    .bind(number)
    .bind(&version.hash)
    .bind(at.0)
    .bind(version.origin.as_str())
    .bind(&version.by)
    .bind(of)
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    if number > VERSIONS_MAX {
        forget_before(connection, &version.recipe, number - VERSIONS_MAX).await?;
    }
    Ok(())
}

/// Forgets a recipe's versions up to this number, and the texts that no version has any more.
async fn forget_before(
    connection: &mut SqliteConnection,
    recipe: &RecipeName,
    number: i64,
) -> Result<(), StoreError> {
    let hashes: Vec<String> = sqlx::query_scalar(
        "DELETE FROM recipe_version WHERE recipe = $1 AND number <= $2 RETURNING hash",
    )
    .bind(recipe.as_str())
    .bind(number)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    for hash in hashes {
        sqlx::query(
            "DELETE FROM recipe_text WHERE hash = $1
             AND NOT EXISTS (SELECT 1 FROM recipe_version WHERE hash = $1)",
        )
        .bind(hash)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    }
    Ok(())
}

async fn versions(
    connection: &mut SqliteConnection,
    recipe: RecipeName,
) -> Result<Vec<Version>, StoreError> {
    let rows = sqlx::query(
        "SELECT number, hash, at, origin, by, of FROM recipe_version WHERE recipe = $1
         ORDER BY number DESC",
    )
    .bind(recipe.as_str())
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    let read = |row: &SqliteRow| -> Result<Version, StoreError> {
        let number: i64 = row.try_get(0).map_err(store_error)?;
        let origin: &str = row.try_get(3).map_err(store_error)?;
        let of: Option<i64> = row.try_get(5).map_err(store_error)?;
        Ok(Version {
            number: number.unsigned_abs(),
            hash: row.try_get(1).map_err(store_error)?,
            at: Moment(row.try_get(2).map_err(store_error)?),
            origin: VersionOrigin::read(origin, of)?,
            by: row.try_get(4).map_err(store_error)?,
        })
    };
    rows.iter().map(read).collect()
}
