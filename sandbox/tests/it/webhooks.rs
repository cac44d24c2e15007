//! Webhooks: grouping, Basic auth, retries, duplicates, and the same delivery once more.

use base64::Engine;
use serde_json::{Value, json};

use crate::harness::{Receiver, Rig, reply};

async fn complete(rig: &Rig, user: i64, course: i64) {
    let input = json!({ "user_id": user, "course_id": course });
    rig.control(&rig.sandbox.docebo_url, "actions/complete_course", input)
        .await;
}

async fn register(rig: &Rig, receiver: &Receiver, more: Value) {
    let mut hook = json!({
        "url": receiver.url, "events": ["course.enrollment.completed"],
        "user": "docebo", "password": "hook-secret",
    });
    for (name, value) in more.as_object().unwrap() {
        hook[name] = value.clone();
    }
    rig.control(&rig.sandbox.docebo_url, "webhooks", hook).await;
}

async fn flush(rig: &Rig) -> Value {
    rig.control(&rig.sandbox.docebo_url, "webhooks/flush", Value::Null)
        .await
}

#[tokio::test]
async fn a_completion_is_told_once_with_basic_auth() {
    let rig = Rig::start().await;
    let receiver = Receiver::start(&[]).await;
    register(&rig, &receiver, json!({})).await;
    complete(&rig, 2, 101).await;
    flush(&rig).await;
    let bodies = receiver.bodies();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let body = &bodies[0];
    assert_eq!(body["event"], "course.enrollment.completed");
    assert_eq!(body["fired_by_batch_action"], false);
    assert_eq!(body["payload"]["user_id"], 2);
    assert_eq!(body["payload"]["course_id"], 101);
    assert_eq!(body["payload"]["status"], "completed");
    assert!(
        body["message_id"].as_str().unwrap().starts_with("wh-20"),
        "{body}"
    );
    let basic = base64::engine::general_purpose::STANDARD.encode("docebo:hook-secret");
    assert_eq!(
        receiver.headers()[0]["authorization"],
        format!("Basic {basic}")
    );
    let hooks = rig.look(&rig.sandbox.docebo_url, "webhooks").await;
    assert_eq!(hooks["items"][0]["password"], Value::Null);
}

#[tokio::test]
async fn a_batch_is_grouped_by_twenty_five() {
    let rig = Rig::start().await;
    let token = rig.token().await;
    let docebo = rig.sandbox.docebo_url.clone();
    let users: Vec<Value> = (100..130)
        .map(|n| json!({ "id": n, "username": format!("u{n}") }))
        .collect();
    rig.control(&docebo, "state/users", json!(users)).await;
    let receiver = Receiver::start(&[]).await;
    register(
        &rig,
        &receiver,
        json!({ "group": true, "window_ms": 60_000 }),
    )
    .await;
    let row = |n: i64| json!({ "user_id": n, "course_id": 101, "status": "completed" });
    let items: Vec<Value> = (100..130).map(row).collect();
    let batch = json!({ "items": items });
    rig.docebo(&token, "POST", "/learn/v1/enrollment/batch", batch)
        .await;
    flush(&rig).await;
    let bodies = receiver.bodies();
    let mut sizes: Vec<usize> = bodies
        .iter()
        .map(|body| body["payloads"].as_array().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 25]);
    assert!(
        bodies
            .iter()
            .all(|body| body["fired_by_batch_action"] == true)
    );
    assert_ne!(bodies[0]["message_id"], bodies[1]["message_id"]);
}

#[tokio::test]
async fn a_failure_is_tried_again_later_with_the_same_id_and_then_given_up() {
    let rig = Rig::start().await;
    let docebo = rig.sandbox.docebo_url.clone();
    let receiver = Receiver::start(&[500, 302, 500, 500]).await;
    register(
        &rig,
        &receiver,
        json!({ "attempts_max": 2, "backoff_s": 60 }),
    )
    .await;
    complete(&rig, 2, 101).await;
    assert_eq!(flush(&rig).await, json!({ "waiting": 1 }));
    rig.advance("59s").await;
    flush(&rig).await;
    assert_eq!(receiver.bodies().len(), 1);
    rig.advance("1s").await;
    assert_eq!(flush(&rig).await, json!({ "waiting": 0 }));
    let sent = rig.look(&docebo, "webhooks/deliveries").await;
    assert_eq!(
        sent["items"][0]["state"], "delivered",
        "a redirect is an acknowledgement"
    );
    let ids: Vec<Value> = receiver
        .bodies()
        .iter()
        .map(|b| b["message_id"].clone())
        .collect();
    assert_eq!(ids[0], ids[1]);

    complete(&rig, 3, 106).await;
    assert_eq!(flush(&rig).await, json!({ "waiting": 1 }));
    let at_once = json!({ "retries": true });
    let left = rig.control(&docebo, "webhooks/flush", at_once).await;
    assert_eq!(left, json!({ "waiting": 0 }));
    let sent = rig.look(&docebo, "webhooks/deliveries").await;
    assert_eq!(sent["items"][1]["state"], "given_up");
}

#[tokio::test]
async fn duplicates_and_redeliveries_carry_the_same_id() {
    let rig = Rig::start().await;
    let receiver = Receiver::start(&[]).await;
    register(&rig, &receiver, json!({ "duplicates": 2 })).await;
    complete(&rig, 2, 101).await;
    flush(&rig).await;
    assert_eq!(receiver.bodies().len(), 3);
    let again = json!({ "last": true });
    let told = rig
        .control(&rig.sandbox.docebo_url, "webhooks/redeliver", again)
        .await;
    assert_eq!(told["attempts"].as_array().unwrap().len(), 4);
    let bodies = receiver.bodies();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[tokio::test]
async fn events_can_be_renamed_and_certifications_have_three() {
    let rig = Rig::start().await;
    let docebo = rig.sandbox.docebo_url.clone();
    let names = json!({ "certification.awarded": "certification.user.awarded" });
    rig.control(&docebo, "quirks", json!({ "event_names": names }))
        .await;
    let receiver = Receiver::start(&[]).await;
    register(&rig, &receiver, json!({ "events": ["certification.*"] })).await;
    let award = json!({ "user_id": 2, "certification_code": "CERT-EXT" });
    let made = rig
        .control(&docebo, "actions/award_certification", award)
        .await;
    flush(&rig).await;
    let id = json!({ "award_id": made["award_id"] });
    rig.control(&docebo, "actions/update_certification", id.clone())
        .await;
    flush(&rig).await;
    rig.control(&docebo, "actions/revoke_certification", id)
        .await;
    flush(&rig).await;
    let events: Vec<Value> = receiver
        .bodies()
        .iter()
        .map(|b| b["event"].clone())
        .collect();
    let wanted = [
        "certification.user.awarded",
        "certification.updated",
        "certification.revoked",
    ];
    assert_eq!(events, wanted);
}

#[tokio::test]
async fn a_reordering_webhook_sends_the_newest_first() {
    let rig = Rig::start().await;
    let receiver = Receiver::start(&[]).await;
    register(
        &rig,
        &receiver,
        json!({ "reorder": true, "window_ms": 60_000 }),
    )
    .await;
    for course in [101, 103, 104] {
        complete(&rig, 2, course).await;
    }
    assert_eq!(
        receiver.bodies().len(),
        0,
        "they are held until the window ends"
    );
    rig.advance("60s").await;
    flush(&rig).await;
    let bodies = receiver.bodies();
    let courses: Vec<&Value> = bodies
        .iter()
        .map(|body| &body["payload"]["course_id"])
        .collect();
    assert_eq!(courses, [104, 103, 101]);
}

#[tokio::test]
async fn a_flush_ends_when_a_webhook_went_away_with_work_left() {
    let rig = Rig::start().await;
    let docebo = rig.sandbox.docebo_url.clone();
    let receiver = Receiver::start(&[500]).await;
    register(&rig, &receiver, json!({})).await;
    complete(&rig, 2, 101).await;
    assert_eq!(flush(&rig).await, json!({ "waiting": 1 }));
    let url = format!("{docebo}/_control/webhooks/1");
    assert_eq!(reply(rig.client.delete(url)).await.0, 200);
    let left = rig
        .control(&docebo, "webhooks/flush", json!({ "retries": true }))
        .await;
    assert_eq!(left, json!({ "waiting": 0 }));
}

#[tokio::test]
async fn a_completion_awards_what_it_earns_by_the_calendar() {
    let rig = Rig::start().await;
    let docebo = rig.sandbox.docebo_url.clone();
    let receiver = Receiver::start(&[]).await;
    register(
        &rig,
        &receiver,
        json!({ "events": ["certification.awarded"] }),
    )
    .await;
    let input = json!({ "user_id": 4, "course_id": 104, "completed_at": "2024-02-29 12:00:00" });
    rig.control(&docebo, "actions/complete_course", input).await;
    flush(&rig).await;
    let payload = &receiver.bodies()[0]["payload"];
    assert_eq!(payload["certification_code"], "CERT-AID");
    assert_eq!(
        (&payload["issued_on"], &payload["expires_on"]),
        (&json!("2024-02-29"), &json!("2026-02-28"))
    );
    assert_eq!(payload["association_type"], "course");
}
