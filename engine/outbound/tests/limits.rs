//! Budgets and exclusive groups.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, join_all, ready};
use serde_json::json;

use super::super::*;
use super::bench::{Bench, HEADER, call, shown};
use super::server::{Answer, Server};
use crate::clock::{Clock, Moment};
use crate::names::ConnectionName;
use crate::store::{NoticeClaim, SpentBlock, TakenGroup};

const ACTIONS: &str = r#"
budget: [{ calls: 3, per: 10s }]
actions:
  look: { title: Look, effect: read, request: { get: /look }, output: {} }
  rare:
    title: Rare
    effect: read
    budget: [{ calls: 1, per: 1m }]
    request: { get: /rare }
    output: {}
  alone:
    { title: Alone, effect: read, exclusive: tree, request: { get: /alone }, output: {} }
"#;

fn connector() -> String {
    format!("{HEADER}{ACTIONS}")
}

pub(super) fn told(performed: &Performed, start: Moment) -> String {
    match performed {
        Performed::Ended(called) => shown(called),
        Performed::Later(until) => format!("in {}s", until.since(start).as_secs()),
    }
}

#[tokio::test]
async fn never_more_calls_than_the_budget_in_any_window() {
    let server = Server::always(200, "{}").await;
    let bench = Bench::new(&connector(), &server.url).await;
    let start = bench.clock.now();
    let mut log = Vec::new();
    for step in [0, 0, 4, 0, 5, 1, 0, 4] {
        bench.clock.advance(Duration::from_secs(step));
        log.push(told(&bench.call("look", json!({})).await, start));
    }
    assert_eq!(
        log,
        [
            "done {}", "done {}", "done {}", "in 10s", "in 10s", "done {}", "done {}", "done {}"
        ]
    );
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn an_action_has_a_budget_of_its_own() {
    let server = Server::always(200, "{}").await;
    let bench = Bench::new(&connector(), &server.url).await;
    let start = bench.clock.now();
    assert_eq!(told(&bench.call("rare", json!({})).await, start), "done {}");
    assert_eq!(told(&bench.call("rare", json!({})).await, start), "in 60s");
    assert_eq!(told(&bench.call("look", json!({})).await, start), "done {}");
}

#[tokio::test]
async fn a_busy_vendor_is_left_alone() {
    let server =
        Server::start(|_, _| Answer::Reply(429, "Retry-After: 30\r\n", "{}".to_owned())).await;
    let bench = Bench::new(&connector(), &server.url).await;
    let start = bench.clock.now();
    let first = bench.call("look", json!({})).await;
    assert_eq!(told(&first, start), "retry too_many_requests 30s");
    assert_eq!(told(&bench.call("rare", json!({})).await, start), "in 30s");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn calls_of_a_group_never_overlap() {
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (here, peak) = (inside.clone(), most.clone());
    let server = Server::start(move |_, _| {
        peak.fetch_max(here.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::yield_now();
        here.fetch_sub(1, Ordering::SeqCst);
        Answer::Reply(200, "", "{}".to_owned())
    })
    .await;
    let connector = connector().replace("calls: 3", "calls: 100");
    let bench = Bench::new(&connector, &server.url).await;
    let calls = join_all((0..10).map(|_| bench.ended("alone", json!({})))).await;
    assert!(calls.iter().all(|called| shown(called) == "done {}"));
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

/// A ledger that a test can look into and hand on to the next process.
#[derive(Default)]
pub(super) struct Kept(pub(super) Mutex<Remembered>);

impl Ledger for Kept {
    fn load(&self) -> BoxFuture<'_, Result<Remembered, LedgerError>> {
        ready(Ok(self.0.lock().expect("no panic").clone())).boxed()
    }

    fn open_block(&self, block: SpentBlock) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.0.lock().expect("no panic").blocks.push(block);
        ready(Ok(())).boxed()
    }

    fn close_block(&self, id: String, until: Moment) -> BoxFuture<'_, Result<(), LedgerError>> {
        for block in &mut self.0.lock().expect("no panic").blocks {
            if block.id == id {
                block.counts_until = Some(until);
            }
        }
        ready(Ok(())).boxed()
    }

    fn put_hold(&self, hold: TakenGroup) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.0.lock().expect("no panic").holds.push(hold);
        ready(Ok(())).boxed()
    }

    fn remove_hold(
        &self,
        _connection: ConnectionName,
        group: String,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.0
            .lock()
            .expect("no panic")
            .holds
            .retain(|hold| hold.group != group);
        ready(Ok(())).boxed()
    }

    fn keep_refresh_token(
        &self,
        _connection: ConnectionName,
        _token: crate::outbound::ledger::RotatedToken,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        ready(Ok(())).boxed()
    }

    fn claim_notice(
        &self,
        _key: String,
        _holder: String,
        _now: Moment,
        _until: Moment,
    ) -> BoxFuture<'_, Result<NoticeClaim, LedgerError>> {
        ready(Ok(NoticeClaim::Granted)).boxed()
    }

    fn confirm_notice(
        &self,
        _key: String,
        _holder: String,
        _until: Moment,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        ready(Ok(())).boxed()
    }

    fn release_notice(
        &self,
        _key: String,
        _holder: String,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        ready(Ok(())).boxed()
    }
}

pub(super) fn connections(url: &str) -> String {
    format!(
        "connections: {{ vendor: {{ base_url: '{url}', key: {{ env: KEY }}, \
         allow_private: true }} }}"
    )
}

#[tokio::test]
async fn a_restart_refills_nothing() {
    let server = Server::always(200, "{}").await;
    let ledger = Arc::new(Kept::default());
    let connections = connections(&server.url);
    let before = Bench::with(&connector(), &connections, ledger.clone()).await;
    before.ended("look", json!({})).await;
    before.ended("look", json!({})).await;
    let after = Bench::with(&connector(), &connections, ledger).await;
    let start = after.clock.now();
    assert_eq!(told(&after.call("look", json!({})).await, start), "done {}");
    assert_eq!(told(&after.call("look", json!({})).await, start), "in 10s");
}

/// Begins a call and lets go of it once the vendor has its request, as a lost lease does.
async fn begun(bench: &Bench, server: &Server, action: &str) {
    let (before, call) = (server.seen().len(), call(action, json!({})));
    let mut performing = std::pin::pin!(bench.outbound.perform(&call));
    while server.seen().len() == before {
        assert!(futures_util::poll!(&mut performing).is_pending());
        tokio::task::yield_now().await;
    }
}

/// A vendor that answers only from the n-th request on.
async fn silent_before(n: usize) -> Server {
    Server::start(move |_, before| match before < n {
        true => Answer::Silence,
        false => Answer::Reply(200, "", "{}".to_owned()),
    })
    .await
}

#[tokio::test]
async fn a_call_that_is_let_go_counts_for_a_window_and_no_longer() {
    let server = silent_before(3).await;
    let ledger = Arc::new(Kept::default());
    let bench = Bench::with(&connector(), &connections(&server.url), ledger.clone()).await;
    let start = bench.clock.now();
    for _ in 0..3 {
        begun(&bench, &server, "look").await;
        bench.clock.advance(Duration::from_secs(1));
    }
    let full = bench.call("look", json!({})).await;
    assert_eq!(told(&full, start), "in 10s");
    bench.clock.advance(Duration::from_secs(7));
    for expected in ["done {}", "in 11s"] {
        assert_eq!(told(&bench.call("look", json!({})).await, start), expected);
    }
    let blocks = ledger.0.lock().expect("no panic").blocks.clone();
    assert!(blocks.iter().all(|block| block.counts_until.is_some()));
}

#[tokio::test]
async fn a_block_of_a_dead_process_counts_for_one_window_and_not_again() {
    let server = silent_before(1).await;
    let ledger = Arc::new(Kept::default());
    let connections = connections(&server.url);
    let before = Bench::with(&connector(), &connections, ledger.clone()).await;
    begun(&before, &server, "look").await;
    let after = Bench::with(&connector(), &connections, ledger.clone()).await;
    let until = after.clock.now().after(Duration::from_secs(10));
    let blocks = ledger.0.lock().expect("no panic").blocks.clone();
    assert_eq!(blocks.len(), 1);
    assert_eq!(blocks[0].counts_until, Some(until));
}

#[tokio::test]
async fn a_group_stays_taken_when_its_call_is_let_go() {
    let server = silent_before(1).await;
    let bench = Bench::new(&connector(), &server.url).await;
    let start = bench.clock.now();
    begun(&bench, &server, "alone").await;
    assert_eq!(told(&bench.call("alone", json!({})).await, start), "in 22s");
    bench.clock.advance(Duration::from_secs(22));
    assert_eq!(
        told(&bench.call("alone", json!({})).await, start),
        "done {}"
    );
}

#[tokio::test]
async fn a_hold_outlives_a_crash_by_the_timeout() {
    let server = silent_before(1).await;
    let ledger = Arc::new(Kept::default());
    let connections = connections(&server.url);
    let before = Bench::with(&connector(), &connections, ledger.clone()).await;
    begun(&before, &server, "alone").await;
    let after = Bench::with(&connector(), &connections, ledger).await;
    let start = after.clock.now();
    assert_eq!(told(&after.call("alone", json!({})).await, start), "in 22s");
}

#[tokio::test]
async fn a_hold_lasts_the_real_timeout_however_fast_the_clock_runs() {
    let server = silent_before(1).await;
    let ledger = Arc::new(Kept::default());
    let (clock, connections) = (Clock::real(60.0), connections(&server.url));
    let start = clock.now();
    let bench = Bench::at(clock, &connector(), &connections, ledger.clone()).await;
    begun(&bench, &server, "alone").await;
    let holds = ledger.0.lock().expect("no panic").holds.clone();
    assert_eq!(holds.len(), 1);
    assert!(holds[0].until.since(start) >= Duration::from_secs(20 * 60));
}
