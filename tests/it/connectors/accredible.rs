//! Accredible: groups and credentials.

use recipe_engine::interpret::{Called, Verified};
use recipe_engine::step::Asked;
use serde_json::{Value, json};

use super::world::{World, call, ids};

#[tokio::test]
async fn every_action_works() {
    let world = World::new().await;
    let account = world.call("accredible.issuer_details", json!({})).await;
    assert_eq!(account["id"], 77);
    let groups = world
        .call("accredible.search_groups", json!({ "name": "secur" }))
        .await;
    assert_eq!(ids(&groups, "id"), [2002, 2003]);
    let group = world
        .call("accredible.get_group", json!({ "id": 2001 }))
        .await;
    assert_eq!(group["name"], "data-protection-basics");
    let none = world.call("accredible.get_group", json!({ "id": 1 })).await;
    assert_eq!(none, json!({ "found": false }));
    let new = json!({
        "license_id": "docebo-2-2001", "group_id": 2001, "recipient_name": "Ada Lovelace",
        "recipient_email": "ada.lovelace@example.com", "recipient_id": "2",
        "issued_on": "2026-03-01", "meta_data": { "origin": "docebo" },
    });
    let made = world
        .call("accredible.create_credential", new.clone())
        .await;
    assert_eq!(made["is_approved"], true);
    assert_eq!(
        world.failure("accredible.create_credential", new).await,
        "duplicate"
    );
    let mine = json!({ "group_ids": [2001], "recipient_email": "ada.lovelace@example.com" });
    let found = world.call("accredible.search_credentials", mine).await;
    assert_eq!(found["items"][0]["license_id"], "docebo-2-2001");
    assert_eq!(found["items"][0]["origin"], "docebo");
    let old = json!({ "recipient_email": "ada.lovelace@example.com" });
    let old = world.call("accredible.search_credentials_v1", old).await;
    assert_eq!(old["items"].as_array().map(Vec::len), Some(1));
    let id = json!({ "credential_id": "docebo-2-2001" });
    let changed = json!({ "credential_id": "docebo-2-2001", "recipient_name": "Ada King" });
    assert_eq!(
        world.call("accredible.update_credential", changed).await["found"],
        true
    );
    let shown = world.call("accredible.get_credential", id.clone()).await;
    assert_eq!(shown["recipient_name"], "Ada King");
    let expired = json!({ "credential_id": "docebo-2-2001", "expired_on": "2026-03-02" });
    let expired = world.call("accredible.expire_credential", expired).await;
    assert_eq!(expired["expired_on"], "2026-03-02");
    assert_eq!(
        world.call("accredible.delete_credential", id.clone()).await["found"],
        true
    );
    assert_eq!(
        world.call("accredible.delete_credential", id).await,
        json!({ "found": false })
    );
    world.all_used("accredible", &[]);
    world.sandbox.stop().await;
}

#[tokio::test]
async fn a_doubtful_credential_is_found_again() {
    let world = World::new().await;
    let new = json!({
        "license_id": "docebo-4-2001", "group_id": 2001, "recipient_name": "Katherine Johnson",
        "recipient_email": "katherine@example.com", "issued_on": "2026-03-01",
    });
    for (kind, is_applied) in [("reset_before", false), ("reset_after", true)] {
        let fault = json!({ "method": "POST", "path": "/v1/credentials", "kind": kind });
        world.order("accredible", "faults", fault).await;
        let made = world
            .try_call("accredible.create_credential", new.clone())
            .await;
        assert!(matches!(made, Called::Doubtful { .. }), "{kind}: {made:?}");
        let asked = call("accredible.create_credential", new.clone());
        match world.outbound.ask(&asked).await {
            Asked::Answered(Verified::Applied(output)) => {
                assert!(is_applied && output["is_approved"] == true)
            }
            Asked::Answered(Verified::NotApplied) => assert!(!is_applied, "{kind}"),
            other => panic!("{kind}: {other:?}"),
        }
    }
    world.sandbox.stop().await;
}

#[tokio::test]
async fn long_listings_come_whole() {
    let world = World::new().await;
    let credentials: Vec<Value> = (0..130)
        .map(|n| {
            json!({
                "id": 20_000_000 + n, "group_id": 2007, "issued_on": "2026-01-01",
                "recipient": { "name": "N", "email": format!("n{n}@example.com") },
            })
        })
        .collect();
    world
        .order("accredible", "state/credentials", json!(credentials))
        .await;
    for action in [
        "accredible.search_credentials",
        "accredible.search_credentials_v1",
    ] {
        let listed = world.call(action, json!({})).await;
        assert_eq!(
            listed["items"].as_array().map(Vec::len),
            Some(133),
            "{action}"
        );
    }
    world.sandbox.stop().await;
}
