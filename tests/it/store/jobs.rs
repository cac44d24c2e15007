//! Queueing, committing, asking, listing.

use recipe_engine::journal::{Decision, JobStatus};
use recipe_engine::store::{
    Advance, Arrival, AwaitRequest, JobFilter, Jobs, Next, Payload, Pinned, RequestKind, Store,
    StoreError,
};
use serde_json::json;

use super::fixtures::{
    at, claim, claim_one, ended_well, key, new_job, queue, recipe, succeeded, with_next,
};

super::on_every_store!(
    a_job_goes_from_queue_to_end,
    the_oldest_job_is_claimed_first,
    a_known_event_makes_no_second_job,
    jobs_of_a_stopped_recipe_wait_for_its_start,
    a_waiting_job_is_due_at_its_moment,
    what_is_asked_makes_a_waiting_job_due,
    what_is_asked_of_a_running_job_is_not_slept_through,
    what_is_asked_of_an_ended_job_is_refused,
    large_values_come_back_whole,
    children_are_queued_with_the_commit,
    the_end_of_a_job_wakes_those_that_await_it,
    jobs_are_listed_by_page_status_and_recipe,
    jobs_are_listed_by_time,
);

async fn a_job_goes_from_queue_to_end(store: &Store) {
    let id = queue(store, "a", 0).await;
    let claimed = claim_one(store, 1).await;
    assert_eq!(claimed.job.id, id);
    assert_eq!(claimed.job.event, json!({ "body": { "n": 1 } }));
    assert_eq!(claimed.job.started_at, Some(at(1)));
    assert!(claimed.entries.is_empty() && claimed.pinned.is_none());
    assert!(claim(store, 2).await.is_empty(), "it is claimed once");

    let pinned = Pinned {
        program: "p1".to_owned(),
        settings: json!({ "x": { "y": 1 } }),
        started_at: at(1),
    };
    let first = Advance {
        pinned: Some(pinned.clone()),
        entries: vec![succeeded("look", 2, json!({ "n": 1 }))],
        ..Advance::default()
    };
    store.commit(&claimed.lease, at(2), first).await.unwrap();
    let last = Advance {
        entries: vec![succeeded("tell", 3, json!(null))],
        next: ended_well(json!({ "done": true })),
        ..Advance::default()
    };
    store.commit(&claimed.lease, at(3), last).await.unwrap();

    let (job, entries, kept) = store.job(&id).await.unwrap();
    assert_eq!(job.status, JobStatus::Succeeded);
    assert_eq!(job.ended_at, Some(at(3)));
    assert_eq!(job.ending.unwrap().output, Some(json!({ "done": true })));
    let places: Vec<_> = entries.iter().map(|entry| &*entry.key.0).collect();
    assert_eq!(places, ["look", "tell"]);
    assert_eq!(kept, Some(pinned));
    let late = store
        .commit(&claimed.lease, at(4), Advance::default())
        .await;
    assert_eq!(
        late.unwrap_err(),
        StoreError::LeaseLost(id),
        "an ended job never changes"
    );
    assert!(claim(store, 100).await.is_empty());
}

async fn the_oldest_job_is_claimed_first(store: &Store) {
    let second = queue(store, "a", 5).await;
    let first = queue(store, "a", 1).await;
    let claimed = store
        .claim(1, at(10), super::fixtures::LEASE)
        .await
        .unwrap();
    assert_eq!(claimed[0].job.id, first);
    assert_eq!(claim_one(store, 10).await.job.id, second);
    assert!(claim(store, 4).await.is_empty());
}

async fn a_known_event_makes_no_second_job(store: &Store) {
    let arrival = |seconds: i64, keys: &[&str]| Arrival {
        recipe: recipe("a"),
        payload: Some(Payload {
            headers: json!({ "x": "y" }),
            query: json!({}),
            body: b"raw".to_vec(),
        }),
        jobs: keys
            .iter()
            .map(|key| {
                let mut job = new_job("a");
                job.dedupe = Some(((*key).to_owned(), at(seconds + 100)));
                job
            })
            .collect(),
        at: at(seconds),
    };
    let is_new =
        async |seconds, keys: &[&str]| store.enqueue(arrival(seconds, keys)).await.unwrap().is_new;
    assert_eq!(is_new(0, &["x", "y", "x"]).await, [true, true, false]);
    assert_eq!(is_new(50, &["y", "z"]).await, [false, true]);
    assert_eq!(
        is_new(101, &["x"]).await,
        [true],
        "a key is forgotten after its window"
    );
    assert_eq!(claim(store, 200).await.len(), 4);
}

async fn jobs_of_a_stopped_recipe_wait_for_its_start(store: &Store) {
    let mut job = new_job("a");
    job.needs_started_recipe = true;
    let arrival = Arrival {
        recipe: recipe("a"),
        payload: None,
        jobs: vec![job],
        at: at(0),
    };
    store.enqueue(arrival).await.unwrap();
    let by_hand = queue(store, "a", 1).await;
    assert_eq!(
        claim_one(store, 2).await.job.id,
        by_hand,
        "by hand it runs at once"
    );
    assert_eq!(
        store.next_due().await.unwrap(),
        Some(at(32)),
        "only the lease runs out"
    );
    store.start(&recipe("a"), "ada", at(3)).await.unwrap();
    store.stop(&recipe("a"), "ada", at(4)).await.unwrap();
    assert!(claim(store, 5).await.is_empty());
    store.start(&recipe("a"), "ada", at(6)).await.unwrap();
    assert_eq!(claim(store, 7).await.len(), 1);
    let states = store.states().await.unwrap();
    assert!(states[&recipe("a")].is_started);
    assert_eq!(store.audit(None, 10).await.unwrap().len(), 3);
}

async fn a_waiting_job_is_due_at_its_moment(store: &Store) {
    queue(store, "a", 0).await;
    let claimed = claim_one(store, 1).await;
    let wait = with_next(Next::Waiting(Some(at(60))));
    store.commit(&claimed.lease, at(2), wait).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(60)));
    assert!(claim(store, 59).await.is_empty());
    let again = claim_one(store, 60).await;
    assert_eq!(again.job.recoveries, 0);
    assert_eq!(again.job.started_at, Some(at(1)));
    let stale = store
        .commit(&claimed.lease, at(61), Advance::default())
        .await;
    assert!(matches!(stale, Err(StoreError::LeaseLost(_))));
}

async fn what_is_asked_makes_a_waiting_job_due(store: &Store) {
    let id = queue(store, "a", 0).await;
    let claimed = claim_one(store, 1).await;
    let ask = with_next(Next::NeedsDecision(None));
    store.commit(&claimed.lease, at(2), ask).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
    let kind = RequestKind::Decide {
        key: key("send"),
        decision: Decision::Again,
        by: "ada".to_owned(),
    };
    store.request(&id, at(3), kind.clone()).await.unwrap();
    let claimed = claim_one(store, 3).await;
    assert_eq!(claimed.requests.len(), 1);
    assert_eq!(claimed.requests[0].kind, kind);
    let taken_up = Advance {
        consumed_requests: vec![claimed.requests[0].number],
        next: Next::Waiting(Some(at(10))),
        ..Advance::default()
    };
    store.commit(&claimed.lease, at(4), taken_up).await.unwrap();
    assert!(claim_one(store, 10).await.requests.is_empty());
}

async fn what_is_asked_of_a_running_job_is_not_slept_through(store: &Store) {
    let id = queue(store, "a", 0).await;
    let claimed = claim_one(store, 1).await;
    let cancel = RequestKind::Cancel {
        by: "ada".to_owned(),
    };
    store.request(&id, at(2), cancel).await.unwrap();
    assert_eq!(store.requests(&id).await.unwrap().len(), 1);
    let wait = with_next(Next::Waiting(Some(at(1000))));
    store.commit(&claimed.lease, at(3), wait).await.unwrap();
    assert_eq!(claim_one(store, 3).await.requests.len(), 1);
}

async fn what_is_asked_of_an_ended_job_is_refused(store: &Store) {
    let id = queue(store, "a", 0).await;
    let claimed = claim_one(store, 1).await;
    store
        .commit(&claimed.lease, at(2), with_next(ended_well(json!(1))))
        .await
        .unwrap();
    let cancel = RequestKind::Cancel {
        by: "ada".to_owned(),
    };
    let refused = store.request(&id, at(3), cancel).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
}

async fn large_values_come_back_whole(store: &Store) {
    let body = json!({ "list": vec!["some text that is long enough"; 1000] });
    let mut job = new_job("a");
    job.event = json!({ "body": body, "index": 3 });
    let id = job.id.clone();
    let arrival = Arrival {
        recipe: recipe("a"),
        payload: None,
        jobs: vec![job],
        at: at(0),
    };
    store.enqueue(arrival).await.unwrap();
    let claimed = claim_one(store, 1).await;
    assert_eq!(claimed.job.event["body"], body);
    assert_eq!(claimed.job.event["index"], json!(3));
    let last = Advance {
        entries: vec![
            succeeded("small", 2, json!(7)),
            succeeded("large", 2, body.clone()),
        ],
        next: ended_well(json!([body])),
        ..Advance::default()
    };
    store.commit(&claimed.lease, at(2), last).await.unwrap();
    let (job, entries, _) = store.job(&id).await.unwrap();
    assert_eq!(entries[0], succeeded("small", 2, json!(7)));
    assert_eq!(entries[1], succeeded("large", 2, body.clone()));
    assert_eq!(job.ending.unwrap().output, Some(json!([body])));
    let listed = store
        .jobs(&JobFilter {
            limit: 10,
            ..JobFilter::default()
        })
        .await
        .unwrap();
    assert_eq!(listed[0].event, json!(null), "a list reads no payloads");
}

async fn children_are_queued_with_the_commit(store: &Store) {
    queue(store, "a", 0).await;
    let claimed = claim_one(store, 1).await;
    let child = new_job("b");
    let start = Advance {
        children: vec![child.clone()],
        ..Advance::default()
    };
    let committed = store.commit(&claimed.lease, at(2), start).await.unwrap();
    assert_eq!(committed.woken, std::slice::from_ref(&child.id));
    assert_eq!(claim_one(store, 2).await.job.id, child.id);
}

async fn the_end_of_a_job_wakes_those_that_await_it(store: &Store) {
    let first = queue(store, "a", 0).await;
    let second = queue(store, "b", 1).await;
    let both = claim(store, 2).await;
    let wait = Advance {
        awaits: vec![AwaitRequest {
            key: key("wait"),
            jobs: vec![second.clone()],
        }],
        next: Next::Waiting(None),
        ..Advance::default()
    };
    store
        .commit(&both[0].lease, at(3), wait.clone())
        .await
        .unwrap();
    let end = with_next(ended_well(json!(1)));
    let committed = store.commit(&both[1].lease, at(4), end).await.unwrap();
    assert_eq!(committed.woken, [first]);
    let again = claim_one(store, 4).await;
    store.commit(&again.lease, at(5), wait).await.unwrap();
    assert_eq!(
        claim(store, 5).await.len(),
        1,
        "what ended before is not waited for"
    );
}

async fn jobs_are_listed_by_page_status_and_recipe(store: &Store) {
    let mut ids = Vec::new();
    for seconds in 0..5 {
        ids.push(queue(store, if seconds == 3 { "b" } else { "a" }, seconds).await);
    }
    let claimed = claim(store, 10).await;
    let calls = Advance {
        calls: vec![(recipe("b"), 2), (recipe("c"), 1)],
        next: ended_well(json!(1)),
        ..Advance::default()
    };
    store
        .commit(&claimed[1].lease, at(11), calls)
        .await
        .unwrap();
    let page = async |filter: JobFilter| {
        let jobs = store
            .jobs(&JobFilter {
                limit: filter.limit.max(2),
                ..filter
            })
            .await
            .unwrap();
        jobs.iter().map(|job| job.id.clone()).collect::<Vec<_>>()
    };
    let any = JobFilter::default();
    assert_eq!(page(any.clone()).await, [ids[4].clone(), ids[3].clone()]);
    let next = JobFilter {
        before: Some(ids[3].clone()),
        ..any.clone()
    };
    assert_eq!(page(next).await, [ids[2].clone(), ids[1].clone()]);
    let of_b = JobFilter {
        recipe: Some(recipe("b")),
        ..any.clone()
    };
    assert_eq!(
        page(of_b).await,
        [ids[3].clone(), ids[1].clone()],
        "as root and as called"
    );
    let done = JobFilter {
        statuses: vec![JobStatus::Succeeded],
        ..any.clone()
    };
    assert_eq!(page(done).await, [ids[1].clone()]);
    let open = JobFilter {
        statuses: vec![JobStatus::Running],
        limit: 10,
        ..any.clone()
    };
    assert_eq!(page(open).await.len(), 4);
    let failed = JobFilter {
        statuses: vec![JobStatus::Failed],
        ..any
    };
    assert!(page(failed).await.is_empty());
}

async fn jobs_are_listed_by_time(store: &Store) {
    let mut ids = Vec::new();
    for seconds in 0..5 {
        ids.push(queue(store, "a", seconds).await);
    }
    let filter = JobFilter {
        from: Some(at(1)),
        to: Some(at(3)),
        limit: 10,
        ..JobFilter::default()
    };
    let jobs = store.jobs(&filter).await.unwrap();
    let found: Vec<_> = jobs.into_iter().map(|job| job.id).collect();
    assert_eq!(found, [ids[2].clone(), ids[1].clone()]);
}
