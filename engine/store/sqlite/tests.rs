//! Promises that only show from inside: group commit, full disks, the use of indexes.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use sqlx::Row;

use super::Sqlite;
use super::error::store_error;
use crate::clock::Moment;
use crate::expression::{Condition, Known, Names};
use crate::names::{JobId, RecipeName, TableName};
use crate::shape::{Field, Shape};
use crate::source::parse;
use crate::store::{Arrival, Haste, JobFilter, Jobs, NewJob, StoreError};
use crate::table::{Column, Operation, Table};

fn arrival(event: serde_json::Value) -> Arrival {
    let recipe = RecipeName::new("tests/a").unwrap();
    Arrival {
        recipe: recipe.clone(),
        payload: None,
        jobs: vec![NewJob {
            id: JobId::fresh(),
            recipe,
            event,
            input: json!({}),
            started_by: "webhook".to_owned(),
            needs_started_recipe: false,
            dedupe: None,
        }],
        at: Moment(1),
    }
}

async fn run(store: &Sqlite, sql: String) {
    store
        .with_writer(move |connection| {
            Box::pin(async move {
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .execute(connection)
                    .await
                    .map_err(store_error)?;
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn plan_of(store: &Sqlite, sql: &str) -> String {
    let sql = format!("EXPLAIN QUERY PLAN {sql}");
    store
        .with_reader(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                    .fetch_all(connection)
                    .await
                    .map_err(store_error)?;
                let lines = rows.iter().map(|row| row.get::<String, _>(3));
                Ok(lines.collect::<Vec<_>>().join("\n"))
            })
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_full_disk_refuses_all_and_keeps_nothing_half_done() {
    let store = Sqlite::in_memory().await.unwrap();
    store.enqueue(arrival(json!(1))).await.unwrap();
    run(&store, "PRAGMA max_page_count = 1".to_owned()).await;
    let noise: Vec<String> = (0..3000)
        .map(|n| JobId::fresh().to_string() + &n.to_string())
        .collect();
    let outcomes = join_all([
        store.enqueue(arrival(json!(noise))),
        store.enqueue(arrival(json!(noise[1..]))),
    ])
    .await;
    for outcome in outcomes {
        let refused = outcome.unwrap_err();
        assert!(matches!(&refused, StoreError::Unavailable(why) if why.contains("disk is full")));
    }
    run(&store, "PRAGMA max_page_count = 1000000".to_owned()).await;
    let all = JobFilter {
        limit: 10,
        ..JobFilter::default()
    };
    assert_eq!(store.jobs(&all).await.unwrap().len(), 1);
    store.enqueue(arrival(json!(noise))).await.unwrap();
}

#[tokio::test]
async fn what_is_ready_together_is_committed_together() {
    let store = Sqlite::in_memory().await.unwrap();
    let before = store.counts().commits;
    let outcomes = join_all((0..100).map(|n| store.enqueue(arrival(json!(n))))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert!(
        store.counts().commits - before <= 2,
        "one transaction for all that waited"
    );
}

#[tokio::test]
async fn the_same_job_twice_is_a_conflict_that_undoes_no_stranger() {
    let store = Sqlite::in_memory().await.unwrap();
    let twice = arrival(json!(1));
    let (first, stranger, second) = tokio::join!(
        store.enqueue(twice.clone()),
        store.enqueue(arrival(json!(2))),
        store.enqueue(twice.clone()),
    );
    first.unwrap();
    stranger.unwrap();
    assert!(matches!(second, Err(StoreError::Conflict(_))));
    let all = JobFilter {
        limit: 10,
        ..JobFilter::default()
    };
    assert_eq!(store.jobs(&all).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_queue_is_never_scanned() {
    let store = Sqlite::in_memory().await.unwrap();
    let cases = [
        (
            "SELECT number FROM job WHERE due <= 5 ORDER BY due LIMIT 10",
            "job_due",
        ),
        (
            "SELECT due FROM job WHERE due IS NOT NULL ORDER BY due LIMIT 1",
            "job_due",
        ),
        (
            "UPDATE job SET due = 1 WHERE recipe = 'a' AND status = 'queued' AND needs_start = 1",
            "job_held_back",
        ),
        (
            "SELECT id FROM job WHERE true AND status IN ('failed') AND status IN ('failed', \
             'succeeded_with_errors', 'stopped', 'quarantined', 'needs_decision') \
             ORDER BY number DESC LIMIT 5",
            "job_notable",
        ),
        (
            "SELECT id FROM job WHERE status IN ('running') AND ended_at IS NULL \
             ORDER BY number DESC LIMIT 5",
            "job_open",
        ),
        (
            "SELECT id FROM job WHERE recipe = 'a' ORDER BY number DESC LIMIT 5",
            "job_recipe",
        ),
        (
            "SELECT job FROM hold WHERE recipe = 'a' AND value = 'b' AND is_granted = 0 \
             ORDER BY number LIMIT 1",
            "hold_value",
        ),
    ];
    for (sql, index) in cases {
        let plan = plan_of(&store, sql).await;
        assert!(plan.contains(index), "{sql}\n{plan}");
    }
}

#[tokio::test]
async fn a_column_of_a_lookup_table_is_found_by_its_index() {
    let store = Sqlite::in_memory().await.unwrap();
    store
        .with_writer(|connection| Box::pin(super::tables::index_column(connection, 7, "email")))
        .await
        .unwrap();
    let sql = super::tables::by_column_sql(7, "email").replace("$1", "'[1]'");
    let plan = plan_of(&store, &sql).await;
    assert!(plan.contains("lookup_row_7_email"), "{plan}");
}

/// Nine rows of ten go out, and a person has few of them: by the person, few rows are read.
#[tokio::test]
async fn rows_are_looked_up_by_the_column_that_tells_most() {
    let column = |shape| Column {
        field: Field::required(shape),
        unique: false,
        normalise: Vec::new(),
    };
    let ways = Shape::Enum(vec![json!("out"), json!("in")]);
    let columns = [
        ("way", column(ways)),
        ("is_open", column(Shape::Boolean)),
        ("person", column(Shape::Integer)),
    ];
    let table = Table {
        name: TableName::new("posts").unwrap(),
        title: "Posts".to_owned(),
        columns: columns
            .map(|(name, column)| (name.to_owned(), column))
            .into_iter()
            .collect(),
        key: Vec::new(),
        first_rows: Vec::new(),
    };
    let store = Sqlite::in_memory().await.unwrap();
    let names = RowsOf(table.row_shape());
    store
        .declare(std::slice::from_ref(&table), Moment(1))
        .await
        .unwrap();
    let text =
        "$.row.way: { equals: out }\n$.row.is_open: { is: true }\n$.row.person: { equals: 7 }\n";
    let (document, mut report) = parse(&Arc::from("test.yaml"), text.as_bytes());
    let filter = Condition::compile(&document.unwrap().root, &names, &mut report);
    assert!(!report.has_errors(), "{report:?}");
    let find = Operation::Find {
        filter: Some(filter),
        sort_by: Vec::new(),
        limit: None,
    };
    store.read(&table.name, &find).await.unwrap().unwrap();
    let sql = "SELECT name FROM sqlite_master WHERE name LIKE 'lookup_row_%_%' AND name <> 'lookup_row_key'";
    let indexes: Vec<String> = store
        .with_reader(move |connection| {
            Box::pin(async move {
                let names = sqlx::query_scalar(sql).fetch_all(connection).await;
                names.map_err(store_error)
            })
        })
        .await
        .unwrap();
    assert_eq!(indexes, ["lookup_row_1_person"]);
}

/// The names of a condition about rows.
struct RowsOf(Shape);

impl Names for RowsOf {
    fn look_up(&self, _root: &str, _member: Option<&str>) -> Known {
        Known::Shape {
            shape: self.0.clone(),
            maybe: false,
        }
    }

    fn roots(&self) -> Vec<String> {
        vec!["row".to_owned()]
    }
}

async fn sync_mode(store: &Sqlite, haste: Haste) -> i64 {
    store
        .writer
        .perform(haste, |connection| {
            Box::pin(async {
                sqlx::query_scalar("PRAGMA synchronous")
                    .persistent(false)
                    .fetch_one(connection)
                    .await
                    .map_err(store_error)
            })
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn what_may_wait_is_not_synced_and_the_next_that_may_not_syncs_it() {
    const FULL: i64 = 2;
    const NORMAL: i64 = 1;
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("store.db")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(sync_mode(&store, Haste::Now).await, FULL);
        let before = store.counts();
        assert_eq!(sync_mode(&store, Haste::Soon).await, NORMAL);
        assert_eq!(sync_mode(&store, Haste::Soon).await, NORMAL);
        store.settle().await.unwrap();
        assert!(store.counts().synced_commits > before.synced_commits);
    }
    let both = tokio::join!(
        sync_mode(&store, Haste::Soon),
        sync_mode(&store, Haste::Now)
    );
    assert_eq!(
        both,
        (FULL, FULL),
        "who must not wait takes the others along"
    );
    store.close().await;
}

#[tokio::test]
async fn a_part_that_panics_is_undone_alone_and_the_writer_goes_on() {
    let store = Sqlite::in_memory().await.unwrap();
    let panics = store.with_writer::<(), _>(|_| Box::pin(async { panic!("a fault") }));
    let (ill, well) = futures_util::future::join(panics, store.enqueue(arrival(json!(1)))).await;
    assert!(matches!(ill, Err(StoreError::Conflict(_))), "{ill:?}");
    well.unwrap();
    store.enqueue(arrival(json!(2))).await.unwrap();
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let bytes = vec![0; (256 << 20) + 1];
    let refused = super::pack::compress(&bytes);
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
}
