//! Completed learning plans become credentials.
//!
//! Always true: a plan that Docebo has not recomputed yet is looked at four times, five minutes
//! apart, and then given up with a line that says so.

use serde_json::{Value, json};

use super::props::BATCH;
use super::stage::Stage;

const ENROLLMENTS: &str = "/learningplan/v1/learningplans/enrollments";

#[tokio::test]
async fn a_plan_that_is_recomputed_late_is_looked_at_again() {
    for (seconds, looks) in [(0, 1), (200, 2), (500, 3), (800, 4)] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage
            .quirk("docebo", json!({ "plan_recompute_s": seconds }))
            .await;
        stage
            .in_docebo("complete_course", json!({ "user_id": 2, "course_id": 101 }))
            .await;
        let jobs = stage.take_reports_in().await;
        assert_eq!(jobs[0].status, "succeeded", "{seconds}: {jobs:?}");
        assert_eq!(looked(&stage).await.len(), looks, "{seconds}");
        let issued = stage.credentials().await;
        let expected = [
            "ada.lovelace@example.com 2001 2026-03-01",
            "ada.lovelace@example.com 2003 2026-03-01",
        ];
        assert_eq!(issued, expected, "{seconds}");
    }
}

#[tokio::test]
async fn a_plan_that_is_never_completed_is_given_up_after_four_looks_five_minutes_apart() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage
        .quirk("docebo", json!({ "plan_recompute_s": 100_000 }))
        .await;
    stage
        .in_docebo("complete_course", json!({ "user_id": 2, "course_id": 101 }))
        .await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    let line = "info: 1 learning plan(s) of course 101 not completed by 2";
    assert!(jobs[0].log.contains(&line.to_owned()), "{:?}", jobs[0].log);
    let at = looked(&stage).await;
    let minutes: Vec<&str> = at.iter().map(|at| &at[11..16]).collect();
    assert_eq!(minutes, ["10:00", "10:05", "10:10", "10:15"], "{at:?}");
    assert_eq!(
        stage.credentials().await,
        ["ada.lovelace@example.com 2001 2026-03-01"]
    );
}

#[tokio::test]
async fn the_batch_looks_once_and_does_not_wait() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.complete(7, 101, "2026-02-20 09:00:00").await;
    let job = stage.run(BATCH, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(stage.clock.now().to_string(), super::ground::NOW);
    assert_eq!(stage.held("alan.turing@example.com", 2003).await.len(), 0);
    stage.complete(7, 102, "2026-02-21 09:00:00").await;
    let job = stage.run(BATCH, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(stage.held("alan.turing@example.com", 2003).await.len(), 1);
}

#[tokio::test]
async fn a_mapping_to_a_plan_that_does_not_exist_does_no_harm() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let nowhere = json!({ "credential_group_id": "2005", "learning_plan_id": "LP-GONE" });
    stage.put("accredible-integration-mappings", nowhere).await;
    stage.complete(2, 101, "2026-02-20 09:00:00").await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    assert_eq!(jobs[0].log, [] as [&str; 0]);
    let batch = stage.run(BATCH, Value::Null).await;
    assert_eq!(batch.status, "succeeded", "{batch:?}");
    assert_eq!(batch.log, [] as [&str; 0]);
    assert_eq!(stage.held("ada.lovelace@example.com", 2003).await.len(), 1);
    assert_eq!(stage.held("ada.lovelace@example.com", 2005).await.len(), 0);
}

#[tokio::test]
async fn two_plans_of_one_course_are_issued_each_when_it_is_completed() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let other = json!({ "credential_group_id": "2005", "learning_plan_id": "LP-NEW" });
    stage.put("accredible-integration-mappings", other).await;
    stage
        .in_docebo(
            "enroll_in_plan",
            json!({ "user_id": 7, "learning_plan_id": 203 }),
        )
        .await;
    // LP-NEW is completed with its only course, LP-SEC with the second one.
    stage
        .in_docebo("complete_course", json!({ "user_id": 7, "course_id": 101 }))
        .await;
    stage.take_reports_in().await;
    assert_eq!(stage.held("alan.turing@example.com", 2005).await.len(), 1);
    assert_eq!(stage.held("alan.turing@example.com", 2003).await.len(), 0);
    stage
        .in_docebo("complete_course", json!({ "user_id": 7, "course_id": 102 }))
        .await;
    stage.take_reports_in().await;
    assert_eq!(stage.held("alan.turing@example.com", 2005).await.len(), 1);
    assert_eq!(stage.held("alan.turing@example.com", 2003).await.len(), 1);
}

#[tokio::test]
async fn a_mapping_that_is_not_active_and_a_group_that_is_not_active_give_nothing() {
    for is_group in [false, true] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        let (table, row) = match is_group {
            true => (
                "accredible-credential-groups",
                json!({ "group_id": 2003, "name": "security-champion", "is_active": false }),
            ),
            false => (
                "accredible-integration-mappings",
                json!({ "credential_group_id": "2003", "learning_plan_id": "LP-SEC", "is_active": false }),
            ),
        };
        stage.put(table, row).await;
        stage
            .in_docebo("complete_course", json!({ "user_id": 2, "course_id": 101 }))
            .await;
        let jobs = stage.take_reports_in().await;
        assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
        assert_eq!(
            stage.credentials().await,
            ["ada.lovelace@example.com 2001 2026-03-01"]
        );
    }
}

/// When Docebo was asked for the learner's plans.
async fn looked(stage: &Stage) -> Vec<String> {
    let calls = stage.ground.calls("docebo").await;
    let looks = calls.iter().filter(|call| call["path"] == ENROLLMENTS);
    looks
        .map(|call| super::stage::as_text(&call["at"]))
        .collect()
}
