//! The rows that a preview works on, and what became of them.
//!
//! In: the tables that a program may touch. Out: a copy of their rows in the scratch store, and
//! afterwards the rows that are not what they were.
//! Always true: rows are copied and compared a page at a time; beside the copy there is one more
//! text of each row, and there are never more bytes of rows than allowed.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Moment;
use crate::compile::{Program, StepKind};
use crate::data::{Object, Value};
use crate::names::TableName;
use crate::store::{Import, RowFilter, Store, StoreError, TableRow};
use crate::table::{Refused, SETTINGS_TABLE};
use crate::trigger::Refusal;

/// How many rows are copied at a time.
const ROWS_PAGE: usize = 5_000;

/// A row that would not be what it was.
#[derive(Clone, Debug, PartialEq)]
pub struct RowChange {
    /// The table.
    pub table: TableName,
    /// What the row is now, unless it would be new.
    pub before: Option<Object>,
    /// What it would be, unless it would be gone.
    pub after: Option<Object>,
}

/// Copied rows, as they were before anything ran: as JSON, by table and number in the copy.
pub(super) struct Copied {
    tables: BTreeSet<TableName>,
    rows: BTreeMap<(TableName, i64), Box<str>>,
}

impl Copied {
    /// Copies the rows of these tables, unless they are more than so many bytes.
    pub(super) async fn of(
        tables: BTreeSet<TableName>,
        (house, scratch): (&Store, &Store),
        bytes_max: usize,
        now: Moment,
    ) -> Result<Self, Refusal> {
        let mut rows = BTreeMap::new();
        let mut room = bytes_max;
        for table in &tables {
            copy(house, scratch, table, &mut room, now).await?;
            let mut pages = Pages::default();
            while let Some(page) = pages.next(scratch, table).await? {
                let page = page.into_iter();
                rows.extend(page.map(|row| ((table.clone(), row.number), json(row.row))));
            }
        }
        Ok(Self { tables, rows })
    }

    /// What became of the rows: those that were changed or removed, then those that are new.
    pub(super) async fn changes(mut self, scratch: &Store) -> Result<Vec<RowChange>, StoreError> {
        let mut changed = BTreeMap::new();
        let mut added = Vec::new();
        for table in &self.tables {
            let mut pages = Pages::default();
            while let Some(page) = pages.next(scratch, table).await? {
                for row in page {
                    let key = (table.clone(), row.number);
                    match self.rows.remove(&key) {
                        Some(before) if before == json(row.row.clone()) => {}
                        Some(before) => {
                            changed.insert(key, (before, Some(row.row)));
                        }
                        None => added.push(RowChange {
                            table: table.clone(),
                            before: None,
                            after: Some(row.row),
                        }),
                    }
                }
            }
        }
        let removed = self.rows.into_iter();
        changed.extend(removed.map(|(key, before)| (key, (before, None))));
        let mut changes = Vec::with_capacity(changed.len() + added.len());
        for ((table, _), (before, after)) in changed {
            let before: Object = serde_json::from_str(&before)
                .map_err(|why| StoreError::Corrupt(format!("a row of `{table}`: {why}")))?;
            // The same members in another order are no change.
            if after.as_ref() != Some(&before) {
                changes.push(RowChange {
                    table,
                    before: Some(before),
                    after,
                });
            }
        }
        changes.append(&mut added);
        Ok(changes)
    }
}

/// The tables that a program and all it reaches may touch; the settings among them.
pub(super) fn tables_of(program: &Program) -> BTreeSet<TableName> {
    let mut tables: BTreeSet<TableName> = TableName::new(SETTINGS_TABLE).into_iter().collect();
    for recipe in program.recipes.values() {
        recipe.for_each_step(&mut |step| {
            if let StepKind::Table { table, .. } = &step.kind {
                tables.insert(table.clone());
            }
        });
    }
    tables
}

/// Copies a table's rows; one that is not declared has none.
async fn copy(
    house: &Store,
    scratch: &Store,
    table: &TableName,
    room: &mut usize,
    now: Moment,
) -> Result<(), Refusal> {
    let mut pages = Pages::default();
    // What the table's file says of its first rows does not count: these are the present ones.
    match scratch.fill(table, Vec::new(), "preview", now).await {
        Err(StoreError::NotFound(_)) => return Ok(()),
        emptied => emptied?.map_err(|no| unfit(table, &no))?,
    };
    while let Some(page) = pages.next(house, table).await? {
        let mut rows = Vec::with_capacity(page.len());
        for row in page {
            let bytes = json(row.row.clone()).len();
            *room = room.checked_sub(bytes).ok_or_else(too_large)?;
            rows.push(row.row);
        }
        scratch
            .import(table, rows, Import::Merge, "preview", now)
            .await?
            .map_err(|no| unfit(table, &no))?;
    }
    Ok(())
}

fn unfit(table: &TableName, refused: &Refused) -> StoreError {
    StoreError::Corrupt(format!("table `{table}`: {}", refused.message))
}

fn too_large() -> Refusal {
    Refusal::Conflict(
        "a preview works on a copy of the lookup tables that the recipe uses, and these hold more \
         rows than it may copy; try it in a workspace with fewer rows"
            .to_owned(),
    )
}

fn json(row: Object) -> Box<str> {
    Value::Object(row).to_string().into()
}

/// A table's rows, a page at a time.
#[derive(Default)]
struct Pages {
    after: Option<i64>,
    are_over: bool,
}

impl Pages {
    /// The next page; a table that is not declared has none.
    async fn next(
        &mut self,
        store: &Store,
        table: &TableName,
    ) -> Result<Option<Vec<TableRow>>, StoreError> {
        if self.are_over {
            return Ok(None);
        }
        let filter = RowFilter {
            search: None,
            after: self.after,
            limit: ROWS_PAGE,
        };
        let page = match store.rows(table, filter).await {
            Err(StoreError::NotFound(_)) => Vec::new(),
            page => page?,
        };
        self.after = page.last().map(|last| last.number);
        self.are_over = page.len() < ROWS_PAGE;
        Ok((!page.is_empty()).then_some(page))
    }
}
