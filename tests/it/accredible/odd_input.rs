//! Learners and dates as they really are.
//!
//! Always true: a learner who cannot be given a credential is logged, and the job does not fail.

use recipe_engine::store::Jobs;
use serde_json::{Value, json};

use super::props::completion;
use super::stage::{Stage, as_text};

const ENROLLMENTS: &str = "/course/v1/courses/enrollments";

#[tokio::test]
async fn e_mails_are_compared_and_sent_in_lower_case() {
    for overwrite in ["SKIP", "CREATE", "UPDATE"] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage.set("REAL_TIME_OVERWRITE_BEHAVIOUR", overwrite).await;
        stage
            .welcome(&[(20, "Mary", "Shaw", "  Mary.SHAW@Example.com ")])
            .await;
        let by_hand = json!({ "group_id": 2001, "recipient": { "name": "Mary", "email": "mary.shaw@example.com" }, "issued_on": "2025-01-01" });
        stage.give("accredible", "credentials", by_hand).await;
        stage.complete(20, 101, "2026-02-27 09:00:00").await;
        stage.complete(20, 104, "2026-02-27 09:00:00").await;
        let jobs = stage.take_reports_in().await;
        assert!(jobs.iter().all(|job| job.status == "succeeded"), "{jobs:?}");
        assert_eq!(
            stage.held("mary.shaw@example.com", 2001).await.len(),
            1,
            "{overwrite}"
        );
        let new = stage.held("mary.shaw@example.com", 2004).await;
        assert_eq!(new.len(), 1, "{overwrite}");
        assert_eq!(new[0]["recipient"]["email"], "mary.shaw@example.com");
    }
}

#[tokio::test]
async fn who_has_no_e_mail_or_is_not_known_is_logged() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.complete(9, 101, "2026-02-27 09:00:00").await;
    let mut told = stage.deliveries().await;
    // Docebo shows the enrolment of a user whom it has deleted.
    let ghost = json!({ "user_id": 777, "course_id": 101, "enrollment_status": "completed" });
    let page = json!({ "data": { "items": [ghost], "count": 1, "has_more_data": false } });
    told.push(completion("wh-ghost", 777, 101));
    let jobs = stage.hear(&told[..1]).await;
    let rule =
        json!({ "path": ENROLLMENTS, "kind": { "answer_after": { "code": 200, "body": page } } });
    stage.fault("docebo", rule).await;
    let ghosts = stage.hear(&told[1..]).await;
    for (job, user) in [(&jobs[0], 9), (&ghosts[0], 777)] {
        assert_eq!(job.status, "succeeded", "{job:?}");
        let line =
            format!("warn: User {user} does not exist in Docebo or has no e-mail: no credential");
        assert!(job.log.contains(&line), "{:?}", job.log);
    }
    assert_eq!(stage.credentials().await, [] as [&str; 0]);
}

#[tokio::test]
async fn who_is_not_enrolled_any_more_gets_nothing() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    let jobs = stage.hear(&[completion("wh-1", 4, 101)]).await;
    assert_eq!(jobs[0].status, "succeeded", "{jobs:?}");
    assert_eq!(stage.credentials().await, [] as [&str; 0]);
}

#[tokio::test]
async fn names_in_any_writing_arrive_as_they_are() {
    const NAMES: [(&str, &str, &str); 7] = [
        ("Miles \"Bad\"", "O'Brien", "Miles \"Bad\" O'Brien"),
        ("A/B\\C", "<b>&amp;</b>", "A/B\\C <b>&amp;</b>"),
        ("👩‍🚀", "Zoë", "👩‍🚀 Zoë"),
        ("محمد", "בן־דוד", "محمد בן־דוד"),
        ("{{name}}", "$.steps", "{{name}} $.steps"),
        ("", "Plato", "Plato"),
        (" ", "", "learner.26@example.com"),
    ];
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    for (id, (first, last, _)) in (20..).zip(NAMES) {
        let email = format!("learner.{id}@example.com");
        stage.welcome(&[(id, first, last, &email)]).await;
        stage.complete(id, 101, "2026-02-27 09:00:00").await;
    }
    let jobs = stage.take_reports_in().await;
    assert!(jobs.iter().all(|job| job.status == "succeeded"), "{jobs:?}");
    for (id, (_, _, name)) in (20..).zip(NAMES) {
        let held = stage.held(&format!("learner.{id}@example.com"), 2001).await;
        assert_eq!(held.len(), 1, "{name}");
        assert_eq!(as_text(&held[0]["recipient"]["name"]), name);
    }
}

#[tokio::test]
async fn dates_of_completion_are_read_in_every_form() {
    let forms = [
        (json!("2026-02-20 23:30:00"), "2026-02-20"),
        (json!("2026-02-20"), "2026-02-20"),
        (json!("2026-02-20T23:30:00Z"), "2026-02-20"),
        (json!("2026-02-20T23:30:00.123Z"), "2026-02-20"),
        // Without a date it is that of the last change, else today.
        (json!("0000-00-00 00:00:00"), "2026-02-25"),
        (json!("0000-00-00"), "2026-02-25"),
        (json!(""), "2026-02-25"),
        (Value::Null, "2026-02-25"),
    ];
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    for (id, (form, day)) in (20..).zip(&forms) {
        let email = format!("learner.{id}@example.com");
        stage.welcome(&[(id, "Some", "Body", &email)]).await;
        let job = completed_as(&stage, id, form, &json!("2026-02-25 10:00:00")).await;
        assert_eq!(job, "succeeded", "{form}");
        let held = stage.held(&email, 2001).await;
        assert_eq!(held.len(), 1, "{form}");
        assert_eq!(held[0]["issued_on"], *day, "{form}");
    }
    let email = "nobody@example.com";
    stage.welcome(&[(40, "Some", "Body", email)]).await;
    let zero = json!("0000-00-00 00:00:00");
    assert_eq!(completed_as(&stage, 40, &zero, &zero).await, "succeeded");
    assert_eq!(stage.held(email, 2001).await[0]["issued_on"], "2026-03-01");
}

#[tokio::test]
async fn a_date_that_nobody_can_read_is_a_failure_that_shows_it() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage
        .welcome(&[(20, "Some", "Body", "some@example.com")])
        .await;
    let page = enrollment(20, &json!("last Tuesday"), &Value::Null);
    let rule = json!({ "path": ENROLLMENTS, "count": 100, "kind": { "answer_after": { "code": 200, "body": page } } });
    stage.fault("docebo", rule).await;
    let jobs = stage.hear(&[completion("wh-1", 20, 101)]).await;
    assert_ne!(jobs[0].status, "succeeded", "{jobs:?}");
    let (_, entries, _) = stage.store.job(&jobs[0].id).await.expect("a job");
    let told = format!("{entries:?}");
    assert!(told.contains("last Tuesday"), "{told}");
    assert!(told.contains("enrollment_completion_date"), "{told}");
    assert_eq!(stage.credentials().await, [] as [&str; 0]);
}

/// A completion that Docebo shows with these dates; how its job ends.
async fn completed_as(stage: &Stage, user: i64, at: &Value, updated: &Value) -> String {
    let page = enrollment(user, at, updated);
    let rule =
        json!({ "path": ENROLLMENTS, "kind": { "answer_after": { "code": 200, "body": page } } });
    stage.fault("docebo", rule).await;
    let told = completion(&format!("wh-{user}"), user, 101);
    stage.hear(&[told]).await.remove(0).status
}

fn enrollment(user: i64, at: &Value, updated: &Value) -> Value {
    let row = json!({
        "user_id": user, "course_id": 101, "enrollment_status": "completed",
        "enrollment_completion_date": at, "enrollment_date_last_updated": updated,
    });
    json!({ "data": { "items": [row], "count": 1, "has_more_data": false } })
}
