//! Looking for jobs by a value that they hold: an e-mail address or an id, letter for letter.
//!
//! In: the value and which jobs are meant. Out: those that hold it, newest first.
//! Always true: nothing of what jobs hold comes out of here, so that who may not see personal values
//! can look for one that they know; one search looks at a bounded number of jobs and says how far it
//! came.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use super::super::error::{corrupt, store_error};
use super::super::pack::decompress;
use super::list;
use crate::names::JobId;
use crate::store::{JobFilter, JobRecord, StoreError};

/// How many jobs one search looks at.
const LOOKED_AT_MAX: usize = 20_000;
/// How many of them at a time.
const AT_A_TIME: usize = 500;

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Found {
    /// The jobs that hold the value, newest first.
    pub jobs: Vec<JobRecord>,
    /// How many jobs were looked at.
    pub looked_at: usize,
    /// The last job that was looked at, if there may be more behind it.
    pub last: Option<JobId>,
}

/// The jobs of the filter that hold this value, in what they were given, did or gave.
pub(super) async fn holding(
    connection: &mut SqliteConnection,
    value: String,
    filter: JobFilter,
) -> Result<Found, StoreError> {
    let sought = Sought::of(&value)?;
    let mut verdicts = BTreeMap::new();
    let mut found = Found {
        jobs: Vec::new(),
        looked_at: 0,
        last: None,
    };
    let mut page = JobFilter {
        limit: AT_A_TIME,
        ..filter.clone()
    };
    loop {
        let records = list::jobs(connection, page.clone()).await?;
        let is_end = records.is_empty();
        let holders = holders(connection, &records, &sought, &mut verdicts).await?;
        for record in records {
            found.looked_at += 1;
            found.last = Some(record.id.clone());
            if holders.contains(&record.id) {
                found.jobs.push(record);
            }
            if found.jobs.len() == filter.limit {
                return Ok(found);
            }
        }
        if is_end {
            found.last = None;
            return Ok(found);
        }
        if found.looked_at >= LOOKED_AT_MAX {
            return Ok(found);
        }
        page.before.clone_from(&found.last);
    }
}

/// A value as it stands in stored JSON.
struct Sought {
    /// In small letters.
    written: String,
    /// The pattern that SQLite looks with, before we look closer.
    pattern: String,
}

impl Sought {
    fn of(value: &str) -> Result<Self, StoreError> {
        let json = serde_json::to_string(value).map_err(|e| corrupt("a value", &e))?;
        let written = json.trim_matches('"').to_ascii_lowercase();
        let mut pattern = String::from("%");
        for letter in written.chars() {
            if matches!(letter, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        pattern.push('%');
        Ok(Self { written, pattern })
    }

    /// Whether the text holds the value whole: `ann@a.org`, but not as part of `joann@a.org` or
    /// `ann@a.organisation`; `12`, but not as part of `123` or `1.12`.
    fn is_in(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let mut places = text.match_indices(&self.written);
        places.any(|(start, found)| {
            !is_more(text[..start].chars().rev()) && !is_more(text[start + found.len()..].chars())
        })
    }
}

/// Whether a word goes on with these letters.
fn is_more(mut letters: impl Iterator<Item = char>) -> bool {
    match letters.next() {
        Some('.' | '+' | '-') => letters.next().is_some_and(char::is_alphanumeric),
        Some(letter) => letter.is_alphanumeric() || matches!(letter, '_' | '@'),
        None => false,
    }
}

/// All places where a job's values stand as text.
const TEXTS: &str = "
    WITH looked AS (SELECT number, id FROM job WHERE id IN (SELECT value FROM json_each($1)))
    SELECT id, event FROM looked JOIN job_input ON job = number WHERE event LIKE $2 ESCAPE '\\'
    UNION ALL
    SELECT id, input FROM looked JOIN job_input ON job = number WHERE input LIKE $2 ESCAPE '\\'
    UNION ALL
    SELECT id, body FROM looked JOIN entry ON job = number WHERE body LIKE $2 ESCAPE '\\'
    UNION ALL
    SELECT id, body FROM looked JOIN loop_head ON job = number WHERE body LIKE $2 ESCAPE '\\'
    UNION ALL
    SELECT id, body FROM looked JOIN loop_chunk ON job = number WHERE body LIKE $2 ESCAPE '\\'
    UNION ALL
    SELECT looked.id, output FROM looked JOIN job ON job.number = looked.number
    WHERE output LIKE $2 ESCAPE '\\'
    UNION ALL
    SELECT looked.id, failure FROM looked JOIN job ON job.number = looked.number
    WHERE failure LIKE $2 ESCAPE '\\'";

/// Which of these jobs hold the value. What is known of a large value is kept for the next jobs.
async fn holders(
    connection: &mut SqliteConnection,
    records: &[JobRecord],
    sought: &Sought,
    verdicts: &mut BTreeMap<String, bool>,
) -> Result<BTreeSet<JobId>, StoreError> {
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    let ids = serde_json::to_string(&ids).map_err(|e| corrupt("job ids", &e))?;
    let texts: Vec<(String, String)> = sqlx::query_as(TEXTS)
        .bind(&ids)
        .bind(&sought.pattern)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    let mut holders: BTreeSet<String> = texts
        .into_iter()
        .filter(|(_, text)| sought.is_in(text))
        .map(|(id, _)| id)
        .collect();
    let uses: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, hash FROM job JOIN large_use ON large_use.job = job.number
         WHERE id IN (SELECT value FROM json_each($1))",
    )
    .bind(&ids)
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    for (id, hash) in uses {
        let is_in = match verdicts.get(&hash) {
            Some(is_in) => *is_in,
            None => is_in_large(connection, &hash, sought).await?,
        };
        verdicts.insert(hash, is_in);
        if is_in {
            holders.insert(id);
        }
    }
    let known = records.iter().map(|record| &record.id);
    Ok(known
        .filter(|id| holders.contains(id.as_str()))
        .cloned()
        .collect())
}

async fn is_in_large(
    connection: &mut SqliteConnection,
    hash: &str,
    sought: &Sought,
) -> Result<bool, StoreError> {
    let body: Option<Vec<u8>> = sqlx::query_scalar("SELECT body FROM large_value WHERE hash = $1")
        .bind(hash)
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    let body = decompress(&body.unwrap_or_default())?;
    Ok(sought.is_in(&String::from_utf8_lossy(&body)))
}
