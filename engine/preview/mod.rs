//! What a recipe would do, without doing it.
//!
//! In: a recipe, what it is given, the tables as they are. Out: the jobs as they would have run,
//! what would have been sent, which rows would have changed.
//! Always true: reading is real; nothing that changes anything leaves the house; the jobs live in
//! a store of their own, in memory, which is forgotten; its clock leaps over every wait; a preview
//! that grows beyond its limits is cut short, and says so.

mod calls;
mod copy;
mod limits;

pub use calls::Withheld;
pub use copy::RowChange;
pub use limits::{Cut, Limits};

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::names::{JobId, RecipeName};
use crate::runner::{Bell, Halt, World};
use crate::step::Calls;
use crate::store::{JobFilter, Jobs, Store, StoreError};
use crate::table::Table;
use crate::trigger::{Gauge, Given, Intake, Refusal, run};
use crate::worker::Worker;

use calls::Withholding;
use copy::{Copied, tables_of};

/// How often the clock leaps on at most: a loop that waits for something outside never sees it.
const LEAPS_MAX: usize = 10_000;

/// How often a preview is measured.
const MEASURED_EVERY: Duration = Duration::from_millis(50);

/// What a preview showed.
pub struct Preview {
    /// The house of the preview: its store holds the jobs.
    pub intake: Intake,
    /// The jobs, in order; those that were started by others are not among them.
    pub jobs: Vec<JobId>,
    /// All jobs of which something ran, those that were started by others among them.
    pub begun: Vec<JobId>,
    /// What would have been sent, in order.
    pub withheld: Vec<Withheld>,
    /// The rows that would have been added, changed or removed.
    pub changes: Vec<RowChange>,
    /// Why it was given up, if it was.
    pub cut: Option<Cut>,
}

/// Runs a recipe as a preview, in a person's name.
pub async fn preview(
    house: &Intake,
    calls: Arc<dyn Calls>,
    name: &RecipeName,
    given: Given,
    by: &str,
    limits: Limits,
) -> Result<Preview, Refusal> {
    let stage = Stage::set(house, calls, limits).await?;
    let tables = house.shelf.program(name);
    let tables = tables.map_or_else(Default::default, |program| tables_of(&program));
    let scratch = &stage.world.store;
    let stores = (&*house.store, &**scratch);
    let copied = Copied::of(tables, stores, limits.copied_bytes, house.clock.now()).await?;
    let jobs = run(&stage.intake, name, given, by).await?;
    let cut = stage.until_quiet().await?;
    let changes = copied.changes(scratch).await?;
    let begun = stage.begun().await?;
    Ok(Preview {
        withheld: stage.calls.withheld(),
        intake: stage.intake,
        jobs,
        begun,
        changes,
        cut,
    })
}

/// The scratch house of one preview.
struct Stage {
    intake: Intake,
    world: World,
    calls: Arc<Withholding>,
    limits: Limits,
    /// Keeps the sign that nothing is stopping alive.
    _is_stopping: watch::Sender<bool>,
}

impl Stage {
    async fn set(
        house: &Intake,
        calls: Arc<dyn Calls>,
        limits: Limits,
    ) -> Result<Self, StoreError> {
        let now = house.clock.now();
        let store = Arc::new(Store::in_memory().await?);
        let tables = house.shelf.tables();
        let tables: Vec<Table> = tables.values().map(|table| Table::clone(table)).collect();
        store.declare_settings(house.shelf.settings());
        store.declare(&tables, now).await?;
        let calls = Arc::new(Withholding::new(calls, house.clock.clone(), limits));
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
            limits,
            _is_stopping: stopping,
        })
    }

    /// Works, leaping over waits, until nothing goes on by itself; why it was given up, if it was.
    async fn until_quiet(&self) -> Result<Option<Cut>, StoreError> {
        let time = self.limits.time;
        let worker = Worker::new(self.world.clone(), self.intake.shelf.clone());
        let before = self.world.store.space().await?.used_bytes();
        let work = async {
            tokio::select! {
                biased;
                is_quiet = leap_on(worker) => Ok((!is_quiet?).then_some(Cut::Time(time))),
                cut = self.outgrown(before) => cut.map(Some),
            }
        };
        let cut = Clock::within(time, work.boxed()).await;
        let cut = cut.unwrap_or(Ok(Some(Cut::Time(time))))?;
        // The last call that there was room for may have been the last but one.
        Ok(cut.or_else(|| self.calls.cut()))
    }

    /// Waits until the preview has grown beyond one of its limits.
    async fn outgrown(&self, bytes_before: u64) -> Result<Cut, StoreError> {
        let store = &self.world.store;
        loop {
            tokio::select! {
                cut = self.calls.outgrown() => return Ok(cut),
                () = Clock::rest(MEASURED_EVERY) => {}
            }
            if store.counts().jobs_ended > self.limits.jobs {
                return Ok(Cut::Jobs(self.limits.jobs));
            }
            let written = store
                .space()
                .await?
                .used_bytes()
                .saturating_sub(bytes_before);
            if written > self.limits.bytes as u64 {
                return Ok(Cut::Bytes(self.limits.bytes));
            }
        }
    }

    async fn begun(&self) -> Result<Vec<JobId>, StoreError> {
        let all = JobFilter {
            limit: usize::MAX,
            ..JobFilter::default()
        };
        let jobs = self.world.store.jobs(&all).await?.into_iter();
        let begun = jobs.filter(|job| job.started_at.is_some());
        Ok(begun.map(|job| job.id).collect())
    }
}

/// Works until nothing is due any more; whether that came to be.
async fn leap_on(worker: Arc<Worker>) -> Result<bool, StoreError> {
    for _ in 0..LEAPS_MAX {
        worker.work_off().await;
        if !worker.leap().await? {
            return Ok(true);
        }
    }
    Ok(false)
}
