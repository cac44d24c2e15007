//! Days that are corrected in Docebo, or that Docebo does not tell.
//!
//! Always true: `CREATE` issues another credential for what is known to be a further completion
//! only, and no id of ours depends on the day on which we happened to look.

use recipe_engine::clock::Moment;
use serde_json::{Value, json};

use super::props::{BATCH, report};
use super::stage::Stage;

const EMAIL: &str = "katherine.johnson@example.com";
const USER_AWARDS: &str = "/certification/v1/awards/users/*";

#[tokio::test]
async fn a_course_day_that_is_corrected_to_an_earlier_one_is_no_further_completion() {
    for is_batch in [false, true] {
        let stage = with_workshops().await;
        stage.complete(4, 101, "2026-02-20 09:00:00").await;
        look(&stage, is_batch).await;
        stage.complete(4, 101, "2026-02-10 09:00:00").await;
        let log = look(&stage, is_batch).await;
        assert_eq!(days(&stage, 2007).await, ["2026-02-20"], "{is_batch}");
        let told = "info: The day 2026-02-10 of course 101 and user 4 is taken for a correction: no \
                    further credential";
        assert!(log.iter().any(|line| line == told), "{is_batch}: {log:?}");
        stage.complete(4, 101, "2026-02-25 09:00:00").await;
        look(&stage, is_batch).await;
        let all = days(&stage, 2007).await;
        assert_eq!(all, ["2026-02-20", "2026-02-25"], "{is_batch}");
    }
}

#[tokio::test]
async fn a_day_that_is_corrected_back_and_forth_is_carried_over_each_time() {
    for is_batch in [false, true] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage.set("REAL_TIME_OVERWRITE_BEHAVIOUR", "UPDATE").await;
        stage.set("BATCH_OVERWRITE_BEHAVIOUR", "UPDATE").await;
        for day in ["2026-02-20", "2026-02-10", "2026-02-20", "2026-02-10"] {
            stage.complete(4, 101, &format!("{day} 09:00:00")).await;
            look(&stage, is_batch).await;
            assert_eq!(days(&stage, 2001).await, [day], "{is_batch}");
        }
        // The first batch may have to do with others; then nothing is left to be written.
        stage.run(BATCH, Value::Null).await;
        let writes = stage.ground.writes("accredible").await.len();
        stage.run(BATCH, Value::Null).await;
        assert_eq!(stage.ground.writes("accredible").await.len(), writes);
    }
}

#[tokio::test]
async fn an_award_that_is_corrected_is_no_further_award_and_one_given_again_is() {
    for is_batch in [false, true] {
        let stage = with_workshops().await;
        let award = give_award(&stage, "2026-02-10").await;
        look(&stage, is_batch).await;
        for day in ["2026-02-12", "2026-02-08"] {
            let change = json!({ "award_id": award, "issued_at": day });
            stage.in_docebo("update_certification", change).await;
            look(&stage, is_batch).await;
            assert_eq!(days(&stage, 2008).await, ["2026-02-10"], "{is_batch}");
        }
        let revoked = json!({ "award_id": award });
        stage.in_docebo("revoke_certification", revoked).await;
        look(&stage, is_batch).await;
        give_award(&stage, "2026-02-20").await;
        look(&stage, is_batch).await;
        let all = days(&stage, 2008).await;
        assert_eq!(all, ["2026-02-10", "2026-02-20"], "{is_batch}");
    }
}

#[tokio::test]
async fn a_plan_without_a_day_of_completion_is_one_credential_whenever_it_is_looked_at() {
    for overwrite in ["SKIP", "UPDATE", "CREATE"] {
        let stage = with_workshops().await;
        stage.set("BATCH_OVERWRITE_BEHAVIOUR", overwrite).await;
        stage.complete(4, 101, "2026-02-20 09:00:00").await;
        let mut seen = Vec::new();
        for day in ["2026-03-01", "2026-03-02", "2026-03-05"] {
            let at = Moment::parse(&format!("{day}T10:00:00Z")).expect("a time");
            stage.clock.advance(at.since(stage.clock.now()));
            stage.ground.set_clock(at);
            plan_without_a_day(&stage, day).await;
            let job = stage.run(BATCH, Value::Null).await;
            assert_eq!(job.status, "succeeded", "{overwrite}: {job:?}");
            seen.push(days(&stage, 2005).await);
        }
        let first = ["2026-03-01"];
        assert_eq!(seen, [first, first, first], "{overwrite}");
        // The day becomes known: it is still the same completion.
        let dated = plan_enrollment("2026-03-06", json!("2026-02-28 09:00:00"));
        stage.give("docebo", "plan_enrollments", dated).await;
        stage.run(BATCH, Value::Null).await;
        let now = match overwrite {
            "UPDATE" => "2026-02-28",
            _ => "2026-03-01",
        };
        assert_eq!(days(&stage, 2005).await, [now], "{overwrite}");
    }
}

#[tokio::test]
async fn an_award_without_a_day_is_one_credential_on_whatever_day_it_is_told() {
    let stage = with_workshops().await;
    let refusal = json!({ "status": { "code": 403 } });
    let rule = json!({ "path": USER_AWARDS, "count": 1000, "kind": refusal });
    stage.fault("docebo", rule).await;
    for (day, message) in [("2026-03-01", "wh-1"), ("2026-03-02", "wh-2")] {
        let at = Moment::parse(&format!("{day}T10:00:00Z")).expect("a time");
        stage.clock.advance(at.since(stage.clock.now()));
        stage.ground.set_clock(at);
        let payload = json!({
            "certification_id": 301, "certification_code": "CERT-AID", "user_id": 4,
            "issued_on": "0000-00-00", "association_type": "course",
        });
        let told = report(message, "certification.awarded", payload);
        let jobs = stage.hear(&[told]).await;
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        assert_eq!(days(&stage, 2008).await, ["2026-03-01"], "{jobs:?}");
    }
}

/// Three groups of which a learner may hold several: course 101 has chosen 2007, CERT-AID stands for
/// 2008, LP-NEW for 2005; and `CREATE` both ways.
async fn with_workshops() -> Stage {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    stage.allow_duplicates(&[2005, 2007, 2008]).await;
    let groups = json!([
        { "group_id": 2007, "name": "workshop-attendance", "dropdown_element_id": 590 },
        { "group_id": 2008, "name": "sales-onboarding" },
    ]);
    stage.put_all("accredible-credential-groups", groups).await;
    let mappings = json!([
        { "credential_group_id": "2008", "certification_code": "CERT-AID" },
        { "credential_group_id": "2005", "learning_plan_id": "LP-NEW" },
    ]);
    stage
        .put_all("accredible-integration-mappings", mappings)
        .await;
    stage.choose(101, json!(590)).await;
    stage.set("REAL_TIME_OVERWRITE_BEHAVIOUR", "CREATE").await;
    stage.set("BATCH_OVERWRITE_BEHAVIOUR", "CREATE").await;
    stage
}

/// Takes in what Docebo reports, or goes through everything; the log of all that.
async fn look(stage: &Stage, is_batch: bool) -> Vec<String> {
    let jobs = match is_batch {
        true => vec![stage.run(BATCH, Value::Null).await],
        false => stage.take_reports_in().await,
    };
    assert!(jobs.iter().all(|job| job.status == "succeeded"), "{jobs:?}");
    jobs.into_iter().flat_map(|job| job.log).collect()
}

async fn give_award(stage: &Stage, day: &str) -> i64 {
    let input = json!({
        "user_id": 4, "certification_code": "CERT-AID", "issued_at": day,
        "association": { "type": "course", "item_id": 104 },
    });
    let awarded = stage.in_docebo("award_certification", input).await;
    awarded["award_id"].as_i64().expect("a number")
}

/// Katherine has completed LP-NEW, nobody knows when; Docebo touched the enrolment on that day.
async fn plan_without_a_day(stage: &Stage, touched: &str) {
    let row = plan_enrollment(touched, Value::Null);
    stage.give("docebo", "plan_enrollments", row).await;
}

fn plan_enrollment(touched: &str, completed_at: Value) -> Value {
    json!({
        "user": 4, "plan": 203, "status": "completed", "percentage": 100,
        "updated_at": format!("{touched} 09:00:00"), "completed_at": completed_at,
    })
}

/// The days of issue of what the learner holds in a group.
async fn days(stage: &Stage, group: i64) -> Vec<String> {
    let held = stage.held(EMAIL, group).await;
    let day = |row: &Value| super::stage::as_text(&row["issued_on"]);
    held.iter().map(day).collect()
}
