//! Schedules: what fires, what is passed over and why, what a job covers.

use std::sync::Arc;

use recipe_engine::journal::{Ending, JobStatus};
use recipe_engine::store::{Advance, Jobs, Next, Release};
use recipe_engine::trigger::Gauge;
use serde_json::json;

use super::rig::{Rig, at, minutes, name, recipe};

/// A recipe that waits, so that its jobs stay open until a case lets time pass.
fn slow(rest: &str) -> String {
    format!(
        "title: It\ntrigger: {{ schedule: {{ every: 10m{rest} }} }}\nsteps: [{{ wait: 25m }}]\n"
    )
}

#[tokio::test]
async fn a_fire_is_a_row_and_a_job() {
    let recipe = recipe("{ schedule: { at: \"07:30\", days: weekdays, timezone: Europe/Rome } }");
    // A Friday morning.
    let (rig, server) = Rig::started(&recipe, "2026-03-06T06:00:00Z").await;
    assert!(rig.ledger().await.is_empty());
    rig.pass(&server, "2026-03-06T07:00:00Z").await;
    rig.work().await;
    rig.pass(&server, "2026-03-09T07:00:00Z").await;
    assert_eq!(rig.told().await, ["06:30 fired", "06:30 fired"]);
    let (rows, jobs) = (rig.ledger().await, rig.jobs().await);
    assert_eq!(jobs.len(), 2);
    for (row, job) in rows.iter().zip(&jobs) {
        assert_eq!(row.job.as_ref(), Some(&job.id));
        assert_eq!(job.started_by, "schedule");
        assert_eq!(job.event["scheduled_at"], row.instant.to_string());
    }
    assert_eq!(rows[1].instant, at("2026-03-09T06:30:00Z"));
    assert_eq!(
        server.look().await.unwrap(),
        Some(at("2026-03-10T06:30:00Z"))
    );
}

#[tokio::test]
async fn what_was_missed_runs_once_or_not_at_all_and_is_seen() {
    for (rest, told) in [
        (
            "",
            ["10:05 fired", "10:25 missed 4 times", "10:30 made_up"].as_slice(),
        ),
        (
            ", if_missed: skip",
            &["10:05 fired", "10:30 missed 5 times"],
        ),
    ] {
        let recipe = recipe(&format!("{{ schedule: {{ every: 5m{rest} }} }}"));
        let (rig, server) = Rig::started(&recipe, "2026-03-01T10:00:00Z").await;
        rig.pass(&server, "2026-03-01T10:05:00Z").await;
        rig.work().await;
        drop(server);
        rig.clock.set(at("2026-03-01T10:33:00Z"));
        let server = rig.server();
        server.look().await.unwrap();
        assert_eq!(rig.told().await, told);
        rig.work().await;
        server.look().await.unwrap();
        assert_eq!(rig.told().await, told, "nothing is made up for twice");
        rig.pass(&server, "2026-03-01T10:35:00Z").await;
        assert_eq!(*rig.told().await.last().unwrap(), "10:35 fired");
        let first = rig.ledger().await[1].first;
        assert_eq!(first, Some(at("2026-03-01T10:10:00Z")));
    }
}

#[tokio::test]
async fn a_fire_that_is_a_little_late_was_not_missed() {
    let recipe = recipe("{ schedule: { every: 5m, if_missed: skip } }");
    let (rig, server) = Rig::started(&recipe, "2026-03-01T10:00:00Z").await;
    drop(server);
    rig.clock.set(at("2026-03-01T10:10:59Z"));
    rig.server().look().await.unwrap();
    assert_eq!(rig.told().await, ["10:05 missed", "10:10 fired"]);
}

#[tokio::test]
async fn a_far_past_is_not_replayed() {
    let recipe = recipe("{ schedule: { every: 1s } }");
    let (rig, server) = Rig::started(&recipe, "2020-01-01T00:00:00Z").await;
    drop(server);
    rig.clock.set(at("2026-01-01T00:05:00Z"));
    rig.server().look().await.unwrap();
    let jobs = rig.jobs().await;
    // The seconds of the last minute, each for itself; skipped while the first has not ended.
    assert_eq!(jobs.len(), 1);
    let missed = &rig.ledger().await[0];
    assert_eq!(
        (missed.times, missed.first),
        (100_000, Some(at("2020-01-01T00:00:01Z")))
    );
}

#[tokio::test]
async fn a_fire_beside_a_job_that_still_runs_is_skipped_queued_or_allowed() {
    let (rig, server) = Rig::started(&slow(""), "2026-03-01T10:00:00Z").await;
    rig.pass(&server, "2026-03-01T10:10:00Z").await;
    rig.work().await;
    rig.pass(&server, "2026-03-01T10:36:00Z").await;
    rig.work().await;
    rig.pass(&server, "2026-03-01T10:40:00Z").await;
    let told = [
        "10:10 fired",
        "10:20 still_running",
        "10:30 still_running",
        "10:40 fired",
    ];
    assert_eq!(rig.told().await, told);

    let (rig, server) =
        Rig::started(&slow(", if_still_running: allow"), "2026-03-01T10:00:00Z").await;
    rig.pass(&server, "2026-03-01T10:30:00Z").await;
    assert_eq!(
        rig.told().await,
        ["10:10 fired", "10:20 fired", "10:30 fired"]
    );
    assert_eq!(rig.work().await, 3);
}

#[tokio::test]
async fn a_job_that_is_released_from_quarantine_still_runs() {
    let (rig, server) = Rig::started(&slow(""), "2026-03-01T10:00:00Z").await;
    rig.pass(&server, "2026-03-01T10:10:00Z").await;
    let (store, now) = (&rig.store, rig.clock.now());
    let claimed = store.claim(1, now, minutes(1)).await.unwrap().remove(0);
    let advance = Advance {
        next: Next::Ended(Ending {
            status: JobStatus::Quarantined,
            output: None,
            failure: None,
        }),
        ..Advance::default()
    };
    store.commit(&claimed.lease, now, advance).await.unwrap();
    let job = &claimed.job.id;
    store
        .release(job, now, "ada", Release::ToGoOn)
        .await
        .unwrap();
    rig.work().await;
    rig.pass(&server, "2026-03-01T10:26:00Z").await;
    assert_eq!(rig.told().await, ["10:10 fired", "10:20 still_running"]);
}

#[tokio::test]
async fn queued_fires_run_one_after_another_in_order() {
    let recipe = slow(", if_still_running: queue");
    let (rig, server) = Rig::started(&recipe, "2026-03-01T10:00:00Z").await;
    rig.pass(&server, "2026-03-01T10:10:00Z").await;
    rig.work().await;
    rig.pass(&server, "2026-03-01T10:34:00Z").await;
    assert_eq!(
        rig.told().await,
        ["10:10 fired", "10:20 waiting", "10:30 waiting"]
    );
    assert_eq!(rig.jobs().await.len(), 1);
    // From now on no new ones come.
    rig.edit(&recipe.replace("every: 10m", "every: 1d"));
    server.look().await.unwrap();
    for expected in [1, 2, 3] {
        let open = rig.jobs().await;
        let running = open.iter().filter(|job| job.ended_at.is_none()).count();
        assert_eq!((open.len(), running), (expected, 1), "one at a time");
        rig.clock.advance(minutes(26));
        rig.work().await;
        // Both of two servers see that its turn has come.
        server.look().await.unwrap();
        rig.server().look().await.unwrap();
        rig.work().await;
    }
    assert_eq!(
        rig.told().await,
        ["10:10 fired", "10:20 fired", "10:30 fired"]
    );
    let jobs = rig.jobs().await;
    let scheduled: Vec<_> = jobs.iter().map(|job| &job.event["scheduled_at"]).collect();
    assert_eq!(scheduled[2], "2026-03-01T10:30:00Z");
    let covers = jobs.iter().map(|job| job.event["covers"]["from"].clone());
    assert_eq!(
        covers.skip(1).collect::<Vec<_>>(),
        [json!("2026-03-01T10:10:00Z"), json!("2026-03-01T10:20:00Z")],
        "each covers what the one before left"
    );
}

#[tokio::test]
async fn stopped_is_neither_run_nor_missed() {
    let recipe = recipe("{ schedule: { every: 5m } }");
    let (rig, server) = Rig::started(&recipe, "2026-03-01T10:00:00Z").await;
    rig.pass(&server, "2026-03-01T10:05:00Z").await;
    rig.work().await;
    rig.stop().await;
    rig.pass(&server, "2026-03-01T10:31:00Z").await;
    rig.start().await;
    server.look().await.unwrap();
    assert_eq!(rig.told().await, ["10:05 fired"]);
    rig.pass(&server, "2026-03-01T10:35:00Z").await;
    assert_eq!(rig.told().await, ["10:05 fired", "10:35 fired"]);
    // Between a start and the first look nothing is lost, even if the server dies there.
    rig.stop().await;
    rig.clock.advance(minutes(1));
    rig.start().await;
    drop(server);
    rig.clock.set(at("2026-03-01T10:43:00Z"));
    rig.work().await;
    rig.server().look().await.unwrap();
    assert_eq!(*rig.told().await.last().unwrap(), "10:40 made_up");
}

#[tokio::test]
async fn an_edit_counts_at_once_and_never_backwards() {
    let daily = |time: &str| {
        recipe(&format!(
            "{{ schedule: {{ at: \"{time}\", timezone: UTC }} }}"
        ))
    };
    let (rig, server) = Rig::started(&daily("01:00"), "2026-03-01T00:00:00Z").await;
    rig.pass(&server, "2026-03-01T01:00:00Z").await;
    rig.work().await;
    rig.pass(&server, "2026-03-01T12:00:00Z").await;
    rig.edit(&daily("11:00"));
    server.look().await.unwrap();
    assert_eq!(
        rig.told().await,
        ["01:00 fired"],
        "11:00 was not a fire of this rule"
    );
    rig.edit(&daily("12:30"));
    rig.pass(&server, "2026-03-01T12:30:00Z").await;
    assert_eq!(rig.told().await, ["01:00 fired", "12:30 fired"]);
    rig.work().await;
    // Edited while no server ran: what the old rule missed is made up for, the new one counts on.
    drop(server);
    rig.clock.set(at("2026-03-02T13:00:00Z"));
    rig.edit(&daily("12:45"));
    let server = rig.server();
    server.look().await.unwrap();
    let told = ["01:00 fired", "12:30 fired", "12:30 made_up"];
    assert_eq!(rig.told().await, told);
    rig.work().await;
    // Gone for days and back: nothing was missed.
    rig.remove();
    rig.pass(&server, "2026-03-02T13:05:00Z").await;
    rig.clock.set(at("2026-03-09T13:00:00Z"));
    rig.edit(&daily("12:45"));
    server.look().await.unwrap();
    assert_eq!(rig.told().await, told);
}

#[tokio::test]
async fn a_job_covers_the_time_since_the_last_good_one() {
    let covering = "
title: It
trigger: { schedule: { every: 1h, first_from: \"{{add_days job.started_at -30}}\" } }
steps:
  - when: { $.trigger.scheduled_at?: { equals: \"2026-03-01T02:00:00Z\" } }
    stop: { status: failure, reason: a bad day }
  - return: { from: $.job.covers.from, to: $.job.covers.to }
";
    let (rig, server) = Rig::started(covering, "2026-03-01T00:30:00Z").await;
    for hour in 1..=4 {
        rig.pass(&server, &format!("2026-03-01T0{hour}:00:00Z"))
            .await;
        rig.work().await;
    }
    let hours = rig.outputs().await;
    let covers = |from: &str, to: &str| json!({ "from": from, "to": to });
    assert_eq!(
        hours,
        [
            covers("2026-01-30T01:00:00Z", "2026-03-01T01:00:00Z"),
            json!(null),
            covers("2026-03-01T01:00:00Z", "2026-03-01T03:00:00Z"),
            covers("2026-03-01T03:00:00Z", "2026-03-01T04:00:00Z"),
        ]
    );
    // By hand: from what the trigger gives, to now; it is no occurrence of the schedule.
    rig.clock.advance(minutes(30));
    rig.by_hand(json!(null)).await;
    let own = json!({ "covers": { "from": "2026-02-01T00:00:00Z", "to": "2026-02-02T00:00:00Z" } });
    rig.by_hand(own).await;
    rig.work().await;
    let by_hand = rig.outputs().await.split_off(4);
    assert_eq!(
        by_hand,
        [
            covers("2026-01-30T04:30:00Z", "2026-03-01T04:30:00Z"),
            covers("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"),
        ]
    );
    rig.pass(&server, "2026-03-01T05:00:00Z").await;
    rig.work().await;
    let next = rig.outputs().await.pop().unwrap();
    assert_eq!(next, covers("2026-03-01T04:00:00Z", "2026-03-01T05:00:00Z"));
    let stands = rig.store.fires(&name(), rig.clock.now()).await.unwrap();
    assert_eq!(stands.last_good, Some(at("2026-03-01T05:00:00Z")));
}

#[tokio::test]
async fn a_first_from_that_has_no_value_fails_the_job() {
    let wrong = recipe("{ schedule: { every: 1h, first_from: \"{{to_datetime job.id}}\" } }");
    let (rig, server) = Rig::started(&wrong, "2026-03-01T00:30:00Z").await;
    rig.pass(&server, "2026-03-01T01:00:00Z").await;
    rig.work().await;
    let job = rig.jobs().await.remove(0);
    assert_eq!(job.status, JobStatus::Failed);
    let failure = job.ending.unwrap().failure.unwrap();
    assert!(failure.message.starts_with("`first_from`: "), "{failure:?}");
}

#[tokio::test]
async fn an_edited_rule_leaves_what_is_due_of_the_old_one_until_there_is_room() {
    let every = |period: &str| recipe(&format!("{{ schedule: {{ every: {period} }} }}"));
    let (mut rig, server) = Rig::started(&every("10m"), "2026-03-01T10:00:00Z").await;
    drop(server);
    rig.clock.set(at("2026-03-01T10:10:10Z"));
    rig.intake.gauge = Arc::new(Gauge::new(0, 0));
    rig.edit(&every("15m"));
    let server = rig.server();
    server.look().await.unwrap();
    assert!(rig.told().await.is_empty());
    rig.intake.gauge = Arc::default();
    let server = rig.server();
    server.look().await.unwrap();
    rig.work().await;
    rig.pass(&server, "2026-03-01T10:16:00Z").await;
    assert_eq!(rig.told().await, ["10:10 fired", "10:15 fired"]);
}

#[tokio::test]
async fn to_start_a_started_recipe_forgets_nothing() {
    let (rig, server) = Rig::started(
        &recipe("{ schedule: { every: 10m } }"),
        "2026-03-01T10:00:00Z",
    )
    .await;
    rig.clock.set(at("2026-03-01T10:10:10Z"));
    rig.edit(&recipe("{ schedule: { every: 15m } }"));
    rig.start().await;
    server.look().await.unwrap();
    assert_eq!(rig.told().await, ["10:10 fired"]);
    let states = rig.store.states().await.unwrap();
    assert_eq!(states[&name()].changed_at, at("2026-03-01T10:00:00Z"));
}
