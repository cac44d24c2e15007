//! The batch synchronisation of a whole academy, with both vendors' budgets enforced.
//!
//! Always true: the academy is the one that `recipes bench W7` makes, in small; time is the tests'
//! own, so that hours of waiting for budgets take none.

use std::collections::{BTreeMap, BTreeSet};

use recipe_engine::data::Value;
use recipe_engine::store::{Jobs, RequestKind};
use recipe_sandbox::{Academy, Size};
use serde_json::json;

use super::stage::{Stage, as_text};

const RECIPE: &str = "batch-sync-docebo-to-accredible";

const SIZE: Size = Size {
    courses: 40,
    enrollments: 500,
    groups: 20,
    credentials: 200,
};

/// The vendors know the academy, and the tables what must be known of it.
async fn opened(academy: &Academy) -> Stage {
    let stage = Stage::open().await;
    for vendor in ["docebo", "accredible"] {
        let part = academy.part(vendor).clone();
        stage.ground.order(vendor, "reset", part).await;
    }
    for (table, rows) in academy.tables() {
        stage.put_all(table, Value::Array(rows)).await;
    }
    stage
}

/// How many credentials there are of each holder and group.
async fn held(stage: &Stage) -> BTreeMap<(String, i64), usize> {
    let mut held = BTreeMap::new();
    for row in stage.ground.rows("accredible", "credentials").await {
        let email = as_text(&row["recipient"]["email"]);
        let group = row["group_id"].as_i64().expect("a group");
        *held.entry((email, group)).or_default() += 1;
    }
    held
}

/// Everybody who must hold a credential holds exactly one, and strangers hold what they held.
async fn is_in_step(stage: &Stage, academy: &Academy) {
    let held = held(stage).await;
    let doubled: Vec<_> = held.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    let holders: BTreeSet<_> = held.into_keys().collect();
    let missing: Vec<_> = academy.wanted().difference(&holders).collect();
    assert!(missing.is_empty(), "{} missing: {missing:?}", missing.len());
    let rows = academy.part("accredible")["credentials"].as_array();
    let before = rows.expect("rows").iter().map(|row| {
        let email = as_text(&row["recipient"]["email"]);
        (email, row["group_id"].as_i64().expect("a group"))
    });
    let allowed: BTreeSet<_> = academy.wanted().iter().cloned().chain(before).collect();
    let surplus: Vec<_> = holders.difference(&allowed).collect();
    assert!(surplus.is_empty(), "{surplus:?}");
}

/// No vendor refused a call because there were too many.
async fn kept_the_budgets(stage: &Stage) {
    for vendor in ["docebo", "accredible"] {
        let violations = stage.ground.control(vendor, "violations").await;
        assert_eq!(
            violations["refused_429"],
            json!(0),
            "{vendor}: {violations}"
        );
    }
}

/// How many calls each vendor has got since it was asked last.
async fn calls(stage: &Stage) -> [usize; 2] {
    let mut counts = [0; 2];
    for (count, vendor) in counts.iter_mut().zip(["docebo", "accredible"]) {
        *count = stage.ground.calls(vendor).await.len();
        stage.ground.forget(vendor).await;
    }
    counts
}

#[tokio::test]
async fn a_batch_ends_well_though_the_vendor_soon_forgets_where_a_listing_stood() {
    // More courses than a page lists, each with lists of its own.
    let size = Size {
        courses: 230,
        ..SIZE
    };
    let academy = Academy::of(size, 7);
    let stage = opened(&academy).await;
    stage.quirk("docebo", json!({ "cursors_kept": 2 })).await;
    let run = stage.run(RECIPE, Value::Null).await;
    assert_eq!(run.status, "succeeded", "{run:?}");
    is_in_step(&stage, &academy).await;
}

#[tokio::test]
async fn a_batch_brings_an_academy_into_step_and_does_nothing_the_second_time() {
    let academy = Academy::of(SIZE, 7);
    let stage = opened(&academy).await;
    let first = stage.run(RECIPE, Value::Null).await;
    assert_eq!(first.status, "succeeded", "{first:?}");
    is_in_step(&stage, &academy).await;
    // Names and e-mails of people are not kept beyond their use.
    assert_eq!(stage.rows("accredible-learners").await.len(), 0);
    let [docebo, accredible] = calls(&stage).await;
    // Per course: its page of completions, the course twice, and what its plans need. One page of
    // users. Per learner: a search, a look under our own id and the credential, or an update.
    assert!(docebo <= 4 * SIZE.courses as usize, "{docebo} calls");
    assert!(
        accredible <= 2 * SIZE.courses as usize + 3 * academy.wanted().len(),
        "{accredible} calls"
    );
    let second = stage.run(RECIPE, Value::Null).await;
    assert_eq!(second.status, "succeeded", "{second:?}");
    for vendor in ["docebo", "accredible"] {
        let writes = stage.ground.writes(vendor).await;
        assert!(writes.is_empty(), "{vendor}: {writes:?}");
    }
    let [docebo, accredible] = calls(&stage).await;
    assert!(docebo <= 4 * SIZE.courses as usize, "{docebo} calls");
    assert!(
        accredible <= 2 * SIZE.courses as usize,
        "{accredible} calls"
    );
    is_in_step(&stage, &academy).await;
    kept_the_budgets(&stage).await;
}

#[tokio::test]
async fn a_batch_that_was_stopped_in_its_middle_is_finished_by_the_next_and_nothing_doubled() {
    let size = Size {
        courses: 20,
        enrollments: 250,
        groups: 10,
        credentials: 60,
    };
    let academy = Academy::of(size, 11);
    let stage = opened(&academy).await;
    let before = held(&stage).await.len();
    let id = stage.queue(RECIPE, Value::Null).await;
    // The first 200 calls are made at once, then the job waits for the budget.
    stage.work().await;
    let made = held(&stage).await.len() - before;
    assert!(made > 0 && made < academy.wanted().len() / 2, "{made}");
    let kind = RequestKind::Cancel { by: "ada".into() };
    let asked = stage.store.request(&id, stage.clock.now(), kind).await;
    asked.expect("a job under way");
    stage.until_quiet().await;
    let stopped = stage.seen(&id).await;
    assert_eq!(stopped.code, "cancelled", "{stopped:?}");
    assert!(held(&stage).await.len() - before < made + 10, "it stopped");
    let next = stage.run(RECIPE, Value::Null).await;
    assert_eq!(next.status, "succeeded", "{next:?}");
    is_in_step(&stage, &academy).await;
    kept_the_budgets(&stage).await;
}
