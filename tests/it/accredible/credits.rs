//! No credits are left in Accredible.

use serde_json::{Value, json};

use super::props::{BATCH, completion};
use super::stage::Stage;

const EMAIL: &str = "katherine.johnson@example.com";

#[tokio::test]
async fn a_credential_without_credits_is_told_and_never_made_twice() {
    for overwrite in ["SKIP", "UPDATE", "CREATE"] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage.set("REAL_TIME_OVERWRITE_BEHAVIOUR", overwrite).await;
        let group =
            json!({ "group_id": 2007, "name": "workshop-attendance", "dropdown_element_id": 590 });
        stage.put("accredible-credential-groups", group).await;
        stage.choose(101, json!(590)).await;
        stage
            .in_accredible("set_credits", json!({ "credits": 0 }))
            .await;
        stage.complete(4, 101, "2026-02-20 09:00:00").await;
        let jobs = stage.take_reports_in().await;
        assert_eq!(jobs[0].status, "failed", "{overwrite}: {jobs:?}");
        assert!(jobs[0].why.contains("credits"), "{jobs:?}");
        let said = jobs[0].log.join("\n");
        assert!(
            said.contains("stays unpublished: Accredible has no credits left"),
            "{said}"
        );
        let held = stage.held(EMAIL, 2007).await;
        assert_eq!(held.len(), 1, "{overwrite}");
        assert_eq!(held[0]["approve"], false);
        let ledger = stage.rows("accredible-ledger").await;
        assert_eq!(ledger.len(), 1);
        assert_eq!(ledger[0]["is_published"], false);
        assert_eq!(stage.notices().len(), 1);

        stage.hear(&[completion("wh-again", 4, 101)]).await;
        assert_eq!(stage.held(EMAIL, 2007).await.len(), 1, "{overwrite}");
        assert_eq!(
            stage.rows("accredible-ledger").await.len(),
            1,
            "{overwrite}"
        );
    }
}

#[tokio::test]
async fn once_there_are_credits_the_batch_publishes_what_was_held_back() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage
        .in_accredible("set_credits", json!({ "credits": 0 }))
        .await;
    stage.complete(4, 101, "2026-02-20 09:00:00").await;
    stage.take_reports_in().await;
    assert_eq!(stage.held(EMAIL, 2001).await[0]["approve"], false);
    stage
        .in_accredible("set_credits", json!({ "credits": 50 }))
        .await;
    let job = stage.run(BATCH, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let held = stage.held(EMAIL, 2001).await;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["approve"], true);
    let ledger = stage.rows("accredible-ledger").await;
    let row = ledger.iter().find(|row| row["user_id"] == 4);
    assert_eq!(row.expect("the row")["is_published"], true);
}

#[tokio::test]
async fn a_batch_without_credits_goes_on_and_says_how_many_it_could_not_publish() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage
        .in_accredible("set_credits", json!({ "credits": 0 }))
        .await;
    stage.complete(4, 101, "2026-02-20 09:00:00").await;
    stage.complete(4, 104, "2026-02-20 09:00:00").await;
    let job = stage.run(BATCH, Value::Null).await;
    let said: Vec<&String> = job
        .log
        .iter()
        .filter(|line| line.contains("stays unpublished"))
        .collect();
    assert!(said.len() >= 2, "{job:?}");
    assert_eq!(
        stage.notices(),
        ["Accredible: a credential was not published"]
    );
    for group in [2001, 2004] {
        assert_eq!(stage.held(EMAIL, group).await.len(), 1, "{group}");
    }
    assert_eq!(job.status, "failed", "{job:?}");
    assert!(
        job.why
            .starts_with("Accredible left 3 credentials unpublished"),
        "{job:?}"
    );
    let again = stage.run(BATCH, Value::Null).await;
    assert_eq!(again.status, "failed", "{again:?}");
    for group in [2001, 2004] {
        assert_eq!(stage.held(EMAIL, group).await.len(), 1, "{group}");
    }
}
