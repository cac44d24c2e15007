//! Webhooks of completed courses become credentials.
//!
//! Always true: however often, late or crosswise a completion is told, it is one credential.

use recipe_engine::journal::EntryKind;
use recipe_engine::store::Jobs;
use serde_json::{Value, json};

use super::props::{COMPLETED, completion, report};
use super::stage::Stage;

#[tokio::test]
async fn a_delivery_that_comes_three_times_is_one_job_and_one_credential() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.complete(4, 101, "2026-02-27 09:00:00").await;
    let body = stage.deliveries().await.remove(0);
    let jobs = stage
        .hear(&[body.clone(), body.clone(), body.clone()])
        .await;
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    let later = stage.hear(&[body]).await;
    assert_eq!(later.len(), 0, "{later:?}");
    assert_eq!(
        stage.credentials().await,
        ["katherine.johnson@example.com 2001 2026-02-27"]
    );
}

#[tokio::test]
async fn a_completion_that_is_told_under_several_message_ids_is_one_credential() {
    for overwrite in ["SKIP", "UPDATE", "CREATE"] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage.set("REAL_TIME_OVERWRITE_BEHAVIOUR", overwrite).await;
        // The group allows duplicates, so that nobody but us prevents them.
        let group =
            json!({ "group_id": 2007, "name": "workshop-attendance", "dropdown_element_id": 590 });
        stage.put("accredible-credential-groups", group).await;
        stage.choose(101, json!(590)).await;
        stage.complete(4, 101, "2026-02-27 09:00:00").await;
        let told = [
            completion("wh-1", 4, 101),
            completion("wh-2", 4, 101),
            completion("wh-3", 4, 101),
        ];
        let jobs = stage.hear(&told).await;
        assert_eq!(jobs.len(), 3);
        assert!(
            jobs.iter().all(|job| job.status == "succeeded"),
            "{overwrite}: {jobs:?}"
        );
        let issued = stage.credentials().await;
        assert_eq!(
            issued,
            ["katherine.johnson@example.com 2007 2026-02-27"],
            "{overwrite}"
        );
        assert_eq!(
            stage.rows("accredible-ledger").await.len(),
            1,
            "{overwrite}"
        );
    }
}

#[tokio::test]
async fn whatever_the_order_each_group_is_issued_once() {
    for overwrite in ["SKIP", "UPDATE"] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage.allow_duplicates(&[2001, 2002, 2003, 2004]).await;
        stage.set("REAL_TIME_OVERWRITE_BEHAVIOUR", overwrite).await;
        for (course, at) in [
            (101, "2026-02-20 09:00:00"),
            (102, "2026-02-25 09:00:00"),
            (104, "2026-02-26 09:00:00"),
        ] {
            stage.complete(7, course, at).await;
        }
        let mut told = stage.deliveries().await;
        let again = told.clone();
        told.reverse();
        told.extend(again);
        let jobs = stage.hear(&told).await;
        assert!(jobs.iter().all(|job| job.status == "succeeded"), "{jobs:?}");
        // Alan held one of secure-coding, entered by hand.
        let mut issued = stage.credentials().await;
        issued.retain(|line| !line.contains(" 2002 "));
        let expected = [
            "alan.turing@example.com 2001 2026-02-20",
            "alan.turing@example.com 2003 2026-03-01",
            "alan.turing@example.com 2004 2026-02-26",
        ];
        assert_eq!(issued, expected, "{overwrite}");
        assert_eq!(
            stage.held("alan.turing@example.com", 2002).await.len(),
            1,
            "{overwrite}"
        );
    }
}

#[tokio::test]
async fn two_completions_of_one_learner_at_one_moment_do_not_meet() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let group =
        json!({ "group_id": 2007, "name": "workshop-attendance", "dropdown_element_id": 590 });
    stage.put("accredible-credential-groups", group).await;
    for course in [101, 102, 103] {
        stage.choose(course, json!(590)).await;
        stage.complete(4, course, "2026-02-27 09:00:00").await;
    }
    // Docebo groups what happens at once; here each comes by itself, and all at one moment.
    let told = [101, 102, 103].map(|course| completion(&format!("wh-{course}"), 4, course));
    let jobs = stage.hear(&told).await;
    assert_eq!(jobs.len(), 3);
    assert!(jobs.iter().all(|job| job.status == "succeeded"), "{jobs:?}");
    assert_eq!(
        stage.credentials().await,
        ["katherine.johnson@example.com 2007 2026-02-27"]
    );
}

#[tokio::test]
async fn grouped_payloads_become_one_job_each() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    for id in 1001..1031 {
        let email = format!("learner.{id}@example.com");
        stage.welcome(&[(id, "Learner", "Number", &email)]).await;
        stage.complete(id, 101, "2026-02-27 09:00:00").await;
    }
    let told = stage.deliveries().await;
    let sizes: Vec<usize> = told
        .iter()
        .map(|body| body["payloads"].as_array().map_or(1, Vec::len))
        .collect();
    assert_eq!(sizes, [25, 5]);
    let jobs = stage.hear(&told).await;
    assert_eq!(jobs.len(), 30);
    assert!(jobs.iter().all(|job| job.status == "succeeded"), "{jobs:?}");
    assert_eq!(stage.credentials().await.len(), 30);
}

#[tokio::test]
async fn one_bad_payload_of_a_group_does_not_hold_up_the_others() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.complete(4, 101, "2026-02-27 09:00:00").await;
    let payloads = json!([
        { "user_id": "four", "course_id": 101 },
        { "course_id": 101 },
        { "user_id": "4", "course_id": "101" },
    ]);
    let jobs = stage.hear(&[report("wh-1", COMPLETED, payloads)]).await;
    assert_eq!(jobs.len(), 3);
    let failed: Vec<&str> = jobs
        .iter()
        .filter(|job| job.status == "failed")
        .map(|job| job.why.as_str())
        .collect();
    assert_eq!(failed.len(), 2, "{jobs:?}");
    assert!(failed.iter().any(|why| why.contains("four")), "{failed:?}");
    assert!(
        failed.iter().any(|why| why.contains("user_id")),
        "{failed:?}"
    );
    assert_eq!(
        stage.credentials().await,
        ["katherine.johnson@example.com 2001 2026-02-27"]
    );
}

#[tokio::test]
async fn an_unknown_event_is_logged_with_its_body() {
    let stage = Stage::open().await;
    let unnamed = json!({ "message_id": "wh-2", "payload": { "odd": true } });
    let body = report("wh-1", "certification.award.created", json!({ "award": 7 }));
    let jobs = stage.hear(&[body.clone(), unnamed.clone()]).await;
    assert_eq!(jobs.len(), 2);
    for job in &jobs {
        assert_eq!(job.status, "succeeded", "{job:?}");
    }
    let mut logged = Vec::new();
    for job in &jobs {
        let (_, entries, _) = stage.store.job(&job.id).await.expect("a job");
        logged.extend(entries.into_iter().filter_map(|entry| match entry.kind {
            EntryKind::LineLogged {
                level,
                message,
                data,
            } => Some((level, message, data)),
            _ => None,
        }));
    }
    for (wanted, word) in [
        (&body, "certification.award.created"),
        (&unnamed, "without a name"),
    ] {
        let is_it = |(level, message, data): &(String, String, Option<Value>)| {
            level == "warn" && message.contains(word) && data.as_ref() == Some(wanted)
        };
        assert!(logged.iter().any(is_it), "{word}: {logged:?}");
    }
    assert_eq!(stage.ground.calls("docebo").await, [] as [Value; 0]);
    assert_eq!(stage.ground.calls("accredible").await, [] as [Value; 0]);
}

#[tokio::test]
async fn the_course_may_show_its_group_by_id_or_by_name() {
    for shown in ["id", "label"] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage
            .quirk("docebo", json!({ "dropdown_value": shown }))
            .await;
        stage.complete(4, 101, "2026-02-27 09:00:00").await;
        stage.take_reports_in().await;
        let issued = stage.credentials().await;
        assert_eq!(
            issued,
            ["katherine.johnson@example.com 2001 2026-02-27"],
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_course_whose_group_is_not_active_gives_no_credential_and_says_so() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let row = json!({ "group_id": 2001, "name": "data-protection-basics", "is_active": false });
    stage.put("accredible-credential-groups", row).await;
    stage.complete(4, 101, "2026-02-27 09:00:00").await;
    let jobs = stage.take_reports_in().await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    let said = jobs[0].log.join("\n");
    assert!(
        said.contains("warn: Course 101 has chosen a credential group that is not active"),
        "{said}"
    );
    assert_eq!(stage.credentials().await, [] as [&str; 0]);
}

#[tokio::test]
async fn an_unknown_course_is_logged_and_gives_nothing() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let jobs = stage.hear(&[completion("wh-1", 4, 999)]).await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    let said = jobs[0].log.join("\n");
    assert!(
        said.contains("warn: Course 999 does not exist in Docebo"),
        "{said}"
    );
    assert_eq!(stage.credentials().await, [] as [&str; 0]);
}
