//! Completions in Docebo become credentials in Accredible.

use serde_json::json;

use super::stage::Stage;

#[tokio::test]
async fn a_completed_course_becomes_one_credential() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let completion = json!({ "user_id": 4, "course_id": 101 });
    stage.in_docebo("complete_course", completion).await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    assert_eq!(
        stage.credentials().await,
        ["katherine.johnson@example.com 2001 2026-03-01"]
    );
    assert_eq!(stage.rows("accredible-ledger").await.len(), 1);
}
