//! Answers to requests that name themselves, so that a request that is sent twice is done once.
//!
//! Always true: a request is noted before it is done; what it was answered is kept for a day, its
//! words no longer than the history, so that nothing outlives that and nothing is done twice.

use std::time::{Duration, Instant};

use sqlx::{Row, SqliteConnection};

use super::Sqlite;
use super::error::store_error;
use super::history::Step;
use super::pack::{compress, decompress};
use crate::clock::Moment;
use crate::store::StoreError;

/// How long an answer is kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A request that names itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Who asks, and with what leave.
    pub by: String,
    /// Method and address.
    pub door: String,
    /// The SHA-256 of the name that the sender gave it.
    pub key: String,
    /// The SHA-256 of what it brings.
    pub asked: String,
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header `Location`, if there was one.
    pub location: Option<String>,
    /// The body; none if it is not kept, or was removed with the history.
    pub body: Option<Vec<u8>>,
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing; it is noted now.
    New,
    /// It was answered.
    Answered(Answer),
    /// It came before, and what became of it is not known yet, or will never be.
    UnderWay,
    /// Another request has this name.
    Another,
}

impl Sqlite {
    /// Notes a request before it is done, unless it is known.
    pub async fn note_request(&self, request: &Named, now: Moment) -> Result<Known, StoreError> {
        let request = request.clone();
        self.with_writer(move |connection| Box::pin(note(connection, request, now)))
            .await
    }

    /// Keeps what a request was answered; nothing is kept of one that may be tried again.
    pub async fn keep_answer(
        &self,
        request: &Named,
        answer: Option<Answer>,
    ) -> Result<(), StoreError> {
        let request = request.clone();
        let body = answer.as_ref().and_then(|answer| answer.body.as_deref());
        let body = body.map(compress).transpose()?;
        self.with_writer(move |connection| Box::pin(keep(connection, request, answer, body)))
            .await
    }

    /// Removes what is too old, and the words of what was answered at this moment or before: a
    /// request that comes again is still known.
    pub async fn forget_answers(
        &self,
        now: Moment,
        until: Option<Moment>,
    ) -> Result<Step, StoreError> {
        self.with_writer(move |connection| {
            Box::pin(async move {
                let begin = Instant::now();
                remove_old(connection, now).await?;
                if let Some(until) = until {
                    sqlx::query("UPDATE answered SET body = NULL WHERE at <= $1")
                        .bind(until.0)
                        .execute(connection)
                        .await
                        .map_err(store_error)?;
                }
                Ok(Step {
                    took: begin.elapsed(),
                    ..Step::default()
                })
            })
        })
        .await
    }
}

async fn remove_old(connection: &mut SqliteConnection, now: Moment) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM answered WHERE at < $1")
        .bind(now.before(KEPT_FOR).0)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

async fn note(
    connection: &mut SqliteConnection,
    request: Named,
    now: Moment,
) -> Result<Known, StoreError> {
    remove_old(connection, now).await?;
    let row = sqlx::query(
        "SELECT asked, status, location, body FROM answered
         WHERE by = $1 AND door = $2 AND key = $3",
    )
    .bind(&request.by)
    .bind(&request.door)
    .bind(&request.key)
    .fetch_optional(&mut *connection)
    .await
    .map_err(store_error)?;
    let Some(row) = row else {
        sqlx::query("INSERT INTO answered (by, door, key, asked, at) VALUES ($1, $2, $3, $4, $5)")
            .bind(&request.by)
            .bind(&request.door)
            .bind(&request.key)
            .bind(&request.asked)
            .bind(now.0)
            .execute(connection)
            .await
            .map_err(store_error)?;
        return Ok(Known::New);
    };
    if row.try_get::<String, _>(0).map_err(store_error)? != request.asked {
        return Ok(Known::Another);
    }
    let status: Option<i64> = row.try_get(1).map_err(store_error)?;
    let body: Option<Vec<u8>> = row.try_get(3).map_err(store_error)?;
    match status.and_then(|status| u16::try_from(status).ok()) {
        Some(status) => Ok(Known::Answered(Answer {
            status,
            location: row.try_get(2).map_err(store_error)?,
            body: body.map(|body| decompress(&body)).transpose()?,
        })),
        None => Ok(Known::UnderWay),
    }
}

async fn keep(
    connection: &mut SqliteConnection,
    request: Named,
    answer: Option<Answer>,
    body: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    let sql = match &answer {
        Some(_) => {
            "UPDATE answered SET status = $4, location = $5, body = $6
             WHERE by = $1 AND door = $2 AND key = $3"
        }
        None => "DELETE FROM answered WHERE by = $1 AND door = $2 AND key = $3",
    };
    let query = sqlx::query(sql)
        .bind(&request.by)
        .bind(&request.door)
        .bind(&request.key);
    let query = match answer {
        Some(answer) => query
            .bind(i64::from(answer.status))
            .bind(answer.location)
            .bind(body),
        None => query,
    };
    query.execute(connection).await.map_err(store_error)?;
    Ok(())
}
