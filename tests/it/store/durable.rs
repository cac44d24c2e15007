//! What somebody was told is done is on the disk: a loss of power does not take it back.

use std::future::Future;

use recipe_engine::data::Object;
use recipe_engine::journal::{Decision, JobStatus};
use recipe_engine::store::{Advance, Arrival, AuditEntry, Jobs, Next, Payload, RequestKind, Store};
use serde_json::json;

use super::fixtures::{at, claim_one, in_a_file, key, new_job, queue, recipe};
use super::people::{domains, name, put};

/// Does something and sees that it was synced, with nothing else to sync around it.
async fn is_synced<T>(store: &Store, what: &str, doing: impl Future<Output = T>) -> T {
    store.settle().await.unwrap();
    let before = store.counts().synced_commits;
    let done = doing.await;
    let after = store.counts().synced_commits;
    assert!(after > before, "{what}: told before the disk had it");
    done
}

fn delivery(number: i64) -> Arrival {
    let mut job = new_job("a");
    job.dedupe = Some((format!("k{number}"), at(1_000)));
    Arrival {
        recipe: recipe("a"),
        payload: Some(Payload {
            headers: json!({}),
            query: json!({}),
            body: b"{}".to_vec(),
        }),
        jobs: vec![job],
        at: at(number),
    }
}

#[tokio::test]
async fn what_was_acknowledged_was_synced_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_a_file(&folder).await;
    let (a, table) = (recipe("a"), name());
    let queued = store.enqueue(delivery(0));
    is_synced(&store, "a job", queued).await.unwrap();
    let split = store.enqueue_split(delivery(1), Object::new(), None);
    is_synced(&store, "a delivery", split).await.unwrap();
    let again = store.enqueue_split(delivery(1), Object::new(), None);
    let again = is_synced(&store, "a repeated delivery", again).await;
    assert_eq!(again.unwrap().is_new, [false]);
    let started = store.start(&a, "ada", at(2));
    is_synced(&store, "a start", started).await.unwrap();
    let stopped = store.stop(&a, "ada", at(3));
    is_synced(&store, "a stop", stopped).await.unwrap();
    store.declare(&[domains()], at(3)).await.unwrap();
    is_synced(
        &store,
        "a row",
        put(&store, json!({ "domain": "a.example" }), 4),
    )
    .await;
    let gone = store.delete_row(&table, 1, "person:ada", at(5));
    is_synced(&store, "a row that goes", gone).await.unwrap();
    let noted = store.note(AuditEntry {
        at: at(5),
        by: "ada".into(),
        action: "personal_revealed".into(),
        subject: "job:1".into(),
        detail: json!({}),
    });
    is_synced(&store, "a note", noted).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn what_people_ask_of_a_job_was_synced_before_they_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = in_a_file(&folder).await;
    let cancel = RequestKind::Cancel { by: "ada".into() };
    let decide = RequestKind::Decide {
        key: key("made"),
        decision: Decision::Again,
        by: "ada".into(),
    };
    for kind in [cancel, decide] {
        let id = queue(&store, "b", 10).await;
        let claimed = claim_one(&store, 11).await;
        let waits = Advance {
            next: Next::Waiting(None),
            ..Advance::default()
        };
        store.commit(&claimed.lease, at(12), waits).await.unwrap();
        assert_eq!(store.status(&id).await.unwrap(), JobStatus::Waiting);
        let asked = store.request(&id, at(13), kind.clone());
        is_synced(&store, &format!("{kind:?}"), asked)
            .await
            .unwrap();
        // So that the next is the only one that is due.
        claim_one(&store, 14).await;
    }
    store.close().await;
}
