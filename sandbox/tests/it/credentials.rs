//! Accredible: credentials created, changed, refused, one by one and in bulk.

use serde_json::{Value, json};

use crate::harness::Rig;

fn credential(group: i64, email: &str) -> Value {
    json!({ "credential": {
        "group_id": group, "recipient": { "name": "Someone", "email": email },
    } })
}

#[tokio::test]
async fn one_credential_per_email_unless_the_group_allows_more() {
    let rig = Rig::start().await;
    let create = |group| {
        rig.accredible(
            "POST",
            "/v1/credentials",
            credential(group, "a@example.com"),
        )
    };
    let (status, made) = create(2001).await;
    assert_eq!(
        (status, &made["credential"]["approve"]),
        (200, &json!(true))
    );
    assert!(made["credential"]["id"].is_string(), "{made}");
    let (status, refused) = create(2001).await;
    assert_eq!(status, 422);
    let message = refused["errors"]["recipient.email"][0].as_str().unwrap();
    assert!(message.starts_with("has already been taken"), "{message}");
    assert_eq!((create(2007).await.0, create(2007).await.0), (200, 200));
    // The vendor compares letters as they are written; callers must lower them first.
    let (status, _) = rig
        .accredible("POST", "/v1/credentials", credential(2001, "A@example.com"))
        .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_custom_id_becomes_the_license_id_and_is_taken_once() {
    let rig = Rig::start().await;
    let mut body = credential(2001, "a@example.com");
    body["credential"]["id"] = json!("docebo-1");
    body["credential"]["expired_on"] = json!("31/12/2027");
    assert_eq!(
        rig.accredible("POST", "/v1/credentials", body.clone())
            .await
            .0,
        200
    );
    body["credential"]["recipient"]["email"] = json!("b@example.com");
    let (status, refused) = rig.accredible("POST", "/v1/credentials", body).await;
    assert_eq!(
        (status, &refused["errors"]["id"][0]),
        (422, &json!("has already been taken"))
    );

    let path = "/v1/credentials/docebo-1";
    let (_, got) = rig.accredible("GET", path, Value::Null).await;
    assert_eq!(got["credential"]["expired_on"], "2027-12-31");
    rig.advance("1d").await;
    let change = json!({ "credential": { "meta_data": { "origin": "docebo" } } });
    let (_, put) = rig.accredible("PUT", path, change).await;
    assert_eq!(put["credential"]["recipient"]["email"], "a@example.com");
    let query = json!({ "query": { "license_id": "docebo-1" } });
    let (_, found) = rig
        .accredible("POST", "/v2/credentials/search", query)
        .await;
    let row = &found["credentials"][0];
    assert!(
        row["updated_at"].as_str() > row["created_at"].as_str(),
        "{row}"
    );
    assert!(row["id"].is_i64() && row["url"].is_null(), "{row}");
    assert_eq!(rig.accredible("DELETE", path, Value::Null).await.0, 200);
    assert_eq!(rig.accredible("GET", path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn bodies_that_are_wrong_are_refused_in_the_vendors_words() {
    let rig = Rig::start().await;
    let mut no_day = credential(2001, "a@example.com");
    no_day["credential"]["issued_on"] = json!("yesterday");
    let cases = [
        (
            json!({ "credential": { "group_id": 2001 } }),
            json!("Can not create credential without recipient data"),
        ),
        (credential(9_999, "a@example.com"), json!("Invalid Group")),
        (credential(2006, "a@example.com"), json!("Invalid Group")),
        (
            credential(2001, ""),
            json!({ "recipient.email": ["can't be blank"] }),
        ),
        (no_day, json!({ "issued_on": ["is invalid"] })),
    ];
    for (body, errors) in cases {
        let (status, refused) = rig.accredible("POST", "/v1/credentials", body).await;
        assert_eq!((status, &refused["errors"]), (422, &errors));
    }
}

#[tokio::test]
async fn without_credits_nothing_is_published() {
    let rig = Rig::start().await;
    let accredible = rig.sandbox.accredible_url.clone();
    rig.control(&accredible, "actions/set_credits", json!({ "credits": 1 }))
        .await;
    let create = |email| rig.accredible("POST", "/v1/credentials", credential(2001, email));
    assert_eq!(
        create("a@example.com").await.1["credential"]["approve"],
        true
    );
    let (status, body) = create("b@example.com").await;
    assert_eq!(
        (status, &body["credential"]["approve"]),
        (200, &json!(false))
    );
    let rows = json!({ "credentials": [credential(2001, "c@example.com")["credential"]] });
    let (status, body) = rig
        .accredible("POST", "/v2/credentials/bulk_create", rows)
        .await;
    assert_eq!(
        (status, &body["results"][0]["errors"]["code"]),
        (422, &json!("insufficient_credits"))
    );
    let (_, issuer) = rig
        .accredible("GET", "/v1/issuer/details", Value::Null)
        .await;
    assert_eq!(issuer["issuer"]["certificate_left"], 0);
}

#[tokio::test]
async fn bulk_answers_row_by_row_in_v2() {
    let rig = Rig::start().await;
    let row = |email: &str| credential(2001, email)["credential"].clone();
    let rows = json!({ "credentials": [row("a@example.com"), row("a@example.com")] });
    let (status, body) = rig
        .accredible("POST", "/v2/credentials/bulk_create", rows)
        .await;
    assert_eq!(status, 207);
    assert_eq!(
        body["results"][0]["credential"]["recipient"]["email"],
        "a@example.com"
    );
    let error = &body["results"][1]["errors"];
    assert_eq!(error["code"], "credential_invalid");
    assert_eq!(error["details"][0]["property"], "recipient.email");
    let rows = json!({ "credentials": [row("b@example.com")] });
    let (_, body) = rig
        .accredible("POST", "/v1/credentials/bulk_create", rows)
        .await;
    assert!(
        body[0]["credential"]["custom_attibutes"].is_object(),
        "{body}"
    );
}
