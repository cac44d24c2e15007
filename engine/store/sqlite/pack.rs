//! Values as they are stored: small ones in place, large ones once, by content, compressed.
//!
//! In: JSON values. Out: text for a column, and what must be kept beside it.
//! Always true: a column holds plain JSON, or `@`, the hashes of the members that were taken out,
//! a line break and the JSON that is left; no JSON begins with `@`. At its end stands `#` and a
//! checksum of all that, so that a damaged value is never taken for a good one.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::checksum::{sealed, unsealed};
use super::error::{corrupt, store_error};
use crate::data::{Object, Value, digest, is_longer};
use crate::journal::{Decision, Entry, EntryKind};
use crate::store::StoreError;

/// A value whose JSON may be longer than this is stored by content.
const INLINE_BYTES_MAX: usize = 4096;
/// No stored value unpacks to more; a larger one was never written by us.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;

/// The job that stands for what is never pruned.
pub(super) const NO_JOB: i64 = 0;

/// Large values that were met while packing, still to be stored.
#[derive(Default)]
pub(super) struct Large {
    values: Vec<(String, Vec<u8>)>,
    /// Hashes of what is stored already.
    known: Vec<String>,
}

impl Large {
    fn take(&mut self, value: &Value) -> Result<String, StoreError> {
        let json = serde_json::to_vec(value).map_err(|e| corrupt("a value", &e))?;
        let hash = digest(&json);
        self.values.push((hash.clone(), json));
        Ok(hash)
    }

    /// Stores them for a job; of those that are known already, only the job's needs are counted.
    pub(super) async fn store(
        self,
        connection: &mut SqliteConnection,
        job: i64,
    ) -> Result<(), StoreError> {
        for hash in self.known {
            sqlx::query(
                "INSERT INTO large_use (job, hash) VALUES ($1, $2)
                 ON CONFLICT DO UPDATE SET uses = uses + 1",
            )
            .bind(job)
            .bind(hash)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        }
        for (hash, json) in self.values {
            sqlx::query(
                "INSERT INTO large_value (hash, body) VALUES ($1, $2) ON CONFLICT DO NOTHING;
                 INSERT INTO large_use (job, hash) VALUES ($3, $1)
                 ON CONFLICT DO UPDATE SET uses = uses + 1",
            )
            .bind(hash)
            .bind(compress(&json)?)
            .bind(job)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        }
        Ok(())
    }
}

/// Lets large values go that entries of a job needed, as often as they did.
pub(super) async fn release(
    connection: &mut SqliteConnection,
    job: i64,
    hashes: &[String],
) -> Result<(), StoreError> {
    for hash in hashes {
        sqlx::query(
            "UPDATE large_use SET uses = uses - 1 WHERE job = $1 AND hash = $2;
             DELETE FROM large_use WHERE job = $1 AND hash = $2 AND uses <= 0;
             DELETE FROM large_value WHERE hash = $2
                AND NOT EXISTS (SELECT 1 FROM large_use WHERE large_use.hash = $2)",
        )
        .bind(job)
        .bind(hash)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    }
    Ok(())
}

/// Members that many events have in common, packed once for all of them.
#[derive(Debug, Default)]
pub(super) struct Shared {
    taken: BTreeMap<String, String>,
    rest: Object,
}

impl Shared {
    /// Stores what is large of the members; the caller notes which jobs need it.
    pub(super) async fn store(
        connection: &mut SqliteConnection,
        members: Object,
    ) -> Result<Self, StoreError> {
        let mut shared = Self::default();
        let mut large = Large::default();
        for (name, member) in members {
            if is_large(&member) {
                shared.taken.insert(name.clone(), large.take(&member)?);
                shared.rest.insert(name, Value::Null);
            } else {
                shared.rest.insert(name, member);
            }
        }
        for (hash, json) in large.values {
            sqlx::query(
                "INSERT INTO large_value (hash, body) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            )
            .bind(hash)
            .bind(compress(&json)?)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
        }
        Ok(shared)
    }

    /// The column text of an object that has the shared members and its own.
    pub(super) fn pack(&self, own: &Value, large: &mut Large) -> Result<String, StoreError> {
        let Value::Object(own) = own else {
            return pack(own, large);
        };
        if self.rest.is_empty() {
            return pack(&Value::Object(own.clone()), large);
        }
        let mut taken = self.taken.clone();
        large.known.extend(taken.values().cloned());
        let mut rest = self.rest.clone();
        for (name, member) in own {
            if is_large(member) && !name.is_empty() {
                taken.insert(name.clone(), large.take(member)?);
                rest.insert(name.clone(), Value::Null);
            } else {
                rest.insert(name.clone(), member.clone());
            }
        }
        let rest = Value::Object(rest);
        if is_large(&rest) {
            // The empty name stands for the whole value, into which the others are put.
            taken.insert(String::new(), large.take(&rest)?);
            return with_taken(&taken, &Value::Null);
        }
        match taken.is_empty() {
            true => json(&rest),
            false => with_taken(&taken, &rest),
        }
    }
}

/// The column text of one value; of a large object, its large members are taken out one by one, so
/// that events which share a body share it in the database too.
pub(super) fn pack(value: &Value, large: &mut Large) -> Result<String, StoreError> {
    if !is_large(value) {
        return json(value);
    }
    let mut taken = BTreeMap::new();
    let Value::Object(object) = value else {
        taken.insert(String::new(), large.take(value)?);
        return with_taken(&taken, &Value::Null);
    };
    let mut rest = crate::data::Object::new();
    for (name, member) in object {
        // The empty name stands for the whole value.
        if is_large(member) && !name.is_empty() {
            taken.insert(name.clone(), large.take(member)?);
            rest.insert(name.clone(), Value::Null);
        } else {
            rest.insert(name.clone(), member.clone());
        }
    }
    let rest = Value::Object(rest);
    if taken.is_empty() || is_large(&rest) {
        let taken = BTreeMap::from([(String::new(), large.take(value)?)]);
        return with_taken(&taken, &Value::Null);
    }
    with_taken(&taken, &rest)
}

/// The value of a column text.
pub(super) async fn unpack(
    connection: &mut SqliteConnection,
    text: &str,
) -> Result<Value, StoreError> {
    let (taken, rest) = split(text)?;
    let mut value: Value = serde_json::from_str(rest).map_err(|e| corrupt("a value", &e))?;
    for (name, hash) in taken {
        let member = large_value(connection, &hash).await?;
        match &mut value {
            Value::Object(object) if !name.is_empty() => {
                object.insert(name, member);
            }
            _ => value = member,
        }
    }
    Ok(value)
}

/// The value of a column text with null where something large was taken out.
pub(super) fn unpack_small(text: &str) -> Result<Value, StoreError> {
    let (_, rest) = split(text)?;
    serde_json::from_str(rest).map_err(|e| corrupt("a value", &e))
}

/// The column text of the entries of one commit.
pub(super) fn pack_entries(
    mut entries: Vec<Entry>,
    large: &mut Large,
) -> Result<String, StoreError> {
    let mut taken = BTreeMap::new();
    for (index, entry) in entries.iter_mut().enumerate() {
        if let Some(value) = heavy_value(&mut entry.kind).filter(|value| is_large(value)) {
            taken.insert(index.to_string(), large.take(&std::mem::take(value))?);
        }
    }
    if taken.is_empty() {
        return json(&entries);
    }
    with_taken(&taken, &entries)
}

/// The entries of one commit.
pub(super) async fn unpack_entries(
    connection: &mut SqliteConnection,
    text: &str,
) -> Result<Vec<Entry>, StoreError> {
    let (taken, rest) = split(text)?;
    let mut entries: Vec<Entry> =
        serde_json::from_str(rest).map_err(|e| corrupt("a journal", &e))?;
    for (index, hash) in taken {
        let value = large_value(connection, &hash).await?;
        let place = index
            .parse::<usize>()
            .ok()
            .and_then(|index| entries.get_mut(index))
            .and_then(|entry| heavy_value(&mut entry.kind))
            .ok_or_else(|| StoreError::Corrupt(format!("a journal has no entry {index}")))?;
        *place = value;
    }
    Ok(entries)
}

/// Compresses bytes for a column; refuses what could not be read back.
pub(super) fn compress(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    if bytes.len() as u64 > UNPACKED_BYTES_MAX {
        return Err(StoreError::Conflict(format!(
            "a value of {} MiB is too large to be kept; the most is {} MiB",
            bytes.len() >> 20,
            UNPACKED_BYTES_MAX >> 20
        )));
    }
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::fast());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| StoreError::Unavailable(format!("compressing a value: {error}")))
}

/// The bytes of a compressed column.
pub(super) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut unpacked = Vec::with_capacity(bytes.len() * 4);
    ZlibDecoder::new(bytes)
        .take(UNPACKED_BYTES_MAX)
        .read_to_end(&mut unpacked)
        .map_err(|error| StoreError::Corrupt(format!("a compressed value: {error}")))?;
    Ok(unpacked)
}

/// The one value of an entry that can be large.
fn heavy_value(kind: &mut EntryKind) -> Option<&mut Value> {
    match kind {
        EntryKind::StepSucceeded { output } => Some(output),
        EntryKind::StepFailed { failure, .. } | EntryKind::DecisionAsked { failure } => {
            failure.body.as_mut()
        }
        EntryKind::CallIntended { input, .. } => Some(input),
        EntryKind::LineLogged { data, .. } => data.as_mut(),
        EntryKind::LoopGathered { given } => Some(given),
        EntryKind::OutputGiven { output, .. } => Some(output),
        EntryKind::ElementsGiven { items } => Some(items),
        EntryKind::LoopFolded { head } => Some(&mut head.vars),
        EntryKind::DecisionMade {
            decision: Decision::Happened { output },
            ..
        } => Some(output),
        _ => None,
    }
}

async fn large_value(connection: &mut SqliteConnection, hash: &str) -> Result<Value, StoreError> {
    let body: Option<Vec<u8>> = sqlx::query_scalar("SELECT body FROM large_value WHERE hash = $1")
        .bind(hash)
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    let body = body.ok_or_else(|| StoreError::Corrupt(format!("value {hash} is missing")))?;
    serde_json::from_slice(&decompress(&body)?).map_err(|e| corrupt("a large value", &e))
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    Ok(sealed(bare_json(value)?))
}

fn bare_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| corrupt("a value", &e))
}

/// The column text of entries whose large values are stored already.
pub(super) fn joined(
    taken: &BTreeMap<String, String>,
    entries: &[Value],
) -> Result<String, StoreError> {
    match taken.is_empty() {
        true => json(&entries),
        false => with_taken(taken, &entries),
    }
}

fn with_taken(
    taken: &BTreeMap<String, String>,
    rest: &impl Serialize,
) -> Result<String, StoreError> {
    let text = format!("@{}\n{}", bare_json(taken)?, bare_json(rest)?);
    Ok(sealed(text))
}

/// The hashes of what was taken out, by member, and the JSON that is left.
pub(super) fn split(text: &str) -> Result<(BTreeMap<String, String>, &str), StoreError> {
    let text = unsealed(text)?;
    let Some(packed) = text.strip_prefix('@') else {
        return Ok((BTreeMap::new(), text));
    };
    let (taken, rest) = packed
        .split_once('\n')
        .ok_or_else(|| StoreError::Corrupt("a packed value has no line break".to_owned()))?;
    let taken = serde_json::from_str(taken).map_err(|e| corrupt("a packed value", &e))?;
    Ok((taken, rest))
}

/// Whether the value's JSON is longer than what stays in place.
fn is_large(value: &Value) -> bool {
    is_longer(value, INLINE_BYTES_MAX)
}
