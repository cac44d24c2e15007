//! What goes beside the history of jobs, and what does not.

use recipe_engine::store::sqlite::{RowFilter, RowNamed};
use recipe_engine::store::{Advance, Arrival, AuditEntry, JobFilter, Jobs, Next, Pinned, Store};
use serde_json::json;

use super::fixtures::{at, claim, claim_one, ended_well, new_job, queue, recipe};
use super::people::{domains, name, put};
use super::pruning::{large, prune};

super::on_every_store!(
    keys_stay_as_long_as_their_window,
    pins_and_programs_stay_as_long_as_a_job_has_them,
    old_changes_go_and_what_is_now_stays,
);

async fn keys_stay_as_long_as_their_window(store: &Store) {
    let send = async |key: &str, now: i64, until: i64| {
        let mut job = new_job("a");
        job.dedupe = Some((key.to_owned(), at(until)));
        let arrival = Arrival {
            recipe: recipe("a"),
            payload: None,
            jobs: vec![job],
            at: at(now),
        };
        store.enqueue(arrival).await.unwrap().is_new[0]
    };
    assert!(send("short", 0, 10).await);
    assert!(send("long", 0, 1_000).await);
    for job in claim(store, 1).await {
        let end = Advance {
            next: ended_well(json!(1)),
            ..Advance::default()
        };
        store.commit(&job.lease, at(2), end).await.unwrap();
    }
    assert_eq!(prune(store, 500).await, 2);
    assert_eq!(store.forget_keys(at(500)).await.unwrap().count, 1);
    assert!(!send("long", 600, 2_000).await, "still within its window");
    assert!(send("short", 600, 2_000).await);
}

async fn pins_and_programs_stay_as_long_as_a_job_has_them(store: &Store) {
    let sources = [("root".to_owned(), "tests/a".to_owned())].into();
    for hash in ["one", "two"] {
        store.save_program(hash, &sources).await.unwrap();
        queue(store, "a", 0).await;
        let lease = claim_one(store, 1).await.lease;
        let next = match hash {
            "one" => ended_well(json!(1)),
            _ => Next::Waiting(None),
        };
        let advance = Advance {
            pinned: Some(Pinned {
                program: hash.to_owned(),
                settings: json!({ "a": large() }),
                started_at: at(1),
            }),
            next,
            ..Advance::default()
        };
        store.commit(&lease, at(2), advance).await.unwrap();
    }
    assert_eq!(store.forget_pins().await.unwrap(), 0);
    assert!(store.unpinned_programs().await.unwrap().is_empty());
    assert_eq!(prune(store, 100).await, 1);
    assert_eq!(store.forget_pins().await.unwrap(), 1);
    let unpinned = store.unpinned_programs().await.unwrap();
    assert_eq!(unpinned.into_iter().collect::<Vec<_>>(), ["one"]);
    let both = vec!["one".to_owned(), "two".to_owned()];
    assert_eq!(store.forget_programs(both).await.unwrap(), 1);
    assert!(store.program("two").await.unwrap().is_some());
    let all = JobFilter {
        limit: 10,
        ..JobFilter::default()
    };
    for job in store.jobs(&all).await.unwrap() {
        let (_, _, pinned) = store.job(&job.id).await.unwrap();
        assert_eq!(pinned.is_some(), !job.status.is_final());
        if let Some(pinned) = pinned {
            assert_eq!(
                pinned.settings["a"],
                large(),
                "what it shares is still there"
            );
        }
    }
}

async fn old_changes_go_and_what_is_now_stays(store: &Store) {
    store.declare(&[domains()], at(0)).await.unwrap();
    for (seconds, count) in [(1, 1), (2, 2), (300, 3)] {
        put(
            store,
            json!({ "domain": "a.example", "count": count }),
            seconds,
        )
        .await;
    }
    let notes = |entries: Vec<AuditEntry>| entries.iter().filter(|e| e.at < at(100)).count();
    assert_eq!(notes(store.audit(None, 100).await.unwrap()), 2);
    assert_eq!(store.forget_audit(at(100)).await.unwrap().count, 2);
    assert_eq!(store.audit(None, 100).await.unwrap().len(), 1);
    let gone = store.forget_row_versions(at(1_000)).await.unwrap();
    assert_eq!(gone.count, 2);
    let filter = RowFilter {
        limit: 9,
        ..RowFilter::default()
    };
    let rows = store.rows(&name(), filter).await.unwrap();
    assert_eq!(rows[0].row["count"], 3);
    let versions = store
        .row_history(&name(), RowNamed::Number(rows[0].number), 9)
        .await;
    assert_eq!(versions.unwrap().len(), 1, "what it is now");
}
