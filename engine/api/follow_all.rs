//! All jobs as they go on: `GET /api/jobs/stream`, server-sent events.
//!
//! In: which recipe, if only one, and the last event that was seen. Out: an event whenever something
//! of a job changed.
//! Always true: what is said is what the list of jobs would say; the engine waits for nobody who looks
//! on: who is too slow, or was away for too long, is told that something was left out; a stream ends
//! with the server.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde_json::json;

use crate::clock::Clock;
use crate::names::RecipeName;
use crate::store::{Place, StoreError};

use super::body::{parameters, unknown_parameter};
use super::{Problem, Rooms, jobs};

/// How often it is looked what changed.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// For so many times as long as the last look took, the next one is put off.
const REST_FACTOR: u32 = 10;

/// How many changes a look takes in at most.
const CHANGES_MAX: usize = 500;

/// The header with the last event that was seen.
const LAST: &str = "last-event-id";

/// `GET /api/jobs/stream`
pub(super) async fn follow(
    State(rooms): State<Arc<Rooms>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let mut recipe = None;
    for (name, value) in parameters(query.as_deref()) {
        match name.as_str() {
            "recipe" => recipe = Some(RecipeName::new(&value).map_err(Problem::bad_request)?),
            _ => return Err(unknown_parameter(&name, &["recipe"])),
        }
    }
    let lately = rooms.intake.store.lately();
    let last = headers.get(LAST).map(|last| last.to_str().ok());
    let known = last.map(|last| lately.read(last?));
    let mut following = Following {
        place: known.flatten().unwrap_or_else(|| lately.now()),
        rooms: rooms.clone(),
        recipe,
        told: VecDeque::new(),
        rest: Duration::ZERO,
    };
    if known == Some(None) {
        following.tell_gap();
    }
    let events = unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok(event), following))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Somebody who follows all jobs.
struct Following {
    rooms: Arc<Rooms>,
    recipe: Option<RecipeName>,
    /// Up to where changes were looked at.
    place: Place,
    /// What is still to be told of them.
    told: VecDeque<Event>,
    rest: Duration,
}

impl Following {
    /// The next event; `None` once the server stops.
    async fn next(&mut self) -> Option<Event> {
        let mut stopping = self.rooms.intake.is_stopping.clone();
        loop {
            if *stopping.borrow() {
                return None;
            }
            if let Some(event) = self.told.pop_front() {
                return Some(event);
            }
            let store = self.rooms.intake.store.clone();
            let changed = async {
                Clock::rest(self.rest).await;
                store.lately().after(self.place).await;
            };
            tokio::select! {
                () = changed => {}
                _ = stopping.wait_for(|is_stopping| *is_stopping) => return None,
            }
            match self.look().await {
                Ok(()) => {}
                // A database that is busy says more the next time.
                Err(problem) if problem.is_passing() => self.rest = LOOK_EVERY,
                Err(problem) => {
                    tracing::warn!(?problem, "what changed of jobs cannot be told");
                    return None;
                }
            }
        }
    }

    async fn look(&mut self) -> Result<(), Problem> {
        let began = Instant::now();
        let store = &self.rooms.intake.store;
        let since = store.lately().since(self.place, CHANGES_MAX);
        let mut changed = self.rooms.intake.store.changed(&since).await?;
        changed.retain(|(record, _)| {
            self.recipe
                .as_ref()
                .is_none_or(|only| *only == record.recipe)
        });
        let (records, places): (Vec<_>, Vec<_>) = changed.into_iter().unzip();
        let cards = jobs::cards(&self.rooms, &records).await?;
        if since.has_gap {
            self.tell_gap();
        }
        for ((record, place), card) in records.iter().zip(places).zip(cards) {
            let name = match record.status.is_final() {
                true => "ended",
                false => "job",
            };
            let id = self.rooms.intake.store.lately().written(place);
            let event = Event::default().event(name).id(id).json_data(&card);
            let event = event.map_err(|error| StoreError::Corrupt(error.to_string()))?;
            self.told.push_back(event);
        }
        self.place = since.end;
        self.rest = LOOK_EVERY.max(began.elapsed() * REST_FACTOR);
        Ok(())
    }

    /// Says that there was more, which is not known any more.
    fn tell_gap(&mut self) {
        let message = "changes of jobs were left out: there were more than are kept for whoever looks \
                       on, or another server kept them. `GET /api/jobs` lists the jobs as they are now";
        let event = Event::default().event("left_out");
        let id = self.rooms.intake.store.lately().written(self.place);
        self.told
            .extend(event.id(id).json_data(json!({ "message": message })).ok());
    }
}
