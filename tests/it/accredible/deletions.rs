//! Credential groups that were deleted in Accredible.
//!
//! Always true: their rows go, their mappings are deactivated, and one mail lists them.

use serde_json::{Value, json};

use super::props::{FIELDS, SYNC_GROUPS};
use super::stage::Stage;

#[tokio::test]
async fn deleted_and_archived_groups_of_one_run_are_told_apart_and_one_mail_lists_the_deleted() {
    for mode in ["hidden", "flag"] {
        let stage = with_mappings().await;
        stage
            .quirk("accredible", json!({ "archived_mode": mode }))
            .await;
        delete(&stage, &[2004, 2005]).await;
        let archived = json!({ "group_id": 2003 });
        stage.in_accredible("archive_group", archived).await;
        let job = stage.run(SYNC_GROUPS, Value::Null).await;
        assert_eq!(job.status, "succeeded", "{mode}: {job:?}");
        let mut groups = stage.groups().await;
        groups.retain(|line| !line.starts_with("2006"));
        let expected = [
            "2001 data-protection-basics active 501",
            "2002 secure-coding active 502",
            "2003 security-champion inactive -",
            "2007 workshop-attendance active 514",
            "2008 sales-onboarding active 515",
        ];
        assert_eq!(groups, expected, "{mode}");
        assert_eq!(stage.mappings().await, ["2003 LP-SEC"], "{mode}");
        let options = stage.options(FIELDS.0).await;
        assert!(
            !options.contains(&"503 first-aid".to_owned()),
            "{options:?}"
        );
        assert_eq!(stage.choice(104).await, Value::Null, "{mode}");

        let mails = stage.ground.sandbox.mails();
        assert_eq!(mails.len(), 1, "{mode}: {mails:?}");
        assert_eq!(mails[0].to, ["learning@academy.example"]);
        assert_eq!(
            mails[0].subject,
            "Accredible: 2 credential group(s) deleted"
        );
        for word in ["2004", "first-aid", "2005", "leadership-track"] {
            assert!(mails[0].text.contains(word), "{word}: {}", mails[0].text);
        }
        for word in ["2003", "security-champion"] {
            assert!(!mails[0].text.contains(word), "{word}: {}", mails[0].text);
        }

        // The next run finds nothing new and says nothing.
        let job = stage.run(SYNC_GROUPS, Value::Null).await;
        assert_eq!(job.status, "succeeded", "{mode}: {job:?}");
        assert_eq!(stage.ground.sandbox.mails().len(), 1, "{mode}");
    }
}

#[tokio::test]
async fn a_deleted_group_is_told_of_although_another_cannot_be_asked_for() {
    let stage = with_mappings().await;
    delete(&stage, &[2004, 2005]).await;
    let refusal = json!({ "status": { "code": 403, "body": { "errors": "Not yours" } } });
    let rule = json!({ "path": "/v1/issuer/groups/2004", "count": 1000, "kind": refusal });
    stage.fault("accredible", rule).await;
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "failed", "{job:?}");
    let groups = stage.groups().await;
    assert!(groups.iter().any(|line| line.starts_with("2004")));
    assert!(!groups.iter().any(|line| line.starts_with("2005")));
    let mails = stage.ground.sandbox.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].text.contains("leadership-track"), "{mails:?}");
}

#[tokio::test]
async fn with_deletion_disabled_the_tables_follow_and_the_elements_stay() {
    let stage = with_mappings().await;
    stage.set("SYNC_REVOCATION", "true").await;
    delete(&stage, &[2004]).await;
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let groups = stage.groups().await;
    assert!(!groups.iter().any(|line| line.starts_with("2004")));
    assert_eq!(
        stage.mappings().await,
        ["2003 LP-SEC", "2005  CERT-LEAD"],
        "only those of the deleted group are deactivated"
    );
    let options = stage.options(FIELDS.0).await;
    assert!(options.contains(&"503 first-aid".to_owned()), "{options:?}");
    assert_eq!(stage.choice(104).await, 503);
    assert_eq!(stage.notices().len(), 1);
}

#[tokio::test]
async fn a_mail_server_that_falters_gets_the_notice_once() {
    let stage = with_mappings().await;
    delete(&stage, &[2004]).await;
    let rule = json!({ "method": "RCPT", "count": 2, "kind": { "status": { "code": 451, "body": "later" } } });
    stage.fault("mail", rule).await;
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(
        stage.notices(),
        ["Accredible: 1 credential group(s) deleted"]
    );
}

#[tokio::test]
async fn a_notice_that_the_mail_server_refuses_is_sent_by_a_later_run_and_nothing_is_lost() {
    let stage = with_mappings().await;
    delete(&stage, &[2004, 2005]).await;
    let refusal = json!({ "status": { "code": 550, "body": "no such mailbox" } });
    let rule = json!({ "method": "RCPT", "count": 1000, "kind": refusal });
    stage.fault("mail", rule).await;
    for _ in 0..2 {
        let job = stage.run(SYNC_GROUPS, Value::Null).await;
        assert_eq!(job.status, "failed", "{job:?}");
        assert!(job.why.contains("NOTIFICATION_MAIL_ID"), "{job:?}");
        // Nothing is issued or offered any more, and nothing of what is to be told is gone.
        let groups = stage.groups().await;
        for line in [
            "2004 first-aid inactive -",
            "2005 leadership-track inactive -",
        ] {
            assert!(groups.contains(&line.to_owned()), "{groups:?}");
        }
        assert_eq!(stage.mappings().await.len(), 4);
        let options = stage.options(FIELDS.0).await;
        assert!(
            !options.contains(&"503 first-aid".to_owned()),
            "{options:?}"
        );
        assert_eq!(stage.notices(), [""; 0]);
    }
    stage.heal("mail").await;
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let mails = stage.ground.sandbox.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    for word in ["first-aid", "leadership-track"] {
        assert!(mails[0].text.contains(word), "{word}: {}", mails[0].text);
    }
    assert_eq!(stage.mappings().await, ["2003 LP-SEC"]);
    let groups = stage.groups().await;
    let is_left = |line: &String| line.starts_with("2004") || line.starts_with("2005");
    assert!(!groups.iter().any(is_left), "{groups:?}");
}

/// All groups are known, and 2003, 2004 (twice) and 2005 are mapped.
async fn with_mappings() -> Stage {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.run(SYNC_GROUPS, Value::Null).await;
    let mappings = json!([
        { "credential_group_id": "2003", "learning_plan_id": "LP-SEC" },
        { "credential_group_id": "2004", "learning_plan_id": "LP-NEW" },
        { "credential_group_id": " 2004 ", "certification_code": "CERT-AID" },
        { "credential_group_id": "2005", "certification_code": "CERT-LEAD" },
    ]);
    stage
        .put_all("accredible-integration-mappings", mappings)
        .await;
    assert_eq!(stage.mappings().await.len(), 4);
    stage
}

async fn delete(stage: &Stage, groups: &[i64]) {
    for group in groups {
        let input = json!({ "group_id": group });
        stage.in_accredible("delete_group", input).await;
    }
}
