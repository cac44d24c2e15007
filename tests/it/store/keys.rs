//! The key file: one that fits, one that does not, an old one, a new one.

use std::path::Path;
use std::sync::Arc;

use recipe_engine::data::Secret;
use recipe_engine::names::SecretName;
use recipe_engine::store::{KeptSecret, Store, key_beside};
use sqlx::Connection;

use super::fixtures::at;

fn name() -> SecretName {
    SecretName::new("shop.api_key").unwrap()
}

/// A database in which secrets of both kinds are sealed.
async fn sealed(path: &Path) -> Store {
    let store = Store::open(path).await.unwrap();
    let secret = Secret::new("very secret");
    store
        .set_secret(name(), secret, "ada", at(1))
        .await
        .unwrap();
    let rotated = KeptSecret {
        name: "office".to_owned(),
        account: "a1".to_owned(),
        secret: Secret::new("rotated"),
    };
    store.keep_secret(rotated).await.unwrap();
    store
}

/// Opens a database and looks whether its secrets are there.
async fn is_whole(path: &Path) -> bool {
    let store = Store::open(path).await.unwrap();
    let is_given = store.vault().get(&name()) == Some(Secret::new("very secret"));
    let kept = store.kept_secrets().await.unwrap();
    store.close().await;
    is_given && kept.len() == 1 && kept[0].secret.reveal() == "rotated"
}

#[tokio::test]
async fn a_key_file_is_for_its_owner_only_and_may_stand_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (folder.path().join("a.db"), folder.path().join("b.key"));
    let store = Store::open_with_key(&path, &key).await.unwrap();
    store.close().await;
    assert!(!key_beside(&path).exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_key_file_that_does_not_fit_is_refused_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    sealed(&path).await.close().await;
    let key = key_beside(&path);
    let right = std::fs::read(&key).unwrap();
    for (text, word) in [
        (format!("{}\n", "ab".repeat(32)), "does not fit"),
        ("no key".to_owned(), "64 hexadecimal digits"),
    ] {
        std::fs::write(&key, text).unwrap();
        let refused = Store::open(&path).await.err().unwrap().to_string();
        assert!(refused.contains(word), "{refused}");
    }
    std::fs::remove_file(&key).unwrap();
    let refused = Store::open(&path).await.err().unwrap().to_string();
    assert!(refused.contains("is missing") && !key.exists(), "{refused}");
    std::fs::write(&key, right).unwrap();
    assert!(is_whole(&path).await);
}

#[tokio::test]
async fn after_a_new_key_secrets_need_the_old_one_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = sealed(&path).await;
    store.rekey("ada", at(2)).await.unwrap();
    store.close().await;
    assert!(is_whole(&path).await);
    let key = key_beside(&path);
    let text = std::fs::read_to_string(&key).unwrap();
    let keys: Vec<&str> = text.lines().collect();
    assert_eq!(keys.len(), 2, "the old one opens what is older");
    std::fs::write(&key, keys[0]).unwrap();
    assert!(is_whole(&path).await);
    std::fs::write(&key, keys[1]).unwrap();
    let refused = Store::open(&path).await.err().unwrap().to_string();
    assert!(refused.contains("does not fit"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_that_are_made_at_once_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = Arc::new(sealed(&path).await);
    let renewing = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.rekey("ada", at(2)).await })
    });
    for renewed in renewing.collect::<Vec<_>>() {
        renewed.await.unwrap().unwrap();
    }
    store.close().await;
    let keys = std::fs::read_to_string(key_beside(&path)).unwrap();
    assert_eq!(keys.lines().count(), 9, "one is lost: {keys}");
    assert!(is_whole(&path).await);
}

#[tokio::test]
async fn a_damaged_secret_is_told_of_before_there_is_a_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    sealed(&path).await.close().await;
    let address = format!("sqlite://{}", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&address).await.unwrap();
    sqlx::query("UPDATE secret SET body = X'00112233445566778899aabbccddeeff00112233'")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let store = Store::open(&path).await.unwrap();
    let refused = store.rekey("ada", at(2)).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("`{}`", name())), "{refused}");
    store.close().await;
    let keys = std::fs::read_to_string(key_beside(&path)).unwrap();
    assert_eq!(keys.lines().count(), 1, "no key is made for what is lost");
}

#[tokio::test]
async fn a_database_shows_no_secret_that_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = sealed(&path).await;
    let wal = folder.path().join("a.db-wal");
    let at_work = [std::fs::read(&path).unwrap(), std::fs::read(&wal).unwrap()].concat();
    store.close().await;
    for bytes in [at_work, std::fs::read(&path).unwrap()] {
        let is_in = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
        assert!(is_in(b"shop.api_key") && !is_in(b"very secret"));
    }
}
