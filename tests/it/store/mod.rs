//! What every store promises, as one list of cases for each database.

#![expect(clippy::unwrap_used, reason = "a case that fails shows what it met")]

mod durable;
mod finding;
mod fixtures;
mod folding;
mod holds;
mod jobs;
mod keys;
mod keeping;
mod leases;
mod ledger;
mod opening;
mod people;
mod pruning;
mod reruns;
mod settings;
mod tables;
mod tokens;

/// Runs each case of a list against a fresh store in memory and one in a file.
macro_rules! on_every_store {
    ($($case:ident),* $(,)?) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(&$crate::store::fixtures::in_memory().await).await;
            })*
        }
        mod in_a_file {
            $(#[tokio::test]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                super::$case(&$crate::store::fixtures::in_a_file(&folder).await).await;
            })*
        }
    };
}
use on_every_store;
