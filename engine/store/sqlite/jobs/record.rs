//! Rows of `job` as records.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::super::checksum::unsealed;
use super::super::error::{corrupt, store_error};
use super::super::pack::{unpack, unpack_small};
use crate::clock::Moment;
use crate::data::Value;
use crate::journal::{Ending, Failure, JobStatus};
use crate::names::{JobId, RecipeName};
use crate::store::{JobRecord, JobRequest, Pinned, Pruned, StoreError};

/// The columns that [`Stored::read`] expects, in their order.
macro_rules! columns {
    () => {
        "job.number, job.id, job.recipe, job.status, job.started_by, job.created_at, job.due, \
         job.recoveries, job.started_at, job.ended_at, job.output, job.failure, job.pin, job.chunks, \
         job.pruned_at, job.pruned_by, job.start_depth"
    };
}
pub(super) use columns;

/// How many columns that are; joined ones follow.
pub(super) const COLUMNS_COUNT: usize = 17;

/// A row of `job` as stored.
pub(super) struct Stored {
    /// Its number in this database.
    pub(super) number: i64,
    /// The record; what may be large is still null.
    pub(super) record: JobRecord,
    /// What it pinned.
    pub(super) pin: Option<i64>,
    /// Whether it has a journal.
    pub(super) has_journal: bool,
    output: Option<String>,
    failure: Option<String>,
}

impl Stored {
    /// Reads the columns in their order.
    pub(super) fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let status: &str = row.try_get(3).map_err(store_error)?;
        let status = JobStatus::parse(status)
            .ok_or_else(|| StoreError::Corrupt(format!("a job's status is `{status}`")))?;
        let due: Option<i64> = row.try_get(6).map_err(store_error)?;
        let created_at: i64 = row.try_get(5).map_err(store_error)?;
        let waits = match status {
            JobStatus::Waiting | JobStatus::NeedsDecision => true,
            // Not before its time.
            JobStatus::Queued => due.is_some_and(|due| due > created_at),
            _ => false,
        };
        let moment = |index: usize| -> Result<Option<Moment>, StoreError> {
            let micros: Option<i64> = row.try_get(index).map_err(store_error)?;
            Ok(micros.map(Moment))
        };
        let recoveries: i64 = row.try_get(7).map_err(store_error)?;
        let chunks: i64 = row.try_get(13).map_err(store_error)?;
        let start_depth: i64 = row.try_get(16).map_err(store_error)?;
        Ok(Self {
            number: row.try_get(0).map_err(store_error)?,
            record: JobRecord {
                id: job_id(row.try_get(1).map_err(store_error)?)?,
                recipe: recipe_name(row.try_get(2).map_err(store_error)?)?,
                status,
                event: Value::Null,
                input: Value::Null,
                started_by: row.try_get(4).map_err(store_error)?,
                created_at: Moment(created_at),
                started_at: moment(8)?,
                ended_at: moment(9)?,
                wake_at: due.filter(|_| waits).map(Moment),
                ending: None,
                recoveries: u32::try_from(recoveries).unwrap_or(u32::MAX),
                start_depth: u32::try_from(start_depth).unwrap_or(u32::MAX),
                pruned: pruned(row)?,
            },
            output: row.try_get(10).map_err(store_error)?,
            failure: row.try_get(11).map_err(store_error)?,
            pin: row.try_get(12).map_err(store_error)?,
            has_journal: chunks > 0,
        })
    }

    /// The record for a list: no event, no input, no output.
    pub(super) fn into_listed(self) -> JobRecord {
        let mut record = self.record;
        if record.status.is_final() {
            let read = |text: &String| failure(unpack_small(text)?);
            // One damaged line must not hide the others of the page.
            let failure = self.failure.as_ref().map(|text| {
                read(text).unwrap_or_else(|why| Failure::new("damaged", why.to_string()))
            });
            record.ending = Some(Ending {
                status: record.status,
                output: None,
                failure,
            });
        }
        record
    }

    /// The whole record; event and input follow the columns in the row.
    pub(super) async fn into_whole(
        self,
        connection: &mut SqliteConnection,
        event: &str,
        input: &str,
    ) -> Result<JobRecord, StoreError> {
        let mut record = self.record;
        record.event = unpack(connection, event).await?;
        record.input = unpack(connection, input).await?;
        if record.status.is_final() {
            let output = match &self.output {
                Some(text) => Some(unpack(connection, text).await?),
                None => None,
            };
            let failure = match &self.failure {
                Some(text) => Some(failure(unpack(connection, text).await?)?),
                None => None,
            };
            record.ending = Some(Ending {
                status: record.status,
                output,
                failure,
            });
        }
        Ok(record)
    }
}

/// What people asked of some jobs, by number, and nobody took up yet. One that cannot be read must
/// not keep other jobs from theirs.
pub(super) async fn requests(
    connection: &mut SqliteConnection,
    jobs: &str,
) -> Result<Vec<(i64, Result<JobRequest, StoreError>)>, StoreError> {
    let rows = sqlx::query(
        "SELECT job_request.job, job_request.number, job_request.at, job_request.kind FROM job_request
         WHERE job_request.job IN (SELECT value FROM json_each($1)) ORDER BY job_request.number",
    )
    .bind(jobs)
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    rows.iter()
        .map(|row| Ok((row.try_get(0).map_err(store_error)?, request(row))))
        .collect()
}

fn request(row: &SqliteRow) -> Result<JobRequest, StoreError> {
    let kind: &str = row.try_get(3).map_err(store_error)?;
    Ok(JobRequest {
        number: row.try_get(1).map_err(store_error)?,
        at: Moment(row.try_get(2).map_err(store_error)?),
        kind: serde_json::from_str(unsealed(kind)?).map_err(|e| corrupt("a request", &e))?,
    })
}

/// What a job pinned.
pub(super) async fn pinned(
    connection: &mut SqliteConnection,
    pin: i64,
    started_at: Option<Moment>,
) -> Result<Pinned, StoreError> {
    let row = sqlx::query("SELECT program, settings FROM pin WHERE number = $1")
        .bind(pin)
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?
        .ok_or_else(|| StoreError::Corrupt(format!("pin {pin} is missing")))?;
    let settings: String = row.try_get(1).map_err(store_error)?;
    Ok(Pinned {
        program: row.try_get(0).map_err(store_error)?,
        settings: unpack(connection, &settings).await?,
        started_at: started_at
            .ok_or_else(|| StoreError::Corrupt("a job with a pin has no start".to_owned()))?,
    })
}

/// That the job's history was removed, if it was.
fn pruned(row: &SqliteRow) -> Result<Option<Pruned>, StoreError> {
    let at: Option<i64> = row.try_get(14).map_err(store_error)?;
    let rule: Option<String> = row.try_get(15).map_err(store_error)?;
    Ok(at.map(|at| Pruned {
        at: Moment(at),
        rule: rule.unwrap_or_default(),
    }))
}

/// A stored job id.
pub(super) fn job_id(text: &str) -> Result<JobId, StoreError> {
    JobId::new(text).map_err(StoreError::Corrupt)
}

/// A stored recipe name.
pub(super) fn recipe_name(text: &str) -> Result<RecipeName, StoreError> {
    RecipeName::new(text).map_err(StoreError::Corrupt)
}

fn failure(value: Value) -> Result<Failure, StoreError> {
    serde_json::from_value(value).map_err(|e| corrupt("a failure", &e))
}
