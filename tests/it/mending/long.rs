//! Doing jobs again whose loops were folded, that started others, or whose history is gone.

use std::sync::atomic::Ordering;

use recipe_engine::journal::{EntryKind, JobStatus};
use recipe_engine::names::JobId;
use recipe_engine::store::{JobFilter, JobRecord, Jobs};
use recipe_engine::trigger::rerun::{
    Elements, From, NoRerun, Version, Wish, plan_rerun, queue_rerun,
};
use serde_json::{Value, json};

use super::rerun::{from, from_step, ill_at, refused, rerun, thing};
use super::stage::{Reply, Stage, count};

/// More elements than a journal keeps one by one.
const ELEMENTS: i64 = 1_400;

const MANY: &str = "
title: Many
trigger: { function: { input: { numbers: [integer] }, output: { done: integer, sum: number } } }
steps:
  - id: each
    foreach: $.input.numbers
    as: number
    at_once: 8
    on_item_error: continue
    collect: $.number
    do:
      - id: put
        action: vendor.keep_thing
        with: { id: $.number, name: x }
  - id: last
    action: vendor.keep_thing
    with: { id: 0, name: x }
  - return: { done: $.steps.each.succeeded, sum: '{{sum steps.each.items}}' }
";

async fn many(stage: &Stage) -> JobId {
    let numbers: Vec<i64> = (1..=ELEMENTS).collect();
    let id = stage.run("many", json!({ "numbers": numbers })).await;
    stage.until_quiet().await;
    let (job, entries) = stage.job(&id).await;
    assert_eq!(job.status, JobStatus::Failed, "{:?}", job.ending);
    let heads = count(&entries, |kind| {
        matches!(kind, EntryKind::LoopFolded { .. })
    });
    assert_eq!(heads, 1, "the loop is folded");
    id
}

/// The job that does another again, once it ended.
async fn again(stage: &Stage, id: &JobId, wish: &Wish) -> JobRecord {
    stage.forget_calls();
    let again = rerun(stage, id, wish).await;
    stage.until_quiet().await;
    stage.job(&again).await.0
}

fn output(job: JobRecord) -> Value {
    assert_eq!(job.status, JobStatus::Succeeded, "{:?}", job.ending);
    job.ending.unwrap().output.unwrap()
}

#[tokio::test]
async fn a_folded_loop_that_is_kept_gives_what_it_gave_and_nothing_of_it_is_done() {
    let (is_ill, answers) = ill_at(&["last"]);
    let stage = Stage::of(&[("many", MANY)], answers).await;
    let id = many(&stage).await;
    is_ill.store(false, Ordering::SeqCst);
    let whole = json!({ "done": ELEMENTS, "sum": ELEMENTS * (ELEMENTS + 1) / 2 });
    let present = Wish {
        version: Version::Current,
        ..from(From::Failed)
    };
    for wish in [from(From::Failed), from_step("last")] {
        let job = again(&stage, &id, &wish).await;
        assert_eq!(output(job), whole);
        assert_eq!(stage.places(), ["last"]);
    }
    let moved = MANY.replace("steps:\n", "steps:\n  - log: new\n");
    stage.edit(&[("many", &moved)]);
    assert_eq!(output(again(&stage, &id, &present).await), whole);
    assert_eq!(stage.places(), ["last"], "found again by its id");
    // A rerun of a rerun keeps it as well.
    let reruns = stage.store.lineage(&id).await.unwrap().reruns;
    let job = again(&stage, &reruns[0].0, &from_step("last")).await;
    assert_eq!(output(job), whole);
    assert_eq!(stage.places(), ["last"]);
    let job = again(&stage, &id, &from_step("each")).await;
    assert_eq!(output(job), whole);
    assert_eq!(stage.places().len() as i64, ELEMENTS + 1, "all of it again");
}

#[tokio::test]
async fn of_a_folded_loop_the_failed_elements_are_done_again() {
    let (is_ill, answers) = ill_at(&["each[700]/put", "each[1399]/put", "last"]);
    let stage = Stage::of(&[("many", MANY)], answers).await;
    let id = many(&stage).await;
    is_ill.store(false, Ordering::SeqCst);
    let wish = Wish {
        elements: Elements::Failed,
        ..from(From::Failed)
    };
    let plan = plan_rerun(&stage.intake, &id, &wish, "ada").await.unwrap();
    assert_eq!(plan.outline.elements, Some(2));
    let job = again(&stage, &id, &wish).await;
    assert_eq!(output(job), json!({ "done": 2, "sum": 701 + 1400 }));
    assert_eq!(stage.places(), ["each[0]/put", "each[1]/put", "last"]);
}

#[tokio::test]
async fn a_folded_loop_that_failed_goes_on_at_the_element_that_failed() {
    let strict = MANY
        .replace("    on_item_error: continue\n", "")
        .replace("    at_once: 8\n", "");
    let (is_ill, answers) = ill_at(&["each[1200]/put"]);
    let stage = Stage::of(&[("many", &strict)], answers).await;
    let id = many(&stage).await;
    is_ill.store(false, Ordering::SeqCst);
    let job = again(&stage, &id, &from(From::Failed)).await;
    let whole = json!({ "done": ELEMENTS, "sum": ELEMENTS * (ELEMENTS + 1) / 2 });
    assert_eq!(output(job), whole);
    let places = stage.places();
    assert_eq!(places[0], "each[1200]/put");
    assert_eq!(places.len() as i64, ELEMENTS - 1200 + 1);
}

const PARENT: &str = "
title: Parent
trigger: { function: { input: {}, output: { ended: integer } } }
steps:
  - id: each
    foreach: [1, 2, 3]
    as: number
    collect: $.steps.child.job_id
    do:
      - id: child
        start: child
        with: { number: $.number }
  - id: ended
    await: $.steps.each.items
  - id: last
    action: vendor.keep_thing
    with: { id: 9, name: x }
  - return: { ended: $.steps.ended.succeeded }
";

const CHILD: &str = "
title: Child
trigger: { function: { input: { number: integer } } }
steps:
  - id: kept
    action: vendor.keep_thing
    with: { id: $.input.number, name: x }
";

/// All jobs of a recipe, and how deep the deepest is.
async fn children(stage: &Stage) -> usize {
    let all = JobFilter {
        limit: 100,
        ..JobFilter::default()
    };
    let jobs = stage.store.jobs(&all).await.unwrap();
    let is_child = |job: &&JobRecord| job.recipe.to_string().ends_with("child");
    jobs.iter().filter(is_child).count()
}

#[tokio::test]
async fn what_a_job_started_is_started_again_only_if_its_start_is_done_again() {
    let (is_ill, answers) = ill_at(&["last"]);
    let stage = Stage::of(&[("parent", PARENT), ("child", CHILD)], answers).await;
    let id = stage.run("parent", json!({})).await;
    stage.until_quiet().await;
    assert_eq!(stage.status(&id).await, JobStatus::Failed);
    assert_eq!(children(&stage).await, 3);
    is_ill.store(false, Ordering::SeqCst);
    let whole = json!({ "ended": 3 });
    // The jobs that were started are waited for again, or what they gave is kept.
    for wish in [from(From::Failed), from_step("last"), from_step("ended")] {
        assert_eq!(output(again(&stage, &id, &wish).await), whole);
        assert_eq!(stage.places(), ["last"]);
        assert_eq!(children(&stage).await, 3, "{:?}", wish.from);
    }
    for (wish, expected) in [(from_step("each"), 6), (from(From::Start), 9)] {
        assert_eq!(output(again(&stage, &id, &wish).await), whole);
        assert_eq!(stage.places(), ["kept", "kept", "kept", "last"]);
        assert_eq!(children(&stage).await, expected, "new jobs for new starts");
    }
    // Gone is gone, and said so.
    prune(&stage).await;
    let (job, _) = stage.job(&id).await;
    assert!(job.pruned.is_some());
    let (code, ..) = refused(&stage, &id, &from_step("ended")).await;
    assert_eq!(code, "history_removed");
}

#[tokio::test]
async fn a_rerun_that_waits_for_jobs_without_their_history_says_so() {
    let (is_ill, answers) = ill_at(&["last"]);
    let stage = Stage::of(&[("parent", PARENT), ("child", CHILD)], answers).await;
    let id = stage.run("parent", json!({})).await;
    stage.until_quiet().await;
    is_ill.store(false, Ordering::SeqCst);
    let kept = stage.store.kept_jobs(0, 100).await.unwrap();
    let is_child = |job: &&recipe_engine::store::KeptJob| job.recipe.to_string().ends_with("child");
    let some = kept.iter().filter(is_child).map(|job| job.number).collect();
    let now = stage.clock.now();
    let step = stage.store.forget_jobs(some, "a rule", now).await.unwrap();
    assert_eq!(step.count, 3);
    let job = again(&stage, &id, &from_step("ended")).await;
    assert_eq!(job.status, JobStatus::Failed);
    let failure = job.ending.unwrap().failure.unwrap();
    assert_eq!(failure.code, "history_removed");
    assert!(
        failure.message.contains("removed with its history"),
        "{}",
        failure.message
    );
    assert!(stage.places().is_empty());
}

const NOTE: &str = "
title: Note
trigger: { function: { input: {}, output: {} } }
steps:
  - id: noted
    action: vendor.keep_thing
    with: { id: 1, name: x }
";

async fn prune(stage: &Stage) {
    let kept = stage.store.kept_jobs(0, 100).await.unwrap();
    let numbers = kept.iter().map(|job| job.number).collect();
    let now = stage.clock.now();
    stage
        .store
        .forget_jobs(numbers, "a rule", now)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_job_whose_history_was_removed_is_not_done_again() {
    let stage = Stage::of(&[("note", NOTE)], |_| Reply::Done(thing())).await;
    let id = stage.run("note", json!({})).await;
    stage.until_quiet().await;
    let planned = plan_rerun(&stage.intake, &id, &from(From::Start), "ada").await;
    prune(&stage).await;
    let present = Wish {
        version: Version::Current,
        ..from(From::Start)
    };
    for wish in [
        from(From::Start),
        present,
        from_step("noted"),
        from(From::Failed),
    ] {
        let (code, message, _) = refused(&stage, &id, &wish).await;
        assert_eq!(code, "history_removed");
        assert!(message.contains("removed with its history"), "{message}");
    }
    // Nor if it went between the plan and its carrying out.
    let refused = queue_rerun(&stage.intake, planned.unwrap()).await;
    let Err(NoRerun::Refused { code, .. }) = refused else {
        panic!("expected a refusal, not {refused:?}");
    };
    assert_eq!(code, "history_removed");
    assert_eq!(stage.store.lineage(&id).await.unwrap().reruns, []);
}
