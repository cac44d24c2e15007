//! Forgetting what old jobs held; where polls and schedules stand.

use recipe_engine::data::Value;
use recipe_engine::journal::JobStatus;
use recipe_engine::names::JobId;
use recipe_engine::store::sqlite::{Fires, Prune};
use recipe_engine::store::{Advance, Arrival, Jobs, Payload, Store};
use serde_json::json;

use super::fixtures::{at, claim, ended_well, new_job, queue, recipe, succeeded};

super::on_every_store!(
    a_pruned_job_leaves_a_line,
    what_others_need_stays,
    a_poll_moves_its_cursor_with_its_jobs,
    an_instant_of_a_schedule_makes_one_job,
);

/// A value that takes some pages even compressed.
fn large() -> Value {
    (0..2000_u32)
        .map(|n| json!(n.wrapping_mul(2_654_435_761)))
        .collect()
}

/// One delivery that became two jobs, with a large body.
async fn deliver(store: &Store) -> [JobId; 2] {
    let job = || {
        let mut job = new_job("a");
        job.event = json!({ "body": large() });
        job
    };
    let jobs = [job(), job()];
    let ids = [jobs[0].id.clone(), jobs[1].id.clone()];
    let arrival = Arrival {
        recipe: recipe("a"),
        payload: Some(Payload {
            headers: json!({ "x": "y" }),
            query: json!({}),
            body: b"raw".to_vec(),
        }),
        jobs: jobs.to_vec(),
        at: at(0),
    };
    store.enqueue(arrival).await.unwrap();
    ids
}

async fn prune(store: &Store, before: i64) -> u64 {
    let what = Prune {
        ended_before: at(before),
        recipe: None,
        limit: 100,
        now: at(1000),
    };
    store.prune(what).await.unwrap()
}

async fn a_pruned_job_leaves_a_line(store: &Store) {
    let ids = deliver(store).await;
    for (seconds, job) in (10..).zip(claim(store, 1).await) {
        let last = Advance {
            entries: vec![succeeded("look", 2, large())],
            next: ended_well(large()),
            ..Advance::default()
        };
        store.commit(&job.lease, at(seconds), last).await.unwrap();
    }
    let open = queue(store, "b", 2).await;
    let before = store.size_bytes().await.unwrap();
    assert_eq!(prune(store, 100).await, 2);
    assert_eq!(prune(store, 100).await, 0);
    assert!(store.size_bytes().await.unwrap() < before);
    let (job, entries, _) = store.job(&ids[0]).await.unwrap();
    assert_eq!(job.status, JobStatus::Succeeded);
    assert_eq!(job.ended_at, Some(at(10)));
    assert_eq!((job.event, entries.len()), (json!(null), 0));
    assert!(store.payload(&ids[0]).await.unwrap().is_none());
    assert_eq!(
        claim(store, 20).await[0].job.id,
        open,
        "open jobs are left alone"
    );
}

async fn what_others_need_stays(store: &Store) {
    let ids = deliver(store).await;
    let claimed = claim(store, 1).await;
    let last = Advance {
        next: ended_well(json!(1)),
        ..Advance::default()
    };
    store.commit(&claimed[0].lease, at(2), last).await.unwrap();
    assert_eq!(prune(store, 100).await, 1);
    let (left, ..) = store.job(&ids[1]).await.unwrap();
    assert_eq!(left.event["body"], large());
    assert_eq!(store.payload(&ids[1]).await.unwrap().unwrap().body, b"raw");
}

async fn a_poll_moves_its_cursor_with_its_jobs(store: &Store) {
    assert_eq!(store.cursor(&recipe("a")).await.unwrap(), None);
    for n in 1..=2 {
        let arrival = Arrival {
            recipe: recipe("a"),
            payload: None,
            jobs: vec![new_job("a")],
            at: at(n),
        };
        store
            .enqueue_polled(arrival, json!({ "n": n }))
            .await
            .unwrap();
    }
    assert_eq!(
        store.cursor(&recipe("a")).await.unwrap(),
        Some(json!({ "n": 2 }))
    );
    assert_eq!(claim(store, 5).await.len(), 2);
}

async fn an_instant_of_a_schedule_makes_one_job(store: &Store) {
    let fire = |instant: i64, now: i64| {
        let mut job = new_job("a");
        job.started_by = "schedule".to_owned();
        let arrival = Arrival {
            recipe: recipe("a"),
            payload: None,
            jobs: vec![job],
            at: at(now),
        };
        store.enqueue_fire(arrival, at(instant))
    };
    assert_eq!(store.fires(&recipe("a")).await.unwrap(), Fires::default());
    assert_eq!(fire(10, 10).await.unwrap().is_new, [true]);
    assert_eq!(fire(10, 11).await.unwrap().is_new, [false]);
    assert_eq!(fire(20, 20).await.unwrap().is_new, [true]);
    let jobs = claim(store, 21).await;
    assert_eq!(jobs.len(), 2);
    let good = Advance {
        next: ended_well(json!(1)),
        ..Advance::default()
    };
    store.commit(&jobs[0].lease, at(22), good).await.unwrap();
    let stands = Fires {
        last: Some(at(20)),
        last_good: Some(at(10)),
    };
    assert_eq!(store.fires(&recipe("a")).await.unwrap(), stands);
    prune(store, 1000).await;
    assert_eq!(
        store.fires(&recipe("a")).await.unwrap(),
        stands,
        "what counts is kept"
    );
}
