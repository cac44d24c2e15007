//! What a recipe would do, without doing it.
//!
//! In: a recipe, what it is given, the tables as they are. Out: the jobs as they would have run,
//! what would have been sent, which rows would have changed.
//! Always true: reading is real; nothing that changes anything leaves the house; the jobs live in
//! a store of their own, in memory, which is forgotten; its clock leaps over every wait.

mod calls;

pub use calls::Withheld;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;

use crate::clock::{Clock, Moment};
use crate::compile::{Program, StepKind};
use crate::data::Object;
use crate::names::{JobId, RecipeName, TableName};
use crate::runner::{Bell, Halt, World};
use crate::step::Calls;
use crate::store::{Import, RowFilter, Store, StoreError, TableRow};
use crate::table::{SETTINGS_TABLE, Table};
use crate::trigger::{Gauge, Given, Intake, Refusal, run};
use crate::worker::Worker;

use calls::Withholding;

/// The longest that a preview works, in real time.
pub const PREVIEW_TIME_MAX: Duration = Duration::from_secs(120);

/// How often the clock leaps on at most: a loop that waits for something outside never sees it.
const LEAPS_MAX: usize = 10_000;

/// How many rows are copied at a time.
const ROWS_PAGE: usize = 5_000;

/// What a preview showed.
pub struct Preview {
    /// The house of the preview: its store holds the jobs.
    pub intake: Intake,
    /// The jobs, in order; those that were started by others are not among them.
    pub jobs: Vec<JobId>,
    /// What would have been sent, in order.
    pub withheld: Vec<Withheld>,
    /// The rows that would have been added, changed or removed.
    pub changes: Vec<RowChange>,
    /// Whether it was given up because it took too long.
    pub is_cut_short: bool,
}

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

/// Runs a recipe as a preview, in a person's name.
pub async fn preview(
    house: &Intake,
    calls: Arc<dyn Calls>,
    name: &RecipeName,
    given: Given,
    by: &str,
) -> Result<Preview, Refusal> {
    let program = house.shelf.program(name);
    let tables = program.map_or_else(BTreeSet::new, |program| tables_of(&program));
    let stage = Stage::set(house, calls, &tables).await?;
    let before = stage.rows(&tables).await?;
    let jobs = run(&stage.intake, name, given, by).await?;
    let is_cut_short = stage.until_quiet().await?;
    let changes = changes(before, stage.rows(&tables).await?);
    Ok(Preview {
        withheld: stage.calls.withheld(),
        intake: stage.intake,
        jobs,
        changes,
        is_cut_short,
    })
}

type Rows = BTreeMap<(TableName, i64), Object>;

/// The scratch house of one preview.
struct Stage {
    intake: Intake,
    world: World,
    calls: Arc<Withholding>,
    /// Keeps the sign that nothing is stopping alive.
    _is_stopping: watch::Sender<bool>,
}

impl Stage {
    async fn set(
        house: &Intake,
        calls: Arc<dyn Calls>,
        copied: &BTreeSet<TableName>,
    ) -> Result<Self, StoreError> {
        let now = house.clock.now();
        let store = Arc::new(Store::in_memory().await?);
        let tables = house.shelf.tables();
        let tables: Vec<Table> = tables.values().map(|table| Table::clone(table)).collect();
        store.declare_settings(house.shelf.settings());
        store.declare(&tables, now).await?;
        for table in copied {
            copy(&house.store, &store, table, now).await?;
        }
        let calls = Arc::new(Withholding::new(calls, house.clock.clone()));
        let (stopping, is_stopping) = watch::channel(false);
        let clock = Clock::test(now);
        let bell = Arc::new(Bell::default());
        let world = World {
            store: store.clone(),
            calls: calls.clone(),
            clock: clock.clone(),
            halt: Arc::new(Halt::default()),
            bell: bell.clone(),
            is_stopping: is_stopping.clone(),
            is_preview: true,
        };
        let intake = Intake {
            store,
            clock,
            bell,
            gauge: Arc::new(Gauge::default()),
            is_stopping,
            ..house.clone()
        };
        Ok(Self {
            intake,
            world,
            calls,
            _is_stopping: stopping,
        })
    }

    /// Works, leaping over waits, until nothing goes on by itself; whether it was given up.
    async fn until_quiet(&self) -> Result<bool, StoreError> {
        let worker = Worker::new(self.world.clone(), self.intake.shelf.clone());
        let work = leap_on(worker).boxed();
        Clock::within(PREVIEW_TIME_MAX, work)
            .await
            .unwrap_or(Ok(true))
    }

    async fn rows(&self, tables: &BTreeSet<TableName>) -> Result<Rows, StoreError> {
        let mut rows = Rows::new();
        for table in tables {
            let all = all_rows(&self.world.store, table).await?;
            rows.extend(
                all.into_iter()
                    .map(|row| ((table.clone(), row.number), row.row)),
            );
        }
        Ok(rows)
    }
}

async fn leap_on(worker: Arc<Worker>) -> Result<bool, StoreError> {
    for _ in 0..LEAPS_MAX {
        worker.work_off().await;
        if !worker.leap().await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The tables that a program and all it reaches may touch; the settings among them.
fn tables_of(program: &Program) -> BTreeSet<TableName> {
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
async fn copy(from: &Store, to: &Store, table: &TableName, now: Moment) -> Result<(), StoreError> {
    let rows = match all_rows(from, table).await {
        Err(StoreError::NotFound(_)) => return Ok(()),
        rows => rows?,
    };
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(|row| row.row).collect();
    to.import(table, rows, Import::Replace, "preview", now)
        .await?
        .map_err(|refused| StoreError::Corrupt(format!("table `{table}`: {}", refused.message)))?;
    Ok(())
}

async fn all_rows(store: &Store, table: &TableName) -> Result<Vec<TableRow>, StoreError> {
    let mut rows: Vec<TableRow> = Vec::new();
    loop {
        let filter = RowFilter {
            search: None,
            after: rows.last().map(|row| row.number),
            limit: ROWS_PAGE,
        };
        let page = store.rows(table, filter).await?;
        let is_last = page.len() < ROWS_PAGE;
        rows.extend(page);
        if is_last {
            return Ok(rows);
        }
    }
}

fn changes(before: Rows, mut after: Rows) -> Vec<RowChange> {
    let mut changes = Vec::new();
    for ((table, number), before) in before {
        let after = after.remove(&(table.clone(), number));
        if after.as_ref() != Some(&before) {
            changes.push(RowChange {
                table,
                before: Some(before),
                after,
            });
        }
    }
    changes.extend(after.into_iter().map(|((table, _), row)| RowChange {
        table,
        before: None,
        after: Some(row),
    }));
    changes
}
