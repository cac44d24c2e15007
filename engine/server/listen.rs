//! The connections of a server, from the first byte to the last.
//!
//! In: a listener, what answers, when to stop. Out: nothing; it returns once the last request that
//! was under way at the stop is answered.
//! Always true: there are no more connections than there may be; one whose next request does not
//! come is closed; a request that may change something comes to its end, whoever hangs up.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::api::Bounds;
use crate::clock::Clock;

/// What somebody has who asks: a seat, until all that was asked for is done, and a word that the
/// server waits for until then.
#[derive(Clone)]
struct Held {
    _seat: Arc<OwnedSemaphorePermit>,
    _under_way: mpsc::Sender<Infallible>,
}

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
    let (under_way, mut all_done) = mpsc::channel(1);
    loop {
        let (stream, seat) = tokio::select! {
            biased;
            () = stopped(stop.clone()) => break,
            Some(guest) = next(&listener, &seats) => guest,
        };
        while guests.try_join_next().is_some() {}
        let held = Held {
            _seat: Arc::new(seat),
            _under_way: under_way.clone(),
        };
        guests.spawn(converse(
            http.clone(),
            stream,
            held,
            router.clone(),
            stop.clone(),
        ));
    }
    drop((listener, under_way));
    while guests.join_next().await.is_some() {}
    // What was asked for by those who hung up; nothing is ever sent here.
    while all_done.recv().await.is_some() {}
}

/// Answers one request. What may change something is done to its end, with all that it holds,
/// whether or not somebody waits for the answer.
pub(super) async fn answered<B>(
    router: Router,
    request: Request<B>,
    held: impl Send + 'static,
) -> Result<Response, JoinError>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let is_safe = request.method().is_safe();
    let answering = TowerToHyperService::new(router).call(request);
    let answering = async move {
        let answer = answering.await;
        drop(held);
        answer.unwrap_or_else(|never| match never {})
    };
    match is_safe {
        true => Ok(answering.await),
        false => tokio::spawn(answering).await,
    }
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
    held: Held,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let asked = held.clone();
    let service = service_fn(move |request| answered(router.clone(), request, asked.clone()));
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
    drop(held);
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|is_stopping| *is_stopping).await;
}
