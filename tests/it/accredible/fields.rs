//! The setting that names the additional field of courses: wrong, or changed.
//!
//! Always true: no completion is lost without a failed job and a notice, and nothing that stands in
//! another field is taken for ours.

use serde_json::{Value, json};

use super::props::{BATCH, FIELDS, SYNC_DROPDOWNS, SYNC_GROUPS};
use super::stage::Stage;

const WRONG: [(&str, &str); 2] = [
    ("Acredible credential", "does not exist"),
    ("Cost centre", "is no dropdown"),
];

#[tokio::test]
async fn a_wrong_field_fails_the_jobs_is_mailed_once_and_nothing_is_lost() {
    for (field, trouble) in WRONG {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage.set("COURSE_ADDITIONAL_FIELD", field).await;
        for user in [4, 7] {
            stage.complete(user, 101, "2026-02-20 09:00:00").await;
            let jobs = stage.take_reports_in().await;
            let last = jobs.last().expect("a job");
            assert_eq!(last.status, "failed", "{field}: {jobs:?}");
            for word in [field, trouble, "--from start --version current"] {
                assert!(last.why.contains(word), "{word}: {last:?}");
            }
        }
        let subject = "Docebo: the additional field of credential groups cannot be used";
        assert_eq!(stage.notices(), [subject], "{field}");
        let mail = stage.ground.sandbox.mails().remove(0);
        assert_eq!(mail.to, ["learning@academy.example"]);
        assert!(mail.text.contains(field) && mail.text.contains(trouble));

        let batch = stage.run(BATCH, Value::Null).await;
        assert_eq!(batch.status, "failed", "{field}: {batch:?}");
        assert!(batch.why.contains(field), "{batch:?}");
        assert_eq!(stage.credentials().await, [""; 0]);
        stage
            .set("COURSE_ADDITIONAL_FIELD", "Accredible credential")
            .await;
        let batch = stage.run(BATCH, Value::Null).await;
        assert_eq!(batch.status, "succeeded", "{field}: {batch:?}");
        for email in ["katherine.johnson@example.com", "alan.turing@example.com"] {
            assert_eq!(stage.held(email, 2001).await.len(), 1, "{field}: {email}");
        }
    }
}

#[tokio::test]
async fn ids_of_the_former_field_mean_nothing_in_another_one() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.run(SYNC_GROUPS, Value::Null).await;
    let foreign = json!({
        "id": 91, "association": "course", "type": "dropdown",
        "translations": { "english": "Badge" },
        "options": [
            { "id": 501, "translations": { "english": "Gold" } },
            { "id": 503, "translations": { "english": "Silver" } },
        ],
    });
    stage.give("docebo", "fields", foreign).await;
    stage.set("COURSE_ADDITIONAL_FIELD", "Badge").await;

    // Before the dropdowns are written again: what is chosen there is no group of ours.
    let courses = stage.ground.rows("docebo", "courses").await;
    let mut course = courses[0].clone();
    assert_eq!(course["id"], 101);
    course["fields"]["91"] = json!(501);
    stage.give("docebo", "courses", course).await;
    stage.complete(4, 101, "2026-02-20 09:00:00").await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    assert_eq!(stage.credentials().await, [""; 0]);

    // While they are written: nothing of the other field is renamed or removed.
    let archived = json!({ "group_id": 2004, "name": "first-aid", "is_active": false });
    stage.put("accredible-credential-groups", archived).await;
    let job = stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let options = stage.options(91).await;
    assert_eq!(options[..2], ["501 Gold", "503 Silver"], "{options:?}");
    assert_eq!(options.len(), 2 + 6, "{options:?}");
    let former = stage.options(FIELDS.0).await;
    assert!(former.contains(&"503 first-aid".to_owned()), "{former:?}");
}

#[tokio::test]
async fn an_element_of_the_same_name_that_was_there_before_is_used_and_never_removed() {
    let stage = Stage::open().await;
    stage.run(SYNC_GROUPS, Value::Null).await;
    let groups = stage.groups().await;
    assert!(
        groups.contains(&"2004 first-aid active 503".to_owned()),
        "{groups:?}"
    );
    for group in [2004, 2005] {
        stage
            .in_accredible("archive_group", json!({ "group_id": group }))
            .await;
    }
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let options = stage.options(FIELDS.0).await;
    assert!(options.contains(&"503 first-aid".to_owned()), "{options:?}");
    let is_ours = |option: &String| option.ends_with("leadership-track");
    assert!(!options.iter().any(is_ours), "{options:?}");
    let told = "warn: 1 element(s) of groups that are no longer active were in the dropdown before \
                this integration and stay there; remove them by hand";
    assert!(job.log.iter().any(|line| line == told), "{:?}", job.log);
    let groups = stage.groups().await;
    assert!(
        groups.contains(&"2004 first-aid inactive -".to_owned()),
        "{groups:?}"
    );
    // A course that has still chosen it gives nothing.
    stage.complete(4, 104, "2026-02-20 09:00:00").await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    assert_eq!(stage.credentials().await, [""; 0]);
}

#[tokio::test]
async fn a_setting_that_names_a_new_field_is_told_of_when_the_field_is_created() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(stage.notices(), [""; 0]);
    stage
        .set("COURSE_ADDITIONAL_FIELD", "Acredible credential")
        .await;
    for _ in 0..2 {
        let job = stage.run(SYNC_DROPDOWNS, Value::Null).await;
        assert_eq!(job.status, "succeeded", "{job:?}");
    }
    let subject = "Docebo: a new additional field for credential groups";
    assert_eq!(stage.notices(), [subject]);
    let mail = stage.ground.sandbox.mails().remove(0);
    assert!(mail.text.contains("of courses"), "{}", mail.text);
}

#[tokio::test]
async fn a_mistyped_field_that_was_created_is_told_of_and_undone_by_the_former_name() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.run(SYNC_DROPDOWNS, Value::Null).await;
    stage.set("COURSE_ADDITIONAL_FIELD", WRONG[0].0).await;
    let job = stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let subject = "Docebo: a new additional field for credential groups";
    assert_eq!(stage.notices(), [subject]);
    stage.complete(7, 101, "2026-02-20 09:00:00").await;
    stage.take_reports_in().await;
    assert_eq!(stage.credentials().await, [""; 0]);

    // The former name again, before the dropdowns are written: what was chosen counts at once.
    let former = "Accredible credential";
    stage.set("COURSE_ADDITIONAL_FIELD", former).await;
    stage.complete(4, 101, "2026-02-20 09:00:00").await;
    stage.take_reports_in().await;
    let katherine = stage.held("katherine.johnson@example.com", 2001).await;
    assert_eq!(katherine.len(), 1);
    let batch = stage.run(BATCH, Value::Null).await;
    assert_eq!(batch.status, "succeeded", "{batch:?}");
    let alan = stage.held("alan.turing@example.com", 2001).await;
    assert_eq!(alan.len(), 1);

    // What the integration has added in it is still its own.
    let ours = |options: &[String]| {
        options
            .iter()
            .any(|line| line.ends_with("leadership-track"))
    };
    assert!(ours(&stage.options(FIELDS.0).await));
    let archived = json!({ "group_id": 2005, "name": "leadership-track", "is_active": false });
    stage.put("accredible-credential-groups", archived).await;
    let job = stage.run(SYNC_DROPDOWNS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert!(!ours(&stage.options(FIELDS.0).await));
    assert_eq!(stage.notices(), [subject]);
}
