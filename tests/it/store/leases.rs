//! Leases: renewed, lost, taken over, and taken out.

use recipe_engine::journal::JobStatus;
use recipe_engine::store::sqlite::RECOVERIES_MAX;
use recipe_engine::store::{Advance, Arrival, Jobs, Lease, NewJob, Next, Store, StoreError};
use serde_json::json;

use super::fixtures::{
    at, claim, claim_one, ended_well, new_job, queue, recipe, succeeded, with_next,
};

super::on_every_store!(
    a_lease_that_ran_out_goes_to_another_worker,
    a_renewed_lease_holds_longer,
    crashes_without_progress_end_in_quarantine,
    progress_and_an_orderly_return_reset_the_count,
    a_restart_lets_all_leases_run_out,
    a_stale_commit_leaves_nothing_behind,
    a_lease_whose_job_was_left_in_order_is_not_lost,
    a_job_that_was_put_off_before_it_began_is_in_line_again,
);

async fn a_lease_that_ran_out_goes_to_another_worker(store: &Store) {
    queue(store, "a", 0).await;
    let first = claim_one(store, 0).await;
    assert!(claim(store, 29).await.is_empty());
    let second = claim_one(store, 30).await;
    assert_eq!(second.job.recoveries, 1);
    assert!(second.lease.number > first.lease.number);
    let stale = store.commit(&first.lease, at(31), Advance::default()).await;
    assert!(matches!(stale, Err(StoreError::LeaseLost(_))));
    store
        .commit(&second.lease, at(31), Advance::default())
        .await
        .unwrap();
}

async fn a_renewed_lease_holds_longer(store: &Store) {
    queue(store, "a", 0).await;
    let claimed = claim_one(store, 0).await;
    let stale = Lease {
        number: 0,
        ..claimed.lease.clone()
    };
    let leases = vec![claimed.lease.clone(), stale.clone()];
    assert_eq!(store.renew(leases, at(50)).await.unwrap(), [stale]);
    assert!(claim(store, 49).await.is_empty());
    claim_one(store, 50).await;
}

async fn crashes_without_progress_end_in_quarantine(store: &Store) {
    let id = queue(store, "a", 0).await;
    for crash in 0..=i64::from(RECOVERIES_MAX) {
        claim_one(store, crash * 30).await;
    }
    assert!(claim(store, 1000).await.is_empty());
    let (job, ..) = store.job(&id).await.unwrap();
    assert_eq!(job.status, JobStatus::Quarantined);
    assert_eq!(job.ending.unwrap().failure.unwrap().code, "quarantined");
    assert_eq!(store.next_due().await.unwrap(), None);
}

async fn progress_and_an_orderly_return_reset_the_count(store: &Store) {
    queue(store, "a", 0).await;
    claim_one(store, 0).await;
    let claimed = claim_one(store, 30).await;
    assert_eq!(claimed.job.recoveries, 1);
    store
        .commit(&claimed.lease, at(31), Advance::default())
        .await
        .unwrap();
    let claimed = claim_one(store, 60).await;
    assert_eq!(
        claimed.job.recoveries, 2,
        "a commit without entries is no progress"
    );
    let progress = Advance {
        entries: vec![succeeded("look", 61, json!(1))],
        ..Advance::default()
    };
    store
        .commit(&claimed.lease, at(61), progress)
        .await
        .unwrap();
    let claimed = claim_one(store, 90).await;
    assert_eq!(claimed.job.recoveries, 1);
    assert_eq!(claimed.entries.len(), 1);
    store
        .commit(&claimed.lease, at(91), with_next(Next::GivenBack))
        .await
        .unwrap();
    assert_eq!(claim_one(store, 91).await.job.recoveries, 0);
}

async fn a_restart_lets_all_leases_run_out(store: &Store) {
    queue(store, "a", 0).await;
    queue(store, "b", 0).await;
    assert_eq!(claim(store, 0).await.len(), 2);
    assert_eq!(store.recover(at(1)).await.unwrap(), 2);
    let again = claim(store, 1).await;
    assert!(again.iter().all(|claimed| claimed.job.recoveries == 1));
    assert_eq!(again.len(), 2);
}

/// A stranger's commit in the same transaction is kept.
async fn a_stale_commit_leaves_nothing_behind(store: &Store) {
    let stale_id = queue(store, "a", 0).await;
    let stale = claim_one(store, 0).await;
    claim_one(store, 30).await;
    let good_id = queue(store, "b", 31).await;
    let good = claim_one(store, 31).await;
    let advance = |place: &str| Advance {
        entries: vec![succeeded(place, 32, json!(1))],
        ..Advance::default()
    };
    let (refused, kept) = tokio::join!(
        store.commit(&stale.lease, at(32), advance("stale")),
        store.commit(&good.lease, at(32), advance("good")),
    );
    assert_eq!(
        refused.unwrap_err(),
        StoreError::LeaseLost(stale_id.clone())
    );
    kept.unwrap();
    assert!(store.job(&stale_id).await.unwrap().1.is_empty());
    assert_eq!(store.job(&good_id).await.unwrap().1.len(), 1);
}

async fn a_lease_whose_job_was_left_in_order_is_not_lost(store: &Store) {
    queue(store, "a", 0).await;
    queue(store, "b", 0).await;
    let claimed = claim(store, 0).await;
    let leases: Vec<Lease> = claimed
        .iter()
        .map(|claimed| claimed.lease.clone())
        .collect();
    let ended = with_next(ended_well(json!(null)));
    store.commit(&leases[0], at(1), ended).await.unwrap();
    assert_eq!(store.renew(leases, at(50)).await.unwrap(), []);
}

/// A recipe that is broken when its jobs come up does not take them out of their line: it is
/// counted, stopping keeps it, and whoever cancels what runs does not cancel it.
async fn a_job_that_was_put_off_before_it_began_is_in_line_again(store: &Store) {
    let name = recipe("a");
    store.start(&name, "ada", at(0)).await.unwrap();
    let job = NewJob {
        needs_started_recipe: true,
        ..new_job("a")
    };
    let id = job.id.clone();
    let arrival = Arrival {
        recipe: name.clone(),
        payload: None,
        jobs: vec![job],
        at: at(0),
    };
    store.enqueue(arrival).await.unwrap();
    let put_off = with_next(Next::PutOff(at(5)));
    let first = claim_one(store, 0).await;
    store
        .commit(&first.lease, at(1), put_off.clone())
        .await
        .unwrap();
    assert_eq!(store.queue_length().await.unwrap(), 1);
    assert!(claim(store, 4).await.is_empty());
    let second = claim_one(store, 5).await;
    store.stop(&name, "ada", at(6)).await.unwrap();
    store.commit(&second.lease, at(7), put_off).await.unwrap();
    let (job, ..) = store.job(&id).await.unwrap();
    assert_eq!((job.status, job.started_at), (JobStatus::Queued, None));
    let cancelled = store.cancel_begun(&name, at(8), "ada").await.unwrap();
    assert!(cancelled.is_empty());
    assert!(claim(store, 100).await.is_empty());
    store.start(&name, "ada", at(101)).await.unwrap();
    claim_one(store, 101).await;
}
