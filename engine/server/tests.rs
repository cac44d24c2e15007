//! Requests whose sender hangs up.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::any;
use futures_util::poll;
use tokio::sync::{Notify, mpsc};

use super::listen::answered;

/// Hangs up in the middle of a request with this method: whether it comes to its end.
async fn comes_to_its_end(method: &str) -> bool {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (done, mut is_done) = mpsc::channel(1);
    let (began, goes_on) = (begun.clone(), go_on.clone());
    let handler = move || async move {
        began.notify_one();
        goes_on.notified().await;
        let _ = done.send(()).await;
    };
    let router = Router::new().route("/", any(handler));
    let request = Request::builder().method(method).uri("/");
    let request = request.body(Body::empty()).unwrap();
    {
        let mut answer = Box::pin(answered(router, request, ()));
        assert!(poll!(answer.as_mut()).is_pending());
        begun.notified().await;
    }
    go_on.notify_one();
    is_done.recv().await.is_some()
}

#[tokio::test]
async fn what_may_change_something_comes_to_its_end_whoever_hangs_up() {
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        assert!(comes_to_its_end(method).await, "{method}");
    }
    assert!(!comes_to_its_end("GET").await);
}
