//! Opening a database file: lock, identity, settings, migrations.
//!
//! In: a path. Out: connections to a database of exactly this version of the schema.
//! Always true: a file of another program or of a newer version is left untouched.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqlStr, SqliteConnection, SqlitePool};

use super::error::store_error;
use crate::store::StoreError;

/// Marks the file as ours: the letters `RCPE`.
const APPLICATION_ID: i64 = 0x5243_5045;

/// The steps from an empty file to the present schema, oldest first; never changed once released.
const MIGRATIONS: [(&str, &str); 17] = [
    ("jobs", include_str!("migrations/0001_jobs.sql")),
    ("tables", include_str!("migrations/0002_tables.sql")),
    ("outbound", include_str!("migrations/0003_outbound.sql")),
    ("rerun", include_str!("migrations/0004_rerun.sql")),
    ("keeping", include_str!("migrations/0005_keeping.sql")),
    ("fold", include_str!("migrations/0006_fold.sql")),
    ("suspects", include_str!("migrations/0007_suspects.sql")),
    ("time", include_str!("migrations/0008_time.sql")),
    ("starts", include_str!("migrations/0009_starts.sql")),
    ("reruns", include_str!("migrations/0010_reruns.sql")),
    ("needed", include_str!("migrations/0011_needed.sql")),
    ("notices", include_str!("migrations/0012_notices.sql")),
    ("versions", include_str!("migrations/0013_versions.sql")),
    ("tokens", include_str!("migrations/0014_tokens.sql")),
    ("secrets", include_str!("migrations/0015_secrets.sql")),
    ("answers", include_str!("migrations/0016_answers.sql")),
    ("saving", include_str!("migrations/0017_saving.sql")),
];

/// After this many pages (16 MiB) the write-ahead log is worked into the database file.
const CHECKPOINT_PAGES: &str = "4096";
/// The log file is cut to this size after a checkpoint.
const LOG_SIZE_BYTES: &str = "67108864";
/// How long to wait for another program that holds the database, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// More statements than the store has, so that none is prepared twice.
const STATEMENTS_MAX: usize = 500;
/// Connections for reading; more than the machine has cores brings nothing.
const READERS_MAX: u32 = 4;

/// A database file that is ours alone until the lock is dropped.
pub(super) struct Opened {
    pub(super) writer: SqliteConnection,
    pub(super) readers: SqlitePool,
    pub(super) lock: File,
}

/// Opens or creates the database at this path.
pub(super) async fn open_file(path: &Path) -> Result<Opened, StoreError> {
    let lock = lock(path)?;
    match std::fs::metadata(path) {
        Ok(file) if file.len() > 0 => check_identity(path).await?,
        Ok(_) => {}
        Err(_) => {
            create_private(path).map_err(|error| {
                let shown = path.display();
                StoreError::Unavailable(format!("the file `{shown}` cannot be made: {error}"))
            })?;
        }
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS_MAX)
        .disable_statement_logging();
    let mut writer = options
        .clone()
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", LOG_SIZE_BYTES)
        .connect()
        .await
        .map_err(store_error)?;
    migrate(&mut writer).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(options.pragma("query_only", "1"));
    Ok(Opened {
        writer,
        readers,
        lock,
    })
}

/// A connection that only reads, beside whoever works on the database; none if that is of an earlier
/// version.
pub(super) async fn open_beside(path: &Path) -> Result<Option<SqliteConnection>, StoreError> {
    check_identity(path).await?;
    let mut connection = look_into(path).await?;
    let version = pragma(&mut connection, "PRAGMA user_version")
        .await
        .map_err(|error| at(path, error))?;
    Ok((version == newest_version()).then_some(connection))
}

/// A connection that changes nothing.
async fn look_into(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    options.connect().await.map_err(|error| at(path, error))
}

/// What SQLite says of the soundness of a closed file: `ok`, or what is wrong.
pub async fn check_integrity(path: &Path) -> Result<String, StoreError> {
    let opened = open_file(path).await?;
    let mut connection = opened.writer;
    let said = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut connection)
        .await
        .map_err(|error| at(path, error))?;
    connection.close().await.map_err(store_error)?;
    opened.readers.close().await;
    Ok(said)
}

/// A fresh database that is gone when it is closed.
pub(super) async fn open_in_memory() -> Result<SqliteConnection, StoreError> {
    let mut connection = SqliteConnectOptions::new()
        .in_memory(true)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS_MAX)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(store_error)?;
    migrate(&mut connection).await?;
    Ok(connection)
}

/// Creates a file that only its owner may read: it will hold what people learn and who they are.
pub(super) fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Takes the lock file beside the database, so that no second server works on the same workspace.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let shown = Path::new(&name).display().to_string();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|error| {
            StoreError::Unavailable(format!(
                "the lock file `{shown}` cannot be opened ({error}); does its folder exist and may \
                 it be written?"
            ))
        })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(format!(
            "another server works on `{}`; stop it first, or give this one a workspace of its own; \
             if it is just starting or stopping, try again in a moment",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(StoreError::Unavailable(format!(
            "the lock file `{shown}` cannot be locked: {error}"
        ))),
    }
}

/// Refuses a file that is not ours or that a newer version wrote, before anything touches it.
async fn check_identity(path: &Path) -> Result<(), StoreError> {
    let mut connection = look_into(path).await?;
    let application = pragma(&mut connection, "PRAGMA application_id")
        .await
        .map_err(|error| at(path, error))?;
    let version = pragma(&mut connection, "PRAGMA user_version")
        .await
        .map_err(|error| at(path, error))?;
    let tables = pragma(&mut connection, "SELECT COUNT(*) FROM sqlite_schema")
        .await
        .map_err(|error| at(path, error))?;
    connection.close().await.map_err(store_error)?;
    if application != APPLICATION_ID && tables > 0 {
        return Err(StoreError::Conflict(format!(
            "`{}` is a database of another program; name a new file instead",
            path.display()
        )));
    }
    let known = newest_version();
    if version > known {
        return Err(StoreError::Conflict(format!(
            "`{}` was written by a newer version of this program (schema {version}, this one knows \
             up to {known}); start that version, or restore a backup from before the upgrade",
            path.display()
        )));
    }
    Ok(())
}

fn at(path: &Path, error: sqlx::Error) -> StoreError {
    match store_error(error) {
        StoreError::Corrupt(why) => StoreError::Corrupt(format!("`{}`: {why}", path.display())),
        StoreError::Unavailable(why) => {
            StoreError::Unavailable(format!("`{}`: {why}", path.display()))
        }
        other => other,
    }
}

async fn pragma(connection: &mut SqliteConnection, sql: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(sql).fetch_one(connection).await
}

fn newest_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Signs the file and brings the schema up to date.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    // The name first: a crash between the two must not leave a file that we refuse as a stranger's.
    sign(
        connection,
        format!("PRAGMA application_id = {APPLICATION_ID}"),
    )
    .await?;
    let migrations = (1..)
        .zip(MIGRATIONS)
        .map(|(version, (name, sql))| {
            Migration::new(
                version,
                name.into(),
                MigrationType::Simple,
                SqlStr::from_static(sql),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
        // Not `run`: its future cannot be sent between threads, and a preview opens a store there.
        .run_direct(None, connection, false)
        .await
        .map_err(|error| {
            StoreError::Unavailable(format!("bringing the schema up to date: {error}"))
        })?;
    sign(
        connection,
        format!("PRAGMA user_version = {}", newest_version()),
    )
    .await
}

async fn sign(connection: &mut SqliteConnection, pragma: String) -> Result<(), StoreError> {
    sqlx::query(AssertSqlSafe(pragma))
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}
