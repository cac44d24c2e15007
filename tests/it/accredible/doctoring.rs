//! What the doctor says of the bundle: what each setting does, and what does not fit together.

use recipe_engine::doctor::{ask, examine, of_output};
use serde_json::{Value, json};

use super::stage::{PROJECT, Stage};

impl Stage {
    /// What the doctor finds about a topic, as `level: text`; the vendors are asked.
    async fn doctor(&self, topic: &str) -> Vec<String> {
        let mut examination = examine(&self.intake, PROJECT).await.expect("a project");
        let asked = ask(&self.intake, self.world.calls.clone(), PROJECT, "ada").await;
        let own = of_output(&asked.expect("an answer"), &|text| text.to_owned());
        examination.sections.push(own);
        let mut sections = examination.sections.into_iter();
        let section = sections.find(|section| section.topic.word() == topic);
        let findings = section.expect("the topic").findings.into_iter();
        findings
            .map(|finding| format!("{}: {}", finding.level.word(), finding.text))
            .collect()
    }

    /// What the bundle's own checks find, as `level: text`.
    pub(super) async fn own(&self) -> Vec<String> {
        self.doctor("own_checks").await
    }
}

/// Each setting with values, and what the doctor says that they do.
const MEANINGS: [(&str, &[(&str, &str)]); 12] = [
    (
        "EXTERNAL_TRAINING_INSTITUTE_NAME",
        &[
            ("", "trainings of the institute \"Accredible\"."),
            (
                "Example Academy",
                "trainings of the institute \"Example Academy\".",
            ),
        ],
    ),
    (
        "ACCREDIBLE_DEFAULT_EXPIRATION_DAYS",
        &[
            ("", "0 days: credentials never expire"),
            ("0", "0 days: credentials never expire"),
            (
                "365",
                "New credentials expire 365 days after the completion.",
            ),
        ],
    ),
    (
        "ACCREDIBLE_TO_DOCEBO_BATCH_SYNC_START_DATE",
        &[(
            "2026-02-03",
            "issued in Accredible before 2026-02-03 are left alone",
        )],
    ),
    (
        "DOCEBO_TO_ACCREDIBLE_BATCH_SYNC_START_DATE",
        &[(
            "2026-02-04",
            "awards before 2026-02-04 are left alone by the batch",
        )],
    ),
    (
        "COURSE_ADDITIONAL_FIELD",
        &[(
            "Badge",
            "Courses are given their credential group in the additional field \"Badge\"",
        )],
    ),
    (
        "LEARNING_PLAN_ADDITIONAL_FIELD",
        &[(
            "Badge",
            "Learning plans show the credential groups in the additional field \"Badge\"",
        )],
    ),
    (
        "NOTIFICATION_MAIL_ID",
        &[(
            "ada@academy.example",
            "deleted groups go to ada@academy.example.",
        )],
    ),
    (
        "ACCREDIBLE_INTEGRATION_MASTER",
        &[
            ("", "Both directions"),
            ("DOCEBO", "One direction only: Docebo to Accredible."),
            ("ACCREDIBLE", "One direction only: Accredible to Docebo."),
        ],
    ),
    (
        "SYNC_REVOCATION",
        &[
            ("false", "Revocations and deletions are synchronised"),
            ("true", "Revocations and deletions are NOT synchronised"),
            ("", "Revocations and deletions are NOT synchronised"),
        ],
    ),
    (
        "BATCH_OVERWRITE_BEHAVIOUR",
        &[
            ("", "up to date"),
            (
                "SKIP",
                "The batch leaves credentials that a learner holds already as they are.",
            ),
            (
                "UPDATE",
                "The batch brings credentials that a learner holds already up to date.",
            ),
            (
                "CREATE",
                "The batch issues another credential for every further completion.",
            ),
        ],
    ),
    (
        "REAL_TIME_OVERWRITE_BEHAVIOUR",
        &[
            ("", "stay as they are"),
            (
                "SKIP",
                "In real time, credentials that a learner holds already stay as they are",
            ),
            ("UPDATE", "are brought up to date."),
            (
                "CREATE",
                "In real time, every further completion issues another credential.",
            ),
        ],
    ),
    (
        "REVOCATION_BEHAVIOUR",
        &[
            ("", "ends on that day"),
            ("EXPIRE", "ends on that day and stays visible as expired."),
            ("DELETE", "is deleted in Accredible."),
        ],
    ),
];

#[tokio::test]
async fn every_setting_says_what_each_of_its_values_does() {
    let stage = Stage::open().await;
    let project = stage.ground.shelf.project(PROJECT).expect("the project");
    let declared: Vec<&String> = project.settings["ACCREDIBLE"].keys().collect();
    let said: Vec<&str> = MEANINGS.iter().map(|(key, _)| *key).collect();
    assert_eq!(declared, said);
    for (key, values) in MEANINGS {
        let before = stage.doctor("meaning").await;
        for (value, sentence) in values {
            stage.set(key, value).await;
            let meaning = stage.doctor("meaning").await;
            let line = meaning
                .iter()
                .find(|line| line.contains(&format!("({key}")));
            let line = line.unwrap_or_else(|| panic!("{key}: nothing is said"));
            assert!(line.contains(sentence), "{key} = {value}: {line}");
        }
        // The other settings' sentences are none of this one's business.
        let others = |lines: Vec<String>| -> Vec<String> {
            let own = format!("({key}");
            lines.into_iter().filter(|l| !l.contains(&own)).collect()
        };
        let after = stage.doctor("meaning").await;
        if !["ACCREDIBLE_INTEGRATION_MASTER", "SYNC_REVOCATION"].contains(&key) {
            assert_eq!(others(before), others(after), "{key}");
        }
        if let Some((first, _)) = values.first() {
            stage.set(key, first).await;
        }
    }
}

#[tokio::test]
async fn a_setting_that_another_one_switches_off_says_so() {
    let stage = Stage::open().await;
    stage.set("SYNC_REVOCATION", "true").await;
    stage.set("ACCREDIBLE_INTEGRATION_MASTER", "DOCEBO").await;
    let meaning = stage.doctor("meaning").await.join("\n");
    assert!(
        meaning.contains("Not used: revocations are not synchronised."),
        "{meaning}"
    );
    assert!(meaning.contains("Nothing is imported from Accredible, so no start date is used."));
}

#[tokio::test]
async fn a_sound_bundle_has_nothing_wrong_and_tells_of_its_credits() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    assert_eq!(
        stage.own().await,
        ["note: The Accredible account is Example Academy; credits left: 1000000."]
    );
}

#[tokio::test]
async fn mappings_that_lead_nowhere_are_named() {
    let stage = Stage::open().await;
    let nothing = stage.own().await;
    assert!(
        nothing[0].contains("No credential group is known yet."),
        "{nothing:?}"
    );
    stage.know_the_groups().await;
    let archived = json!({ "group_id": 2006, "name": "fire-warden-2019", "is_active": false });
    stage.put("accredible-credential-groups", archived).await;
    let mappings = json!([
        { "credential_group_id": "9999", "import_as_external_training": true },
        { "credential_group_id": "2006", "import_as_external_training": true },
        { "credential_group_id": "2001" },
        { "credential_group_id": "2002", "learning_plan_id": "LP-SECC" },
        { "credential_group_id": "2004", "certification_code": "CERT-AIDE" },
        { "credential_group_id": "2004", "certification_code": "CERT-AID" },
        { "credential_group_id": "2002", "certification_code": "CERT-AID" },
        { "credential_group_id": "8888", "learning_plan_id": "X", "is_active": false },
    ]);
    stage
        .put_all("accredible-integration-mappings", mappings)
        .await;
    assert_eq!(
        stage.own().await,
        [
            "error: A mapping names the credential group 9999, which does not exist in Accredible.",
            "error: A mapping names the learning plan LP-SECC, which does not exist in Docebo.",
            "error: A mapping names the certification CERT-AIDE, which does not exist in Docebo.",
            "warning: A mapping names the credential group 2006, which is archived: nothing is \
             issued or imported.",
            "warning: The mapping of the credential group 2001 does nothing.",
            "note: 2 mappings name the certification CERT-AID: each award gives a credential in each \
             of their groups.",
            "note: The Accredible account is Example Academy; credits left: 1000000.",
        ]
    );
}

#[tokio::test]
async fn a_code_of_two_certifications_is_named_if_a_mapping_has_it() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let twin =
        json!({ "id": 399, "code": "CERT-AID", "title": "First Aider again", "duration": 0 });
    stage
        .ground
        .order("docebo", "state/certifications", twin)
        .await;
    assert_eq!(stage.own().await.len(), 1, "no mapping has it");
    let mapping = json!({ "credential_group_id": "2004", "certification_code": "CERT-AID" });
    stage.put("accredible-integration-mappings", mapping).await;
    assert_eq!(
        stage.own().await[0],
        "error: 2 certifications in Docebo have the code CERT-AID, which a mapping names: none is \
         awarded."
    );
}

#[tokio::test]
async fn additional_fields_that_are_missing_double_or_no_dropdowns_are_named() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.set("COURSE_ADDITIONAL_FIELD", "Cost centre").await;
    stage
        .set("LEARNING_PLAN_ADDITIONAL_FIELD", "Badge \"gold\"")
        .await;
    let own = stage.own().await;
    assert_eq!(
        own[..2],
        [
            "error: The additional field \"Cost centre\" of courses is no dropdown.",
            "warning: The additional field \"Badge \"gold\"\" of learning plans does not exist in \
             Docebo yet.",
        ]
    );
    stage.set("COURSE_ADDITIONAL_FIELD", "Twice").await;
    for id in [91, 92] {
        let field = json!({
            "id": id, "association": "course", "type": "dropdown",
            "translations": { "english": "Twice" }, "options": [],
        });
        stage.ground.order("docebo", "state/fields", field).await;
    }
    let own = stage.own().await;
    assert_eq!(
        own[0],
        "error: 2 additional fields of courses are called \"Twice\"."
    );
}

#[tokio::test]
async fn credits_are_counted() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    for (credits, level) in [(0, "error"), (99, "warning"), (100, "note")] {
        let order = json!({ "credits": credits });
        stage
            .ground
            .order("accredible", "actions/set_credits", order)
            .await;
        let own = stage.own().await;
        assert!(own[0].starts_with(level), "{credits}: {own:?}");
        let told = format!("credits left: {credits}.");
        assert!(own.iter().any(|line| line.contains(&told)), "{own:?}");
    }
}

#[tokio::test]
async fn one_vendors_trouble_hides_no_other_finding_and_nothing_is_changed() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let unknown = json!({ "credential_group_id": "2001", "learning_plan_id": "LP-GONE" });
    stage.put("accredible-integration-mappings", unknown).await;
    for (vendor, path) in [
        ("docebo", "/learn/v1/certification"),
        ("accredible", "/v1/issuer/details"),
    ] {
        let refusal = json!({ "code": 403, "headers": {}, "body": { "message": "not for you" } });
        let fault = json!({ "path": path, "every": 1, "kind": { "status": refusal } });
        stage.ground.order(vendor, "faults", fault).await;
    }
    let before = tables(&stage).await;
    let own = stage.own().await;
    assert_eq!(own.len(), 3, "{own:?}");
    assert!(own[0].contains("LP-GONE"), "{own:?}");
    assert!(
        own[1].starts_with("error: The account in Accredible cannot be seen: "),
        "{own:?}"
    );
    assert!(
        own[2].starts_with("warning: The certifications cannot be listed: "),
        "{own:?}"
    );
    assert_eq!(tables(&stage).await, before);
    for vendor in ["docebo", "accredible"] {
        assert_eq!(stage.ground.writes(vendor).await, Vec::<Value>::new());
    }
}

/// All rows of the tables that the doctor looks at.
async fn tables(stage: &Stage) -> Vec<Value> {
    let mut all = Vec::new();
    for name in [
        "accredible-credential-groups",
        "accredible-integration-mappings",
    ] {
        all.extend(stage.rows(name).await.into_iter().map(Value::Object));
    }
    all
}
