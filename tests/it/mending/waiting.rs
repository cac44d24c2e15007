//! Jobs that wait for room at a vendor: each comes back in its turn, and leaves nothing behind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use recipe_engine::clock::{Clock, Moment};
use recipe_engine::connector::{Connections, read};
use recipe_engine::journal::{EntryKind, JobStatus};
use recipe_engine::names::{ConnectorName, JobId};
use recipe_engine::outbound::{Accounts, Outbound};
use recipe_engine::source::parse;
use recipe_engine::store::Jobs;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::stage::{Nothing, Reply, Stage, VENDOR, count};

const NOTE: &str = "
title: Note
trigger: { function: { input: { who: integer }, output: {} } }
steps:
  - id: note
    action: vendor.send_note
    with: { text: 'of {{input.who}}' }
";

const OTHER: &str = "
title: Other
trigger: { function: { input: {}, output: {} } }
steps:
  - log: done
";

/// The budget: so many calls in a minute.
const CALLS: usize = 10;
const WINDOW: Duration = Duration::from_secs(60);

const MAKE: &str = "
title: Make
trigger: { function: { input: { who: integer }, output: {} } }
steps:
  - id: made
    action: vendor.make_thing
    with: { name: 'of {{input.who}}' }
";

/// A vendor that takes every request down with the time of the test's clock. It takes things and says
/// nothing; asked for them, it knows them.
async fn vendor(clock: Clock) -> (String, Arc<Mutex<Vec<Moment>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sent = Arc::<Mutex<Vec<Moment>>>::default();
    let seen = sent.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 16 << 10];
            let _ = stream.read(&mut request).await;
            seen.lock().unwrap().push(clock.now());
            let body = match request.split(|byte| *byte == b' ').nth(1) {
                Some(b"/things") => continue,
                Some(path) if path.starts_with(b"/things/list") => {
                    r#"{"items":[{"id":7,"name":"x"}]}"#
                }
                _ => r#"{"id":1}"#,
            };
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json";
            let reply = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(reply.as_bytes()).await;
        }
    });
    (url, sent)
}

/// A process's way out to that vendor, over the store of the stage.
async fn way_out(stage: &Stage, url: &str, connector: &str) -> Arc<Outbound> {
    let (document, mut report) = parse(&Arc::from("vendor.yaml"), connector.as_bytes());
    let name = ConnectorName::new("vendor").unwrap();
    let made = read(&name, &document.unwrap(), &mut report);
    assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
    let connectors = BTreeMap::from([(name, Arc::new(made))]);
    let text = format!("connections: {{ vendor: {{ base_url: '{url}', allow_private: true }} }}");
    let (document, mut report) = parse(&Arc::from("connections.yaml"), text.as_bytes());
    let connections = Connections::read(&document.unwrap().root, &connectors, &mut report);
    assert!(!report.has_errors(), "{:?}", report.into_diagnostics());
    let accounts = Accounts {
        connectors,
        connections,
    };
    let (ledger, clock) = (stage.store.clone(), stage.clock.clone());
    let opened = Outbound::open(accounts, Arc::new(Nothing), ledger, clock);
    Arc::new(opened.await.unwrap())
}

fn with_budget() -> String {
    format!("budget: [{{ calls: {CALLS}, per: 1m }}]\n{VENDOR}")
}

async fn queue(stage: &Stage, jobs: usize) -> Vec<JobId> {
    let mut queued = Vec::new();
    for who in 0..jobs {
        queued.push(stage.run("note", json!({ "who": who })).await);
    }
    queued
}

/// That a job ended well, and that its journal knows of one intent and of none withdrawn.
async fn assert_left_no_trace(stage: &Stage, jobs: &[JobId]) {
    for job in jobs {
        let (record, entries) = stage.job(job).await;
        assert_eq!(record.status, JobStatus::Succeeded);
        let is_intent = |kind: &EntryKind| matches!(kind, EntryKind::CallIntended { .. });
        let is_withdrawn = |kind: &EntryKind| matches!(kind, EntryKind::CallWithdrawn);
        assert_eq!(count(&entries, is_intent), 1, "{entries:#?}");
        assert_eq!(count(&entries, is_withdrawn), 0, "{entries:#?}");
    }
}

fn assert_within_budget(sent: &Mutex<Vec<Moment>>) {
    let mut sent = sent.lock().unwrap().clone();
    sent.sort();
    for calls in sent.windows(CALLS + 1) {
        assert!(calls[CALLS].since(calls[0]) >= WINDOW, "{calls:?}");
    }
}

#[tokio::test]
async fn waiters_for_a_budget_come_back_one_by_one_and_write_nothing_until_there_is_room() {
    const JOBS: usize = 95;
    let stage = Stage::of(&[("note", NOTE), ("other", OTHER)], |_| Reply::Refused).await;
    let (url, sent) = vendor(stage.clock.clone()).await;
    let out = way_out(&stage, &url, &with_budget()).await;
    let jobs = queue(&stage, JOBS).await;
    let mut claims = stage.work_with(out.clone()).await;
    assert_eq!(sent.lock().unwrap().len(), CALLS);
    // Whoever came meanwhile does not wait behind those that only wait.
    let other = stage.run("other", json!({})).await;
    claims += stage.work_with(out.clone()).await;
    assert_eq!(stage.status(&other).await, JobStatus::Succeeded);
    assert_eq!(claims, JOBS + 1, "nobody is claimed who waits");
    while let Some(due) = stage.store.next_due().await.unwrap() {
        stage.clock.advance(due.since(stage.clock.now()));
        claims += stage.work_with(out.clone()).await;
    }
    assert_eq!(sent.lock().unwrap().len(), JOBS);
    assert_within_budget(&sent);
    assert_left_no_trace(&stage, &jobs).await;
    assert_eq!(claims, JOBS + 1 + JOBS - CALLS, "each waiter is woken once");
}

#[tokio::test]
async fn waiters_keep_within_the_budget_over_restarts_and_newcomers_wait_behind_them() {
    let stage = Stage::of(&[("note", NOTE)], |_| Reply::Refused).await;
    let (url, sent) = vendor(stage.clock.clone()).await;
    let mut out = way_out(&stage, &url, &with_budget()).await;
    let mut jobs = queue(&stage, 40).await;
    let (mut claims, mut rounds) = (stage.work_with(out.clone()).await, 0);
    while let Some(due) = stage.store.next_due().await.unwrap() {
        stage.clock.advance(due.since(stage.clock.now()));
        if rounds == 1 {
            out = way_out(&stage, &url, &with_budget()).await;
        }
        if rounds < 4 {
            jobs.extend(queue(&stage, 5).await);
        }
        rounds += 1;
        claims += stage.work_with(out.clone()).await;
    }
    assert_eq!(sent.lock().unwrap().len(), jobs.len());
    assert_within_budget(&sent);
    assert_left_no_trace(&stage, &jobs).await;
    assert!(claims <= jobs.len() * 3, "{claims} claims");
}

#[tokio::test]
async fn waiters_for_a_group_write_nothing_until_it_is_theirs() {
    let stage = Stage::of(&[("note", NOTE)], |_| Reply::Refused).await;
    let (url, sent) = vendor(stage.clock.clone()).await;
    let one_by_one = VENDOR.replace("send_note:", "send_note:\n    exclusive: lane");
    let out = way_out(&stage, &url, &one_by_one).await;
    let jobs = queue(&stage, 60).await;
    let mut claims = stage.work_with(out.clone()).await;
    while let Some(due) = stage.store.next_due().await.unwrap() {
        stage.clock.advance(due.since(stage.clock.now()));
        claims += stage.work_with(out.clone()).await;
    }
    assert_eq!(sent.lock().unwrap().len(), jobs.len());
    assert_left_no_trace(&stage, &jobs).await;
    assert!(claims <= jobs.len() * 3, "{claims} claims");
}

#[tokio::test]
async fn a_question_that_finds_no_room_keeps_nobody_from_working() {
    let recipes = [("make", MAKE), ("other", OTHER)];
    let stage = Stage::of(&recipes, |_| Reply::Refused).await;
    let (url, sent) = vendor(stage.clock.clone()).await;
    let rarely = VENDOR.replace(
        "list_things:",
        "list_things:\n    budget: [{ calls: 1, per: 1h }]",
    );
    let out = way_out(&stage, &url, &rarely).await;
    let mut jobs = Vec::new();
    for who in 0..3 {
        jobs.push(stage.run("make", json!({ "who": who })).await);
    }
    stage.work_with(out.clone()).await;
    stage.clock.advance(Duration::from_secs(5));
    // One of three questions has room; the others are left for later, and their jobs with them.
    let work = stage.work_with(out.clone());
    let worked = Clock::within(Duration::from_secs(20), work).await;
    assert!(worked.is_some(), "a question sleeps in a worker's place");
    assert_eq!(sent.lock().unwrap().len(), 3 + 1);
    let mut statuses = Vec::new();
    for job in &jobs {
        statuses.push(stage.status(job).await);
    }
    statuses.sort();
    let waiting = JobStatus::Waiting;
    assert_eq!(statuses, [waiting, waiting, JobStatus::Succeeded]);
    stage.run("other", json!({})).await;
    assert_eq!(stage.work_with(out.clone()).await, 1);
    for _ in 0..2 {
        stage.clock.advance(Duration::from_secs(3_600));
        stage.work_with(out.clone()).await;
    }
    for job in &jobs {
        assert_eq!(stage.status(job).await, JobStatus::Succeeded);
    }
    assert_eq!(sent.lock().unwrap().len(), 3 + 3);
}
