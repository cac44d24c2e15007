//! What the database can do at all on this disk, through the same connection as the engine's.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::{Connection, SqliteConnection};

use super::error::store_error;
use super::open;
use crate::store::StoreError;

/// How many rows a grouped commit has.
const GROUP: u32 = 500;

/// How fast rows become durable, with full sync.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CommitLimits {
    /// Rows a second, each in a commit of its own.
    pub single_rows_per_second: f64,
    /// Rows a second in commits of 500.
    pub grouped_rows_per_second: f64,
}

/// Measures both in a new database, each for a while.
pub async fn commit_limits(path: &Path, window: Duration) -> Result<CommitLimits, StoreError> {
    let opened = open::open_file(path).await?;
    let mut connection = opened.writer;
    let table = "CREATE TABLE limit_row (number INTEGER PRIMARY KEY, name TEXT, body TEXT,
                 made_at INTEGER);
                 CREATE INDEX limit_row_name ON limit_row (name)";
    execute(&mut connection, table).await?;
    let limits = CommitLimits {
        single_rows_per_second: rate(&mut connection, window, 1).await?,
        grouped_rows_per_second: rate(&mut connection, window, GROUP).await?,
    };
    connection.close().await.map_err(store_error)?;
    opened.readers.close().await;
    drop(opened.lock);
    Ok(limits)
}

/// Rows a second in commits of so many.
async fn rate(
    connection: &mut SqliteConnection,
    window: Duration,
    rows: u32,
) -> Result<f64, StoreError> {
    let body = "x".repeat(500);
    let begin = Instant::now();
    let mut written = 0_u32;
    while begin.elapsed() < window {
        if rows > 1 {
            execute(connection, "BEGIN IMMEDIATE").await?;
        }
        for _ in 0..rows {
            sqlx::query("INSERT INTO limit_row (name, body, made_at) VALUES ($1, $2, $3)")
                .bind(format!("row {}", written % 1_000))
                .bind(&body)
                .bind(i64::from(written))
                .execute(&mut *connection)
                .await
                .map_err(store_error)?;
            written += 1;
        }
        if rows > 1 {
            execute(connection, "COMMIT").await?;
        }
    }
    Ok(f64::from(written) / begin.elapsed().as_secs_f64())
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::query(sql)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}
