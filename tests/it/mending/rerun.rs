//! Doing jobs again: what is kept is not performed, what is done again is, on either version.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use recipe_engine::journal::{EntryKind, JobStatus};
use recipe_engine::names::JobId;
use recipe_engine::trigger::rerun::{
    Elements, From, NoRerun, Unknown, Version, Wish, plan_rerun, queue_rerun,
};
use serde_json::{Value, json};

use super::stage::{Reply, Sent, Stage, count};

pub(super) const INNER: &str = "
title: Inner
trigger: { function: { input: {}, output: { name: string } } }
concurrency: { key: inner }
steps:
  - id: read
    action: vendor.read_thing
    with: {}
  - id: put
    action: vendor.keep_thing
    with: { id: 3, name: $.steps.read.name }
  - return: { name: $.steps.read.name }
";

/// Every kind of surroundings that a step can stand in.
pub(super) const WIDE: &str = "
title: Wide
trigger: { function: { input: {}, output: { name: string } } }
concurrency: { key: wide }
steps:
  - id: first
    action: vendor.keep_thing
    with: { id: 1, name: x }
  - set: { name: first }
  - if: { $.vars.name: { equals: first } }
    then:
      - id: chosen
        action: vendor.keep_thing
        with: { id: 2, name: x }
  - id: called
    call: inner
    with: {}
  - id: rounds
    repeat:
      - id: looked
        action: vendor.read_thing
        with: {}
    until: { $.steps.looked.id: { equals: 0 } }
    every: 1m
    max: 2
  - id: each
    foreach: [11, 12, 13]
    as: number
    at_once: 3
    do:
      - id: put
        action: vendor.keep_thing
        with: { id: $.number, name: $.steps.called.name }
  - id: careful
    try:
      - id: risky
        action: vendor.keep_thing
        with: { id: 4, name: x }
    finally:
      - id: cleaned
        action: vendor.keep_thing
        with: { id: 5, name: x }
  - id: last
    action: vendor.keep_thing
    with: { id: 6, name: $.steps.called.name }
  - return: { name: $.steps.called.name }
";

pub(super) fn recipes() -> [(&'static str, &'static str); 2] {
    [("wide", WIDE), ("inner", INNER)]
}

pub(super) fn thing() -> Value {
    json!({ "id": 1, "name": "thing" })
}

/// A vendor that refuses what is sent at some places, as long as it is ill.
pub(super) fn ill_at(
    places: &'static [&'static str],
) -> (Arc<AtomicBool>, impl Fn(&Sent) -> Reply) {
    let is_ill = Arc::new(AtomicBool::new(true));
    let ill = is_ill.clone();
    let answers = move |sent: &Sent| match ill.load(Ordering::SeqCst)
        && places.contains(&sent.place.as_str())
    {
        true => Reply::Refused,
        false => Reply::Done(thing()),
    };
    (is_ill, answers)
}

pub(super) fn from(place: From) -> Wish {
    Wish {
        from: place,
        version: Version::Ran,
        elements: Elements::All,
        outputs: BTreeMap::new(),
        unknown: Unknown::Refuse,
    }
}

pub(super) fn from_step(id: &str) -> Wish {
    from(From::Step(id.to_owned()))
}

pub(super) async fn rerun(stage: &Stage, id: &JobId, wish: &Wish) -> JobId {
    let plan = plan_rerun(&stage.intake, id, wish, "ada").await.unwrap();
    queue_rerun(&stage.intake, plan).await.unwrap()
}

pub(super) async fn refused(
    stage: &Stage,
    id: &JobId,
    wish: &Wish,
) -> (&'static str, String, Vec<String>) {
    match plan_rerun(&stage.intake, id, wish, "ada").await {
        Err(NoRerun::Refused {
            code,
            message,
            details,
        }) => (code, message, details),
        other => panic!("expected a refusal, not {other:?}"),
    }
}

/// Reruns a job, runs it to its end, and answers where the vendor was called.
pub(super) async fn places_of(stage: &Stage, id: &JobId, wish: &Wish) -> Vec<String> {
    stage.forget_calls();
    let again = rerun(stage, id, wish).await;
    stage.until_quiet().await;
    let (job, _) = stage.job(&again).await;
    let why = job
        .ending
        .as_ref()
        .and_then(|ending| ending.failure.clone());
    assert_eq!(job.status, JobStatus::Succeeded, "{why:?}");
    assert_eq!(job.ending.unwrap().output, Some(json!({ "name": "thing" })));
    let mut places = stage.places();
    places.sort();
    places
}

/// All places of `wide`, in their order.
const ALL: [&str; 12] = [
    "first",
    "if@2/then/chosen",
    "called/read",
    "called/put",
    "rounds[1]/looked",
    "rounds[2]/looked",
    "each[0]/put",
    "each[1]/put",
    "each[2]/put",
    "careful/risky",
    "careful/cleaned",
    "last",
];

#[tokio::test]
async fn a_job_is_done_again_from_the_start_and_from_every_step_with_an_id() {
    let stage = Stage::of(&recipes(), |_| Reply::Done(thing())).await;
    let id = stage.run("wide", json!({})).await;
    stage.until_quiet().await;
    let all = stage.places();
    let begins = |id: &str, first: &str| {
        let first = all.iter().position(|place| place == first).unwrap();
        let mut rest = all[first..].to_vec();
        rest.sort();
        (from_step(id), rest)
    };
    let mut cases = vec![
        begins("first", "first"),
        begins("called", "called/read"),
        begins("called/put", "called/put"),
        begins("rounds", "rounds[1]/looked"),
        begins("each", "each[0]/put"),
        begins("careful", "careful/risky"),
        begins("risky", "careful/risky"),
        begins("cleaned", "careful/cleaned"),
        begins("last", "last"),
    ];
    let chosen = all.iter().find(|place| place.ends_with("chosen")).unwrap();
    cases.push(begins("chosen", chosen));
    let mut whole = all.clone();
    whole.sort();
    cases.push((from(From::Start), whole));
    assert_eq!(all.len(), ALL.len());
    for (wish, expected) in &cases {
        let places = places_of(&stage, &id, wish).await;
        assert_eq!(&places, expected, "{:?}", wish.from);
    }
    let lineage = stage.store.lineage(&id).await.unwrap();
    assert_eq!(lineage.reruns.len(), cases.len());
    let (last, _) = lineage.reruns.last().unwrap();
    let lineage = stage.store.lineage(last).await.unwrap();
    let (origin, place, version) = lineage.origin.unwrap();
    assert_eq!((origin, &*place, &*version), (id.clone(), "start", "ran"));
    let (job, _) = stage.job(last).await;
    assert_eq!(job.started_by, format!("rerun:{id}"));
}

#[tokio::test]
async fn from_where_it_failed_only_what_was_not_done_is_done() {
    let cases: [(&'static [&'static str], &[&str]); 4] = [
        (&["first"], &ALL[..]),
        (&["called/put"], &ALL[3..]),
        // Of the elements at once, those that were done stay done.
        (
            &["each[0]/put", "each[2]/put"],
            &[
                "each[0]/put",
                "each[2]/put",
                "careful/risky",
                "careful/cleaned",
                "last",
            ],
        ),
        (
            &["careful/risky"],
            &["careful/risky", "careful/cleaned", "last"],
        ),
    ];
    for (ill, expected) in cases {
        let (is_ill, answers) = ill_at(ill);
        let stage = Stage::of(&recipes(), answers).await;
        let id = stage.run("wide", json!({})).await;
        stage.until_quiet().await;
        assert_eq!(stage.status(&id).await, JobStatus::Failed);
        is_ill.store(false, Ordering::SeqCst);
        let places = places_of(&stage, &id, &from(From::Failed)).await;
        let mut names: Vec<&str> = places.iter().map(|place| name_of(place)).collect();
        let mut expected: Vec<&str> = expected.iter().map(|place| name_of(place)).collect();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{ill:?}");
        assert_eq!(
            stage.status(&id).await,
            JobStatus::Failed,
            "the origin stays"
        );
    }
}

/// The place without the made id of the `if`.
fn name_of(place: &str) -> &str {
    match place.ends_with("chosen") {
        true => "chosen",
        false => place,
    }
}

#[tokio::test]
async fn a_rerun_survives_its_worker_at_every_commit() {
    let mut commits = 0;
    loop {
        commits += 1;
        let (is_ill, answers) = ill_at(&["each[1]/put"]);
        let stage = Stage::of(&recipes(), answers).await;
        let id = stage.run("wide", json!({})).await;
        stage.until_quiet().await;
        is_ill.store(false, Ordering::SeqCst);
        stage.forget_calls();
        let again = rerun(&stage, &id, &from(From::Failed)).await;
        let died = stage.until_quiet_over_death(commits).await;
        assert_eq!(stage.status(&again).await, JobStatus::Succeeded);
        let mut places = stage.places();
        places.sort();
        places.dedup();
        let done = ["careful/cleaned", "careful/risky", "each[1]/put", "last"];
        assert_eq!(places, done, "dead after commit {commits}");
        if !died {
            break;
        }
    }
    assert!(commits > 3, "only {commits} commits");
}

const LENIENT: &str = "
title: Lenient
trigger: { function: { input: {}, output: { done: integer, items: [integer] } } }
steps:
  - id: read
    action: vendor.read_thing
    with: {}
  - id: each
    foreach: [11, 12, 13, 14]
    as: number
    on_item_error: continue
    collect: $.number
    do:
      - id: put
        action: vendor.keep_thing
        with: { id: $.number, name: x }
  - return: { done: $.steps.each.succeeded, items: $.steps.each.items }
";

#[tokio::test]
async fn only_the_failed_elements_of_a_loop_are_done_again() {
    let (is_ill, answers) = ill_at(&["each[1]/put", "each[3]/put"]);
    let stage = Stage::of(&[("lenient", LENIENT)], answers).await;
    let id = stage.run("lenient", json!({})).await;
    stage.until_quiet().await;
    assert_eq!(stage.status(&id).await, JobStatus::SucceededWithErrors);
    is_ill.store(false, Ordering::SeqCst);
    stage.forget_calls();
    let wish = Wish {
        elements: Elements::Failed,
        ..from(From::Failed)
    };
    let again = rerun(&stage, &id, &wish).await;
    stage.until_quiet().await;
    let (job, _) = stage.job(&again).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    let output = json!({ "done": 2, "items": [12, 14] });
    assert_eq!(job.ending.unwrap().output, Some(output));
    assert_eq!(stage.places(), ["each[0]/put", "each[1]/put"]);
    // Of the new job, no element failed.
    let (code, ..) = refused(&stage, &again, &wish).await;
    assert_eq!(code, "no_failed_elements");
}

#[tokio::test]
async fn a_person_gives_what_an_earlier_step_gives() {
    let (_, answers) = ill_at(&["called/put"]);
    let stage = Stage::of(&recipes(), answers).await;
    let id = stage.run("wide", json!({})).await;
    stage.until_quiet().await;
    let (code, message, _) = refused(&stage, &id, &from_step("rounds")).await;
    assert_eq!(code, "failed_before", "{message}");
    let with = |step: &str, output: Value| Wish {
        outputs: BTreeMap::from([(step.to_owned(), output)]),
        ..from_step("last")
    };
    let given = json!({ "name": "thing" });
    let (code, ..) = refused(&stage, &id, &with("called", json!({ "name": 7 }))).await;
    assert_eq!(code, "wrong_output");
    let (code, ..) = refused(&stage, &id, &with("last", json!({}))).await;
    assert_eq!(code, "not_before");
    let (code, message, _) = refused(&stage, &id, &with("caled", given.clone())).await;
    assert_eq!(code, "no_such_step");
    assert!(message.contains("did you mean `called`?"), "{message}");
    let (code, message, _) = refused(&stage, &id, &from_step("looked")).await;
    assert_eq!(code, "no_such_step");
    assert!(message.contains("name the loop"), "{message}");

    let wish = Wish {
        from: From::Step("careful".into()),
        ..with("called", given)
    };
    stage.forget_calls();
    let again = rerun(&stage, &id, &wish).await;
    stage.until_quiet().await;
    let (job, entries) = stage.job(&again).await;
    assert_eq!(job.status, JobStatus::Succeeded, "{:?}", job.ending);
    assert!(
        !stage
            .places()
            .iter()
            .any(|place| place.starts_with("called"))
    );
    let given = |kind: &EntryKind| matches!(kind, EntryKind::OutputGiven { by, .. } if by == "ada");
    assert_eq!(count(&entries, given), 1);
}
