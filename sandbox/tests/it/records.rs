//! The vendor of records: its pages and its sink.

use serde_json::json;

use crate::harness::{Rig, reply};

#[tokio::test]
async fn pages_end_and_the_sink_counts() {
    let rig = Rig::start().await;
    let base = rig.sandbox.records_url.clone();
    let (_, first) = reply(rig.client.get(format!("{base}/pages?page=1"))).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 100);
    assert_eq!(first["next_page"], 2);
    let (_, last) = reply(rig.client.get(format!("{base}/pages?page=100"))).await;
    assert_eq!(
        (&last["next_page"], &last["items"][99]["id"]),
        (&json!(null), &json!(10_000))
    );
    assert_eq!(
        reply(rig.client.get(format!("{base}/pages?page=101")))
            .await
            .0,
        404
    );

    for (key, id) in [("a", 1), ("a", 1), ("b", 2)] {
        let request = rig
            .client
            .post(format!("{base}/sink"))
            .header("Idempotency-Key", key);
        assert_eq!(reply(request.json(&json!({ "id": id }))).await.0, 200);
    }
    let sink = rig.look(&base, "sink").await;
    assert_eq!(
        (&sink["received"], &sink["key_repeats"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(
        (&sink["distinct_ids"], &sink["ids_more_than_once"]),
        (&json!(2), &json!(0))
    );
}
