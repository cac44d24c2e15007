//! The engine of one process: nothing in it outlives a crash but the store.

use std::sync::Arc;

use recipe_engine::clock::Clock;
use recipe_engine::library::Shelf;
use recipe_engine::outbound::{Accounts, Outbound};
use recipe_engine::runner::{Bell, Halt, World};
use recipe_engine::settings::WorkspaceReferences;
use recipe_engine::store::Store;
use recipe_engine::trigger::{Gauge, Intake};
use tokio::sync::watch;

use super::spy::{CallLog, Spy};

/// What a process is built of.
pub(super) struct Rooms {
    pub(super) shelf: Arc<Shelf>,
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) calls: Arc<CallLog>,
    pub(super) is_stopping: watch::Receiver<bool>,
}

impl Rooms {
    /// The engine of a process that begins, which dies where this says.
    pub(super) async fn build(self, halt: Halt) -> (World, Intake) {
        let (connectors, connections) = self.shelf.accounts();
        let accounts = Accounts {
            connectors,
            connections,
        };
        let references = Arc::new(WorkspaceReferences::of("."));
        let outbound = Outbound::open(
            accounts,
            references.clone(),
            self.store.clone(),
            self.clock.clone(),
        );
        let outbound = outbound
            .await
            .unwrap_or_else(|why| panic!("{}", why.message));
        let spy = Spy {
            way_out: outbound,
            log: self.calls,
        };
        let bell = Arc::new(Bell::default());
        let world = World {
            store: self.store.clone(),
            calls: Arc::new(spy),
            clock: self.clock.clone(),
            halt: Arc::new(halt),
            bell: bell.clone(),
            is_stopping: self.is_stopping.clone(),
            is_preview: false,
        };
        let intake = Intake {
            store: self.store,
            shelf: self.shelf,
            references,
            clock: self.clock,
            bell,
            gauge: Arc::new(Gauge::default()),
            is_stopping: self.is_stopping,
        };
        (world, intake)
    }
}
