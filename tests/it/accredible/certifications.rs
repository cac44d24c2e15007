//! Certification awards become credentials, and revoked ones end them.

use serde_json::{Value, json};

use super::props::BATCH;
use super::stage::Stage;

const EMAIL: &str = "katherine.johnson@example.com";
const LIST: &str = "/learn/v1/certification";
const AWARDS: &str = "/certification/v1/certifications/*/awards";

#[tokio::test]
async fn an_award_becomes_a_credential_with_its_dates() {
    let stage = Stage::open().await;
    certify(&stage).await;
    award(&stage).await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    let held = stage.held(EMAIL, 2004).await;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["issued_on"], "2026-02-10");
    assert_eq!(held[0]["expired_on"], "2028-02-10");
    assert_eq!(held[0]["meta_data"]["docebo_object_type"], "certification");
}

#[tokio::test]
async fn an_update_in_real_time_is_logged_and_the_batch_brings_it_over() {
    let stage = Stage::open().await;
    certify(&stage).await;
    let award = award(&stage).await;
    stage.take_reports_in().await;
    let change = json!({ "award_id": award, "expires_at": "2030-01-01" });
    stage.in_docebo("update_certification", change).await;
    let jobs = stage.take_reports_in().await;
    let last = jobs.last().expect("a job");
    assert_eq!(last.status, "succeeded", "{jobs:?}");
    let line =
        "info: Certification CERT-AID was updated; updates are not carried over in real time";
    assert!(last.log.contains(&line.to_owned()), "{:?}", last.log);
    assert_eq!(stage.held(EMAIL, 2004).await[0]["expired_on"], "2028-02-10");
    let batch = stage.run(BATCH, Value::Null).await;
    assert_eq!(batch.status, "succeeded", "{batch:?}");
    let held = stage.held(EMAIL, 2004).await;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["expired_on"], "2030-01-01");
}

#[tokio::test]
async fn with_update_an_update_is_carried_over_in_real_time() {
    let stage = Stage::open().await;
    certify(&stage).await;
    stage.set("REAL_TIME_OVERWRITE_BEHAVIOUR", "UPDATE").await;
    let award = award(&stage).await;
    let change = json!({ "award_id": award, "expires_at": "2030-01-01" });
    stage.take_reports_in().await;
    stage.in_docebo("update_certification", change).await;
    stage.take_reports_in().await;
    let held = stage.held(EMAIL, 2004).await;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["expired_on"], "2030-01-01");
}

#[tokio::test]
async fn what_is_revoked_ends_or_goes_or_stays_as_the_settings_say() {
    let cases = [
        ("false", "EXPIRE", Some(json!("2026-03-01"))),
        ("false", "DELETE", None),
        ("true", "EXPIRE", Some(json!("2028-02-10"))),
        ("true", "DELETE", Some(json!("2028-02-10"))),
        // Left out, it lets credentials end, and takes none away.
        ("false", "", Some(json!("2026-03-01"))),
        // Left out, revocation is off.
        ("", "DELETE", Some(json!("2028-02-10"))),
    ];
    for (is_disabled, behaviour, ends) in cases {
        let stage = Stage::open().await;
        certify(&stage).await;
        stage.set("SYNC_REVOCATION", is_disabled).await;
        stage.set("REVOCATION_BEHAVIOUR", behaviour).await;
        let award = award(&stage).await;
        stage.take_reports_in().await;
        stage
            .in_docebo("revoke_certification", json!({ "award_id": award }))
            .await;
        let jobs = stage.take_reports_in().await;
        let last = jobs.last().expect("a job");
        assert_eq!(last.status, "succeeded", "{jobs:?}");
        let held = stage.held(EMAIL, 2004).await;
        let expired = held.first().map(|row| row["expired_on"].clone());
        assert_eq!(expired, ends, "{is_disabled} {behaviour}");
        if is_disabled != "false" {
            let line = "info: Certification CERT-AID was revoked, but revocation is disabled in the settings";
            assert!(last.log.contains(&line.to_owned()), "{:?}", last.log);
        }
        // Neither the batch nor the same event again brings it back or ends it further.
        let bodies = stage.deliveries().await;
        let mut again = bodies.last().expect("a delivery").clone();
        again["message_id"] = json!("wh-again");
        stage.hear(&[again]).await;
        stage.run(BATCH, Value::Null).await;
        assert_eq!(
            stage.held(EMAIL, 2004).await,
            held,
            "{is_disabled} {behaviour}"
        );
    }
}

#[tokio::test]
async fn a_certification_that_is_awarded_again_after_its_revocation_is_valid_again() {
    for behaviour in ["EXPIRE", "DELETE"] {
        let stage = Stage::open().await;
        certify(&stage).await;
        stage.set("REAL_TIME_OVERWRITE_BEHAVIOUR", "UPDATE").await;
        stage.set("REVOCATION_BEHAVIOUR", behaviour).await;
        let first = award(&stage).await;
        stage.take_reports_in().await;
        stage
            .in_docebo("revoke_certification", json!({ "award_id": first }))
            .await;
        stage.take_reports_in().await;
        award(&stage).await;
        stage.take_reports_in().await;
        let held = stage.held(EMAIL, 2004).await;
        assert_eq!(held.len(), 1, "{behaviour}");
        assert_eq!(held[0]["expired_on"], "2028-02-10", "{behaviour}");
    }
}

#[tokio::test]
async fn a_code_that_two_mappings_use_gives_two_credentials() {
    let stage = Stage::open().await;
    certify(&stage).await;
    let second = json!({ "credential_group_id": "2005", "certification_code": "CERT-AID" });
    stage.put("accredible-integration-mappings", second).await;
    let award = award(&stage).await;
    stage.take_reports_in().await;
    for group in [2004, 2005] {
        assert_eq!(stage.held(EMAIL, group).await.len(), 1, "{group}");
    }
    stage
        .in_docebo("revoke_certification", json!({ "award_id": award }))
        .await;
    stage.take_reports_in().await;
    for group in [2004, 2005] {
        let held = stage.held(EMAIL, group).await;
        assert_eq!(held[0]["expired_on"], "2026-03-01", "{group}");
    }
}

#[tokio::test]
async fn blanks_around_a_code_in_docebo_make_no_difference_in_either_direction() {
    for is_batch in [false, true] {
        let stage = Stage::open().await;
        certify(&stage).await;
        let mut rows = stage.ground.rows("docebo", "certifications").await;
        rows[0]["code"] = json!(" CERT-AID ");
        stage.give("docebo", "certifications", rows.remove(0)).await;
        let own = stage.own().await;
        assert_eq!(own.len(), 1, "{own:?}");
        let input = json!({
            "user_id": 4, "certification_id": 301, "issued_at": "2026-02-10",
            "association": { "type": "course", "item_id": 104 },
        });
        let award = stage.in_docebo("award_certification", input).await;
        if is_batch {
            stage.run(BATCH, Value::Null).await;
        } else {
            stage.take_reports_in().await;
        }
        assert_eq!(stage.held(EMAIL, 2004).await.len(), 1, "{is_batch}");
        stage.in_docebo("revoke_certification", award).await;
        stage.take_reports_in().await;
        let held = stage.held(EMAIL, 2004).await;
        assert_eq!(held[0]["expired_on"], "2026-03-01", "{is_batch}");
    }
}

#[tokio::test]
async fn a_certification_without_a_mapping_and_a_mapping_without_a_certification_are_told() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    award(&stage).await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    let told = "warn: Certification CERT-AID has no active mapping to a credential group: no \
                credential for user 4";
    assert_eq!(jobs[0].log, [told]);
    for code in ["CERT-GONE", "CERT-OLD"] {
        let mapping = json!({ "credential_group_id": "2004", "certification_code": code });
        stage.put("accredible-integration-mappings", mapping).await;
    }
    let batch = stage.run(BATCH, Value::Null).await;
    assert_eq!(batch.status, "succeeded", "{batch:?}");
    let told = "warn: No certification in Docebo has the code CERT-GONE, CERT-OLD, which mappings \
                name: no credentials for it";
    assert_eq!(batch.log, [told]);
}

#[tokio::test]
async fn what_is_not_mapped_or_came_from_outside_is_left_alone() {
    let stage = Stage::open().await;
    certify(&stage).await;
    let external =
        json!({ "user_id": 4, "certification_code": "CERT-AID", "issued_at": "2026-02-10" });
    stage.in_docebo("award_certification", external).await;
    let unmapped = json!({ "user_id": 4, "certification_code": "CERT-LEAD", "association": { "type": "course" } });
    stage.in_docebo("award_certification", unmapped).await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs.len(), 2);
    assert!(jobs.iter().all(|job| job.status == "succeeded"), "{jobs:?}");
    assert_eq!(stage.credentials().await, [] as [&str; 0]);
}

#[tokio::test]
async fn an_award_of_an_archived_group_gives_nothing() {
    let stage = Stage::open().await;
    certify(&stage).await;
    let row = json!({ "group_id": 2004, "name": "first-aid", "is_active": false });
    stage.put("accredible-credential-groups", row).await;
    award(&stage).await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    assert_eq!(stage.credentials().await, [] as [&str; 0]);
}

#[tokio::test]
async fn what_was_issued_ends_although_its_group_was_archived_meanwhile() {
    let stage = Stage::open().await;
    certify(&stage).await;
    let award = award(&stage).await;
    stage.take_reports_in().await;
    let row = json!({ "group_id": 2004, "name": "first-aid", "is_active": false });
    stage.put("accredible-credential-groups", row).await;
    let revoked = json!({ "award_id": award });
    stage.in_docebo("revoke_certification", revoked).await;
    stage.take_reports_in().await;
    let held = stage.held(EMAIL, 2004).await;
    assert_eq!(held[0]["expired_on"], "2026-03-01");
}

#[tokio::test]
async fn a_revocation_that_is_reported_before_its_award_leaves_no_credential() {
    let stage = Stage::open().await;
    certify(&stage).await;
    let revoked = json!({ "award_id": award(&stage).await });
    stage.in_docebo("revoke_certification", revoked).await;
    let mut reports = stage.deliveries().await;
    assert_eq!(reports.len(), 2, "{reports:?}");
    reports.reverse();
    for report in &reports {
        stage.deliver(report).await;
        stage.until_quiet().await;
    }
    assert_eq!(stage.held(EMAIL, 2004).await.len(), 0);
}

#[tokio::test]
async fn a_tenant_without_certifications_gets_its_courses_all_the_same() {
    for (code, path) in [(403, AWARDS), (404, AWARDS), (403, LIST), (404, LIST)] {
        let stage = Stage::open().await;
        certify(&stage).await;
        let second = json!({ "credential_group_id": "2005", "certification_code": "CERT-LEAD" });
        stage.put("accredible-integration-mappings", second).await;
        let rule = json!({ "path": path, "count": 1000, "kind": { "status": { "code": code } } });
        stage.fault("docebo", rule).await;
        stage.complete(4, 101, "2026-02-20 09:00:00").await;
        let job = stage.run(BATCH, Value::Null).await;
        let refused = job
            .log
            .iter()
            .filter(|line| line.contains("Docebo refused to list"));
        assert_eq!(refused.count(), 1, "{code}: {job:?}");
        assert_eq!(job.status, "succeeded", "{code}: {job:?}");
        assert_eq!(stage.held(EMAIL, 2001).await.len(), 1, "{code}");
        assert_eq!(
            stage.notices(),
            ["Docebo: external certifications are not activated"],
            "{code}"
        );
    }
}

/// CERT-AID stands for the group 2004.
async fn certify(stage: &Stage) {
    stage.know_the_groups().await;
    let mapping = json!({ "credential_group_id": "2004", "certification_code": "CERT-AID" });
    stage.put("accredible-integration-mappings", mapping).await;
}

/// Awards CERT-AID to Katherine; the number of the award.
async fn award(stage: &Stage) -> i64 {
    let input = json!({
        "user_id": 4, "certification_code": "CERT-AID", "issued_at": "2026-02-10",
        "association": { "type": "course", "item_id": 104 },
    });
    let awarded = stage.in_docebo("award_certification", input).await;
    awarded["award_id"].as_i64().expect("a number")
}
