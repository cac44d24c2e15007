//! Giving room back to the file system, and how much of it is taken.

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::super::error::store_error;
use super::Space;
use crate::store::StoreError;

/// Cuts free pages off the file; answers how many went, and how many are left.
pub(super) async fn give_back(
    connection: &mut SqliteConnection,
    pages: u32,
) -> Result<(u64, u64), StoreError> {
    let before = free_pages(connection).await?;
    if before == 0 {
        return Ok((0, 0));
    }
    // Each row that it gives is a page: all are asked for.
    sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA incremental_vacuum({pages})")))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    let after = free_pages(connection).await?;
    Ok((before.saturating_sub(after), after))
}

async fn free_pages(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let pages: i64 = sqlx::query_scalar("PRAGMA freelist_count")
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    Ok(u64::try_from(pages).unwrap_or(0))
}

/// Works the log into the file without waiting for anybody.
pub(super) async fn work_log_in(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)")
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// How much room the database takes.
pub(super) async fn space(connection: &mut SqliteConnection) -> Result<Space, StoreError> {
    let (pages, free, size): (i64, i64, i64) = sqlx::query_as(
        "SELECT page_count, freelist_count, page_size
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    )
    .fetch_one(connection)
    .await
    .map_err(store_error)?;
    let bytes = |pages: i64| u64::try_from(pages.saturating_mul(size)).unwrap_or(0);
    Ok(Space {
        file_bytes: bytes(pages),
        free_bytes: bytes(free),
    })
}
