//! Settings that are missing, wrong or say "not this way".

use recipe_engine::names::TableName;
use recipe_engine::store::Jobs;
use serde_json::{Value, json};

use super::props::{BATCH, FIELDS, SYNC_DROPDOWNS};
use super::stage::Stage;

const IMPORT: &str = "event-dispatcher-accredible-to-docebo";

#[tokio::test]
async fn the_master_says_which_way_goes() {
    for (master, gives, takes) in [
        ("DOCEBO", true, false),
        ("ACCREDIBLE", false, true),
        ("", true, true),
    ] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage.set("ACCREDIBLE_INTEGRATION_MASTER", master).await;
        let import = json!({ "credential_group_id": "2004", "import_as_external_training": true });
        stage.put("accredible-integration-mappings", import).await;
        stage.complete(4, 101, "2026-02-20 09:00:00").await;
        let jobs = stage.take_reports_in().await;
        assert_eq!(jobs[0].status, "succeeded", "{master}: {jobs:?}");
        assert_eq!(
            stage.credentials().await.len(),
            usize::from(gives),
            "{master}"
        );
        let batch = stage.run(BATCH, Value::Null).await;
        assert_eq!(batch.status, "succeeded", "{master}: {batch:?}");
        if !gives {
            assert_eq!(
                stage.ground.calls("docebo").await,
                [] as [Value; 0],
                "{master}"
            );
            assert_eq!(
                stage.ground.calls("accredible").await,
                [] as [Value; 0],
                "{master}"
            );
        }
        let before = stage.ground.calls("accredible").await.len();
        let job = stage.run(IMPORT, Value::Null).await;
        assert_eq!(job.status, "succeeded", "{master}: {job:?}");
        let asked = stage.ground.calls("accredible").await.len() > before;
        assert_eq!(asked, takes, "{master}");
    }
}

#[tokio::test]
async fn a_missing_setting_is_named_with_how_to_give_it() {
    for key in [
        "COURSE_ADDITIONAL_FIELD",
        "LEARNING_PLAN_ADDITIONAL_FIELD",
        "DOCEBO_TO_ACCREDIBLE_BATCH_SYNC_START_DATE",
        "ACCREDIBLE_TO_DOCEBO_BATCH_SYNC_START_DATE",
    ] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage.unset(key).await;
        let recipe = match key {
            "DOCEBO_TO_ACCREDIBLE_BATCH_SYNC_START_DATE" => BATCH,
            "ACCREDIBLE_TO_DOCEBO_BATCH_SYNC_START_DATE" => IMPORT,
            _ => SYNC_DROPDOWNS,
        };
        let job = stage.run(recipe, Value::Null).await;
        assert_ne!(job.status, "succeeded", "{key}: {job:?}");
        let (record, entries, _) = stage.store.job(&job.id).await.expect("a job");
        let told = format!("{:?} {entries:?}", record.ending);
        assert!(told.contains(key), "{key}: {told}");
        assert!(
            told.contains(&format!("the setting {key} is not given")),
            "{key}: {told}"
        );
        assert!(
            told.contains("`integration-settings` with Integration ACCREDIBLE"),
            "{key}: {told}"
        );
        // The field of courses comes first, and has its name.
        if key != "LEARNING_PLAN_ADDITIONAL_FIELD" {
            let writes = stage.ground.writes("docebo").await;
            assert_eq!(writes, [] as [Value; 0], "{key}");
        }
        let writes = stage.ground.writes("accredible").await;
        assert_eq!(writes, [] as [Value; 0], "{key}");
    }
}

#[tokio::test]
async fn without_sync_revocation_nothing_is_taken_away_and_the_doctor_says_that_it_is_missing() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.run(SYNC_DROPDOWNS, Value::Null).await;
    stage.unset("SYNC_REVOCATION").await;
    let own = stage.own().await;
    let told = "warning: SYNC_REVOCATION has no value: revocation and deletion are switched off.";
    assert!(own.iter().any(|line| line == told), "{own:?}");
    let archived =
        json!({ "group_id": 2001, "name": "data-protection-basics", "is_active": false });
    stage.put("accredible-credential-groups", archived).await;
    let job = stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let options = stage.options(FIELDS.0).await;
    let element = "501 data-protection-basics".to_owned();
    assert!(options.contains(&element), "{options:?}");
    for value in ["true", "false"] {
        stage.set("SYNC_REVOCATION", value).await;
        let own = stage.own().await;
        assert!(
            !own.iter().any(|line| line.contains("SYNC_REVOCATION")),
            "{own:?}"
        );
    }
}

#[tokio::test]
async fn settings_that_have_a_default_may_be_missing() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    for key in [
        "NOTIFICATION_MAIL_ID",
        "ACCREDIBLE_TO_DOCEBO_BATCH_SYNC_START_DATE",
    ] {
        stage.unset(key).await;
    }
    stage.complete(4, 101, "2026-02-20 09:00:00").await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    assert_eq!(stage.credentials().await.len(), 1);
}

#[tokio::test]
async fn wrong_values_are_refused_on_entry() {
    let stage = Stage::open().await;
    let wrong = [
        ("SYNC_REVOCATION", "True"),
        ("SYNC_REVOCATION", "yes"),
        ("ACCREDIBLE_INTEGRATION_MASTER", "docebo"),
        ("ACCREDIBLE_INTEGRATION_MASTER", "BOTH"),
        ("BATCH_OVERWRITE_BEHAVIOUR", "overwrite"),
        ("REAL_TIME_OVERWRITE_BEHAVIOUR", "update"),
        ("REVOCATION_BEHAVIOUR", "REVOKE"),
        ("ACCREDIBLE_DEFAULT_EXPIRATION_DAYS", "a year"),
        ("ACCREDIBLE_DEFAULT_EXPIRATION_DAYS", "-1"),
        ("DOCEBO_TO_ACCREDIBLE_BATCH_SYNC_START_DATE", "01/02/2026"),
        ("NOTIFICATION_MAIL_ID", "nobody"),
    ];
    let table = TableName::new("integration-settings").expect("a name");
    let before = stage.rows("integration-settings").await;
    for (key, value) in wrong {
        let Value::Object(row) = json!({ "integration": "ACCREDIBLE", "key": key, "value": value })
        else {
            panic!("an object")
        };
        let put = stage
            .store
            .put_row(&table, row, "person:ada", stage.clock.now());
        let refused = put.await.expect("a store").expect_err(key);
        let told = format!("{refused:?}");
        assert!(told.contains(key), "{key}={value}: {told}");
    }
    assert_eq!(stage.rows("integration-settings").await, before);
}
