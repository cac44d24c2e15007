//! Credentials of Accredible become external trainings and certifications in Docebo.

use serde_json::{Value, json};

use super::imports::IMPORT;
use super::stage::Stage;

const ADA: &str = "ada.lovelace@example.com";
const GRACE: &str = "grace.hopper@example.com";
const KATHERINE: &str = "katherine.johnson@example.com";
const ALAN: &str = "alan.turing@example.com";

#[tokio::test]
async fn credentials_become_external_trainings_under_the_name_of_the_institute() {
    let stage = Stage::for_imports().await;
    stage.map("2004", true, "").await;
    stage.issue(2004, ADA, json!({})).await;
    stage
        .set("EXTERNAL_TRAINING_INSTITUTE_NAME", "Example Academy")
        .await;
    let job = stage.import().await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(
        stage.trainings().await,
        ["2 First Aid | Example Academy | 2026-02-10 2026-02-10"]
    );
    assert!(stage.awards().await.is_empty());
    let told = "info: 1 mappings, 2 credentials looked at, 1 imported or updated, 1 without a learner \
                in Docebo";
    assert!(job.log.iter().any(|line| line == told), "{:?}", job.log);
}

#[tokio::test]
async fn only_published_credentials_of_active_groups_and_mappings_since_the_start_date_are_imported()
 {
    let stage = Stage::for_imports().await;
    for group in ["2001", "2002", "2003", "2004"] {
        stage.map(group, true, "").await;
    }
    let inactive =
        json!({ "group_id": 2001, "name": "data-protection-basics", "is_active": false });
    stage.put("accredible-credential-groups", inactive).await;
    let inactive = json!({
        "credential_group_id": "2002", "import_as_external_training": true, "is_active": false,
    });
    stage.put("accredible-integration-mappings", inactive).await;
    stage
        .set("ACCREDIBLE_TO_DOCEBO_BATCH_SYNC_START_DATE", "2026-02-01")
        .await;
    let on = |day: &str| json!({ "issued_on": day });
    stage.issue(2001, ADA, on("2026-02-10")).await;
    stage.issue(2002, ADA, on("2026-02-10")).await;
    stage.issue(2005, ADA, on("2026-02-10")).await;
    stage.issue(2003, ADA, on("2026-01-31")).await;
    stage.issue(2003, GRACE, on("2026-02-01")).await;
    stage.issue(2003, ALAN, on("2026-02-02")).await;
    let unpublished = json!({ "approve": false });
    stage.issue(2004, ADA, unpublished).await;
    let expired = json!({ "expired_on": "2026-03-01" });
    stage.issue(2004, GRACE, expired).await;
    let lasting = json!({ "expired_on": "2026-03-02" });
    stage.issue(2004, ALAN, lasting).await;
    stage.import_with(3).await;
    assert_eq!(
        stage.trainings().await,
        [
            "3 Security Champion | Accredible | 2026-02-01 2026-02-01",
            "7 First Aid | Accredible | 2026-02-10 2026-02-10",
            "7 Security Champion | Accredible | 2026-02-02 2026-02-02",
        ]
    );
}

#[tokio::test]
async fn a_mapping_asks_for_a_training_for_a_certification_for_both_or_for_neither() {
    let stage = Stage::for_imports().await;
    stage.map("2001", true, "").await;
    stage.map("2002", false, "CERT-LEAD").await;
    stage.map("2004", true, "CERT-EXT").await;
    stage.map("2005", false, "").await;
    let until = json!({ "expired_on": "2028-02-10" });
    stage.issue(2001, ADA, json!({})).await;
    stage.issue(2002, ADA, until).await;
    stage.issue(2004, ADA, json!({})).await;
    stage.issue(2005, ADA, json!({})).await;
    // Alan's, of the first world, is in the second group too.
    stage.import_with(5).await;
    assert_eq!(
        stage.trainings().await,
        [
            "2 Data Protection Basics | Accredible | 2026-02-10 2026-02-10",
            "2 First Aid | Accredible | 2026-02-10 2026-02-10",
        ]
    );
    let mut awards = stage.awards().await;
    awards.sort();
    assert_eq!(
        awards,
        [
            "2 302 2026-02-10 2028-02-10 external",
            "2 303 2026-02-10 null external",
            "7 302 2026-02-03 2028-02-03 external",
        ]
    );
    stage.import_with(0).await;
}

#[tokio::test]
async fn what_changed_is_changed_in_docebo_and_what_did_not_costs_no_call() {
    let stage = Stage::for_imports().await;
    stage.map("2003", true, "CERT-EXT").await;
    let credential = stage.issue(2003, ADA, json!({})).await;
    stage.issue(2003, GRACE, json!({})).await;
    stage.import_with(4).await;

    let before = stage.ground.calls("docebo").await.len();
    stage.import_with(0).await;
    let calls = stage.ground.calls("docebo").await.split_off(before);
    let paths: Vec<&Value> = calls.iter().map(|call| &call["path"]).collect();
    assert_eq!(paths, ["/learn/v1/certification"], "{calls:#?}");

    stage
        .change(&credential, json!({ "name": "Champion of Security" }))
        .await;
    stage.import_with(1).await;
    stage
        .change(&credential, json!({ "expired_on": "2029-01-01" }))
        .await;
    stage.import_with(1).await;
    stage
        .change(&credential, json!({ "issued_on": "2026-02-12" }))
        .await;
    stage.import_with(2).await;
    stage
        .change(&credential, json!({ "expired_on": null }))
        .await;
    stage.import_with(1).await;
    assert_eq!(
        stage.trainings().await,
        [
            "2 Champion of Security | Accredible | 2026-02-12 2026-02-12",
            "3 Security Champion | Accredible | 2026-02-10 2026-02-10",
        ]
    );
    let mut awards = stage.awards().await;
    awards.sort();
    assert_eq!(
        awards,
        [
            "2 303 2026-02-12 null external",
            "3 303 2026-02-10 null external",
        ]
    );
    stage.import_with(0).await;
}

#[tokio::test]
async fn what_ends_in_accredible_stays_in_docebo() {
    let stage = Stage::for_imports().await;
    stage.map("2003", true, "CERT-EXT").await;
    let mut credentials = Vec::new();
    for email in [ADA, GRACE, KATHERINE] {
        credentials.push(stage.issue(2003, email, json!({})).await);
    }
    stage.import_with(6).await;
    let (trainings, awards) = (stage.trainings().await, stage.awards().await);
    let over = json!({ "expired_on": "2026-02-28" });
    stage.change(&credentials[0], over).await;
    stage
        .change(&credentials[1], json!({ "approve": false }))
        .await;
    // Sent to the group of leaders, which is not mapped, it is gone from this one.
    stage
        .change(&credentials[2], json!({ "group_id": 2005 }))
        .await;
    stage.import_with(0).await;
    let gone = json!({ "group_id": 2003 });
    stage.in_accredible("delete_group", gone).await;
    stage.import_with(0).await;
    assert_eq!(stage.trainings().await, trainings);
    assert_eq!(stage.awards().await, awards);
}

#[tokio::test]
async fn mappings_that_name_no_active_group_are_told_of_and_stop_nothing() {
    let stage = Stage::for_imports().await;
    let odd = [
        "first-aid",
        "20 04",
        "9999",
        "2006",
        "99999999999999999999999",
        "-2004",
    ];
    for group in odd {
        stage.map(group, true, "CERT-EXT").await;
    }
    stage.map("2004", true, "").await;
    stage.issue(2004, ADA, json!({})).await;
    let job = stage.import().await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    for group in odd {
        let told = format!("warn: Credential group {group} is not active or not known: left alone");
        assert!(job.log.contains(&told), "{:?}", job.log);
    }
    assert_eq!(stage.trainings().await.len(), 1);
}

#[tokio::test]
async fn a_certification_code_that_no_or_two_certifications_have_awards_nothing() {
    let stage = Stage::for_imports().await;
    let twin = json!({ "id": 304, "code": "CERT-EXT", "title": "Partner Certification, again" });
    stage.give("docebo", "certifications", twin).await;
    stage.map("2003", true, "CERT-EXT").await;
    stage.map("2004", true, "CERT-GONE").await;
    stage.map("2005", false, "CERT-GONE").await;
    for group in [2003, 2004, 2005] {
        stage.issue(group, ADA, json!({})).await;
    }
    let job = stage.import().await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    for told in [
        "warn: 2 certifications in Docebo have the code CERT-EXT: none is awarded",
        "warn: 0 certifications in Docebo have the code CERT-GONE: none is awarded",
    ] {
        assert!(job.log.iter().any(|line| line == told), "{:?}", job.log);
    }
    assert!(stage.awards().await.is_empty());
    assert_eq!(stage.trainings().await.len(), 2);
}

#[tokio::test]
async fn of_two_credentials_for_one_certification_the_newer_one_counts_and_all_comes_to_rest() {
    for (old, new) in [(2003, 2004), (2004, 2003)] {
        let stage = Stage::for_imports().await;
        for group in ["2003", "2004"] {
            stage.map(group, false, "CERT-EXT").await;
        }
        let older = json!({ "issued_on": "2026-01-15" });
        let older = stage.issue(old, ADA, older).await;
        stage
            .issue(new, ADA, json!({ "issued_on": "2026-02-15" }))
            .await;
        let job = stage.import().await;
        assert_eq!(job.status, "succeeded", "{job:?}");
        assert_eq!(stage.awards().await, ["2 303 2026-02-15 null external"]);
        stage.import_with(0).await;
        // Who corrects a credential means it.
        stage
            .change(&older, json!({ "issued_on": "2026-02-20" }))
            .await;
        stage.import_with(1).await;
        assert_eq!(stage.awards().await, ["2 303 2026-02-20 null external"]);
        stage.import_with(0).await;
    }
}

#[tokio::test]
async fn an_archived_award_stays_archived_until_the_credential_is_renewed() {
    let stage = Stage::for_imports().await;
    stage.map("2003", false, "CERT-EXT").await;
    let credential = stage.issue(2003, ADA, json!({})).await;
    stage.import_with(1).await;
    let award = json!({ "user_id": 2, "certification_id": 303 });
    stage.in_docebo("revoke_certification", award).await;
    stage.import_with(0).await;
    stage
        .change(&credential, json!({ "issued_on": "2026-02-20" }))
        .await;
    stage.import_with(1).await;
    assert_eq!(
        stage.awards().await,
        [
            "2 303 2026-02-10 null external archived",
            "2 303 2026-02-20 null external",
        ]
    );
}

#[tokio::test]
async fn titles_of_all_kinds_arrive_as_they_are() {
    let stage = Stage::for_imports().await;
    stage.map("2007", true, "").await;
    let group = json!({ "group_id": 2007, "name": "workshop-attendance" });
    stage.put("accredible-credential-groups", group).await;
    let long = "ß".repeat(5000);
    let titles = [
        r#"It's a "quoted" \ <b>title</b> / {{now}} $.input"#,
        "\u{1F9D1}\u{200D}\u{1F680} Raumfahrt – 宇宙",
        "أمن المعلومات \u{202E}abc",
        "   ",
        &long,
    ];
    for title in titles {
        stage.issue(2007, ADA, json!({ "name": title })).await;
    }
    stage.import_with(5).await;
    let rows = stage.ground.rows("docebo", "external_trainings").await;
    let mut written: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["course_name"].as_str())
        .collect();
    let short = "ß".repeat(255);
    let mut wanted = vec![
        titles[0],
        titles[1],
        titles[2],
        "workshop-attendance",
        &short,
    ];
    written.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(written, wanted);
    stage.import_with(0).await;
}

#[tokio::test]
async fn dates_are_read_in_every_form_that_accredible_has_used() {
    let stage = Stage::for_imports().await;
    stage.map("2003", false, "CERT-EXT").await;
    let forms = [
        (json!("2026-02-10"), json!(null)),
        (json!("2026-02-10T00:00:00.000Z"), json!("0000-00-00")),
        (json!("2026-02-10 09:30:00"), json!("")),
        (
            json!("2026-02-10T09:30:00.123Z"),
            json!("0000-00-00 00:00:00"),
        ),
        (
            json!("2026-02-10T09:30:00+00:00"),
            json!("2027-02-10T00:00:00.000Z"),
        ),
        (json!("0000-00-00"), json!(null)),
        (json!(null), json!(null)),
    ];
    let emails = [ADA, GRACE, KATHERINE, ALAN, "retired@example.com", ADA, ADA];
    let credentials = forms.iter().zip(emails).enumerate().map(|(index, ((issued, expired), email))| {
        json!({
            "id": 500 + index, "uuid": format!("u{index}"), "group": { "id": 2003 }, "approve": true,
            "name": "Champion", "recipient_email": email, "issued_on": issued, "expired_on": expired,
        })
    });
    let credentials: Vec<Value> = credentials.collect();
    let meta = json!({ "count": credentials.len(), "cursor": null });
    let page = json!({ "credentials": credentials, "meta": meta });
    let fault = json!({
        "path": "/v2/credentials/search", "kind": { "status": { "code": 200, "body": page } },
    });
    stage.fault("accredible", fault).await;
    let job = stage.import().await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let mut awards = stage.awards().await;
    awards.sort();
    assert_eq!(
        awards,
        [
            "2 303 2026-02-10 null external",
            "3 303 2026-02-10 null external",
            "4 303 2026-02-10 null external",
            "7 303 2026-02-10 null external",
            "8 303 2026-02-10 2027-02-10 external",
        ]
    );
    for id in [505, 506] {
        let told = format!("warn: Credential {id} has no e-mail or no issue date: left alone");
        assert!(job.log.contains(&told), "{:?}", job.log);
    }
}

#[tokio::test]
async fn the_import_runs_every_night_at_one_utc_unless_the_master_is_docebo() {
    for (master, is_imported) in [("", true), ("ACCREDIBLE", true), ("DOCEBO", false)] {
        let stage = Stage::for_imports().await;
        stage.map("2003", true, "").await;
        stage.issue(2003, ADA, json!({})).await;
        stage.set("ACCREDIBLE_INTEGRATION_MASTER", master).await;
        let fires = stage.keep_time(IMPORT, "2026-03-03T02:00:00Z").await;
        assert_eq!(fires, ["2026-03-02T01:00:00Z", "2026-03-03T01:00:00Z"]);
        assert_eq!(
            stage.trainings().await.len(),
            usize::from(is_imported),
            "{master}"
        );
        let calls = stage.ground.calls("accredible").await;
        assert_eq!(calls.is_empty(), !is_imported, "{calls:?}");
    }
}
