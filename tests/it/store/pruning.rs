//! Forgetting what old jobs held; where polls and schedules stand.

use recipe_engine::compile::IfStillRunning;
use recipe_engine::data::Value;
use recipe_engine::journal::{Ending, JobStatus};
use recipe_engine::names::JobId;
use recipe_engine::store::{
    Advance, Arrival, Fire, Fired, Fires, JobFilter, Jobs, Next, Payload, PollEnd, PollKept,
    Polled, PolledItem, Store,
};
use serde_json::json;

use super::fixtures::{at, claim, claim_one, ended_well, new_job, queue, recipe, succeeded};

super::on_every_store!(
    a_pruned_job_leaves_a_line,
    what_others_need_stays,
    what_has_not_ended_or_is_still_asked_for_stays,
    a_long_journal_goes_in_pieces,
    a_poll_moves_its_cursor_with_its_jobs,
    an_instant_of_a_schedule_makes_one_job,
);

/// A value that takes some pages even compressed.
pub(super) fn large() -> Value {
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

/// Removes the history of all jobs that ended before.
pub(super) async fn prune(store: &Store, before: i64) -> u64 {
    let kept = store.kept_jobs(0, 1_000).await.unwrap();
    let old = kept
        .iter()
        .filter(|job| job.free_since.is_some_and(|ended| ended < at(before)));
    let numbers = old.map(|job| job.number).collect();
    let step = store.forget_jobs(numbers, "a rule", at(1000)).await;
    step.unwrap().count
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
    let before = store.space().await.unwrap().used_bytes();
    assert_eq!(prune(store, 100).await, 2);
    assert_eq!(prune(store, 100).await, 0);
    assert!(store.space().await.unwrap().used_bytes() < before);
    let (job, entries, _) = store.job(&ids[0]).await.unwrap();
    assert_eq!(job.status, JobStatus::Succeeded);
    assert_eq!(job.ended_at, Some(at(10)));
    assert_eq!((job.event, entries.len()), (json!(null), 0));
    let pruned = job.pruned.unwrap();
    assert_eq!((pruned.at, pruned.rule.as_str()), (at(1000), "a rule"));
    assert!(store.payload(&ids[0]).await.unwrap().is_none());
    let all = JobFilter {
        limit: 10,
        ..JobFilter::default()
    };
    assert_eq!(store.jobs(&all).await.unwrap().len(), 3);
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

async fn what_has_not_ended_or_is_still_asked_for_stays(store: &Store) {
    let parent = queue(store, "parent", 0).await;
    let parent_lease = claim_one(store, 1).await.lease;
    let mut child = new_job("child");
    child.started_by = format!("job:{parent}");
    let child_id = child.id.clone();
    let start = Advance {
        children: vec![child],
        ..Advance::default()
    };
    store.commit(&parent_lease, at(2), start).await.unwrap();
    let child = claim_one(store, 3).await;
    assert_eq!(child.job.id, child_id);
    let end = || Advance {
        next: ended_well(json!({ "result": 7 })),
        ..Advance::default()
    };
    store.commit(&child.lease, at(4), end()).await.unwrap();
    assert_eq!(prune(store, 100).await, 0, "its starter may ask for it yet");
    let (job, ..) = store.job(&child_id).await.unwrap();
    assert_eq!(job.ending.unwrap().output, Some(json!({ "result": 7 })));
    // Nor is anything forgotten if its number is given by mistake.
    let all = store.kept_jobs(0, 10).await.unwrap();
    let open = all
        .iter()
        .find(|job| job.recipe == recipe("parent"))
        .unwrap();
    let step = store.forget_jobs(vec![open.number], "a rule", at(5)).await;
    assert_eq!(step.unwrap().count, 0);
    store.commit(&parent_lease, at(6), end()).await.unwrap();
    assert_eq!(prune(store, 100).await, 2);
}

async fn a_long_journal_goes_in_pieces(store: &Store) {
    let id = queue(store, "a", 0).await;
    let lease = claim_one(store, 1).await.lease;
    for n in 0..1_100 {
        let advance = Advance {
            entries: vec![succeeded(&format!("s{n}"), 2, json!(n))],
            ..Advance::default()
        };
        store.commit(&lease, at(2), advance).await.unwrap();
    }
    let last = Advance {
        next: ended_well(large()),
        ..Advance::default()
    };
    store.commit(&lease, at(3), last).await.unwrap();
    let number = store.kept_jobs(0, 10).await.unwrap()[0].number;
    let bytes = store.bytes_of_jobs(vec![number]).await.unwrap()[&number];
    assert!(bytes > 50_000, "{bytes}");
    let step = store.forget_jobs(vec![number], "a rule", at(9)).await;
    assert_eq!(step.unwrap().count, 1);
    let mut steps = 0;
    while store.forget_leftovers().await.unwrap().has_more {
        steps += 1;
    }
    assert_eq!(steps, 3, "two whole pieces and the rest");
    let (job, entries, _) = store.job(&id).await.unwrap();
    assert!(job.pruned.is_some() && entries.is_empty());
    let bytes = store.bytes_of_jobs(vec![number]).await.unwrap()[&number];
    assert_eq!(bytes, 0);
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
    store.forget_fires(at(1000)).await.unwrap();
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
