//! What happens where the learner already holds a credential of the group.
//!
//! Always true: SKIP leaves it, UPDATE brings the same one up to date, CREATE issues another one
//! for every further completion and never two for one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::ground::Ground;
use super::props::BATCH;
use super::stage::Stage;

const EMAIL: &str = "katherine.johnson@example.com";

/// A group of which a learner may hold several.
const GROUP: i64 = 2007;

/// What the learner holds before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Ours,
    ByHand,
    Expired,
    Unpublished,
}

const ALL: [Before; 4] = [
    Before::Ours,
    Before::ByHand,
    Before::Expired,
    Before::Unpublished,
];

#[tokio::test]
async fn skip_leaves_an_existing_credential_as_it_is() {
    let ground = Arc::new(Ground::open().await);
    for (is_batch, before) in ways() {
        let (old, new) = overwrite(&ground, is_batch, before, "SKIP").await;
        assert_eq!(old, new, "{before:?}, batch: {is_batch}");
    }
}

#[tokio::test]
async fn update_brings_the_existing_credential_up_to_date() {
    let ground = Arc::new(Ground::open().await);
    for (is_batch, before) in ways() {
        let (old, new) = overwrite(&ground, is_batch, before, "UPDATE").await;
        assert_eq!(new.len(), 1, "{before:?}, batch: {is_batch}");
        assert_eq!(new[0]["id"], old[0]["id"]);
        assert_eq!(new[0]["issued_on"], "2026-02-20");
        assert_eq!(new[0]["recipient"]["name"], "Katherine Johnson");
        assert_eq!(new[0]["approve"], true, "{before:?}, batch: {is_batch}");
        let expired = &new[0]["expired_on"];
        assert_eq!(*expired, Value::Null, "{before:?}, batch: {is_batch}");
    }
}

#[tokio::test]
async fn create_issues_another_credential_for_a_further_completion() {
    let ground = Arc::new(Ground::open().await);
    for (is_batch, before) in ways() {
        let (old, new) = overwrite(&ground, is_batch, before, "CREATE").await;
        assert_eq!(new.len(), 2, "{before:?}, batch: {is_batch}");
        assert_eq!(new[0], old[0], "{before:?}, batch: {is_batch}");
        assert_eq!(new[1]["issued_on"], "2026-02-20");
        assert_eq!(new[1]["meta_data"]["origin"], "docebo");
    }
}

#[tokio::test]
async fn where_the_group_allows_no_second_one_create_leaves_the_first() {
    for is_batch in [false, true] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        give_by_hand(&stage, 2001, &json!({})).await;
        let old = stage.held(EMAIL, 2001).await;
        let job = complete_again(&stage, is_batch, "CREATE").await;
        assert_eq!(job, "succeeded");
        assert_eq!(stage.held(EMAIL, 2001).await, old, "batch: {is_batch}");
    }
}

#[tokio::test]
async fn an_update_keeps_an_expiry_that_is_still_to_come() {
    let stage = Stage::open().await;
    stage.know_the_groups().await;
    give_by_hand(&stage, 2001, &json!({ "expired_on": "2027-01-01" })).await;
    complete_again(&stage, false, "UPDATE").await;
    let held = stage.held(EMAIL, 2001).await;
    assert_eq!(held[0]["issued_on"], "2026-02-20");
    assert_eq!(held[0]["expired_on"], "2027-01-01");
}

#[tokio::test]
async fn credentials_expire_as_many_days_after_completion_as_the_setting_says() {
    for (days, expected) in [
        ("30", json!("2026-03-22")),
        ("0", Value::Null),
        ("", Value::Null),
    ] {
        let stage = Stage::open().await;
        stage.know_the_groups().await;
        stage.set("ACCREDIBLE_DEFAULT_EXPIRATION_DAYS", days).await;
        complete_again(&stage, false, "SKIP").await;
        assert_eq!(
            stage.held(EMAIL, 2001).await[0]["expired_on"],
            expected,
            "{days}"
        );
    }
}

fn ways() -> impl Iterator<Item = (bool, Before)> {
    [false, true]
        .into_iter()
        .flat_map(|is_batch| ALL.map(|before| (is_batch, before)))
}

/// What the learner holds before and after a further completion.
async fn overwrite(
    ground: &Arc<Ground>,
    is_batch: bool,
    before: Before,
    behaviour: &str,
) -> (Vec<Value>, Vec<Value>) {
    ground.reset().await;
    let stage = Stage::on(ground.clone()).await;
    stage.know_the_groups().await;
    let group =
        json!({ "group_id": GROUP, "name": "workshop-attendance", "dropdown_element_id": 590 });
    stage.put("accredible-credential-groups", group).await;
    stage.choose(101, json!(590)).await;
    match before {
        Before::Ours => {
            stage.complete(4, 101, "2026-01-10 09:00:00").await;
            stage.take_reports_in().await;
        }
        Before::ByHand => give_by_hand(&stage, GROUP, &json!({})).await,
        Before::Expired => {
            give_by_hand(&stage, GROUP, &json!({ "expired_on": "2026-01-01" })).await;
        }
        Before::Unpublished => give_by_hand(&stage, GROUP, &json!({ "approve": false })).await,
    }
    let old = stage.held(EMAIL, GROUP).await;
    assert_eq!(old.len(), 1, "{before:?}");
    let job = complete_again(&stage, is_batch, behaviour).await;
    assert_eq!(
        job, "succeeded",
        "{before:?} {behaviour}, batch: {is_batch}"
    );
    // Told once more, the completion changes nothing.
    let new = stage.held(EMAIL, GROUP).await;
    stage.run(BATCH, Value::Null).await;
    if is_batch {
        assert_eq!(
            stage.held(EMAIL, GROUP).await,
            new,
            "{before:?} {behaviour}"
        );
    }
    (old, new)
}

/// The learner completes the course on the 20th; how the job ends that hears of it.
async fn complete_again(stage: &Stage, is_batch: bool, behaviour: &str) -> String {
    stage.complete(4, 101, "2026-02-20 09:00:00").await;
    if is_batch {
        stage.set("BATCH_OVERWRITE_BEHAVIOUR", behaviour).await;
        return stage.run(BATCH, Value::Null).await.status;
    }
    stage.set("REAL_TIME_OVERWRITE_BEHAVIOUR", behaviour).await;
    let jobs = stage.take_reports_in().await;
    jobs.last().expect("a job").status.clone()
}

async fn give_by_hand(stage: &Stage, group: i64, more: &Value) {
    let mut row = json!({ "group_id": group, "recipient": { "name": "K. J.", "email": EMAIL }, "issued_on": "2025-05-05" });
    for (name, value) in more.as_object().expect("an object") {
        row[name] = value.clone();
    }
    stage.give("accredible", "credentials", row).await;
}
