//! What Docebo refuses is said once and clearly, and everything else goes on.

use serde_json::{Value, json};

use super::stage::{Seen, Stage};

/// Twenty learners who hold a credential of a group that becomes both.
async fn with_learners(is_training: bool, certification: &str) -> Stage {
    let stage = Stage::for_imports().await;
    let learners = (0..20).map(|index| {
        json!({ "id": 100 + index, "username": format!("u{index}"), "email": format!("u{index}@x.example") })
    });
    let learners: Vec<Value> = learners.collect();
    stage.give("docebo", "users", json!(learners)).await;
    stage.map("2003", is_training, certification).await;
    for index in 0..20 {
        let email = format!("u{index}@x.example");
        stage.issue(2003, &email, json!({})).await;
    }
    stage
}

fn errors(job: &Seen) -> Vec<&String> {
    job.log
        .iter()
        .filter(|line| line.starts_with("error: "))
        .collect()
}

async fn refuse(stage: &Stage, method: &str, path: &str, code: u16) {
    let body = json!({ "name": "Not Found", "message": ["There is no such page"], "status": code });
    let fault = json!({
        "method": method, "path": path, "every": 1, "kind": { "status": { "code": code, "body": body } },
    });
    stage.fault("docebo", fault).await;
}

#[tokio::test]
async fn without_external_trainings_certifications_are_awarded_all_the_same() {
    for code in [403, 404] {
        let stage = with_learners(true, "CERT-EXT").await;
        refuse(&stage, "POST", "/learn/v1/external_training", code).await;
        let job = stage.import().await;
        assert_eq!(job.status, "succeeded", "{job:?}");
        assert_eq!(errors(&job).len(), 20, "{:?}", job.log);
        assert!(
            errors(&job)[0].contains("Docebo refused the external training"),
            "{:?}",
            job.log
        );
        assert_eq!(stage.notices(), ["Docebo: external trainings are refused"]);
        assert_eq!(stage.awards().await.len(), 20);
        // Once they are there, the trainings follow, and no award is given again.
        stage.heal("docebo").await;
        stage.import_with(20).await;
        assert_eq!(stage.trainings().await.len(), 20);
        assert_eq!(stage.awards().await.len(), 20);
    }
}

#[tokio::test]
async fn without_external_certifications_trainings_are_imported_all_the_same() {
    let stage = with_learners(true, "CERT-EXT").await;
    let quirk = json!({ "external_certifications": false });
    stage.quirk("docebo", quirk).await;
    let job = stage.import().await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(errors(&job).len(), 20, "{:?}", job.log);
    assert_eq!(
        stage.notices(),
        ["Docebo: external certifications are not activated"]
    );
    assert_eq!(stage.trainings().await.len(), 20);
    assert!(stage.awards().await.is_empty());
    let quirk = json!({ "external_certifications": true });
    stage.quirk("docebo", quirk).await;
    stage.import_with(20).await;
    assert_eq!(stage.awards().await.len(), 20);
}

#[tokio::test]
async fn where_awards_or_certifications_cannot_even_be_listed_trainings_are_imported() {
    let pages = [
        (
            "/certification/v1/awards/users/*",
            "Docebo: external certifications are not activated",
        ),
        (
            "/learn/v1/certification",
            "Docebo: certifications are refused",
        ),
    ];
    for (path, notice) in pages {
        let stage = with_learners(true, "CERT-EXT").await;
        refuse(&stage, "GET", path, 404).await;
        let job = stage.import().await;
        assert_eq!(job.status, "succeeded", "{job:?}");
        assert_eq!(stage.notices(), [notice]);
        assert_eq!(stage.trainings().await.len(), 20);
        assert!(stage.awards().await.is_empty());
        stage.heal("docebo").await;
        stage.import_with(20).await;
    }
}

#[tokio::test]
async fn a_notice_that_cannot_be_mailed_stops_nothing() {
    let stage = with_learners(true, "CERT-EXT").await;
    let busy = json!({ "code": 421, "body": "4.3.2 come back later" });
    let fault = json!({ "method": "CONNECT", "every": 1, "kind": { "status": busy } });
    stage.fault("mail", fault).await;
    let quirk = json!({ "external_training": false });
    stage.quirk("docebo", quirk).await;
    let job = stage.import().await;
    assert_eq!(job.status, "succeeded_with_errors", "{job:?}");
    assert_eq!(stage.awards().await.len(), 20);
}
