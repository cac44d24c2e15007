//! Concurrency keys and slots.

use recipe_engine::store::{Advance, Claimed, HoldRequest, Jobs, Next, Store};
use serde_json::json;

use super::fixtures::{at, claim, claim_one, ended_well, key, queue, recipe, with_next};

super::on_every_store!(
    one_key_goes_first_come_first_served,
    a_limit_bounds_all_keys_together,
    asking_again_answers_whether_the_turn_has_come,
    a_frame_gives_back_for_a_sibling,
    a_running_job_does_not_sleep_through_its_turn,
    a_quarantined_job_gives_back_what_it_held,
);

fn ask(frame: &str, value: Option<&str>, limit: Option<u32>) -> HoldRequest {
    HoldRequest {
        key: key(frame),
        recipe: recipe("rule"),
        value: value.map(str::to_owned),
        limit,
    }
}

fn asking(request: HoldRequest, next: Next) -> Advance {
    Advance {
        holds: vec![request],
        next,
        ..Advance::default()
    }
}

/// Claims three jobs, oldest first.
async fn three(store: &Store) -> Vec<Claimed> {
    for seconds in 0..3 {
        queue(store, "a", seconds).await;
    }
    claim(store, 3).await
}

async fn granted(store: &Store, claimed: &Claimed, request: HoldRequest) -> bool {
    let asked = asking(request, Next::Running);
    store
        .commit(&claimed.lease, at(4), asked)
        .await
        .unwrap()
        .granted[0]
}

async fn one_key_goes_first_come_first_served(store: &Store) {
    let jobs = three(store).await;
    assert!(granted(store, &jobs[0], ask("hold", Some("x"), None)).await);
    for waiting in &jobs[1..] {
        let asked = asking(ask("hold", Some("x"), None), Next::Waiting(None));
        let committed = store.commit(&waiting.lease, at(4), asked).await.unwrap();
        assert_eq!(committed.granted, [false]);
    }
    assert!(claim(store, 5).await.is_empty());
    let end = with_next(ended_well(json!(1)));
    let committed = store
        .commit(&jobs[0].lease, at(6), end.clone())
        .await
        .unwrap();
    assert_eq!(committed.woken, [jobs[1].job.id.clone()]);
    let next = claim_one(store, 6).await;
    assert!(granted(store, &next, ask("hold", Some("x"), None)).await);
    let committed = store.commit(&next.lease, at(7), end).await.unwrap();
    assert_eq!(committed.woken, [jobs[2].job.id.clone()]);
}

async fn a_limit_bounds_all_keys_together(store: &Store) {
    let jobs = three(store).await;
    assert!(granted(store, &jobs[0], ask("hold", Some("x"), Some(2))).await);
    assert!(granted(store, &jobs[1], ask("hold", None, Some(2))).await);
    assert!(!granted(store, &jobs[2], ask("hold", Some("z"), Some(2))).await);
    let release = Advance {
        released_holds: vec![key("hold")],
        ..Advance::default()
    };
    let committed = store.commit(&jobs[1].lease, at(5), release).await.unwrap();
    assert_eq!(committed.woken, [jobs[2].job.id.clone()]);
    assert!(granted(store, &jobs[2], ask("hold", Some("z"), Some(2))).await);
    assert!(!granted(store, &jobs[1], ask("hold", Some("y"), Some(2))).await);
}

async fn asking_again_answers_whether_the_turn_has_come(store: &Store) {
    let jobs = three(store).await;
    assert!(granted(store, &jobs[0], ask("hold", Some("x"), None)).await);
    assert!(granted(store, &jobs[0], ask("hold", Some("x"), None)).await);
    assert!(!granted(store, &jobs[1], ask("hold", Some("x"), None)).await);
    assert!(!granted(store, &jobs[1], ask("hold", Some("x"), None)).await);
}

async fn a_frame_gives_back_for_a_sibling(store: &Store) {
    queue(store, "a", 0).await;
    let job = claim_one(store, 1).await;
    assert!(granted(store, &job, ask("loop[0]/hold", Some("x"), None)).await);
    assert!(!granted(store, &job, ask("loop[1]/hold", Some("x"), None)).await);
    let release = Advance {
        released_holds: vec![key("loop[0]/hold")],
        ..Advance::default()
    };
    let committed = store.commit(&job.lease, at(5), release).await.unwrap();
    assert_eq!(
        committed.woken,
        std::slice::from_ref(&job.job.id),
        "its own sibling can go on"
    );
    assert!(granted(store, &job, ask("loop[1]/hold", Some("x"), None)).await);
}

async fn a_running_job_does_not_sleep_through_its_turn(store: &Store) {
    let jobs = three(store).await;
    assert!(granted(store, &jobs[0], ask("hold", Some("x"), None)).await);
    assert!(!granted(store, &jobs[1], ask("hold", Some("x"), None)).await);
    let end = with_next(ended_well(json!(1)));
    store.commit(&jobs[0].lease, at(5), end).await.unwrap();
    let wait = with_next(Next::Waiting(None));
    store.commit(&jobs[1].lease, at(6), wait).await.unwrap();
    assert_eq!(claim_one(store, 6).await.job.id, jobs[1].job.id);
}

async fn a_quarantined_job_gives_back_what_it_held(store: &Store) {
    let jobs = three(store).await;
    assert!(granted(store, &jobs[0], ask("hold", Some("x"), None)).await);
    let asked = asking(ask("hold", Some("x"), None), Next::Waiting(None));
    store.commit(&jobs[1].lease, at(4), asked).await.unwrap();
    store
        .commit(&jobs[2].lease, at(4), with_next(ended_well(json!(1))))
        .await
        .unwrap();
    // Claiming makes no progress; the first crash counts from the claim above.
    for crash in 1..=5 {
        claim_one(store, 100 * crash).await;
    }
    assert!(claim(store, 600).await.is_empty(), "it is taken out");
    assert_eq!(
        store.woken(),
        [jobs[1].job.id.clone()],
        "who waited is told"
    );
    assert_eq!(claim_one(store, 601).await.job.id, jobs[1].job.id);
}
