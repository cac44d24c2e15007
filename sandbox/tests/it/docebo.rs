//! Docebo: sign-in, lists, errors and budgets.

use serde_json::{Value, json};

use crate::harness::{Rig, reply};

#[tokio::test]
async fn a_token_ends_and_a_refresh_token_works_once() {
    let rig = Rig::start().await;
    let password = [
        ("grant_type", "password"),
        ("client_id", "recipe-engine"),
        ("client_secret", "docebo-secret"),
        ("username", "service.connect"),
        ("password", "docebo-password"),
    ];
    let (status, first) = rig.sign_in(&password).await;
    assert_eq!((status, &first["expires_in"]), (200, &json!(3600)));
    let token = first["access_token"].as_str().unwrap();
    assert_eq!(token.len(), 40);
    let session = rig.data(token, "/manage/v1/user/session").await;
    assert_eq!(session["username"], "service.connect");

    rig.advance("59m").await;
    rig.data(token, "/manage/v1/user/session").await;
    rig.advance("1m").await;
    let (status, body) = rig
        .docebo(token, "GET", "/manage/v1/user/session", Value::Null)
        .await;
    assert_eq!(
        (status, &body["status"], &body["name"]),
        (401, &json!(401), &json!("Unauthorized"))
    );
    assert!(
        body["message"].is_array() && body["code"].is_i64(),
        "{body}"
    );

    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", "recipe-engine"),
        ("client_secret", "docebo-secret"),
        ("refresh_token", first["refresh_token"].as_str().unwrap()),
    ];
    let (status, second) = rig.sign_in(&refresh).await;
    assert_eq!(status, 200);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    rig.data(
        second["access_token"].as_str().unwrap(),
        "/manage/v1/user/session",
    )
    .await;
    let (status, again) = rig.sign_in(&refresh).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn sign_in_takes_three_encodings_and_refuses_in_words_of_rfc_6749() {
    let rig = Rig::start().await;
    let url = format!("{}/oauth2/token", rig.sandbox.docebo_url);
    let fields = json!({
        "grant_type": "client_credentials", "client_id": "recipe-engine",
        "client_secret": "docebo-secret",
    });
    assert_eq!(reply(rig.client.post(&url).json(&fields)).await.0, 200);
    let part = |(name, value): (&String, &Value)| {
        let value = value.as_str().unwrap();
        format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body: String = fields.as_object().unwrap().iter().map(part).collect();
    let request = rig
        .client
        .post(&url)
        .header("content-type", "multipart/form-data; boundary=X");
    assert_eq!(reply(request.body(body + "--X--\r\n")).await.0, 200);

    let cases = [
        (
            ("recipe-engine", "wrong", "client_credentials"),
            (401, "invalid_client"),
        ),
        (
            ("nobody", "docebo-secret", "client_credentials"),
            (401, "invalid_client"),
        ),
        (
            ("unbound", "unbound-secret", "client_credentials"),
            (400, "invalid_grant"),
        ),
        (
            ("recipe-engine", "docebo-secret", "password"),
            (400, "invalid_grant"),
        ),
        (
            ("recipe-engine", "docebo-secret", "magic"),
            (400, "unsupported_grant_type"),
        ),
    ];
    for ((client, secret, grant), (status, error)) in cases {
        let form = [
            ("grant_type", grant),
            ("client_id", client),
            ("client_secret", secret),
        ];
        let (got, body) = rig.sign_in(&form).await;
        assert_eq!(
            (got, body["error"].as_str()),
            (status, Some(error)),
            "{client} {grant}"
        );
    }
}

#[tokio::test]
async fn a_plain_user_may_not_read_the_platform() {
    let rig = Rig::start().await;
    let form = [
        ("grant_type", "password"),
        ("client_id", "recipe-engine"),
        ("client_secret", "docebo-secret"),
        ("username", "ada"),
        ("password", "ada-password"),
    ];
    let token = rig.sign_in(&form).await.1["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    rig.data(&token, "/manage/v1/user/session").await;
    let (status, body) = rig
        .docebo(&token, "GET", "/manage/v1/user", Value::Null)
        .await;
    assert_eq!((status, &body["name"]), (403, &json!("Forbidden")));
}

#[tokio::test]
async fn users_have_string_ids_and_are_found_by_email_in_any_case() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let path = "/manage/v1/user?search_text=ada.lovelace@example.com&match_type=full";
    let found = rig.data(&token, path).await;
    assert_eq!(found["count"], 1);
    assert_eq!(found["items"][0]["user_id"], "2");
    assert_eq!(found["items"][0]["email"], "Ada.Lovelace@Example.com");
    let path = "/manage/v1/user?search_text=desk@partner.example&match_type=full";
    assert_eq!(rig.data(&token, path).await["count"], 2);
    let one = rig.data(&token, "/manage/v1/user/2").await;
    assert_eq!(one["user_data"]["user_id"], "2");
    let (status, body) = rig
        .docebo(&token, "GET", "/manage/v1/user/999", Value::Null)
        .await;
    assert_eq!((status, &body["status"]), (404, &json!(404)));
}

#[tokio::test]
async fn pages_are_clamped_and_a_cursor_keeps_its_list() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let docebo = rig.sandbox.docebo_url.clone();
    let user = |n: i64| json!({ "id": n, "username": format!("learner{n}") });
    let users: Vec<Value> = (1_000..1_500).map(user).collect();
    rig.control(&docebo, "state/users", json!(users)).await;

    let base = "/manage/v1/user?page_size=5000&search_text=learner";
    let first = rig
        .data(&token, &format!("{base}&get_cursor=1&get_total_count=1"))
        .await;
    assert_eq!(first["current_page_size"], 200);
    assert_eq!(first["items"].as_array().unwrap().len(), 200);
    assert_eq!(
        (&first["total_count"], &first["total_page_count"]),
        (&json!(501), &json!(3))
    );
    let cursor = first["cursor"].as_str().unwrap();

    // Someone new in front of the list does not move the pages of the cursor.
    rig.control(
        &docebo,
        "state/users",
        json!({ "id": 900, "username": "learner900" }),
    )
    .await;
    let mut seen = 200;
    for page in 2..=3 {
        let data = rig
            .data(&token, &format!("{base}&cursor={cursor}&page={page}"))
            .await;
        seen += data["items"].as_array().unwrap().len();
        assert_eq!(data["has_more_data"], page < 3);
        assert_eq!(data["cursor"], cursor);
    }
    assert_eq!(seen, 501);

    let foreign = format!("/manage/v1/user?cursor={cursor}&page=2");
    let (status, body) = rig.docebo(&token, "GET", &foreign, Value::Null).await;
    assert_eq!(
        (status, &body["message"]),
        (400, &json!(["Invalid cursor"]))
    );
    let zero = rig.data(&token, "/manage/v1/user?page=0&page_size=1").await;
    assert_eq!(
        (&zero["current_page"], &zero["items"][0]["user_id"]),
        (&json!(1), &json!("1"))
    );
    assert_eq!(
        rig.data(&token, "/learn/v1/courses").await["current_page_size"],
        20
    );
}

#[tokio::test]
async fn the_three_enrollment_lists_name_things_differently() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let path = "/course/v1/courses/enrollments?course_id[]=101&course_id[1]=102&user_id[]=2\
                &enrollment_status[]=completed";
    let modern = rig.data(&token, path).await;
    assert_eq!(modern["count"], 1);
    assert_eq!(modern["items"][0]["course_id"], 102);
    assert_eq!(
        modern["items"][0]["enrollment_completion_date"],
        "2026-02-01 16:20:00"
    );
    let older = rig.data(&token, "/course/v1/courses/101/enrollments").await;
    assert_eq!(older["items"][0]["email"], "Ada.Lovelace@Example.com");
    let learn = rig
        .data(
            &token,
            "/learn/v1/enrollments?id_user[]=2&status[]=completed",
        )
        .await;
    assert_eq!(learn["items"][0]["id"], 102);
    assert_eq!(
        learn["items"][0]["course_complete_date"],
        "2026-02-01 16:20:00"
    );
}

#[tokio::test]
async fn courses_answer_their_plans_fields_and_sessions() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let course = rig.data(&token, "/learn/v1/courses/101").await;
    assert_eq!(
        course["learningplans"],
        json!([{ "id": 201 }, { "id": 203 }])
    );
    let field = &course["additional_fields"][1];
    assert_eq!(
        (&field["title"], &field["value"]),
        (&json!("Accredible credential"), &json!(501))
    );
    let docebo = rig.sandbox.docebo_url.clone();
    rig.control(&docebo, "quirks", json!({ "dropdown_value": "label" }))
        .await;
    let course = rig.data(&token, "/learn/v1/courses/101").await;
    assert_eq!(
        course["additional_fields"][1]["value"],
        "data-protection-basics"
    );

    let sessions = rig
        .data(&token, "/learn/v1/courses/104/classroom/session")
        .await;
    assert_eq!(sessions["sessions"][0]["id_session"], 1001);
    let (status, body) = rig
        .docebo(
            &token,
            "GET",
            "/course/v1/courses/101/sessions",
            Value::Null,
        )
        .await;
    assert_eq!(status, 400);
    assert!(
        body["message"]
            .to_string()
            .contains("does not have sessions"),
        "{body}"
    );
}

#[tokio::test]
async fn the_hourly_budget_is_a_bucket_that_refills() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let docebo = rig.sandbox.docebo_url.clone();
    let quirks = json!({ "calls_per_hour": 2, "retry_after": true, "message_shape": "string" });
    rig.control(&docebo, "quirks", quirks).await;
    let path = "/manage/v1/user/session";
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(rig.docebo(&token, "GET", path, Value::Null).await.0);
    }
    assert_eq!(statuses, [200, 200, 429]);
    rig.advance("30m").await;
    assert_eq!(rig.docebo(&token, "GET", path, Value::Null).await.0, 200);
    let (status, body) = rig.docebo(&token, "GET", path, Value::Null).await;
    assert_eq!(
        (status, &body["message"]),
        (429, &json!("Rate limit exceeded"))
    );
}

#[tokio::test]
async fn unknown_addresses_and_bodies_are_answered_in_the_vendors_shape() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let (status, body) = rig
        .docebo(&token, "GET", "/nothing/v1/here", Value::Null)
        .await;
    assert_eq!((status, &body["status"]), (404, &json!(404)));
    let url = format!("{}/learn/v1/enrollment/batch", rig.sandbox.docebo_url);
    let request = rig.client.post(url).bearer_auth(&token).body("{not json");
    let (status, body) = reply(request).await;
    assert_eq!((status, &body["name"]), (400, &json!("Bad Request")));
    let routes = rig.look(&rig.sandbox.docebo_url, "routes").await;
    let batch = routes["routes"].as_array().unwrap().iter();
    let mut batch = batch.filter(|route| route["path"] == "/learn/v1/enrollment/batch");
    assert_eq!(batch.next().unwrap()["provenance"], "found");
}
