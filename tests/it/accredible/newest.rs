//! Several credentials for one certification of a learner: the newest one, by its day of issue, wins.
//!
//! Always true: whatever is corrected in which order, the imports come to rest.

use serde_json::json;

use super::stage::Stage;

const ADA: &str = "ada.lovelace@example.com";

#[tokio::test]
async fn an_older_credential_that_is_corrected_leaves_a_newer_award_alone() {
    for (old, new) in [(2003, 2004), (2004, 2003)] {
        let (stage, older, _) = two_credentials(old, new).await;
        for correction in [
            json!({ "expired_on": "2029-01-01" }),
            json!({ "issued_on": "2026-01-20" }),
            json!({ "issued_on": "2026-01-10", "expired_on": null }),
        ] {
            stage.change(&older, correction.clone()).await;
            stage.import_with(0).await;
            let awards = stage.awards().await;
            assert_eq!(awards, ["2 303 2026-02-15 null external"], "{correction}");
        }
    }
}

#[tokio::test]
async fn a_credential_that_is_corrected_to_be_the_newest_wins() {
    for (old, new) in [(2003, 2004), (2004, 2003)] {
        let (stage, older, _) = two_credentials(old, new).await;
        stage
            .change(&older, json!({ "issued_on": "2026-02-20" }))
            .await;
        stage.import_with(1).await;
        assert_eq!(stage.awards().await, ["2 303 2026-02-20 null external"]);
        stage.import_with(0).await;
    }
}

#[tokio::test]
async fn the_newest_credential_that_is_corrected_to_an_older_day_gives_way_to_the_other() {
    for (old, new) in [(2003, 2004), (2004, 2003)] {
        let (stage, _, newer) = two_credentials(old, new).await;
        stage
            .change(&newer, json!({ "issued_on": "2026-02-01" }))
            .await;
        stage.import_with(1).await;
        assert_eq!(stage.awards().await, ["2 303 2026-02-01 null external"]);
        stage
            .change(&newer, json!({ "issued_on": "2026-01-10" }))
            .await;
        for _ in 0..2 {
            let job = stage.import().await;
            assert_eq!(job.status, "succeeded", "{job:?}");
        }
        assert_eq!(stage.awards().await, ["2 303 2026-01-15 null external"]);
        stage.import_with(0).await;
    }
}

#[tokio::test]
async fn a_newer_award_that_docebo_gave_itself_stays() {
    let stage = Stage::for_imports().await;
    stage.map("2003", false, "CERT-EXT").await;
    let credential = stage.issue(2003, ADA, json!({})).await;
    stage.import_with(1).await;
    let mut award = stage.ground.rows("docebo", "awards").await.remove(1);
    award["issued_at"] = json!("2026-02-25 09:00:00");
    stage.give("docebo", "awards", award).await;
    stage
        .change(&credential, json!({ "issued_on": "2026-02-12" }))
        .await;
    stage.import_with(0).await;
    assert_eq!(stage.awards().await, ["2 303 2026-02-25 null external"]);
}

/// One credential of the 15th of January and one of the 15th of February, imported; their ids.
async fn two_credentials(old: i64, new: i64) -> (Stage, String, String) {
    let stage = Stage::for_imports().await;
    for group in ["2003", "2004"] {
        stage.map(group, false, "CERT-EXT").await;
    }
    let issued = |day: &str| json!({ "issued_on": day });
    let older = stage.issue(old, ADA, issued("2026-01-15")).await;
    let newer = stage.issue(new, ADA, issued("2026-02-15")).await;
    let job = stage.import().await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(stage.awards().await, ["2 303 2026-02-15 null external"]);
    stage.import_with(0).await;
    (stage, older, newer)
}
