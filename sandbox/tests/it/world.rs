//! Worlds, and orders that the control surface refuses: the error names the thing.

use recipe_sandbox::{SandboxConfig, World};
use serde_json::{Value, json};

use crate::harness::{Receiver, Rig, reply};

#[test]
fn a_typing_error_is_named_with_its_place() {
    let error = World::parse("docebo:\n  users:\n    - { id: 1, user_name: ada }\n").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("user_name") && text.contains("line 3"),
        "{text}"
    );
    let error =
        World::parse("docebo:\n  enrollments:\n    - { user: 1, course: 2, completed_at: soon }");
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("`soon` is not a moment")
    );
}

#[tokio::test]
async fn a_row_that_points_at_nothing_and_a_taken_port_are_refused() {
    let text = "docebo:\n  learning_plans:\n    - { title: Lost, courses: [7] }\n";
    let world = World::parse(text).unwrap();
    let config = SandboxConfig {
        world,
        ..SandboxConfig::default()
    };
    let error = recipe_sandbox::start(config).await.unwrap_err();
    assert_eq!(error.to_string(), "world, docebo: there is no course 7");

    let rig = Rig::start().await;
    let port = rig
        .sandbox
        .docebo_url
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let config = SandboxConfig {
        accredible_port: port,
        ..SandboxConfig::default()
    };
    let error = recipe_sandbox::start(config).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}

#[tokio::test]
async fn wrong_orders_say_what_would_be_right() {
    let rig = Rig::start().await;
    let docebo = &rig.sandbox.docebo_url;
    let cases = [
        ("state/people", json!({}), 404, "there are `clients`"),
        (
            "state/users",
            json!({ "name": "x" }),
            422,
            "unknown field `name`",
        ),
        (
            "state/enrollments",
            json!({ "user": 1, "course": 9 }),
            422,
            "there is no course 9",
        ),
        ("actions/dance", json!({}), 422, "complete_course"),
        (
            "actions/complete_course",
            json!({ "course_id": 101 }),
            422,
            "`username`",
        ),
        (
            "clock",
            json!({ "advance": "soon" }),
            422,
            "is not a duration",
        ),
        ("faults", json!({ "kind": "explode" }), 422, "reset_before"),
        ("quirks", json!({ "colour": "red" }), 422, "colour"),
        ("webhooks", json!({ "events": [] }), 422, "url"),
        (
            "webhooks/redeliver",
            json!({ "last": true }),
            404,
            "no such delivery",
        ),
    ];
    for (path, body, status, words) in cases {
        let request = rig
            .client
            .post(format!("{docebo}/_control/{path}"))
            .json(&body);
        let (got, answer) = reply(request).await;
        let text = answer["error"].as_str().unwrap_or_default();
        assert!(
            got == status && text.contains(words),
            "{path}: {got} {answer}"
        );
    }
}

#[tokio::test]
async fn a_reset_brings_the_first_world_back() {
    let rig = Rig::start().await;
    let docebo = rig.sandbox.docebo_url.clone();
    let receiver = Receiver::start(&[]).await;
    rig.control(&docebo, "webhooks", json!({ "url": receiver.url }))
        .await;
    rig.control(&docebo, "state/users", json!({ "username": "new" }))
        .await;
    rig.control(&docebo, "quirks", json!({ "plan_recompute_s": 60 }))
        .await;
    assert_eq!(rig.look(&docebo, "state/users").await["count"], 10);
    rig.control(&docebo, "reset", Value::Null).await;
    assert_eq!(rig.look(&docebo, "state/users").await["count"], 9);
    assert_eq!(rig.look(&docebo, "quirks").await["plan_recompute_s"], 0);
    assert_eq!(rig.look(&docebo, "webhooks").await["items"], json!([]));
}
