//! What every store promises of tokens.
//!
//! Always true: a store never sees a token, only its SHA-256; each change is noted in the audit in
//! the commit that makes it.

use crate::clock::Moment;
use crate::names::{Role, TokenName};

use super::StoreError;

/// So many tokens may be in use at once.
pub const TOKENS_MAX: usize = 500;

/// A token to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Its name; no other token in use has it.
    pub name: TokenName,
    /// What it allows.
    pub role: Role,
    /// Its SHA-256 as 64 hexadecimal digits.
    pub hash: String,
    /// Who made it.
    pub created_by: String,
    /// From when on it is not taken, if it has an end.
    pub expires_at: Option<Moment>,
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its number, which no other token ever has.
    pub number: i64,
    /// What it was made with.
    pub token: NewToken,
    /// When it was made.
    pub created_at: Moment,
    /// About when it was last used.
    pub used_at: Option<Moment>,
    /// When it was revoked, and by whom.
    pub revoked: Option<(Moment, String)>,
}

/// Who may sign in.
pub trait Tokens: Send + Sync {
    /// Keeps a token; refused while one of its name is in use, or too many are.
    fn create_token(
        &self,
        token: NewToken,
        at: Moment,
    ) -> impl Future<Output = Result<TokenRecord, StoreError>> + Send;

    /// All tokens that were ever made, the oldest first.
    fn tokens(&self) -> impl Future<Output = Result<Vec<TokenRecord>, StoreError>> + Send;

    /// Ends the token in use of this name; answers its number.
    fn revoke_token(
        &self,
        name: &TokenName,
        by: &str,
        at: Moment,
    ) -> impl Future<Output = Result<i64, StoreError>> + Send;

    /// Notes that a token was used; soon on the disk.
    fn token_used(
        &self,
        number: i64,
        at: Moment,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
