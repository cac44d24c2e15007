//! Loops whose iterations were folded: their heads, what they gave, and what goes for them.
//!
//! In: the new heads of one commit. Out: a journal without what they stand for.
//! Always true: a loop has one head; what it gave is appended and never read again until the job
//! is loaded; a large value goes with the last entry that needs it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use sqlx::SqliteConnection;

use super::super::error::{corrupt, store_error};
use super::super::pack::{Large, pack_entries, release, split, unpack_entries};
use crate::journal::{Entry, EntryKey, EntryKind, Heads};
use crate::store::StoreError;

/// Takes heads, and what their loops gave, out of the entries of a commit.
pub(super) fn take_loops(entries: &mut Vec<Entry>) -> Vec<Entry> {
    let is_of_loop = |entry: &Entry| {
        matches!(
            entry.kind,
            EntryKind::LoopFolded { .. } | EntryKind::LoopGathered { .. }
        )
    };
    if !entries.iter().any(is_of_loop) {
        return Vec::new();
    }
    entries.extract_if(.., |entry| is_of_loop(entry)).collect()
}

/// Removes what new heads stand for, then writes them.
pub(super) async fn fold(
    connection: &mut SqliteConnection,
    job: i64,
    chunk: i64,
    loops: Vec<Entry>,
    large: &mut Large,
) -> Result<(), StoreError> {
    let heads = Heads::among(&loops);
    if !heads.is_empty() {
        remove_entries(connection, job, &heads).await?;
        remove_loops(connection, job, &heads).await?;
    }
    for entry in loops {
        let place = entry.key.clone();
        let sql = match entry.kind {
            EntryKind::LoopFolded { .. } => {
                "INSERT INTO loop_head (job, place, body) VALUES ($1, $2, $4)"
            }
            // A job that takes over what another found out brings all its chunks at once.
            _ => {
                "INSERT INTO loop_chunk (job, place, chunk, body)
                 SELECT $1, $2, MAX($3, COALESCE(MAX(chunk), 0) + 1), $4
                 FROM loop_chunk WHERE job = $1 AND place = $2"
            }
        };
        sqlx::query(sql)
            .bind(job)
            .bind(&*place.0)
            .bind(chunk)
            .bind(pack_entries(vec![entry], large)?)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}

/// What the journal holds of folded loops: heads, then what they gave.
pub(super) async fn loops(
    connection: &mut SqliteConnection,
    job: i64,
) -> Result<Vec<Entry>, StoreError> {
    let bodies: Vec<String> = sqlx::query_scalar(
        "SELECT body FROM loop_head WHERE job = $1
         UNION ALL SELECT body FROM loop_chunk WHERE job = $1",
    )
    .bind(job)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let mut entries = Vec::with_capacity(bodies.len());
    for body in bodies {
        entries.extend(unpack_entries(connection, &body).await?);
    }
    Ok(entries)
}

/// The place of an entry and its kind, without what it holds.
#[derive(Deserialize)]
struct Placed<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

/// The kind of entries that no head takes the place of.
const LINE: &str = "line_logged";

/// Goes through the rows of a journal, one a commit, and takes covered entries out. What stays is
/// little: what loops have under way, their samples, and what stands around them.
async fn remove_entries(
    connection: &mut SqliteConnection,
    job: i64,
    heads: &Heads<'_>,
) -> Result<(), StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT chunk, body FROM entry WHERE job = $1 AND instr(substr(body, 2), '[') > 0",
    )
    .bind(job)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let mut emptied = Vec::new();
    let mut released = Vec::new();
    for (chunk, body) in rows {
        let (taken, rest) = split(&body)?;
        let placed: Vec<Placed<'_>> =
            serde_json::from_str(rest).map_err(|e| corrupt("a journal", &e))?;
        let goes: Vec<bool> = placed
            .iter()
            .map(|placed| placed.kind != LINE && heads.cover(&EntryKey(Arc::from(&*placed.key))))
            .collect();
        if !goes.contains(&true) {
            continue;
        }
        let has_gone = |index: &str| index.parse::<usize>().is_ok_and(|index| goes[index]);
        let gone = taken.iter().filter(|(index, _)| has_gone(index));
        released.extend(gone.map(|(_, hash)| hash.clone()));
        if goes.contains(&false) {
            rewrite(connection, (job, chunk), &taken, rest, &goes).await?;
        } else {
            emptied.push(chunk);
        }
    }
    if !emptied.is_empty() {
        let emptied = serde_json::to_string(&emptied).map_err(|e| corrupt("numbers", &e))?;
        sqlx::query(
            "DELETE FROM entry WHERE job = $1 AND chunk IN (SELECT value FROM json_each($2))",
        )
        .bind(job)
        .bind(emptied)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    }
    release(connection, job, &released).await
}

/// Leaves in a row what is not covered.
async fn rewrite(
    connection: &mut SqliteConnection,
    (job, chunk): (i64, i64),
    taken: &BTreeMap<String, String>,
    rest: &str,
    goes: &[bool],
) -> Result<(), StoreError> {
    let entries: Vec<serde_json::Value> =
        serde_json::from_str(rest).map_err(|e| corrupt("a journal", &e))?;
    let mut left = Vec::new();
    let mut left_taken = BTreeMap::new();
    for (index, entry) in entries.into_iter().enumerate() {
        if goes[index] {
            continue;
        }
        if let Some(hash) = taken.get(&index.to_string()) {
            left_taken.insert(left.len().to_string(), hash.clone());
        }
        left.push(entry);
    }
    let body = super::super::pack::joined(&left_taken, &left)?;
    sqlx::query("UPDATE entry SET body = $3 WHERE job = $1 AND chunk = $2")
        .bind(job)
        .bind(chunk)
        .bind(body)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Removes the heads that are written anew, and loops inside iterations that are folded.
async fn remove_loops(
    connection: &mut SqliteConnection,
    job: i64,
    heads: &Heads<'_>,
) -> Result<(), StoreError> {
    let known: Vec<(String, String)> =
        sqlx::query_as("SELECT place, body FROM loop_head WHERE job = $1")
            .bind(job)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
    let mut released = Vec::new();
    for (place, body) in known {
        let key = EntryKey(Arc::from(place.as_str()));
        let is_gone = heads.cover(&key);
        if !is_gone && !heads.has(&key) {
            continue;
        }
        released.extend(split(&body)?.0.into_values());
        sqlx::query("DELETE FROM loop_head WHERE job = $1 AND place = $2")
            .bind(job)
            .bind(&place)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        if is_gone {
            let chunks: Vec<String> = sqlx::query_scalar(
                "DELETE FROM loop_chunk WHERE job = $1 AND place = $2 RETURNING body",
            )
            .bind(job)
            .bind(&place)
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
            for chunk in chunks {
                released.extend(split(&chunk)?.0.into_values());
            }
        }
    }
    release(connection, job, &released).await
}
