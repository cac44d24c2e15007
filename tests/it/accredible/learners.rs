//! Whose credential is it? Learners are found in Docebo by their e-mail.

use serde_json::json;

use super::stage::Stage;

const ADA: &str = "ada.lovelace@example.com";

#[tokio::test]
async fn e_mails_are_compared_in_lower_case_and_without_blanks() {
    let stage = Stage::for_imports().await;
    stage.map("2003", true, "").await;
    // Docebo has them as Ada.Lovelace@Example.com and KATHERINE.JOHNSON@EXAMPLE.COM.
    stage
        .issue(2003, "ADA.LOVELACE@EXAMPLE.COM", json!({}))
        .await;
    stage
        .issue(2003, "Katherine.Johnson@example.com", json!({}))
        .await;
    let blanks = stage.issue(2003, "grace@example.com", json!({})).await;
    let recipient = json!({ "name": "Grace", "email": " Grace.Hopper@example.com\t" });
    stage
        .change(&blanks, json!({ "recipient": recipient }))
        .await;
    stage.import_with(3).await;
    let trainings = stage.trainings().await;
    let users: Vec<&str> = trainings
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(users, ["2", "3", "4"]);
    // Another way to write the same address changes nothing.
    let recipient = json!({ "name": "Grace", "email": "GRACE.hopper@EXAMPLE.com" });
    stage
        .change(&blanks, json!({ "recipient": recipient }))
        .await;
    stage.import_with(0).await;
}

#[tokio::test]
async fn who_is_not_or_not_clearly_in_docebo_is_counted_and_told_of_and_no_error() {
    let stage = Stage::for_imports().await;
    stage.map("2003", true, "CERT-EXT").await;
    let stranger = stage
        .issue(2003, "nobody@elsewhere.example", json!({}))
        .await;
    // Robin and Sam share an address; a user name is none.
    stage.issue(2003, "Desk@partner.example", json!({})).await;
    let no_address = stage.issue(2003, "x@example.com", json!({})).await;
    let recipient = json!({ "name": "Ada", "email": "ada" });
    stage
        .change(&no_address, json!({ "recipient": recipient }))
        .await;
    let blank = stage.issue(2003, "soon.gone@example.com", json!({})).await;
    for email in ["", "  "] {
        let recipient = json!({ "name": "Nora", "email": email });
        stage
            .change(&blank, json!({ "recipient": recipient }))
            .await;
        let job = stage.import().await;
        assert_eq!(job.status, "succeeded", "{job:?}");
        let counted = "info: 1 mappings, 4 credentials looked at, 0 imported or updated, 4 without a \
                       learner in Docebo";
        assert!(job.log.iter().any(|line| line == counted), "{:?}", job.log);
        let warnings = job.log.iter().filter(|line| line.starts_with("warn: "));
        let mut warnings: Vec<&str> = warnings.map(String::as_str).collect();
        warnings.sort_unstable();
        assert_eq!(warnings.len(), 5, "{warnings:#?}");
        assert_eq!(
            warnings[0],
            "warn: 2 users in Docebo share one e-mail address: none is touched"
        );
        assert!(
            warnings
                .iter()
                .any(|line| line.ends_with("is ambiguous in Docebo"))
        );
        assert!(
            warnings
                .iter()
                .any(|line| line.ends_with("no issue date: left alone"))
        );
        let missing = warnings
            .iter()
            .filter(|line| line.ends_with("is missing in Docebo"));
        assert_eq!(missing.count(), 2);
    }
    assert!(stage.ground.writes("docebo").await.is_empty());

    // As soon as there is such a learner, the credential arrives.
    let user = json!({ "id": 20, "username": "new", "email": "NOBODY@elsewhere.example" });
    stage.give("docebo", "users", user).await;
    stage.import_with(2).await;
    let gone = json!({ "name": "Was here" });
    stage.change(&stranger, gone).await;
    stage.import_with(1).await;
}

#[tokio::test]
async fn a_learner_whose_address_changed_keeps_what_was_imported() {
    let stage = Stage::for_imports().await;
    stage.map("2003", true, "CERT-EXT").await;
    let credential = stage.issue(2003, ADA, json!({})).await;
    stage.import_with(2).await;
    let (trainings, awards) = (stage.trainings().await, stage.awards().await);
    // In Docebo first, then in Accredible.
    let user = json!({
        "id": 2, "username": "ada", "email": "ada.king@example.com", "first_name": "Ada",
        "last_name": "King",
    });
    stage.give("docebo", "users", user).await;
    stage.import_with(0).await;
    let recipient = json!({ "name": "Ada King", "email": "ada.king@example.com" });
    stage
        .change(&credential, json!({ "recipient": recipient }))
        .await;
    let job = stage.import().await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(stage.trainings().await, trainings);
    assert_eq!(stage.awards().await, awards);
    stage.import_with(0).await;
}

#[tokio::test]
async fn a_credential_that_went_to_another_learner_is_imported_for_that_one() {
    let stage = Stage::for_imports().await;
    stage.map("2003", true, "CERT-EXT").await;
    let credential = stage.issue(2003, ADA, json!({})).await;
    stage.import_with(2).await;
    let recipient = json!({ "name": "Grace", "email": "grace.hopper@example.com" });
    stage
        .change(&credential, json!({ "recipient": recipient }))
        .await;
    stage.import_with(2).await;
    let line = "Security Champion | Accredible | 2026-02-10 2026-02-10";
    assert_eq!(
        stage.trainings().await,
        [format!("2 {line}"), format!("3 {line}")]
    );
    assert_eq!(
        stage.awards().await,
        [
            "2 303 2026-02-10 null external",
            "3 303 2026-02-10 null external"
        ]
    );
    stage.import_with(0).await;
}
