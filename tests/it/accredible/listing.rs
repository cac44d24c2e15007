//! A listing of credentials that breaks off in its middle, and runs beside and after one another.

use serde_json::{Value, json};

use super::imports::IMPORT;
use super::stage::Stage;

/// Two pages of credentials, each of a learner of its own.
const LEARNERS: usize = 60;

async fn crowd(stage: &Stage) {
    let learners = (0..LEARNERS).map(|index| {
        json!({ "id": 100 + index, "username": format!("u{index}"), "email": format!("u{index}@x.example") })
    });
    let learners: Vec<Value> = learners.collect();
    stage.give("docebo", "users", json!(learners)).await;
    let credentials = (0..LEARNERS).map(|index| {
        json!({
            "group_id": 2003, "recipient": { "name": "U", "email": format!("u{index}@x.example") },
            "issued_on": "2026-02-10",
        })
    });
    let credentials: Vec<Value> = credentials.collect();
    stage
        .give("accredible", "credentials", json!(credentials))
        .await;
}

/// The second page, and whatever is asked instead of it again, ends like this.
async fn break_off(stage: &Stage, kind: Value) {
    let fault = json!({
        "path": "/v2/credentials/search", "method": "POST", "nth": 2, "count": 100, "kind": kind,
    });
    stage.fault("accredible", fault).await;
}

#[tokio::test]
async fn of_a_listing_that_breaks_off_what_was_read_is_imported_and_the_next_run_completes_it() {
    let stage = Stage::for_imports().await;
    crowd(&stage).await;
    // The first page as it is, which is what a cursor that goes round in a circle gives again.
    stage.map("2003", true, "").await;
    stage.map("2004", true, "").await;
    stage
        .issue(2004, "ada.lovelace@example.com", json!({}))
        .await;
    let first_page = first_page(&stage).await;
    let html = json!({ "content-type": "text/html" });
    let kinds = [
        (
            "500",
            json!({ "status": { "code": 500, "body": { "errors": "Internal server error" } } }),
        ),
        ("truncated", json!("truncated")),
        (
            "html",
            json!({ "status": { "code": 200, "headers": html, "body": "<html>Busy</html>" } }),
        ),
        (
            "circle",
            json!({ "status": { "code": 200, "body": first_page } }),
        ),
    ];
    for (name, kind) in kinds {
        let stage = Stage::on(stage.ground.clone()).await;
        stage.ground.reset().await;
        stage.know_the_groups().await;
        crowd(&stage).await;
        stage.map("2003", true, "").await;
        stage.map("2004", true, "").await;
        stage
            .issue(2004, "ada.lovelace@example.com", json!({}))
            .await;
        break_off(&stage, kind).await;
        // The second group's listing is the last call of all, and would be struck as well.
        let job = stage.run(IMPORT, Value::Null).await;
        assert_eq!(job.status, "succeeded_with_errors", "{name}: {job:?}");
        assert_eq!(
            stage.trainings().await.len(),
            50,
            "{name}: {:?}",
            job.failures
        );
        assert!(!job.failures.is_empty(), "{name}: {job:?}");
        stage.heal("accredible").await;
        let job = stage.import().await;
        assert_eq!(job.status, "succeeded", "{name}: {job:?}");
        let trainings = stage.trainings().await;
        assert_eq!(trainings.len(), LEARNERS + 1, "{name}");
        let writes = stage.ground.writes("docebo").await;
        assert_eq!(writes.len(), LEARNERS + 1, "{name}");
        stage.import_with(0).await;
    }
}

/// What Accredible answers to the first question for the group.
async fn first_page(stage: &Stage) -> Value {
    let rows = stage.ground.rows("accredible", "credentials").await;
    let of_group = rows.iter().filter(|row| row["group_id"] == 2003);
    let credentials = of_group.take(50).map(|row| {
        json!({
            "id": row["id"], "uuid": row["uuid"], "group": { "id": 2003 }, "approve": true,
            "name": "Security Champion", "recipient_email": row["recipient"]["email"],
            "issued_on": row["issued_on"],
        })
    });
    let credentials: Vec<Value> = credentials.collect();
    // The place after the fiftieth row, as the stand-in writes it.
    let last = &credentials[49]["id"];
    let cursor = base64_of(&json!([last, ""]).to_string());
    json!({ "credentials": credentials, "meta": { "count": LEARNERS, "cursor": cursor } })
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn two_imports_at_once_import_everything_once() {
    let stage = Stage::for_imports().await;
    crowd(&stage).await;
    stage.map("2003", true, "CERT-EXT").await;
    // The batch may be run by hand beside the daily one.
    let first = stage
        .queue("batch-sync-accredible-to-docebo", Value::Null)
        .await;
    let second = stage
        .queue("batch-sync-accredible-to-docebo", Value::Null)
        .await;
    let third = stage.queue(IMPORT, Value::Null).await;
    stage.until_quiet().await;
    for id in [first, second, third] {
        let job = stage.seen(&id).await;
        assert_eq!(job.status, "succeeded", "{job:?}");
    }
    assert_eq!(stage.trainings().await.len(), LEARNERS);
    assert_eq!(stage.awards().await.len(), LEARNERS);
    assert_eq!(stage.ground.writes("docebo").await.len(), 2 * LEARNERS);
    stage.import_with(0).await;
}

#[tokio::test]
async fn the_end_of_a_listing_is_understood_in_each_of_its_forms() {
    let stage = Stage::for_imports().await;
    for end in ["null", "absent", "unchanged"] {
        let stage = Stage::on(stage.ground.clone()).await;
        stage.ground.reset().await;
        stage.know_the_groups().await;
        crowd(&stage).await;
        stage.map("2003", true, "").await;
        let quirk = json!({ "cursor_end": end });
        stage.quirk("accredible", quirk).await;
        stage.import_with(LEARNERS).await;
    }
}
