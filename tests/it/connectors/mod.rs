//! The shipped connectors against the vendors' stand-ins: every action, as recipes call it.

#![expect(clippy::expect_used, reason = "what is broken here is the test")]

mod accredible;
mod budgets;
mod docebo;
mod matrix;
mod world;

use recipe_engine::names::ConnectionName;
use recipe_engine::outbound::Probe;

use world::{World, name};

#[tokio::test]
async fn connections_are_checked_by_their_probe() {
    let world = World::new().await;
    for connection in ["docebo", "accredible"] {
        let found = world
            .outbound
            .probe(&name(ConnectionName::new(connection)))
            .await;
        assert!(matches!(found, Probe::Answered(_)), "{found:?}");
    }
    world.sandbox.stop().await;
}
