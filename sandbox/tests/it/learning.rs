//! Docebo: what is written there, and what follows from it: fields, batches, the race of learning
//! plans, awards.

use serde_json::{Value, json};

use crate::harness::Rig;

#[tokio::test]
async fn dropdown_options_come_and_go_and_take_values_with_them() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let fields = rig
        .data(
            &token,
            "/learn/v1/courses/field?association=coursepath&no_pagination=1",
        )
        .await;
    assert_eq!(fields["items"][0]["name"]["value"], "Accredible credential");
    let changes = json!({ "dropdown_options": {
        "new": [{ "translations": { "english": "fire-warden" } }],
        "deleted": [{ "id_option": 501 }],
    } });
    let (status, body) = rig
        .docebo(&token, "PUT", "/learn/v1/courses/field/12", changes)
        .await;
    assert_eq!(status, 200, "{body}");
    let field = rig.data(&token, "/learn/v1/courses/field/12").await;
    let options = field["dropdown_options"].as_array().unwrap();
    assert_eq!(
        options.last().unwrap()["translations"]["english"],
        "fire-warden"
    );
    assert_eq!(options.last().unwrap()["id"], 513);
    let course = rig.data(&token, "/learn/v1/courses/101").await;
    assert_eq!(course["additional_fields"][1]["value"], Value::Null);

    let create = json!({ "association": "course", "type": "dropdown",
        "translations": { "english": "Badge" }, "dropdown_options": [] });
    let (_, made) = rig
        .docebo(&token, "POST", "/learn/v1/courses/field", create.clone())
        .await;
    assert_eq!(made["data"]["id"], 14);
    assert_eq!(
        rig.docebo(&token, "POST", "/learn/v1/courses/field", create)
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn a_batch_answers_row_by_row_and_must_not_overlap() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let items = json!({ "items": [
        { "user_id": 4, "course_code": "DP-101", "status": "completed", "batch_item_id": "a",
          "completion_date": "2026-02-02 10:00:00" },
        { "username": "nobody", "course_id": 101, "batch_item_id": "b" },
        { "user_id": 4, "course_id": 101, "status": "dreaming" },
    ] });
    let path = "/learn/v1/enrollment/batch";
    let (status, body) = rig.docebo(&token, "POST", path, items.clone()).await;
    assert_eq!(status, 200);
    let rows = body["data"].as_array().unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| row["success"].as_bool().unwrap())
        .collect();
    assert_eq!(told, [true, false, false]);
    assert_eq!(rows[0]["batch_item_id"], "a");
    assert_eq!(rows[1]["message"], "User nobody not found");

    let docebo = rig.sandbox.docebo_url.clone();
    assert_eq!(rig.look(&docebo, "violations").await["overlaps"], 0);
    let long = json!({ "exclusive_write_ms": 600_000, "overlap_is_500": true });
    rig.control(&docebo, "quirks", long).await;
    let second = async {
        // The first call is under way for ten minutes; the second comes once it has begun.
        while rig.look(&docebo, "violations").await["classes"]["batch"]["in_flight"] != 1 {}
        rig.docebo(&token, "POST", path, items.clone()).await
    };
    tokio::select! {
        _ = rig.docebo(&token, "POST", path, items.clone()) => panic!("the first should be late"),
        (status, _) = second => assert_eq!(status, 500),
    }
    let seen = rig.look(&docebo, "violations").await;
    assert_eq!(seen["overlaps"], 1);
    assert_eq!(seen["classes"]["batch"]["in_flight_max"], 2);
}

#[tokio::test]
async fn a_plan_notices_a_completion_late() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let docebo = rig.sandbox.docebo_url.clone();
    rig.control(&docebo, "quirks", json!({ "plan_recompute_s": 300 }))
        .await;
    let completed = json!({ "username": "ada", "course_code": "DP-101" });
    let told = rig
        .control(&docebo, "actions/complete_course", completed)
        .await;
    assert_eq!(told["completed_learning_plans"], json!([]));

    let path = "/learningplan/v1/learningplans/enrollments?learning_plan_id[]=201&user_id[]=2";
    let bare = rig.data(&token, path).await;
    assert_eq!(bare["items"][0]["enrollment_status"], Value::Null);
    let asked = format!("{path}&extra_fields[]=enrollment_status");
    assert_eq!(
        rig.data(&token, &asked).await["items"][0]["enrollment_status"],
        "in_progress"
    );
    rig.advance("299s").await;
    assert_eq!(
        rig.data(&token, &asked).await["items"][0]["enrollment_status"],
        "in_progress"
    );
    rig.advance("1s").await;
    assert_eq!(
        rig.data(&token, &asked).await["items"][0]["enrollment_status"],
        "completed"
    );
}

#[tokio::test]
async fn awards_and_external_training_need_their_features() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let docebo = rig.sandbox.docebo_url.clone();
    let path = "/certification/v1/certifications/303/awards";
    let award = json!({ "user_ids": [2, 999], "issued_on": "2026-02-01",
        "association": { "type": "external", "source_id": 1, "link": "https://example.com/c" } });
    let (_, body) = rig.docebo(&token, "POST", path, award.clone()).await;
    let id = body["data"]["awarded"][0]["id"].as_i64().unwrap();
    assert_eq!(body["data"]["errors"][0]["user_id"], 999);
    let held = rig.data(&token, "/certification/v1/awards/users/2").await;
    assert_eq!(held["items"][0]["association"]["source_name"], "Accredible");
    rig.docebo(
        &token,
        "DELETE",
        &format!("/certification/v1/awards/{id}"),
        Value::Null,
    )
    .await;
    let held = rig.data(&token, "/certification/v1/awards/users/2").await;
    assert_eq!(held["items"][0]["status"], "archived");

    let training = json!({ "user_id": 2, "course_name": "First Aid", "to_date": "2026-02-01",
        "training_institute": "Accredible" });
    let trainings = "/learn/v1/external_training";
    let (_, made) = rig
        .docebo(&token, "POST", trainings, training.clone())
        .await;
    assert_eq!(made["data"]["id"], 1);
    assert_eq!(
        rig.data(&token, &format!("{trainings}?user_id[]=2")).await["count"],
        1
    );

    let off = json!({ "external_certifications": false, "external_training": false });
    rig.control(&docebo, "quirks", off).await;
    assert_eq!(rig.docebo(&token, "POST", path, award).await.0, 403);
    assert_eq!(rig.docebo(&token, "POST", trainings, training).await.0, 403);
}
