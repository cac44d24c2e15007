//! The connections of a server, from the first byte to the last.
//!
//! In: a listener, what answers, when to stop. Out: nothing; it returns once the last request that
//! was under way at the stop is answered.
//! Always true: there are no more connections than there may be; one whose next request does not
//! come is closed.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::api::Bounds;
use crate::clock::Clock;

/// The pause after a connection could not be taken for want of something, such as open files.
const PAUSE: Duration = Duration::from_secs(1);

/// Answers whoever comes, until the stop.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stop: watch::Receiver<bool>,
) {
    let seats = Arc::new(Semaphore::new(bounds.connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(bounds.head_within);
    let mut guests = JoinSet::new();
    loop {
        let (stream, seat) = tokio::select! {
            biased;
            () = stopped(stop.clone()) => break,
            Some(guest) = next(&listener, &seats) => guest,
        };
        while guests.try_join_next().is_some() {}
        guests.spawn(converse(
            http.clone(),
            stream,
            seat,
            router.clone(),
            stop.clone(),
        ));
    }
    drop(listener);
    while guests.join_next().await.is_some() {}
}

/// The next connection, once there is a seat for it.
async fn next(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let seat = seats.clone().acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Some((stream, seat)),
            Err(error) if is_of_the_guest(&error) => {}
            Err(error) => {
                tracing::error!("no connection can be taken: {error}");
                Clock::rest(PAUSE).await;
            }
        }
    }
}

/// Whether who came is gone again already.
fn is_of_the_guest(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Answers the requests of one connection.
async fn converse(
    http: http1::Builder,
    stream: TcpStream,
    seat: OwnedSemaphorePermit,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let mut talk = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = talk.as_mut() => ended,
        () = stopped(stop) => {
            // What is under way is answered, then the connection ends.
            talk.as_mut().graceful_shutdown();
            talk.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
    drop(seat);
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|is_stopping| *is_stopping).await;
}
