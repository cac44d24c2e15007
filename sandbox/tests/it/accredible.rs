//! Accredible: keys, groups, both searches and budgets.

use serde_json::{Value, json};

use crate::harness::{Rig, reply};

async fn search(rig: &Rig, query: Value) -> Value {
    let body = json!({ "query": query });
    let (status, body) = rig.accredible("POST", "/v2/credentials/search", body).await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test]
async fn a_key_has_three_spellings_and_a_wrong_one_gets_plain_text() {
    let rig = Rig::start().await;
    let url = format!("{}/v1/issuer/details", rig.sandbox.accredible_url);
    for value in [
        "Token token=accredible-key",
        "Token token=\"accredible-key\"",
        "Token accredible-key",
    ] {
        let (status, body) = reply(rig.client.get(&url).header("authorization", value)).await;
        assert_eq!(
            (status, &body["issuer"]["id"]),
            (200, &json!(77)),
            "{value}"
        );
    }
    let wrong = rig
        .client
        .get(&url)
        .header("authorization", "Token token=wrong");
    assert_eq!(
        reply(wrong).await,
        (401, json!("HTTP Token: Access denied.\n"))
    );
    let bearer = rig.client.get(&url).bearer_auth("accredible-key");
    assert_eq!(reply(bearer).await.0, 401);
}

#[tokio::test]
async fn a_department_key_sees_its_own_groups() {
    let rig = Rig::start().await;
    let url = format!("{}/v1/issuer/groups/search", rig.sandbox.accredible_url);
    let request = rig
        .client
        .post(url)
        .header("authorization", "Token accredible-sales-key");
    let (_, body) = reply(request.json(&json!({}))).await;
    assert_eq!(body["meta"]["total_count"], 1);
    assert_eq!(body["groups"][0]["name"], "sales-onboarding");
}

#[tokio::test]
async fn groups_page_and_hide_or_flag_the_archived() {
    let rig = Rig::start().await;
    let accredible = rig.sandbox.accredible_url.clone();
    let page = json!({ "page_size": 3, "page": 2 });
    let (_, body) = rig
        .accredible("POST", "/v1/issuer/groups/search", page)
        .await;
    let meta = json!({ "current_page": 2, "next_page": 3, "prev_page": 1, "total_pages": 3,
        "total_count": 7 });
    assert_eq!(body["meta"], meta);
    let none = json!({ "name": "no such group" });
    let (_, body) = rig
        .accredible("POST", "/v1/issuer/groups/search", none)
        .await;
    assert_eq!(
        (&body["meta"]["total_pages"], &body["meta"]["total_count"]),
        (&json!(1), &json!(0))
    );

    let (status, body) = rig
        .accredible("GET", "/v1/issuer/groups/2006", Value::Null)
        .await;
    assert_eq!((status, &body["group"]["archived"]), (200, &Value::Null));
    rig.control(&accredible, "quirks", json!({ "archived_mode": "flag" }))
        .await;
    let (_, body) = rig
        .accredible("GET", "/v1/issuer/all_groups?name=fire", Value::Null)
        .await;
    assert_eq!(body["groups"][0]["archived"], true);

    rig.control(
        &accredible,
        "actions/delete_group",
        json!({ "group_id": 2006 }),
    )
    .await;
    let get = || rig.accredible("GET", "/v1/issuer/groups/2006", Value::Null);
    assert_eq!(get().await, (404, json!({ "errors": "Doesn't exist" })));
    assert_eq!(
        get().await,
        (
            404,
            json!({ "success": false, "data": "Group does not exist" })
        )
    );
}

#[tokio::test]
async fn groups_are_created_changed_and_refused() {
    let rig = Rig::start().await;
    let groups = "/v1/issuer/groups";
    let (status, body) = rig
        .accredible("POST", groups, json!({ "group": { "name": "x" } }))
        .await;
    let blank = json!(["can't be blank"]);
    let errors = json!({ "course_name": blank, "course_description": blank });
    assert_eq!((status, &body["errors"]), (422, &errors));
    let group = json!({ "group": { "name": "x", "course_name": "X", "course_description": "X.",
        "language": "de" } });
    let (_, made) = rig.accredible("POST", groups, group).await;
    let path = format!("{groups}/{}", made["group"]["id"]);
    let change = json!({ "group": { "course_name": "Y" } });
    let (_, changed) = rig.accredible("PUT", &path, change).await;
    assert_eq!(
        (
            &changed["group"]["course_name"],
            &changed["group"]["language"]
        ),
        (&json!("Y"), &json!("de"))
    );
    assert_eq!(rig.accredible("DELETE", &path, Value::Null).await.0, 200);
    assert_eq!(rig.accredible("GET", &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn the_search_of_v2_knows_its_operators_and_no_others() {
    let rig = Rig::start().await;
    let counts = [
        (json!({}), 3),
        (json!({ "group.id": 2001 }), 1),
        (json!({ "group.id[in]": [2001, 2002] }), 2),
        (json!({ "recipient_email": "grace.hopper@example.com" }), 1),
        (json!({ "recipient_email": "Grace.Hopper@example.com" }), 0),
        (json!({ "issued_on[gte]": "2026-01-20" }), 2),
        (json!({ "issued_on[gt]": "2026-01-20", "approve": true }), 1),
        (json!({ "expired_on[lte]": "2028-02-03" }), 1),
        (json!({ "meta_data": { "origin": "docebo" } }), 1),
    ];
    for (query, count) in counts {
        let found = search(&rig, query.clone()).await;
        assert_eq!(found["meta"]["count"], count, "{query}");
    }
    let bad = [
        json!({ "query": { "colour": "red" } }),
        json!({ "query": { "recipient_email[like]": "a" } }),
        json!({ "query": { "approve[in]": [true] } }),
        json!({ "query": { "recipient_email": ["a"] } }),
        json!({ "query": {}, "sort": { "id": "increasing" } }),
        json!({ "query": {}, "sort": { "colour": "asc" } }),
        json!({ "query": {}, "page": { "from": 9_990, "size": 11 } }),
        json!({ "query": {}, "page": { "from": 1, "cursor": "W10=" } }),
        json!({ "query": {}, "page": { "cursor": "nonsense" } }),
        json!({ "page": {} }),
    ];
    for body in bad {
        let (status, refused) = rig
            .accredible("POST", "/v2/credentials/search", body.clone())
            .await;
        assert_eq!(
            (status, &refused["status"]),
            (400, &json!("invalid_search_query")),
            "{body}"
        );
    }
    let body = json!({ "query": {}, "sort": { "id": "increasing" } });
    let (_, refused) = rig.accredible("POST", "/v2/credentials/search", body).await;
    assert_eq!(refused["message"], "Sort order increasing is not supported");
}

#[tokio::test]
async fn a_cursor_walks_through_all_in_the_sorted_order() {
    let rig = Rig::start().await;
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let mut body =
            json!({ "query": {}, "sort": { "issued_on": "desc" }, "page": { "size": 2 } });
        if !cursor.is_null() {
            body["page"]["cursor"] = cursor;
        }
        let (_, found) = rig.accredible("POST", "/v2/credentials/search", body).await;
        let rows = found["credentials"].as_array().unwrap();
        seen.extend(
            rows.iter()
                .map(|row| row["issued_on"].as_str().unwrap().to_owned()),
        );
        cursor = found["meta"]["cursor"].clone();
        if cursor.is_null() {
            break;
        }
        // A row that sorts in front does not come back through the cursor.
        let late = json!({ "group_id": 2007, "issued_on": "2026-09-09",
            "recipient": { "name": "Late", "email": "late@example.com" } });
        rig.control(
            &rig.sandbox.accredible_url,
            "actions/issue_credential",
            late,
        )
        .await;
    }
    assert_eq!(seen, ["2026-02-03", "2026-01-20", "2025-12-12"]);
}

#[tokio::test]
async fn the_old_lists_take_flat_and_dotted_names() {
    let rig = Rig::start().await;
    let path = "/v1/all_credentials?email=grace.hopper@example.com&start_date=2025-12-12";
    let (_, body) = rig.accredible("GET", path, Value::Null).await;
    let row = &body["credentials"][0];
    assert_eq!(row["recipient"]["name"], "Grace Hopper");
    assert!(
        row["id"].is_i64() && row["url"].is_null() && row["group_id"].is_null(),
        "{row}"
    );
    assert_eq!(body["meta"]["total_count"], 1);
    let dotted = json!({ "group_id": 2001, "recipient.email": "grace.hopper@example.com" });
    let (_, body) = rig
        .accredible("POST", "/v1/credentials/search", dotted)
        .await;
    assert_eq!(body["meta"]["total_count"], 1);
}

#[tokio::test]
async fn windows_fill_and_empty_by_the_clock() {
    let rig = Rig::start().await;
    let accredible = rig.sandbox.accredible_url.clone();
    let quirks = json!({ "requests_per_5_min": 30, "v1_searches_per_min": 1 });
    rig.control(&accredible, "quirks", quirks).await;
    rig.control(
        &accredible,
        "clock",
        json!({ "now": "2026-03-01 00:00:00" }),
    )
    .await;
    let search = || rig.accredible("POST", "/v1/credentials/search", json!({}));
    let details = || rig.accredible("GET", "/v1/issuer/details", Value::Null);
    assert_eq!((search().await.0, search().await.0), (200, 429));
    assert_eq!((details().await.0, details().await.0), (200, 429));
    rig.advance("30s").await;
    assert_eq!(details().await.0, 200);
    assert_eq!(search().await.0, 429);
    rig.advance("30s").await;
    assert_eq!(search().await.0, 200);
    let seen = rig.look(&accredible, "violations").await;
    assert_eq!(seen["refused_429"], 3);
}
