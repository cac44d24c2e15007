//! Lookup tables on SQLite: declarations, rows, operations.
//!
//! In: declared tables and operations. Out: rows and results.
//! Always true: an operation is planned in full before its first write, so that a refused one has
//! changed nothing; every write leaves a line of history with its writer.

mod change;
mod declare;
mod import;
mod lookup;
mod people;
mod plan;
mod query;
mod rows;
mod sealed;
mod settings;
mod sync;
mod then;

pub use people::{Import, RowFilter, RowNamed, RowVersion, TableRow};
#[cfg(test)]
pub(super) use rows::{by_column_sql, index_column};
pub(super) use settings::Settings;
pub use then::RowBefore;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use sqlx::SqliteConnection;

use super::seal::Sealer;
use super::{Sqlite, store_error};
use crate::clock::Moment;
use crate::names::TableName;
use crate::store::StoreError;
use crate::table::{Operation, Performed, Refused, Table};

/// A declared table with its number in this database.
#[derive(Debug)]
pub(super) struct Kept {
    number: i64,
    table: Table,
    sealer: Arc<Sealer>,
    /// The columns that are known to have an index of their own.
    indexed: Mutex<BTreeSet<String>>,
    /// The secret columns of which the log says that values are lost.
    lost: Mutex<BTreeSet<String>>,
}

impl Kept {
    fn new(number: i64, table: Table, sealer: &Arc<Sealer>) -> Self {
        Self {
            number,
            table,
            sealer: sealer.clone(),
            indexed: Mutex::default(),
            lost: Mutex::default(),
        }
    }

    /// Says in the log, once, that a column has values that nobody can open any more.
    fn tell_lost(&self, column: &str) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if lost.insert(column.to_owned()) {
            tracing::warn!(
                "values of the secret column `{column}` of table `{}` were sealed with a key that is \
                 lost: they count as empty until they are given anew",
                self.table.name
            );
        }
    }

    /// Whether the column is known to have an index; unique ones have theirs from the start.
    fn has_index(&self, column: &str) -> bool {
        let is_unique = self.table.columns.get(column).is_some_and(|c| c.unique);
        is_unique || self.indexed().contains(column)
    }

    /// Remembers an index whose making was acknowledged.
    fn remember_index(&self, column: String) {
        self.indexed().insert(column);
    }

    fn indexed(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.indexed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tables declared in this process.
#[derive(Clone, Default)]
pub(super) struct Declared(Arc<RwLock<BTreeMap<TableName, Arc<Kept>>>>);

impl Declared {
    fn get(&self, name: &TableName) -> Option<Arc<Kept>> {
        let tables = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tables.get(name).cloned()
    }

    fn all(&self) -> Vec<Table> {
        let tables = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tables.values().map(|kept| kept.table.clone()).collect()
    }

    fn put(&self, kept: Vec<Kept>) {
        let mut tables = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for kept in kept {
            tables.insert(kept.table.name.clone(), Arc::new(kept));
        }
    }

    /// The table, or the refusal that says which there are.
    fn find(&self, name: &TableName) -> Result<Arc<Kept>, Refused> {
        self.get(name).ok_or_else(|| {
            Refused::new(
                "unknown_table",
                format!("there is no lookup table `{name}`; add `lookup-tables/{name}.yaml`"),
            )
        })
    }
}

impl Sqlite {
    /// Creates tables that are new, with their first rows, and updates the declarations of the
    /// others. Refused as a whole, with every reason, if rows that are there would not fit.
    pub async fn declare(&self, tables: &[Table], now: Moment) -> Result<(), StoreError> {
        let (tables, sealer) = (tables.to_vec(), self.sealer.clone());
        let kept = self
            .with_writer(move |connection| {
                Box::pin(declare::declare(connection, tables, sealer, now))
            })
            .await?;
        self.tables.put(kept);
        self.settings.forget();
        Ok(())
    }

    /// The tables that were made, whatever their files say now.
    pub async fn table_names(&self) -> Result<BTreeSet<TableName>, StoreError> {
        self.with_reader(|connection| {
            Box::pin(async move {
                let names: Vec<String> = sqlx::query_scalar("SELECT name FROM lookup_table")
                    .fetch_all(&mut *connection)
                    .await
                    .map_err(store_error)?;
                let names = names.iter().filter_map(|name| TableName::new(name).ok());
                Ok(names.collect())
            })
        })
        .await
    }

    /// Whether tables could be declared; nothing changes.
    pub async fn check_tables(&self, tables: &[Table], now: Moment) -> Result<(), StoreError> {
        let (tables, sealer) = (tables.to_vec(), self.sealer.clone());
        self.with_writer(move |connection| {
            Box::pin(declare::check(connection, tables, sealer, now))
        })
        .await
    }

    /// Reads a table outside a commit; sees everything that was acknowledged.
    pub async fn read(
        &self,
        table: &TableName,
        operation: &Operation,
    ) -> Result<Performed, StoreError> {
        let kept = match self.tables.find(table) {
            Ok(kept) => kept,
            Err(refused) => return Ok(Err(refused)),
        };
        let operation = operation.clone();
        if let Some(column) = query::columns_to_index(&kept, &operation) {
            let (number, name) = (kept.number, column.clone());
            self.with_writer(move |connection| {
                Box::pin(async move { rows::index_column(connection, number, &name).await })
            })
            .await?;
            kept.remember_index(column);
        }
        self.with_reader(move |connection| {
            Box::pin(async move { settle(lookup::read(connection, &kept, &operation).await) })
        })
        .await
    }
}

/// What an operation inside a commit must know.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) tables: Declared,
    pub(super) settings: Settings,
}

/// Performs an operation inside a commit.
pub(super) async fn perform(
    connection: &mut SqliteConnection,
    known: &Known,
    by: &str,
    at: Moment,
    table: &TableName,
    operation: &Operation,
) -> Result<Performed, StoreError> {
    let kept = match known.tables.find(table) {
        Ok(kept) => kept,
        Err(refused) => return Ok(Err(refused)),
    };
    if let Some(column) = query::columns_to_index(&kept, operation) {
        rows::index_column(connection, kept.number, &column).await?;
    }
    if operation.is_read() {
        return settle(lookup::read(connection, &kept, operation).await);
    }
    match plan::plan(connection, &kept, &known.settings.declared(), operation).await {
        Ok((changes, output)) => {
            change::apply(connection, &kept, by, at, changes).await?;
            Ok(Ok(output))
        }
        Err(Trouble::Refused(refused)) => Ok(Err(refused)),
        Err(Trouble::Store(error)) => Err(error),
    }
}

/// Why an operation did not come to its end: the table's no, or the database's.
pub(super) enum Trouble {
    Refused(Refused),
    Store(StoreError),
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn settle(performed: Result<crate::data::Value, Trouble>) -> Result<Performed, StoreError> {
    match performed {
        Ok(output) => Ok(Ok(output)),
        Err(Trouble::Refused(refused)) => Ok(Err(refused)),
        Err(Trouble::Store(error)) => Err(error),
    }
}
