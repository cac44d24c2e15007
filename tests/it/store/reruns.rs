//! What is looked at again in the commit that queues a rerun, lets a job go on, or starts one; and
//! what one job needs of another.

use recipe_engine::journal::{Ending, Entry, EntryKind, JobStatus};
use recipe_engine::names::JobId;
use recipe_engine::store::{
    Advance, Arrival, AwaitRequest, Awaited, EventFilter, IfDoneAgain, Jobs, Lease, NewJob, Next,
    NotQueued, Payload, Reach, Release, Replay, RequestKind, Rerun, Store, StoreError,
};
use serde_json::json;

use super::fixtures::{
    at, claim, claim_one, ended_well, key, new_job, queue, recipe, succeeded, with_next,
};
use super::pruning::prune;

super::on_every_store!(
    of_two_wishes_to_do_a_job_again_one_counts,
    a_job_that_goes_on_is_not_done_again,
    a_job_that_was_done_again_is_not_let_go_on_unasked,
    a_job_without_its_history_is_not_done_again,
    a_rerun_is_as_deep_as_its_origin,
    what_a_cancelled_job_has_just_started_is_cancelled_with_it,
    what_an_awaited_job_gave_stays_until_the_step_that_waits_is_done,
    a_replay_and_who_wished_it_are_one_commit,
);

fn rerun(origin: &JobId, if_done_again: IfDoneAgain) -> Rerun {
    Rerun {
        job: new_job("a"),
        origin: origin.clone(),
        place: "start".to_owned(),
        version: "current".to_owned(),
        pinned: None,
        entries: Vec::new(),
        not_before: at(10),
        by: "ada".to_owned(),
        if_done_again,
    }
}

async fn end(store: &Store, lease: &Lease, seconds: i64, status: JobStatus) {
    let ending = Ending {
        status,
        output: Some(json!({ "result": 7 })),
        failure: None,
    };
    let last = with_next(Next::Ended(ending));
    store.commit(lease, at(seconds), last).await.unwrap();
}

/// A job that ended like this.
async fn ended(store: &Store, status: JobStatus) -> JobId {
    let id = queue(store, "a", 0).await;
    let lease = claim_one(store, 1).await.lease;
    end(store, &lease, 2, status).await;
    id
}

async fn of_two_wishes_to_do_a_job_again_one_counts(store: &Store) {
    let origin = ended(store, JobStatus::Failed).await;
    let first = rerun(&origin, IfDoneAgain::Refuse);
    let name = first.job.id.clone();
    let both = vec![first, rerun(&origin, IfDoneAgain::Refuse)];
    let fates = store.enqueue_reruns(both, at(3)).await.unwrap();
    assert_eq!(fates, [None, Some(NotQueued::DoneAgain(name.clone()))]);
    let late = vec![rerun(&origin, IfDoneAgain::Refuse)];
    let fates = store.enqueue_reruns(late, at(3)).await.unwrap();
    assert_eq!(fates, [Some(NotQueued::DoneAgain(name))]);
    assert_eq!(store.lineage(&origin).await.unwrap().reruns.len(), 1);
    let all_the_same = vec![rerun(&origin, IfDoneAgain::Allow)];
    let fates = store.enqueue_reruns(all_the_same, at(3)).await.unwrap();
    assert_eq!(fates, [None]);
}

async fn a_job_that_goes_on_is_not_done_again(store: &Store) {
    let origin = ended(store, JobStatus::Quarantined).await;
    store
        .release(&origin, at(3), "ada", Release::ToGoOn)
        .await
        .unwrap();
    let planned = vec![rerun(&origin, IfDoneAgain::Allow)];
    let fates = store.enqueue_reruns(planned, at(4)).await.unwrap();
    assert_eq!(fates, [Some(NotQueued::GoesOn(JobStatus::Queued))]);
}

async fn a_job_that_was_done_again_is_not_let_go_on_unasked(store: &Store) {
    let origin = ended(store, JobStatus::Quarantined).await;
    let planned = rerun(&origin, IfDoneAgain::Allow);
    let name = planned.job.id.clone();
    store.enqueue_reruns(vec![planned], at(3)).await.unwrap();
    let refused = store.release(&origin, at(4), "ada", Release::ToGoOn).await;
    let Err(StoreError::Conflict(why)) = refused else {
        panic!("expected a refusal, not {refused:?}");
    };
    assert!(why.contains(name.as_str()), "{why}");
    assert_eq!(store.status(&origin).await.unwrap(), JobStatus::Quarantined);
    store
        .release(&origin, at(5), "ada", Release::ToGoOnAnyway)
        .await
        .unwrap();
    assert_eq!(store.status(&origin).await.unwrap(), JobStatus::Queued);
}

async fn a_job_without_its_history_is_not_done_again(store: &Store) {
    let origin = ended(store, JobStatus::Failed).await;
    let planned = rerun(&origin, IfDoneAgain::Allow);
    assert_eq!(prune(store, 100).await, 1);
    let fates = store.enqueue_reruns(vec![planned], at(200)).await.unwrap();
    assert_eq!(fates, [Some(NotQueued::HistoryRemoved)]);
}

async fn a_rerun_is_as_deep_as_its_origin(store: &Store) {
    let parent = queue(store, "a", 0).await;
    let lease = claim_one(store, 1).await.lease;
    let child = started_by(&parent);
    let id = child.id.clone();
    store
        .commit(&lease, at(2), starting(vec![child]))
        .await
        .unwrap();
    let claimed = claim_one(store, 3).await;
    assert_eq!((&claimed.job.id, claimed.job.start_depth), (&id, 1));
    end(store, &claimed.lease, 4, JobStatus::Failed).await;
    let again = rerun(&id, IfDoneAgain::Allow);
    let name = again.job.id.clone();
    store.enqueue_reruns(vec![again], at(5)).await.unwrap();
    let (again, ..) = store.job(&name).await.unwrap();
    assert_eq!(again.start_depth, 1, "or it could start others without end");
}

fn started_by(parent: &JobId) -> NewJob {
    NewJob {
        started_by: format!("job:{parent}"),
        ..new_job("child")
    }
}

/// The entry that says that a job was started.
fn start_of(child: &NewJob) -> Entry {
    let output = json!({ "job_id": child.id.as_str() });
    succeeded(child.id.as_str(), 2, output)
}

fn starting(children: Vec<NewJob>) -> Advance {
    Advance {
        entries: children.iter().map(start_of).collect(),
        children,
        ..Advance::default()
    }
}

async fn is_cancelled(store: &Store, job: &JobId) -> bool {
    let requests = store.requests(job).await.unwrap();
    assert!(requests.len() < 2, "it is asked once");
    matches!(
        requests.first().map(|request| &request.kind),
        Some(RequestKind::Cancel { by }) if by == "ada"
    )
}

async fn what_a_cancelled_job_has_just_started_is_cancelled_with_it(store: &Store) {
    let parent = queue(store, "a", 0).await;
    let lease = claim_one(store, 1).await.lease;
    for _ in 0..2 {
        let asked = vec![parent.clone()];
        let asked = store.cancel(asked, at(2), "ada", Reach::Children).await;
        assert_eq!(asked.unwrap(), std::slice::from_ref(&parent));
    }
    assert!(is_cancelled(store, &parent).await);
    // The worker has not heard of it yet.
    let late = started_by(&parent);
    let late_id = late.id.clone();
    let first = starting(vec![late]);
    store.commit(&lease, at(3), first).await.unwrap();
    assert!(is_cancelled(store, &late_id).await);
    // Now it hears of it, and cleans up.
    let (before, after) = (started_by(&parent), started_by(&parent));
    let (before_id, after_id) = (before.id.clone(), after.id.clone());
    let heard = Entry {
        key: key(""),
        at: at(4),
        kind: EntryKind::CancelRequested { by: "ada".into() },
    };
    let hearing = Advance {
        entries: vec![start_of(&before), heard, start_of(&after)],
        consumed_requests: vec![store.requests(&parent).await.unwrap()[0].number],
        ..starting(vec![before, after])
    };
    store.commit(&lease, at(4), hearing).await.unwrap();
    assert!(is_cancelled(store, &before_id).await);
    assert!(!is_cancelled(store, &after_id).await, "it cleans up");
    let cleaning = started_by(&parent);
    let cleaning_id = cleaning.id.clone();
    let last = starting(vec![cleaning]);
    store.commit(&lease, at(5), last).await.unwrap();
    assert!(!is_cancelled(store, &cleaning_id).await, "it cleans up");
    // What the late one starts is cancelled, too.
    let claimed = claim(store, 6).await;
    let late = claimed.into_iter().find(|c| c.job.id == late_id).unwrap();
    let below = started_by(&late_id);
    let below_id = below.id.clone();
    let below = starting(vec![below]);
    store.commit(&late.lease, at(7), below).await.unwrap();
    assert!(is_cancelled(store, &below_id).await);
}

async fn what_an_awaited_job_gave_stays_until_the_step_that_waits_is_done(store: &Store) {
    let waiting = queue(store, "waiting", 0).await;
    let lease = claim_one(store, 1).await.lease;
    let [early, first, second] = [
        queue(store, "early", 1).await,
        queue(store, "first", 2).await,
        queue(store, "second", 3).await,
    ];
    let mut leases = Vec::new();
    for claimed in claim(store, 4).await {
        leases.push(claimed.lease);
    }
    end(store, &leases[0], 5, JobStatus::Succeeded).await;
    let place = key("done");
    let jobs = vec![early.clone(), first.clone(), second.clone()];
    let wait = Advance {
        awaits: vec![AwaitRequest {
            key: place.clone(),
            jobs: jobs.clone(),
        }],
        next: Next::Waiting(None),
        ..Advance::default()
    };
    store.commit(&lease, at(6), wait).await.unwrap();
    end(store, &leases[1], 7, JobStatus::Succeeded).await;
    assert!(claim(store, 8).await.is_empty(), "one is still awaited");
    assert_eq!(prune(store, 100).await, 0, "what they gave is needed");
    // Not even by a sweep that found them before they were.
    let numbers = store.kept_jobs(0, 10).await.unwrap();
    let numbers = numbers.iter().map(|job| job.number).collect();
    let step = store.forget_jobs(numbers, "a rule", at(9)).await.unwrap();
    assert_eq!(step.count, 0);
    end(store, &leases[2], 10, JobStatus::Succeeded).await;
    let woken = claim_one(store, 11).await;
    assert_eq!(woken.job.id, waiting);
    assert_eq!(prune(store, 100).await, 0, "the step does not have it yet");
    let stand = store.awaited(&waiting, &place, &jobs).await.unwrap();
    for stands in stand {
        let Awaited::Ended(ending) = stands else {
            panic!("it ended: {stands:?}");
        };
        assert_eq!(ending.output, Some(json!({ "result": 7 })));
    }
    let done = Advance {
        awaits: vec![AwaitRequest {
            key: place.clone(),
            jobs: Vec::new(),
        }],
        next: ended_well(json!(1)),
        ..Advance::default()
    };
    store.commit(&woken.lease, at(12), done).await.unwrap();
    assert_eq!(prune(store, 100).await, 4);
    let stand = store.awaited(&waiting, &place, &jobs[..1]).await.unwrap();
    assert_eq!(stand, [Awaited::HistoryRemoved]);
}

async fn a_replay_and_who_wished_it_are_one_commit(store: &Store) {
    let arrival = |payload| Arrival {
        recipe: recipe("a"),
        payload,
        jobs: vec![new_job("a")],
        at: at(0),
    };
    let payload = Payload {
        headers: json!({}),
        query: json!({}),
        body: b"raw".to_vec(),
    };
    store.enqueue(arrival(Some(payload))).await.unwrap();
    let page = EventFilter {
        limit: 1,
        ..EventFilter::default()
    };
    let event = store.events(&page).await.unwrap()[0].number;
    let replay = Replay {
        event,
        by: "ada".to_owned(),
    };
    let shared = recipe_engine::data::Object::new();
    store
        .enqueue_split(arrival(None), shared, Some(replay))
        .await
        .unwrap();
    let noted = store.audit(Some(&format!("event:{event}")), 10).await;
    let noted = noted.unwrap();
    assert_eq!(noted.len(), 1);
    assert_eq!(
        (&*noted[0].by, &*noted[0].action),
        ("ada", "event_replayed")
    );
    assert_eq!(noted[0].detail, json!({ "jobs": 1 }));
}
