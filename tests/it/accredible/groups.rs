//! The credential groups of Accredible become rows.
//!
//! Always true: only a clear "does not exist" takes a row away; any other trouble leaves all rows.

use serde_json::{Value, json};

use super::props::{SYNC_GROUPS, many_groups};
use super::stage::Stage;

const SEARCH: &str = "/v1/issuer/groups/search";

#[tokio::test]
async fn all_active_groups_become_rows_with_their_elements() {
    let stage = Stage::open().await;
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(
        stage.groups().await,
        [
            "2001 data-protection-basics active 501",
            "2002 secure-coding active 502",
            "2003 security-champion active 504",
            "2004 first-aid active 503",
            "2005 leadership-track active 513",
            "2007 workshop-attendance active 514",
            "2008 sales-onboarding active 515",
        ]
    );
}

#[tokio::test]
async fn an_archived_group_keeps_its_row_and_is_inactive_however_the_vendor_shows_it() {
    for mode in ["hidden", "flag"] {
        let stage = Stage::open().await;
        stage
            .quirk("accredible", json!({ "archived_mode": mode }))
            .await;
        stage.run(SYNC_GROUPS, Value::Null).await;
        stage
            .put("accredible-integration-mappings", mapping())
            .await;
        stage
            .in_accredible("archive_group", json!({ "group_id": 2004 }))
            .await;
        let job = stage.run(SYNC_GROUPS, Value::Null).await;
        assert_eq!(job.status, "succeeded", "{mode}: {job:?}");
        let groups = stage.groups().await;
        assert!(
            groups.contains(&"2004 first-aid inactive -".to_owned()),
            "{mode}: {groups:?}"
        );
        assert_eq!(stage.mappings().await, ["2004 LP-SEC"], "{mode}");

        stage
            .in_accredible("restore_group", json!({ "group_id": 2004 }))
            .await;
        stage.run(SYNC_GROUPS, Value::Null).await;
        let groups = stage.groups().await;
        let is_back = |line: &String| line.starts_with("2004 first-aid active 5");
        assert!(groups.iter().any(is_back), "{mode}: {groups:?}");
    }
}

#[tokio::test]
async fn a_listing_that_goes_wrong_in_the_middle_changes_no_row_that_it_did_not_show() {
    let stage = Stage::open().await;
    let groups = many_groups(3001..3101);
    stage.give("accredible", "groups", groups).await;
    stage.run(SYNC_GROUPS, Value::Null).await;
    let before = stage.groups().await;
    assert_eq!(before.len(), 107);
    let first_page = json!({
        "groups": many_groups(3001..3051),
        "meta": { "current_page": 1, "next_page": 2, "total_pages": 3, "total_count": 107 },
    });
    let cut_short = json!({
        "groups": many_groups(3051..3053),
        "meta": { "current_page": 2, "next_page": null, "total_pages": 2, "total_count": 107 },
    });
    let troubles = [
        ("500", json!({ "status": { "code": 500 } })),
        ("429", json!({ "status": { "code": 429 } })),
        ("truncated", json!("truncated")),
        ("reset", json!("reset_before")),
        ("HTML", html()),
        ("no list", answer(json!({ "meta": {} }))),
        (
            "refused",
            answer(json!({ "success": false, "data": "Not now" })),
        ),
        ("the same page again", answer(first_page)),
        ("a short listing", answer(cut_short)),
    ];
    for (trouble, kind) in troubles {
        stage
            .ground
            .ask(reqwest::Method::DELETE, "docebo", "requests", Value::Null)
            .await;
        let rule = json!({ "path": SEARCH, "nth": 2, "count": 1000, "kind": kind });
        stage.fault("accredible", rule).await;
        let job = stage.run(SYNC_GROUPS, Value::Null).await;
        assert_eq!(job.status, "failed", "{trouble}: {job:?}");
        assert_eq!(stage.groups().await, before, "{trouble}");
        assert_eq!(
            stage.ground.writes("docebo").await,
            [] as [Value; 0],
            "{trouble}"
        );
        stage.heal("accredible").await;
    }
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(stage.groups().await, before);
}

#[tokio::test]
async fn a_missing_group_that_cannot_be_asked_for_stays() {
    for kind in [
        json!({ "status": { "code": 429 } }),
        json!({ "status": { "code": 503 } }),
        json!({ "status": { "code": 403, "body": { "errors": "Not yours" } } }),
        html(),
    ] {
        let stage = Stage::open().await;
        stage.run(SYNC_GROUPS, Value::Null).await;
        stage
            .put("accredible-integration-mappings", mapping())
            .await;
        let before = stage.groups().await;
        stage
            .in_accredible("delete_group", json!({ "group_id": 2004 }))
            .await;
        let rule = json!({ "path": "/v1/issuer/groups/2004", "count": 1000, "kind": kind });
        stage.fault("accredible", rule).await;
        let job = stage.run(SYNC_GROUPS, Value::Null).await;
        assert_eq!(job.status, "failed", "{kind}: {job:?}");
        assert_eq!(stage.groups().await, before, "{kind}");
        assert_eq!(stage.mappings().await, ["2004 LP-SEC"], "{kind}");
    }
}

#[tokio::test]
async fn a_renamed_group_keeps_its_row_and_its_element() {
    let stage = Stage::open().await;
    stage.run(SYNC_GROUPS, Value::Null).await;
    let named = json!({ "id": 2004, "name": "first-aid-2026", "course_name": "First Aid", "course_description": "Help" });
    stage.give("accredible", "groups", named).await;
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    let groups = stage.groups().await;
    assert!(
        groups.contains(&"2004 first-aid-2026 active 503".to_owned()),
        "{groups:?}"
    );
    let options = stage.options(12).await;
    assert!(
        options.contains(&"503 first-aid-2026".to_owned()),
        "{options:?}"
    );
    assert_eq!(stage.choice(104).await, 503);
}

#[tokio::test]
async fn group_ids_as_text_are_the_same_groups() {
    let stage = Stage::open().await;
    stage.run(SYNC_GROUPS, Value::Null).await;
    let before = stage.groups().await;
    let rows = stage.rows("accredible-credential-groups").await;
    let listed: Vec<Value> = rows
        .iter()
        .map(|row| json!({ "id": row["group_id"].to_string(), "name": row["name"] }))
        .collect();
    let page = json!({
        "groups": listed,
        "meta": { "current_page": 1, "next_page": null, "total_pages": 1, "total_count": "7" },
    });
    let rule = json!({ "path": SEARCH, "kind": answer(page) });
    stage.fault("accredible", rule).await;
    let job = stage.run(SYNC_GROUPS, Value::Null).await;
    assert_eq!(job.status, "succeeded", "{job:?}");
    assert_eq!(stage.groups().await, before);
}

fn mapping() -> Value {
    json!({ "credential_group_id": "2004", "learning_plan_id": "LP-SEC" })
}

fn answer(body: Value) -> Value {
    json!({ "answer_after": { "code": 200, "body": body } })
}

fn html() -> Value {
    let headers = json!({ "content-type": "text/html" });
    json!({ "answer_after": { "code": 200, "headers": headers, "body": "<html>Maintenance</html>" } })
}
