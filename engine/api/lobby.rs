//! How much strangers may ask of the server at once: before anybody signed in, all of it costs us.
//!
//! In: the body of a delivery as it comes. Out: its bytes with the room that they take, or why not.
//! Always true: no delivery takes more than one may; all that are being read take no more memory
//! than there is room for; nobody is waited for without end.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::clock::Clock;
use crate::trigger::{Refusal, check_length};

use super::Problem;

/// How much of a body that is refused is read and thrown away, and for how long, so that the sender
/// gets to read the answer instead of a broken connection.
const THROWN_AWAY_MAX: usize = 64 * 1024 * 1024;
const THROW_AWAY_WITHIN: Duration = Duration::from_secs(10);

/// The most connections at once; who comes later waits for one to end.
const CONNECTIONS_MAX: usize = 512;

/// How long a connection may take for the head of its next request, the time between two included.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// How long the body of a delivery may take, and how long nothing of it may come.
const BODY_WITHIN: Duration = Duration::from_secs(120);
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The most that the bodies of all deliveries hold that are being taken in.
const BODIES_BYTES_MAX: usize = 128 * 1024 * 1024;

/// How much may be asked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Connections.
    pub connections: usize,
    /// The time for the head of a request.
    pub head_within: Duration,
    /// The time for the body of a delivery.
    pub body_within: Duration,
    /// The time in which something more of it must come.
    pub silence_max: Duration,
    /// The bytes of all bodies that are being taken in.
    pub bodies_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            head_within: HEAD_WITHIN,
            body_within: BODY_WITHIN,
            silence_max: SILENCE_MAX,
            bodies_bytes: BODIES_BYTES_MAX,
        }
    }
}

/// Where deliveries are until they are kept.
#[derive(Debug)]
pub struct Lobby {
    bounds: Bounds,
    room: Semaphore,
}

impl Lobby {
    /// One with room for this much.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            room: Semaphore::new(bounds.bodies_bytes.min(Semaphore::MAX_PERMITS)),
            bounds,
        }
    }

    /// Reads a body to its end. The room is free again once the permit is dropped.
    pub(super) async fn read(
        &self,
        body: Body,
    ) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Problem> {
        let mut chunks = body.into_data_stream();
        let whole = Clock::within(self.bounds.body_within, self.gather(&mut chunks)).await;
        match whole.unwrap_or_else(|| Err(Broken::TooSlow)) {
            Ok(read) => Ok(read),
            Err(Broken::Refused(refusal)) => {
                throw_away(chunks).await;
                Err(refusal.into())
            }
            Err(Broken::Off(why)) => {
                Err(Problem::bad_request(format!("the body broke off: {why}")))
            }
            Err(Broken::TooSlow) => Err(Problem::new(
                408,
                "too_slow",
                "The body did not come in time.",
            )
            .detail(format!(
                "a body must be here within {} s, and something of it every {} s",
                self.bounds.body_within.as_secs(),
                self.bounds.silence_max.as_secs()
            ))),
        }
    }

    async fn gather(
        &self,
        chunks: &mut BodyDataStream,
    ) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Broken> {
        let mut bytes = Vec::new();
        let mut taken: Option<SemaphorePermit<'_>> = None;
        loop {
            let next = Clock::within(self.bounds.silence_max, chunks.next()).await;
            let Some(chunk) = next.ok_or(Broken::TooSlow)? else {
                return Ok((bytes, taken));
            };
            let chunk = chunk.map_err(|why| Broken::Off(why.to_string()))?;
            check_length(bytes.len() + chunk.len()).map_err(Broken::Refused)?;
            let more = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            // Nobody waits for room with bytes in hand: all might, for ever.
            let Ok(more) = self.room.try_acquire_many(more) else {
                return Err(Broken::Refused(Refusal::too_much_at_once()));
            };
            match &mut taken {
                Some(taken) => taken.merge(more),
                None => taken = Some(more),
            }
            bytes.extend_from_slice(&chunk);
        }
    }
}

/// Why a body is not there.
enum Broken {
    Refused(Refusal),
    Off(String),
    TooSlow,
}

/// The length that a body is announced with.
pub(super) fn announced(body: &Body) -> Option<usize> {
    let length = body.size_hint().exact()?;
    Some(usize::try_from(length).unwrap_or(usize::MAX))
}

/// Reads a body that is not wanted. A sender that asks first is simply told no.
pub(super) async fn turn_away(headers: &HeaderMap, body: Body) {
    if !headers.contains_key(header::EXPECT) {
        throw_away(body.into_data_stream()).await;
    }
}

async fn throw_away(mut chunks: BodyDataStream) {
    let mut bytes = 0_usize;
    let thrown_away = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            bytes = bytes.saturating_add(chunk.len());
            if bytes > THROWN_AWAY_MAX {
                break;
            }
        }
    };
    // Whoever sends for longer finds the connection closed.
    let _ = Clock::within(THROW_AWAY_WITHIN, thrown_away).await;
}
