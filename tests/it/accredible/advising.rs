//! What the doctor advises: it follows what went wrong, and names the command to type.

use recipe_engine::doctor::{ask, of_output};
use serde_json::json;

use super::stage::{PROJECT, Stage};

impl Stage {
    /// What the bundle's own checks advise, finding by finding.
    async fn advice(&self) -> Vec<String> {
        let asked = ask(&self.intake, self.world.calls.clone(), PROJECT, "ada").await;
        let own = of_output(&asked.expect("an answer"), &|text| text.to_owned());
        let findings = own.findings.into_iter();
        findings
            .map(|found| found.help.unwrap_or_default())
            .collect()
    }
}

#[tokio::test]
async fn a_group_that_was_archived_before_it_was_fetched_is_called_archived() {
    let stage = Stage::open().await;
    let known = json!({ "group_id": 2001, "name": "data-protection-basics" });
    stage.put("accredible-credential-groups", known).await;
    let mappings = json!([
        { "credential_group_id": "2006", "import_as_external_training": true },
        { "credential_group_id": "group", "import_as_external_training": true },
        { "credential_group_id": "2005", "import_as_external_training": true },
    ]);
    stage
        .put_all("accredible-integration-mappings", mappings)
        .await;
    let own = stage.own().await;
    assert!(
        own[0].contains("the credential group 2005, which was not fetched"),
        "{own:?}"
    );
    assert!(
        own[1].starts_with("error: A mapping names the credential group group, which is not known"),
        "{own:?}"
    );
    assert_eq!(
        own[2],
        "warning: A mapping names the credential group 2006, which is archived: nothing is issued \
         or imported."
    );
}

#[tokio::test]
async fn a_wrong_name_of_a_group_is_told_beside_the_right_one() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let mappings = json!([
        {
            "credential_group_id": "2002", "credential_group_name": "first-aid",
            "import_as_external_training": true,
        },
        {
            "credential_group_id": "2004", "credential_group_name": "first-aid",
            "import_as_external_training": true,
        },
    ]);
    stage
        .put_all("accredible-integration-mappings", mappings)
        .await;
    let own = stage.own().await;
    assert_eq!(own.len(), 2, "{own:?}");
    assert_eq!(
        own[0],
        "warning: A mapping calls the credential group 2002 \"first-aid\"; in Accredible, that is \
         \"secure-coding\"."
    );
}

#[tokio::test]
async fn a_refused_password_is_told_from_a_feature_that_is_not_activated() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let strike = async |code: u16| {
        let status = json!({ "code": code, "headers": {}, "body": { "message": "no" } });
        let fault = json!({
            "path": "/learn/v1/certification", "every": 1, "count": 2, "kind": { "status": status },
        });
        stage.fault("docebo", fault).await;
    };
    strike(401).await;
    let refused = stage.advice().await;
    assert!(
        refused[0].starts_with("the account is refused: correct the user name, password"),
        "{refused:?}"
    );
    stage.heal("docebo").await;
    strike(403).await;
    let forbidden = stage.advice().await;
    assert!(forbidden[0].contains("activation"), "{forbidden:?}");
    stage.heal("docebo").await;
    let unfetched = Stage::open().await;
    assert!(unfetched.advice().await.iter().any(|help| {
        help.contains("`recipes run synchronisation-from-accredible-to-lookup-table --wait`")
    }));
}
