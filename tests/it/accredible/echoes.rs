//! Nothing goes round in circles: what one direction brought is not taken back by the other.

use serde_json::{Value, json};

use super::imports::IMPORT;
use super::stage::{Stage, as_text};

const ADA: &str = "ada.lovelace@example.com";
const BATCH: &str = "batch-sync-docebo-to-accredible";

/// A stage on which Katherine has been issued a credential for a course; its id in Accredible.
async fn issued() -> (Stage, String) {
    let stage = Stage::for_imports().await;
    stage.map("2001", true, "CERT-EXT").await;
    let completion = json!({ "user_id": 4, "course_id": 101 });
    stage.in_docebo("complete_course", completion).await;
    stage.take_reports_in().await;
    let rows = stage.ground.rows("accredible", "credentials").await;
    let row = rows.iter().find(|row| row["issued_on"] == "2026-03-01");
    let id = as_text(&row.expect("a credential")["uuid"]);
    (stage, id)
}

#[tokio::test]
async fn what_we_issue_does_not_come_back_whatever_is_edited_in_accredible() {
    let (stage, credential) = issued().await;
    stage.import_with(0).await;
    for change in [
        json!({ "meta_data": {} }),
        json!({ "license_id": null }),
        json!({ "license_id": "by-hand-1", "name": "Another title" }),
        json!({ "issued_on": "2026-02-20", "expired_on": "2030-01-01" }),
        json!({ "recipient": { "name": "Ada", "email": ADA } }),
    ] {
        stage.change(&credential, change).await;
        stage.import_with(0).await;
    }
    assert!(stage.trainings().await.is_empty());
    assert!(stage.awards().await.is_empty());
}

#[tokio::test]
async fn what_we_issued_is_known_by_its_marks_where_the_ledger_was_lost() {
    let marks = [
        json!({ "meta_data": {} }),
        json!({ "license_id": null, "meta_data": { "origin": "docebo" } }),
    ];
    for left in marks {
        let (stage, credential) = issued().await;
        stage.change(&credential, left).await;
        let lost = Stage::on(stage.ground.clone()).await;
        lost.know_the_groups().await;
        lost.map("2001", true, "CERT-EXT").await;
        assert!(lost.rows("accredible-ledger").await.is_empty());
        lost.import_with(0).await;
    }
}

#[tokio::test]
async fn what_we_import_is_not_issued_again() {
    let stage = Stage::for_imports().await;
    stage.map("2003", true, "CERT-EXT").await;
    // The certification stands for another group, too, into which nothing may come.
    stage.map("2004", false, "CERT-EXT").await;
    let credential = stage.issue(2003, ADA, json!({})).await;
    stage.import_with(2).await;
    stage
        .change(&credential, json!({ "expired_on": "2028-02-10" }))
        .await;
    stage.import_with(1).await;
    let award = json!({ "user_id": 2, "certification_id": 303 });
    let held = stage.credentials().await;
    let before = stage.ground.writes("accredible").await.len();

    let deliveries = stage.deliveries().await;
    let events: Vec<&Value> = deliveries.iter().map(|body| &body["event"]).collect();
    assert_eq!(events, ["certification.awarded", "certification.updated"]);
    // As Docebo reports them, and as a platform would that says nothing of where an award is from.
    for body in deliveries {
        let mut silent = body.clone();
        silent["message_id"] = json!(format!("{}-silent", as_text(&body["message_id"])));
        for payload in silent["payloads"].as_array_mut().into_iter().flatten() {
            payload
                .as_object_mut()
                .expect("an object")
                .remove("association_type");
        }
        for body in [body, silent] {
            let jobs = stage.deliver(&body).await;
            stage.until_quiet().await;
            for id in jobs {
                let job = stage.seen(&id).await;
                assert_eq!(job.status, "succeeded", "{job:?}");
            }
        }
    }
    for overwrite in ["SKIP", "UPDATE", "CREATE"] {
        stage.set("BATCH_OVERWRITE_BEHAVIOUR", overwrite).await;
        let job = stage.run(BATCH, Value::Null).await;
        assert_eq!(job.status, "succeeded", "{job:?}");
    }
    stage.in_docebo("revoke_certification", award).await;
    stage.take_reports_in().await;
    let writes = stage.ground.writes("accredible").await.split_off(before);
    let of_ada = |call: &&Value| call["body"].to_string().contains("ada.lovelace");
    let writes: Vec<&Value> = writes.iter().filter(of_ada).collect();
    // Ada's course of the first world is none of the imported credential's business.
    let about_it = |call: &&&Value| call["body"]["credential"]["group_id"] != 2002;
    let writes: Vec<&&Value> = writes.iter().filter(about_it).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    for line in held {
        assert!(stage.credentials().await.contains(&line), "{line}");
    }
}

#[tokio::test]
async fn both_directions_on_the_same_learner_and_group_come_to_rest() {
    for overwrite in ["SKIP", "UPDATE", "CREATE"] {
        let stage = Stage::for_imports().await;
        stage.set("BATCH_OVERWRITE_BEHAVIOUR", overwrite).await;
        stage.set("REAL_TIME_OVERWRITE_BEHAVIOUR", overwrite).await;
        // First aid: a course, a certification for it, and credentials from both sides.
        stage.map("2004", true, "CERT-AID").await;
        let by_hand = stage.issue(2004, ADA, json!({})).await;
        for user in [2, 4] {
            let completion = json!({ "user_id": user, "course_id": 104 });
            stage.in_docebo("complete_course", completion).await;
        }
        let mut rounds = 0;
        loop {
            let quiet = round(&stage).await;
            rounds += 1;
            match (quiet, rounds) {
                (true, _) => break,
                (false, ..6) => {}
                (false, _) => panic!("{overwrite}: it never comes to rest"),
            }
        }
        assert!(round(&stage).await, "{overwrite}");
        let credentials = stage.credentials().await;
        let of_group = credentials.iter().filter(|line| line.contains(" 2004 "));
        assert_eq!(of_group.count(), 2, "{overwrite}: {credentials:?}");
        assert_eq!(stage.trainings().await.len(), 1, "{overwrite}");
        // A change from either side moves once, and all is at rest again.
        stage
            .change(&by_hand, json!({ "issued_on": "2026-02-22" }))
            .await;
        for _ in 0..3 {
            round(&stage).await;
        }
        assert!(round(&stage).await, "{overwrite}");
    }
}

/// Runs everything at once that can be run; whether nothing changed at either vendor.
async fn round(stage: &Stage) -> bool {
    let before = state(stage).await;
    let mut jobs = vec![
        stage.queue(BATCH, Value::Null).await,
        stage.queue(IMPORT, Value::Null).await,
    ];
    for body in stage.deliveries().await {
        jobs.extend(stage.deliver(&body).await);
    }
    stage.until_quiet().await;
    for id in jobs {
        let job = stage.seen(&id).await;
        assert_eq!(job.status, "succeeded", "{job:?}");
    }
    state(stage).await == before
}

/// How many changes the vendors have been asked for and have made, what they hold, and what we know.
async fn state(stage: &Stage) -> Value {
    let mut made = 0;
    for vendor in ["docebo", "accredible"] {
        let writes = stage.ground.writes(vendor).await;
        made += writes.iter().filter(|call| call["status"] == 200).count();
    }
    json!([
        made,
        stage.credentials().await,
        stage.trainings().await,
        stage.awards().await,
        stage.rows("accredible-ledger").await,
    ])
}
