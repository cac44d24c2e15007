//! Keys of steps as places in a tree; streams and the tokens that opened them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use futures_util::{StreamExt, stream};

use super::accepted::Accepted;
use super::sign_in::{Guard, require};
use super::tree::parent_of;
use crate::clock::{Clock, Moment};
use crate::data::digest;
use crate::names::{Role, TokenName};
use crate::store::{NewToken, Store};

#[test]
fn every_key_stands_in_another_one() {
    let cases = [
        ("a", ""),
        ("a/b", "a"),
        ("a[3]", "a"),
        ("a[3]/b", "a[3]"),
        ("a[3]~2/b~2", "a[3]~2/b"),
        ("a[1.2]/b", "a[1.2]"),
        ("set@3", ""),
        ("a/set@3/do/1", "a"),
        ("if@0/do/3/created", "if@0/do/3"),
        ("if@0/do/3/set@0/do/3/then/1", "if@0/do/3"),
        ("foreach@1/then/2[0]/b", "foreach@1/then/2[0]"),
        ("foreach@1/then/2[0]", "foreach@1/then/2"),
        ("call:project/name@0/b", "call:project/name@0"),
        ("a[0]/call:project/name@0/do/2", "a[0]"),
        ("switch@2/case0/1/b", "switch@2/case0/1"),
    ];
    for (key, parent) in cases {
        assert_eq!(parent_of(key), parent, "{key}");
    }
}

/// What tells one thing and then goes on without end.
async fn stream_without_end() -> impl axum::response::IntoResponse {
    let first = stream::once(async { Ok::<_, Infallible>("data: 1\n\n") });
    let body = Body::from_stream(first.chain(stream::pending()));
    ([(header::CONTENT_TYPE, "text/event-stream")], body)
}

async fn accepted(clock: &Clock) -> Arc<Accepted> {
    let store = Arc::new(Store::in_memory().await.unwrap());
    let accepted = Accepted::open(store, clock.clone(), []).await.unwrap();
    for (name, expires_at) in [("ada", None), ("guest", Some(Moment(9_000_000)))] {
        let token = NewToken {
            name: TokenName::new(name).unwrap(),
            role: Role::Viewer,
            hash: digest(name.as_bytes()),
            created_by: "test".to_owned(),
            expires_at,
        };
        accepted.create(token).await.unwrap();
    }
    Arc::new(accepted)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_token_is_revoked_or_expires() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::test(Moment(0));
    let accepted = accepted(&clock).await;
    let guard = Guard {
        accepted: accepted.clone(),
        needed: Role::Viewer,
    };
    let router = Router::new()
        .route("/", get(stream_without_end))
        .route_layer(from_fn_with_state(guard, require));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let open = async |token: &str| {
        let mut answer = http.get(&url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.chunk().await.unwrap().unwrap(), "data: 1\n\n");
        answer
    };
    let (mut of_ada, mut of_guest) = (open("ada").await, open("guest").await);
    let ada = TokenName::new("ada").unwrap();
    accepted.revoke(&ada, "test").await.unwrap();
    assert_eq!(
        of_ada.chunk().await.unwrap(),
        None,
        "it ends with the token"
    );
    clock.advance(Duration::from_secs(9));
    assert_eq!(
        of_guest.chunk().await.unwrap(),
        None,
        "it ends with its time"
    );
    let late = http.get(&url).bearer_auth("guest").send().await.unwrap();
    assert_eq!(late.status(), 401);
}
