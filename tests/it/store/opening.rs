//! Opening database files: what is kept, what is refused.

use std::path::Path;

use recipe_engine::data::Secret;
use recipe_engine::store::sqlite::KeptSecret;
use recipe_engine::store::{JobFilter, Jobs, Store, StoreError};
use sqlx::{Connection, Executor};

use super::fixtures::{at, claim, queue};

async fn refusal(path: &Path) -> String {
    match Store::open(path).await {
        Ok(_) => panic!("the file was opened"),
        Err(error) => error.to_string(),
    }
}

/// Changes a database file behind the store's back.
async fn tamper(path: &Path, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let store = Store::open(&path).await.unwrap();
    let id = queue(&store, "a", 0).await;
    claim(&store, 1).await;
    let kept = KeptSecret {
        name: "office".to_owned(),
        account: "a1".to_owned(),
        secret: Secret::new("very secret"),
    };
    store.keep_secret(kept).await.unwrap();
    assert!(store.counts().commits >= 3);
    store.close().await;
    let store = Store::open(&path).await.unwrap();
    let jobs = store
        .jobs(&JobFilter {
            limit: 10,
            ..JobFilter::default()
        })
        .await
        .unwrap();
    assert_eq!(jobs[0].id, id);
    store.recover(at(2)).await.unwrap();
    assert_eq!(claim(&store, 2).await.len(), 1);
    assert_eq!(
        store.kept_secrets().await.unwrap()[0].secret.reveal(),
        "very secret"
    );
    store.close().await;
    for name in ["engine.db", "engine.db-wal"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
        let found = bytes.windows(11).any(|window| window == b"very secret");
        assert!(!found, "{name} shows the secret");
    }
}

#[tokio::test]
async fn a_second_server_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    let store = Store::open(&path).await.unwrap();
    let refused = refusal(&path).await;
    assert!(refused.contains("another server"), "{refused}");
    store.close().await;
    Store::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let store = Store::in_memory().await.unwrap();
    store.close().await;
    let refused = store.recover(at(0)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
}

#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.db");
    Store::open(&path).await.unwrap().close().await;
    tamper(&path, "PRAGMA user_version = 999").await;
    let before = std::fs::read(&path).unwrap();
    let refused = refusal(&path).await;
    assert!(
        refused.contains("newer version") && refused.contains("999"),
        "{refused}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    tamper(&path, "CREATE TABLE note (text TEXT)").await;
    let before = std::fs::read(&path).unwrap();
    let refused = refusal(&path).await;
    assert!(refused.contains("another program"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    std::fs::write(&path, "Dear Ada, ".repeat(1000)).unwrap();
    let refused = refusal(&path).await;
    assert!(
        refused.contains("letter.txt") && refused.contains("not a database"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = refusal(&folder.path().join("nowhere").join("engine.db")).await;
    assert!(refused.contains("nowhere"), "{refused}");
}
