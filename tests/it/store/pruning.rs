//! Forgetting what old jobs held; where polls and schedules stand.

use recipe_engine::compile::IfStillRunning;
use recipe_engine::data::Value;
use recipe_engine::journal::{Ending, JobStatus};
use recipe_engine::names::JobId;
use recipe_engine::store::sqlite::Prune;
use recipe_engine::store::{
    Advance, Arrival, Fire, Fired, Fires, Jobs, Next, Payload, PollEnd, PollKept, Polled,
    PolledItem, Store,
};
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
    let polled = |version: i64, cursor: i64| Polled {
        recipe: recipe("a"),
        version,
        meaning: "rows by n".to_owned(),
        at: at(version),
        found: PollEnd::Good {
            cursor: Some(json!({ "n": cursor })),
            items: vec![PolledItem {
                item: json!({ "n": cursor }),
                dedupe: None,
            }],
            seen: 1,
            is_batch: false,
        },
    };
    assert_eq!(store.poll(&recipe("a")).await.unwrap(), None);
    let stopped = store.end_poll(polled(0, 1)).await.unwrap();
    assert_eq!(stopped, PollKept::Overtaken, "the recipe is stopped");
    store.start(&recipe("a"), "ann", at(0)).await.unwrap();
    for n in 0..2 {
        let kept = store.end_poll(polled(n, n)).await.unwrap();
        assert!(matches!(kept, PollKept::Kept(jobs) if jobs.len() == 1));
        let late = store.end_poll(polled(n, 7)).await.unwrap();
        assert_eq!(late, PollKept::Overtaken);
    }
    let stands = store.poll(&recipe("a")).await.unwrap().unwrap();
    assert_eq!(stands.cursor, Some(json!({ "n": 1 })));
    assert_eq!(stands.version, 2);
    assert_eq!(claim(store, 5).await.len(), 2);
}

async fn an_instant_of_a_schedule_makes_one_job(store: &Store) {
    let fire = |instant: i64, now: i64| {
        store.take_up(Fire {
            recipe: recipe("a"),
            instant: at(instant),
            at: at(now),
            if_still_running: IfStillRunning::Allow,
            is_made_up: false,
        })
    };
    let is_made = |fired: Fired| matches!(fired, Fired::Made(_));
    assert_eq!(fire(10, 10).await.unwrap(), Fired::Stopped);
    store.start(&recipe("a"), "ann", at(0)).await.unwrap();
    let stands = store.fires(&recipe("a"), at(99)).await.unwrap();
    assert_eq!(stands, Fires::default());
    assert!(is_made(fire(10, 10).await.unwrap()));
    assert_eq!(fire(10, 11).await.unwrap(), Fired::TakenUp);
    assert!(is_made(fire(20, 20).await.unwrap()));
    let jobs = claim(store, 21).await;
    assert_eq!(jobs.len(), 2);
    assert_eq!(jobs[0].job.started_by, "schedule");
    for (job, next) in jobs.iter().zip([ended_well(json!(1)), ended_badly()]) {
        let last = Advance {
            next,
            ..Advance::default()
        };
        store.commit(&job.lease, at(22), last).await.unwrap();
    }
    let stands = Fires {
        last: Some(at(20)),
        last_good: Some(at(10)),
        has_waiting: false,
    };
    let own = recipe("a");
    assert_eq!(store.fires(&own, at(99)).await.unwrap(), stands);
    assert!(is_made(fire(30, 30).await.unwrap()));
    prune(store, 1000).await;
    let rows = store.fire_rows(&recipe("a"), None, 9).await.unwrap();
    let kept: Vec<_> = rows.iter().map(|row| row.instant).collect();
    assert_eq!(kept, [at(30), at(10)], "the last one and the last good one");
    let stands = store.fires(&own, at(99)).await.unwrap();
    assert_eq!(stands.last_good, Some(at(10)));
}

fn ended_badly() -> Next {
    Next::Ended(Ending {
        status: JobStatus::Failed,
        output: None,
        failure: None,
    })
}
