//! Tokens, of which a store sees the SHA-256 alone.

use recipe_engine::names::{Role, TokenName};
use recipe_engine::store::{NewToken, Store, StoreError, TOKENS_MAX, Tokens};

use super::fixtures::at;

super::on_every_store!(
    a_token_is_kept_until_it_is_revoked,
    of_one_name_one_token_is_in_use,
    there_are_no_more_tokens_than_there_may_be,
);

fn token(name: &str, hash: &str) -> NewToken {
    NewToken {
        name: TokenName::new(name).unwrap(),
        role: Role::Editor,
        hash: hash.to_owned(),
        created_by: "ada".to_owned(),
        expires_at: Some(at(90)),
    }
}

async fn a_token_is_kept_until_it_is_revoked(store: &Store) {
    let made = store.create_token(token("ci", "aa"), at(1)).await.unwrap();
    store.token_used(made.number, at(2)).await.unwrap();
    let name = TokenName::new("ci").unwrap();
    let number = store.revoke_token(&name, "bob", at(3)).await.unwrap();
    assert_eq!(number, made.number);
    let kept = store.tokens().await.unwrap();
    assert_eq!(kept[0].token, token("ci", "aa"));
    assert_eq!((kept[0].created_at, kept[0].used_at), (at(1), Some(at(2))));
    assert_eq!(kept[0].revoked, Some((at(3), "bob".to_owned())));
    let again = store.revoke_token(&name, "bob", at(4)).await;
    assert!(matches!(again, Err(StoreError::NotFound(_))), "{again:?}");
    let noted = store.audit(Some("token:ci"), 9).await.unwrap();
    let noted: Vec<_> = noted.iter().map(|e| (&*e.by, &*e.action)).collect();
    assert_eq!(noted, [("bob", "token_revoked"), ("ada", "token_created")]);
}

async fn of_one_name_one_token_is_in_use(store: &Store) {
    store.create_token(token("ci", "aa"), at(1)).await.unwrap();
    let second = store.create_token(token("ci", "bb"), at(2)).await;
    assert!(matches!(second, Err(StoreError::Conflict(_))), "{second:?}");
    let name = TokenName::new("ci").unwrap();
    store.revoke_token(&name, "ada", at(3)).await.unwrap();
    store.create_token(token("ci", "bb"), at(4)).await.unwrap();
    let noted = store.audit(Some("token:ci"), 9).await.unwrap();
    assert_eq!(noted.len(), 3, "what was refused is not noted");
}

async fn there_are_no_more_tokens_than_there_may_be(store: &Store) {
    for number in 0..TOKENS_MAX {
        let name = format!("t{number}");
        store
            .create_token(token(&name, &name), at(1))
            .await
            .unwrap();
    }
    let more = store.create_token(token("more", "more"), at(2)).await;
    assert!(matches!(more, Err(StoreError::Conflict(_))), "{more:?}");
}
