//! Everything that was completed, in one go.

use recipe_engine::store::Reach;
use serde_json::{Value, json};

use super::props::BATCH;
use super::stage::Stage;

#[tokio::test]
async fn a_second_batch_writes_nothing() {
    for overwrite in ["SKIP", "UPDATE", "CREATE"] {
        let stage = Stage::open().await;
        prepare(&stage).await;
        stage.set("BATCH_OVERWRITE_BEHAVIOUR", overwrite).await;
        let first = stage.run(BATCH, Value::Null).await;
        assert_eq!(first.status, "succeeded", "{overwrite}: {first:?}");
        let writes = stage.ground.writes("accredible").await;
        let issued = stage.credentials().await;
        assert!(issued.len() >= 12, "{overwrite}: {issued:?}");
        let second = stage.run(BATCH, Value::Null).await;
        assert_eq!(second.status, "succeeded", "{overwrite}: {second:?}");
        let again = stage.ground.writes("accredible").await;
        assert_eq!(
            again.len(),
            writes.len(),
            "{overwrite}: {:?}",
            &again[writes.len()..]
        );
        assert_eq!(stage.credentials().await, issued, "{overwrite}");
    }
}

#[tokio::test]
async fn what_was_completed_before_the_start_date_is_left_alone() {
    let stage = Stage::open().await;
    prepare(&stage).await;
    stage
        .set("DOCEBO_TO_ACCREDIBLE_BATCH_SYNC_START_DATE", "2026-02-20")
        .await;
    stage.run(BATCH, Value::Null).await;
    // Katherine's course and her certification are younger; the award of 2026-02-10 is not.
    assert_eq!(
        stage
            .credentials()
            .await
            .iter()
            .filter(|line| line.contains("katherine"))
            .collect::<Vec<_>>(),
        ["katherine.johnson@example.com 2001 2026-02-20"]
    );
    assert_eq!(stage.held("learner.20@example.com", 2001).await.len(), 0);
}

#[tokio::test]
async fn a_batch_that_is_stopped_in_its_middle_and_run_again_issues_everything_once() {
    let stage = Stage::open().await;
    prepare(&stage).await;
    let whole = whole_batch().await;
    let rule = json!({
        "method": "POST", "path": "/v1/credentials", "nth": 4, "count": 1000,
        "kind": { "status": { "code": 429, "headers": { "retry-after": "600" } } },
    });
    stage.fault("accredible", rule).await;
    let id = stage.queue(BATCH, Value::Null).await;
    stage.work().await;
    assert_eq!(stage.credentials().await.len(), 3);
    let asked = stage
        .store
        .cancel(vec![id.clone()], stage.clock.now(), "ada", Reach::Children);
    assert_eq!(asked.await.expect("a store"), std::slice::from_ref(&id));
    stage.until_quiet().await;
    let job = stage.seen(&id).await;
    assert_eq!(job.status, "stopped", "{job:?}");
    assert_eq!(stage.credentials().await.len(), 3);
    stage.heal("accredible").await;
    let job = stage.run(BATCH, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(stage.credentials().await, whole);
}

#[tokio::test]
async fn one_course_that_docebo_refuses_does_not_hold_up_the_others() {
    let stage = Stage::open().await;
    prepare(&stage).await;
    let rule = json!({ "path": "/learn/v1/courses/102", "count": 1000, "kind": { "status": { "code": 403 } } });
    stage.fault("docebo", rule).await;
    let job = stage.run(BATCH, Value::Null).await;
    assert_eq!(job.status, "succeeded_with_errors", "{job:?}");
    assert_eq!(
        stage
            .held("katherine.johnson@example.com", 2001)
            .await
            .len(),
        1
    );
    assert_eq!(
        stage
            .held("katherine.johnson@example.com", 2004)
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn a_page_of_courses_that_fails_ends_the_batch_and_harms_nothing() {
    let stage = Stage::open().await;
    prepare(&stage).await;
    let whole = whole_batch().await;
    let html = json!({ "answer_after": { "code": 200, "headers": { "content-type": "text/html" }, "body": "<html>" } });
    let rule = json!({ "path": "/course/v1/courses", "count": 1000, "kind": html });
    stage.fault("docebo", rule).await;
    let job = stage.run(BATCH, Value::Null).await;
    assert_eq!(job.status, "failed", "{job:?}");
    assert_eq!(stage.credentials().await, [] as [&str; 0]);
    stage.heal("docebo").await;
    stage.run(BATCH, Value::Null).await;
    assert_eq!(stage.credentials().await, whole);
}

/// What a batch issues that nothing disturbs.
async fn whole_batch() -> Vec<String> {
    let stage = Stage::open().await;
    prepare(&stage).await;
    stage.run(BATCH, Value::Null).await;
    stage.credentials().await
}

/// Learners who completed courses, a learning plan and a certification, and nobody heard of it.
async fn prepare(stage: &Stage) {
    stage.know_the_groups().await;
    stage.allow_duplicates(&[2001, 2002, 2003, 2004]).await;
    let mapping = json!({ "credential_group_id": "2004", "certification_code": "CERT-AID" });
    stage.put("accredible-integration-mappings", mapping).await;
    for id in 20..30 {
        let email = format!("learner.{id}@example.com");
        stage.welcome(&[(id, "Learner", "Number", &email)]).await;
        stage.complete(id, 101, "2026-02-19 09:00:00").await;
    }
    stage.complete(4, 101, "2026-02-20 09:00:00").await;
    stage.complete(2, 101, "2026-02-21 09:00:00").await;
    let award = json!({
        "user_id": 4, "certification_code": "CERT-AID", "issued_at": "2026-02-10",
        "association": { "type": "course", "item_id": 104 },
    });
    stage.in_docebo("award_certification", award).await;
}
