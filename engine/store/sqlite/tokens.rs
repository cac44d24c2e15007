//! Tokens, by the SHA-256 of their texts.

use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::Sqlite;
use super::error::store_error;
use super::recipes::note;
use crate::clock::Moment;
use crate::names::{Role, TokenName};
use crate::store::{AuditEntry, NewToken, StoreError, TOKENS_MAX, TokenRecord, Tokens};

impl Tokens for Sqlite {
    async fn create_token(&self, token: NewToken, at: Moment) -> Result<TokenRecord, StoreError> {
        self.with_writer(move |connection| Box::pin(create(connection, token, at)))
            .await
    }

    async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        self.with_reader(|connection| Box::pin(all(connection)))
            .await
    }

    async fn revoke_token(
        &self,
        name: &TokenName,
        by: &str,
        at: Moment,
    ) -> Result<i64, StoreError> {
        let (name, by) = (name.clone(), by.to_owned());
        self.with_writer(move |connection| Box::pin(revoke(connection, name, by, at)))
            .await
    }

    async fn token_used(&self, number: i64, at: Moment) -> Result<(), StoreError> {
        self.with_writer_soon(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE token SET used_at = $2 WHERE number = $1")
                    .bind(number)
                    .bind(at.0)
                    .execute(connection)
                    .await
                    .map_err(store_error)?;
                Ok(())
            })
        })
        .await
    }
}

async fn create(
    connection: &mut SqliteConnection,
    token: NewToken,
    at: Moment,
) -> Result<TokenRecord, StoreError> {
    let (in_use, of_that_name): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COALESCE(SUM(name = $1), 0) FROM token WHERE revoked_at IS NULL",
    )
    .bind(token.name.as_str())
    .fetch_one(&mut *connection)
    .await
    .map_err(store_error)?;
    if of_that_name > 0 {
        return Err(StoreError::Conflict(format!(
            "there is a token `{0}` already; revoke it first (`recipes tokens revoke {0}`), or \
             choose another name",
            token.name
        )));
    }
    if usize::try_from(in_use).unwrap_or(usize::MAX) >= TOKENS_MAX {
        return Err(StoreError::Conflict(format!(
            "{TOKENS_MAX} tokens are in use, which is the most; revoke those that nobody needs \
             (`recipes tokens list` shows when each was last used)"
        )));
    }
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO token (name, role, hash, created_at, created_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING number",
    )
    .bind(token.name.as_str())
    .bind(token.role.as_str())
    .bind(&token.hash)
    .bind(at.0)
    .bind(&token.created_by)
    .bind(token.expires_at.map(|moment| moment.0))
    .fetch_one(&mut *connection)
    .await
    .map_err(store_error)?;
    let entry = AuditEntry {
        at,
        by: token.created_by.clone(),
        action: "token_created".to_owned(),
        subject: format!("token:{}", token.name),
        detail: json!({
            "role": token.role.as_str(),
            "expires_at": token.expires_at.map(|moment| moment.to_string()),
        }),
    };
    note(connection, &entry).await?;
    Ok(TokenRecord {
        number,
        token,
        created_at: at,
        used_at: None,
        revoked: None,
    })
}

async fn all(connection: &mut SqliteConnection) -> Result<Vec<TokenRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT number, name, role, hash, created_at, created_by, expires_at, used_at, revoked_at,
            revoked_by FROM token ORDER BY number",
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    rows.iter().map(record).collect()
}

fn record(row: &SqliteRow) -> Result<TokenRecord, StoreError> {
    let name: &str = row.try_get(1).map_err(store_error)?;
    let role: &str = row.try_get(2).map_err(store_error)?;
    let moment = |index: usize| -> Result<Option<Moment>, StoreError> {
        let at: Option<i64> = row.try_get(index).map_err(store_error)?;
        Ok(at.map(Moment))
    };
    let revoked_by: Option<String> = row.try_get(9).map_err(store_error)?;
    Ok(TokenRecord {
        number: row.try_get(0).map_err(store_error)?,
        token: NewToken {
            name: TokenName::new(name).map_err(StoreError::Corrupt)?,
            role: Role::parse(role).map_err(StoreError::Corrupt)?,
            hash: row.try_get(3).map_err(store_error)?,
            created_by: row.try_get(5).map_err(store_error)?,
            expires_at: moment(6)?,
        },
        created_at: Moment(row.try_get(4).map_err(store_error)?),
        used_at: moment(7)?,
        revoked: moment(8)?.map(|at| (at, revoked_by.unwrap_or_default())),
    })
}

async fn revoke(
    connection: &mut SqliteConnection,
    name: TokenName,
    by: String,
    at: Moment,
) -> Result<i64, StoreError> {
    let number: Option<i64> = sqlx::query_scalar(
        "UPDATE token SET revoked_at = $2, revoked_by = $3
         WHERE name = $1 AND revoked_at IS NULL RETURNING number",
    )
    .bind(name.as_str())
    .bind(at.0)
    .bind(&by)
    .fetch_optional(&mut *connection)
    .await
    .map_err(store_error)?;
    let number = number.ok_or_else(|| StoreError::NotFound(format!("a token `{name}` in use")))?;
    let entry = AuditEntry {
        at,
        by,
        action: "token_revoked".to_owned(),
        subject: format!("token:{name}"),
        detail: json!(null),
    };
    note(connection, &entry).await?;
    Ok(number)
}
