//! Doing jobs again: on another version, calls of which nobody knows, times, and many jobs at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use recipe_engine::journal::JobStatus;
use recipe_engine::store::{JobFilter, Jobs};
use recipe_engine::trigger::rerun::{
    From, Many, NoRerun, Unknown, Version, Wish, plan_many, plan_rerun, rerun_many,
};
use serde_json::json;

use super::rerun::{
    INNER, WIDE, from, from_step, ill_at, places_of, recipes, refused, rerun, thing,
};
use super::stage::{Reply, Stage};

const NOTE: &str = "
title: Note
trigger: { function: { input: {}, output: {} } }
steps:
  - id: noted
    action: vendor.send_note
    with: { text: x }
";

#[tokio::test]
async fn a_call_of_which_nobody_knows_is_not_made_again_unless_a_person_says_so() {
    let is_ill = Arc::new(AtomicBool::new(true));
    let ill = is_ill.clone();
    let stage = Stage::of(&[("note", NOTE)], move |_| {
        match ill.load(Ordering::SeqCst) {
            true => Reply::Dies,
            false => Reply::Done(thing()),
        }
    })
    .await;
    let id = stage.run("note", json!({})).await;
    stage.until_quiet().await;
    let (code, ..) = refused(&stage, &id, &from(From::Start)).await;
    assert_eq!(code, "job_not_ended");
    stage.cancel(&id).await;
    stage.until_quiet().await;
    assert_eq!(stage.status(&id).await, JobStatus::Stopped);
    for wish in [from(From::Start), from_step("noted")] {
        let (code, _, details) = refused(&stage, &id, &wish).await;
        assert_eq!(
            (code, details),
            ("outcome_unknown", vec!["noted".to_owned()])
        );
    }
    is_ill.store(false, Ordering::SeqCst);
    let wish = Wish {
        unknown: Unknown::Again,
        ..from(From::Start)
    };
    let again = rerun(&stage, &id, &wish).await;
    stage.until_quiet().await;
    assert_eq!(stage.status(&again).await, JobStatus::Succeeded);
}

const TIMES: &str = "
title: Times
trigger: { function: { input: {}, output: { before: string, after: string } } }
steps:
  - set: { before: '{{now}}' }
  - id: put
    action: vendor.keep_thing
    with: { id: 1, name: x }
  - return: { before: $.vars.before, after: '{{now}}' }
";

#[tokio::test]
async fn before_the_place_now_is_as_it_was_and_from_there_on_it_is_now() {
    let (is_ill, answers) = ill_at(&["put"]);
    let stage = Stage::of(&[("times", TIMES)], answers).await;
    let began = stage.clock.now().to_string();
    let id = stage.run("times", json!({})).await;
    stage.until_quiet().await;
    is_ill.store(false, Ordering::SeqCst);
    stage.clock.advance(std::time::Duration::from_secs(86_400));
    let later = stage.clock.now().to_string();
    let again = rerun(&stage, &id, &from(From::Failed)).await;
    stage.until_quiet().await;
    let (job, _) = stage.job(&again).await;
    let output = job.ending.unwrap().output.unwrap();
    assert_eq!(output, json!({ "before": began, "after": later }));
}

#[tokio::test]
async fn many_jobs_are_done_again_at_a_pace_and_never_twice() {
    let (is_ill, answers) = ill_at(&["noted"]);
    let stage = Stage::of(&[("note", NOTE)], answers).await;
    for _ in 0..5 {
        stage.run("note", json!({})).await;
    }
    stage.until_quiet().await;
    is_ill.store(false, Ordering::SeqCst);
    let many = Many {
        filter: JobFilter {
            statuses: vec![JobStatus::Failed],
            ..JobFilter::default()
        },
        per_minute: Some(2),
        wish: from(From::Failed),
    };
    let found = plan_many(&stage.intake, &many, "ada").await.unwrap();
    assert_eq!((found.again.len(), found.passed.len()), (5, 0));
    let began = stage.clock.now();
    let done = rerun_many(&stage.intake, &many, "ada").await.unwrap();
    let queued: Vec<_> = done.again.into_iter().filter_map(|a| a.queued).collect();
    let waits: Vec<u64> = queued
        .iter()
        .map(|(_, at)| at.since(began).as_secs())
        .collect();
    assert_eq!(waits, [0, 30, 60, 90, 120]);
    stage.work().await;
    let (first, _) = &queued[0];
    assert_eq!(stage.status(first).await, JobStatus::Succeeded);
    let (last, at) = &queued[4];
    let (job, _) = stage.job(last).await;
    assert_eq!((job.status, job.wake_at), (JobStatus::Queued, Some(*at)));
    stage.until_quiet().await;
    for (job, at) in &queued {
        let (job, _) = stage.job(job).await;
        assert_eq!(job.status, JobStatus::Succeeded);
        assert!(job.started_at.unwrap() >= *at);
    }
    for found in [
        plan_many(&stage.intake, &many, "ada").await.unwrap(),
        rerun_many(&stage.intake, &many, "ada").await.unwrap(),
    ] {
        assert_eq!((found.again.len(), found.passed.len()), (0, 5));
        let why = found.passed[0].why.to_string();
        assert!(why.contains("done again already"), "{why}");
    }
    let all = stage
        .store
        .jobs(&JobFilter {
            limit: 100,
            ..JobFilter::default()
        })
        .await;
    assert_eq!(all.unwrap().len(), 10);
}

#[tokio::test]
async fn of_many_wishes_at_once_each_job_is_done_again_by_one() {
    const JOBS: usize = 130;
    let (is_ill, answers) = ill_at(&["noted"]);
    let stage = Stage::of(&[("note", NOTE)], answers).await;
    for _ in 0..JOBS {
        stage.run("note", json!({})).await;
    }
    stage.until_quiet().await;
    is_ill.store(false, Ordering::SeqCst);
    let many = Many {
        filter: JobFilter {
            statuses: vec![JobStatus::Failed],
            ..JobFilter::default()
        },
        per_minute: None,
        wish: from(From::Failed),
    };
    let wishes = (0..4).map(|_| rerun_many(&stage.intake, &many, "ada"));
    let mut done = Vec::new();
    for found in futures_util::future::join_all(wishes).await {
        let found = found.unwrap();
        assert_eq!(found.again.len() + found.passed.len(), JOBS);
        let is_known = |why: &NoRerun| why.to_string().contains("done again already");
        assert!(found.passed.iter().all(|passed| is_known(&passed.why)));
        done.extend(found.again.into_iter().map(|again| again.outline.origin));
    }
    assert_eq!(done.len(), JOBS, "each by one of them");
    done.sort();
    done.dedup();
    assert_eq!(done.len(), JOBS);
    stage.until_quiet().await;
    let all = JobFilter {
        limit: 1_000,
        ..JobFilter::default()
    };
    assert_eq!(stage.store.jobs(&all).await.unwrap().len(), 2 * JOBS);
}

#[tokio::test]
async fn on_the_present_version_steps_are_matched_by_their_ids() {
    let (is_ill, answers) = ill_at(&["last"]);
    let stage = Stage::of(&recipes(), answers).await;
    let id = stage.run("wide", json!({})).await;
    stage.until_quiet().await;
    is_ill.store(false, Ordering::SeqCst);
    let current = Wish {
        version: Version::Current,
        ..from(From::Failed)
    };
    // A step more at the beginning, and another place for one that stays.
    let moved = WIDE
        .replace("steps:\n  - id: first", "steps:\n  - log: new\n  - id: first")
        .replace("  - set: { name: first }\n", "")
        .replace("  - if: { $.vars.name: { equals: first } }\n    then:\n      - id: chosen\n        action: vendor.keep_thing\n        with: { id: 2, name: x }\n", "  - id: chosen\n    action: vendor.keep_thing\n    with: { id: 2, name: x }\n")
        .replace("id: 6,", "id: 7,");
    stage.edit(&[("wide", &moved), ("inner", INNER)]);
    let plan = plan_rerun(&stage.intake, &id, &current, "ada")
        .await
        .unwrap();
    let plan = plan.outline;
    assert!(plan.changed.recipe);
    assert!(
        plan.keeps.contains(&"chosen".to_owned()),
        "{:?}",
        plan.keeps
    );
    assert_eq!(places_of(&stage, &id, &current).await, ["last"]);

    let other = moved
        .replace(
            "- id: chosen\n    action: vendor.keep_thing\n    with: { id: 2, name: x }",
            "- id: chosen\n    action: vendor.read_thing\n    with: {}",
        )
        .replace("id: risky", "id: risked");
    stage.edit(&[("wide", &other), ("inner", INNER)]);
    let (code, _, details) = refused(&stage, &id, &current).await;
    assert_eq!(code, "versions_differ");
    let told = details.join("\n");
    assert!(told.contains("the step `chosen` was"), "{told}");
    assert!(told.contains("no step with the id `risky`"), "{told}");
    // On the version that ran it still goes on.
    assert_eq!(places_of(&stage, &id, &from(From::Failed)).await, ["last"]);
}
