//! The versions of recipes that jobs pinned.
//!
//! In: what a job pinned. Out: the program it runs on, from memory or from the kept sources.
//! Always true: it is the version that the job began with, or there is none.

use std::sync::Arc;

use super::Shelf;
use crate::compile::Program;
use crate::store::{Pinned, Store, StoreError};

/// Why the version that a job began with cannot be had any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoVersion {
    /// Its sources are not there.
    #[error("the sources of the version that the job began with are gone")]
    Gone,
    /// Its sources cannot be read.
    #[error("the sources of the version that the job began with are damaged: {0}")]
    Damaged(String),
    /// Its sources do not go together with the present tables and connectors.
    #[error("the version that the job began with can no longer be used: {0}")]
    Unusable(String),
}

impl Shelf {
    /// The program that a job pinned, or why it cannot be had any more.
    pub async fn pinned(
        &self,
        store: &Store,
        pinned: &Pinned,
    ) -> Result<Result<Arc<Program>, NoVersion>, StoreError> {
        if let Some(program) = self.program_of_hash(&pinned.program) {
            return Ok(Ok(program));
        }
        let sources = match store.program(&pinned.program).await {
            Ok(Some(sources)) => sources,
            Ok(None) => return Ok(Err(NoVersion::Gone)),
            Err(StoreError::Corrupt(why)) => return Ok(Err(NoVersion::Damaged(why))),
            Err(error) => return Err(error),
        };
        let program = self.revive(&pinned.program, &sources);
        Ok(program.map_err(NoVersion::Unusable))
    }
}
