//! What SQLite says, in the words of the contract.

use crate::store::StoreError;

/// The store's word for what went wrong below; no type of the database library leaves this room.
pub(super) fn store_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(database) => {
            // The primary result code is the lowest byte of the extended one.
            let code = database
                .code()
                .and_then(|code| code.parse::<i64>().ok())
                .map_or(0, |code| code & 0xff);
            from_code(code, database.message())
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::TypeNotFound { .. } => StoreError::Corrupt(error.to_string()),
        sqlx::Error::RowNotFound => StoreError::NotFound("a row that was expected".to_owned()),
        sqlx::Error::PoolTimedOut => {
            StoreError::Unavailable("all reading connections are busy".to_owned())
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}

fn from_code(code: i64, message: &str) -> StoreError {
    match code {
        // SQLITE_CONSTRAINT
        19 => StoreError::Conflict(message.to_owned()),
        // SQLITE_TOOBIG: the fault of one part alone.
        18 => StoreError::Conflict(format!(
            "a value is larger than a database can hold ({message})"
        )),
        // SQLITE_CORRUPT
        11 => StoreError::Corrupt(format!(
            "the database file is damaged ({message}); restore it from a backup"
        )),
        // SQLITE_NOTADB
        26 => StoreError::Corrupt("the file is not a database of this program".to_owned()),
        // SQLITE_FULL
        13 => StoreError::Unavailable(
            "the disk is full; nothing was changed; free some space and go on".to_owned(),
        ),
        // SQLITE_READONLY
        8 => StoreError::Unavailable(format!(
            "the database file cannot be written ({message}); check its permissions"
        )),
        // SQLITE_BUSY, SQLITE_LOCKED
        5 | 6 => StoreError::Unavailable(format!("another program locks the database: {message}")),
        // SQLITE_CANTOPEN
        14 => StoreError::Unavailable(format!(
            "the database file cannot be opened ({message}); check its folder and permissions"
        )),
        _ => StoreError::Unavailable(message.to_owned()),
    }
}

/// Stored JSON that cannot be read.
pub(super) fn corrupt(what: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt(format!("{what}: {error}"))
}
