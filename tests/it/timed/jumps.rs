//! Clocks that jump, machines that sleep, two servers at once: no double fire, no silence.

use std::collections::BTreeSet;

use recipe_engine::clock::Moment;
use recipe_engine::store::{Jobs, Store};

use super::rig::{Rig, at, minutes, name, recipe};

fn every_five_minutes() -> String {
    recipe("{ schedule: { every: 5m, if_still_running: allow } }")
}

/// Every instant has one job at most; answers how many there are.
async fn jobs_of_their_own(rig: &Rig) -> usize {
    let jobs = rig.jobs().await;
    let instants: BTreeSet<_> = jobs
        .iter()
        .map(|job| job.event["scheduled_at"].to_string())
        .collect();
    assert_eq!(instants.len(), jobs.len(), "an instant fired twice");
    jobs.len()
}

#[tokio::test]
async fn two_servers_fire_once() {
    let (rig, one) = Rig::started(&every_five_minutes(), "2026-03-01T10:00:00Z").await;
    let other = rig.server();
    for _ in 0..12 {
        rig.clock.advance(minutes(5));
        let (a, b) = tokio::join!(one.look(), other.look());
        a.unwrap();
        b.unwrap();
    }
    assert_eq!(jobs_of_their_own(&rig).await, 12);
    // One that slept for an hour makes up for it once, whoever comes first.
    rig.clock.advance(minutes(62));
    let (a, b) = tokio::join!(one.look(), other.look());
    a.unwrap();
    b.unwrap();
    assert_eq!(jobs_of_their_own(&rig).await, 13);
    let rows = rig.ledger().await;
    assert_eq!(rows.len(), 14);
    assert_eq!(
        (rows[12].times, rows[12].instant),
        (11, at("2026-03-01T11:55:00Z"))
    );
}

#[tokio::test]
async fn a_clock_set_back_fires_nothing_twice() {
    let (rig, server) = Rig::started(&every_five_minutes(), "2026-03-01T10:00:00Z").await;
    rig.pass(&server, "2026-03-01T13:00:00Z").await;
    assert_eq!(jobs_of_their_own(&rig).await, 36);
    rig.clock.set(at("2026-03-01T11:00:00Z"));
    rig.pass(&server, "2026-03-01T12:02:00Z").await;
    // Another server, which never saw the later time.
    rig.pass(&rig.server(), "2026-03-01T13:00:00Z").await;
    assert_eq!(jobs_of_their_own(&rig).await, 36);
    rig.pass(&server, "2026-03-01T13:10:00Z").await;
    assert_eq!(jobs_of_their_own(&rig).await, 38, "it goes on");
}

/// A clock that is ahead by years, then right: what it skipped comes in its time.
#[tokio::test]
async fn a_clock_that_was_ahead_leaves_no_silence() {
    let (rig, server) = Rig::started(&every_five_minutes(), "2026-03-01T10:00:00Z").await;
    rig.pass(&server, "2026-03-01T10:10:00Z").await;
    rig.clock.set(at("2029-01-01T00:00:30Z"));
    server.look().await.unwrap();
    assert_eq!(
        jobs_of_their_own(&rig).await,
        3,
        "the mark of midnight has just come"
    );
    rig.clock.set(at("2026-03-01T10:12:00Z"));
    rig.pass(&server, "2026-03-01T10:40:00Z").await;
    assert_eq!(jobs_of_their_own(&rig).await, 9);
    // The same for a server that is started after the clock was mended.
    rig.clock.set(at("2031-01-01T00:00:00Z"));
    rig.server().look().await.unwrap();
    rig.clock.set(at("2026-03-01T10:42:00Z"));
    rig.pass(&rig.server(), "2026-03-01T11:00:00Z").await;
    assert_eq!(jobs_of_their_own(&rig).await, 14);
    // What was missed by the clock ahead, and ends in what it wrote, comes too.
    rig.clock.set(at("2028-12-31T23:54:00Z"));
    rig.pass(&rig.server(), "2029-01-01T00:06:00Z").await;
    let rows = rig.ledger().await;
    let fired_at = |instant: &str| {
        let row = rows.iter().find(|row| row.instant == at(instant)).unwrap();
        row.job.is_some()
    };
    assert!(
        fired_at("2028-12-31T23:55:00Z"),
        "it was missed only by a wrong clock"
    );
    assert!(fired_at("2029-01-01T00:05:00Z"));
    jobs_of_their_own(&rig).await;
}

#[tokio::test]
async fn a_start_by_a_clock_ahead_counts_once_the_clock_is_right() {
    let rig = Rig::of(&every_five_minutes(), "2030-01-01T00:00:00Z").await;
    rig.start().await;
    rig.clock.set(at("2026-03-01T10:02:00Z"));
    let server = rig.server();
    server.look().await.unwrap();
    rig.pass(&server, "2026-03-01T10:20:00Z").await;
    assert_eq!(
        rig.told().await,
        ["10:05 fired", "10:10 fired", "10:15 fired", "10:20 fired"]
    );
}

#[tokio::test]
async fn a_laptop_that_slept_for_a_week_runs_once_and_says_what_it_missed() {
    let (rig, server) = Rig::started(&every_five_minutes(), "2026-03-01T10:00:00Z").await;
    rig.pass(&server, "2026-03-01T10:05:00Z").await;
    rig.clock.set(at("2026-03-08T10:07:00Z"));
    server.look().await.unwrap();
    assert_eq!(
        rig.told().await,
        ["10:05 fired", "10:00 missed 2015 times", "10:05 made_up"]
    );
    let row = &rig.ledger().await[1];
    assert_eq!(row.first, Some(at("2026-03-01T10:10:00Z")));
    assert_eq!(row.instant, at("2026-03-08T10:00:00Z"));
    rig.pass(&server, "2026-03-08T10:10:00Z").await;
    assert_eq!(jobs_of_their_own(&rig).await, 3);
}

/// A row without its job, or a job without its row, would be a fire that is lost or comes twice.
#[tokio::test]
async fn row_and_job_outlive_a_server_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let text = every_five_minutes();
    let mut now = at("2026-03-01T10:00:00Z");
    for round in 0..4 {
        let rig = Rig::on(Store::open(&path).await.unwrap(), &text, now);
        if round == 0 {
            rig.start().await;
        }
        let server = rig.server();
        server.look().await.unwrap();
        rig.clock.advance(minutes(5));
        server.look().await.unwrap();
        now = rig.clock.now();
        for row in rig.ledger().await {
            let job = row.job.expect("each row has its job");
            rig.store.job(&job).await.unwrap();
        }
        assert_eq!(jobs_of_their_own(&rig).await, round + 1);
        rig.store.close().await;
    }
    assert_eq!(now, Moment(at("2026-03-01T10:20:00Z").0));
    let rig = Rig::on(Store::open(&path).await.unwrap(), &text, now);
    let fires = rig.store.fires(&name(), now).await.unwrap();
    assert_eq!(fires.last, Some(now));
}

/// A scaled clock is what rehearsals run on: whatever a look finds is due, nothing comes twice.
#[tokio::test]
async fn many_instants_between_two_looks_each_fire() {
    let seconds = recipe("{ schedule: { every: 2s, if_still_running: allow } }");
    let (rig, server) = Rig::started(&seconds, "2026-03-01T10:00:00Z").await;
    rig.clock.advance(std::time::Duration::from_secs(59));
    server.look().await.unwrap();
    assert_eq!(jobs_of_their_own(&rig).await, 29);
    rig.clock.advance(std::time::Duration::from_secs(1));
    server.look().await.unwrap();
    assert_eq!(jobs_of_their_own(&rig).await, 30);
}
