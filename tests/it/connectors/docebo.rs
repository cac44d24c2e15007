//! Docebo: users, courses, enrolments, fields, certifications, trainings.

use recipe_engine::interpret::Called;
use serde_json::{Value, json};

use super::world::{World, ids};

#[tokio::test]
async fn every_action_works() {
    let world = World::new().await;
    read_all(&world).await;
    read_certifications(&world).await;
    write_fields(&world).await;
    write_awards_and_trainings(&world).await;
    write_enrollments(&world).await;
    // The stand-in has no batches of users and branches.
    world.all_used("docebo", &["upsert_users", "upsert_branches"]);
    world.sandbox.stop().await;
}

async fn read_all(world: &World) {
    assert_eq!(
        world.call("docebo.session", json!({})).await["level"],
        "godadmin"
    );
    let ada = world.call("docebo.get_user", json!({ "user_id": 2 })).await;
    assert_eq!(ada["found"], true);
    assert_eq!(ada["email"], "Ada.Lovelace@Example.com");
    let nobody = world
        .call("docebo.get_user", json!({ "user_id": 999 }))
        .await;
    assert_eq!(nobody, json!({ "found": false }));
    let users = world.call("docebo.list_users", json!({})).await;
    assert_eq!(ids(&users, "user_id"), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let found = world
        .call("docebo.list_users", json!({ "search": "ada" }))
        .await;
    assert_eq!(ids(&found, "user_id"), [2]);
    let courses = world.call("docebo.list_courses", json!({})).await;
    assert_eq!(ids(&courses, "course_id"), [101, 102, 103, 104, 105, 106]);
    let course = world
        .call("docebo.get_course", json!({ "course_id": 101 }))
        .await;
    assert_eq!(
        course["learning_plans"][0],
        json!({ "learning_plan_id": 201 })
    );
    assert_eq!(course["additional_fields"][1]["value"], "501");
    let done = json!({ "course_ids": [101], "statuses": ["completed"] });
    let done = world.call("docebo.list_enrollments", done).await;
    assert_eq!(ids(&done, "user_id"), [3]);
    assert_eq!(done["items"][0]["completed_on"], "2025-12-12");
    let page = json!({ "course_id": 101 });
    let page = world.call("docebo.get_enrollments_page", page).await;
    assert_eq!(page["has_more"], false);
    assert_eq!(page["enrollments"].as_array().map(Vec::len), Some(5));
    let fields = json!({ "association": "course" });
    let fields = world.call("docebo.list_fields", fields).await;
    assert_eq!(fields["fields"][1]["name"], "Accredible credential");
    let field = world
        .call("docebo.get_field", json!({ "field_id": 12 }))
        .await;
    assert_eq!(
        field["elements"][0],
        json!({ "element_id": 501, "label": "data-protection-basics" })
    );
    let plan = world
        .call(
            "docebo.get_learning_plan",
            json!({ "learning_plan_id": 201 }),
        )
        .await;
    assert_eq!(plan["name"], "Security Champion");
    let plans = world.call("docebo.list_learning_plans", json!({})).await;
    assert_eq!(ids(&plans, "learning_plan_id"), [201, 202, 203]);
    assert_eq!(plans["items"][0]["code"], "LP-SEC");
    let plans = json!({ "user_ids": [2] });
    let plans = world
        .call("docebo.list_learning_plan_enrollments", plans)
        .await;
    assert_eq!(plans["items"][0]["status"], "in_progress");
}

async fn read_certifications(world: &World) {
    let kinds = world.call("docebo.list_certifications", json!({})).await;
    assert_eq!(ids(&kinds, "certification_id"), [301, 302, 303]);
    let awards = json!({ "certification_id": 301 });
    let awards = world.call("docebo.list_certification_awards", awards).await;
    assert_eq!(ids(&awards, "award_id"), [401]);
    let awards = world
        .call("docebo.list_user_awards", json!({ "user_id": 7 }))
        .await;
    assert_eq!(ids(&awards, "certification_id"), [301]);
}

async fn write_fields(world: &World) {
    let field = json!({ "association": "course", "name": "Badge" });
    world.call("docebo.create_field", field).await;
    let fields = world
        .call("docebo.list_fields", json!({ "association": "course" }))
        .await;
    let made = fields["fields"]
        .as_array()
        .expect("fields")
        .last()
        .expect("a field")
        .clone();
    assert_eq!(made["name"], "Badge");
    let id = made["field_id"].clone();
    let labels = json!({ "field_id": id, "labels": ["one", "two"] });
    world.call("docebo.add_field_elements", labels).await;
    let elements = world
        .call("docebo.get_field", json!({ "field_id": id }))
        .await;
    let (one, two) = (
        &elements["elements"][0]["element_id"],
        &elements["elements"][1]["element_id"],
    );
    let renamed = json!({ "field_id": id, "element_id": one, "label": "first" });
    world.call("docebo.rename_field_element", renamed).await;
    let removed = json!({ "field_id": id, "element_ids": [two] });
    world.call("docebo.remove_field_elements", removed).await;
    let elements = world
        .call("docebo.get_field", json!({ "field_id": id }))
        .await;
    assert_eq!(
        elements["elements"],
        json!([{ "element_id": one, "label": "first" }])
    );
}

async fn write_awards_and_trainings(world: &World) {
    let award = json!({
        "certification_id": 303, "user_id": 2, "issued_on": "2026-02-01",
        "link": "https://www.credential.net/1",
    });
    world
        .call("docebo.award_certification", award.clone())
        .await;
    let awards = world
        .call("docebo.list_user_awards", json!({ "user_id": 2 }))
        .await;
    assert_eq!(awards["items"][0]["issued_on"], "2026-02-01");
    let changed = json!({
        "award_id": awards["items"][0]["award_id"], "issued_on": "2026-02-02",
        "expires_on": "2027-02-02",
    });
    world.call("docebo.update_award", changed).await;
    let awards = world
        .call("docebo.list_user_awards", json!({ "user_id": 2 }))
        .await;
    assert_eq!(awards["items"][0]["expires_on"], "2027-02-02");

    let training = json!({
        "user_id": 2, "course_name": "Welding", "institute": "Accredible", "ended_on": "2026-01-05",
    });
    let made = world
        .call("docebo.create_external_training", training)
        .await;
    let changed = json!({
        "external_training_id": made["external_training_id"], "course_name": "Welding II",
        "institute": "Accredible", "ended_on": "2026-01-06",
    });
    world.call("docebo.update_external_training", changed).await;
    let trainings = json!({ "user_id": 2 });
    let trainings = world
        .call("docebo.list_external_trainings", trainings)
        .await;
    assert_eq!(trainings["items"][0]["course_name"], "Welding II");
}

async fn write_enrollments(world: &World) {
    let batch = json!({ "items": [
        { "course_id": 105, "user_id": 2, "status": "completed" },
        { "course_id": 999, "user_id": 2 },
    ] });
    let rows = world.call("docebo.upsert_enrollments", batch).await;
    assert_eq!(rows["succeeded"][0]["index"], 0);
    assert_eq!(rows["failed"][0]["index"], 1);
}

#[tokio::test]
async fn long_listings_come_whole() {
    let world = World::new().await;
    let users: Vec<Value> = (100..650)
        .map(|id| json!({ "id": id, "username": format!("u{id}"), "email": "x@example.com" }))
        .collect();
    world.order("docebo", "state/users", json!(users)).await;
    let listed = world.call("docebo.list_users", json!({})).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(559));
    world.sandbox.stop().await;
}

#[tokio::test]
async fn batches_never_overlap() {
    let world = World::new().await;
    let slow = json!({ "exclusive_write_ms": 5 });
    world.order("docebo", "quirks", slow).await;
    let batch = json!({ "items": [{ "course_id": 105, "user_id": 2, "status": "in_progress" }] });
    let calls = (0..8).map(|_| world.try_call("docebo.upsert_enrollments", batch.clone()));
    for called in futures_util::future::join_all(calls).await {
        assert!(matches!(called, Called::Done { .. }), "{called:?}");
    }
    let violations = world.control("docebo", "violations").await;
    assert_eq!(violations["overlaps"], 0, "{violations}");
    world.sandbox.stop().await;
}

#[tokio::test]
async fn a_token_that_ended_early_is_replaced() {
    let world = World::new().await;
    world.call("docebo.session", json!({})).await;
    // The stand-in's clock runs ahead of ours, so that its tokens end before we expect it.
    world
        .order("docebo", "clock", json!({ "advance": "2h" }))
        .await;
    world.call("docebo.session", json!({})).await;
    let tokens = world.control("docebo", "requests?path=/oauth2/token").await;
    assert_eq!(tokens["count"], 2, "{tokens}");
    world.sandbox.stop().await;
}
