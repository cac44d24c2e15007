//! What calls to the outside leave behind.

use std::time::Duration;

use recipe_engine::data::Secret;
use recipe_engine::names::ConnectionName;
use recipe_engine::store::{KeptSecret, NoticeClaim, SpentBlock, Store, TakenGroup};

use super::fixtures::at;

super::on_every_store!(
    a_block_counts_until_it_is_said_to_end,
    a_group_is_taken_until_given_back,
    a_kept_secret_comes_back,
    a_notice_belongs_to_its_first_holder,
);

fn connection() -> ConnectionName {
    ConnectionName::new("office").unwrap()
}

fn block(id: &str) -> SpentBlock {
    SpentBlock {
        id: id.to_owned(),
        connection: connection(),
        budget: "hour".to_owned(),
        calls: 50,
        window: Duration::from_secs(3600),
        counts_until: None,
    }
}

async fn a_block_counts_until_it_is_said_to_end(store: &Store) {
    store.open_block(block("a")).await.unwrap();
    store.open_block(block("b")).await.unwrap();
    store.close_block("a".to_owned(), at(3600)).await.unwrap();
    let kept = store.blocks().await.unwrap();
    let closed = SpentBlock {
        counts_until: Some(at(3600)),
        ..block("a")
    };
    assert_eq!(kept, [closed, block("b")]);
    store.close_block("b".to_owned(), at(7200)).await.unwrap();
    let kept = store.blocks().await.unwrap();
    assert_eq!(kept.len(), 1, "at second 3600, the first counts no more");
    assert_eq!(kept[0].id, "b");
}

async fn a_group_is_taken_until_given_back(store: &Store) {
    let taken = |until| TakenGroup {
        connection: connection(),
        group: "batch".to_owned(),
        until: at(until),
    };
    store.take_group(taken(30)).await.unwrap();
    store.take_group(taken(60)).await.unwrap();
    assert_eq!(store.taken_groups().await.unwrap(), [taken(60)]);
    store
        .give_group_back(connection(), "batch".to_owned())
        .await
        .unwrap();
    assert!(store.taken_groups().await.unwrap().is_empty());
}

async fn a_kept_secret_comes_back(store: &Store) {
    for text in ["first", "second"] {
        let kept = KeptSecret {
            name: "office".to_owned(),
            account: "a1".to_owned(),
            secret: Secret::new(text),
        };
        store.keep_secret(kept).await.unwrap();
    }
    let kept = store.kept_secrets().await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].secret.reveal(), "second");
    assert_eq!(kept[0].account, "a1");
}

async fn a_notice_belongs_to_its_first_holder(store: &Store) {
    let key = || "disk full".to_owned();
    let claim = async |holder: &str, now| {
        store
            .claim_notice(key(), holder.to_owned(), at(now), at(now + 100))
            .await
            .unwrap()
    };
    assert_eq!(claim("ada", 0).await, NoticeClaim::Granted);
    assert_eq!(
        claim("ada", 1).await,
        NoticeClaim::Granted,
        "again for the same holder"
    );
    assert_eq!(claim("bob", 99).await, NoticeClaim::UnderWay);
    assert_eq!(claim("bob", 101).await, NoticeClaim::Granted, "given up");
    store.release_notice(key(), "bob".into()).await.unwrap();
    assert_eq!(claim("ada", 102).await, NoticeClaim::Granted, "free again");
    store.release_notice(key(), "bob".into()).await.unwrap();
    assert_eq!(claim("bob", 103).await, NoticeClaim::UnderWay);
    let confirm = store.confirm_notice(key(), "ada".into(), at(1000));
    confirm.await.unwrap();
    store.release_notice(key(), "ada".into()).await.unwrap();
    assert_eq!(claim("bob", 999).await, NoticeClaim::Sent);
    assert_eq!(claim("ada", 999).await, NoticeClaim::SentBefore);
    assert_eq!(claim("bob", 1000).await, NoticeClaim::Granted);
}
