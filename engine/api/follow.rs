//! A job as it goes on: `GET /api/jobs/{id}/stream`, server-sent events.
//!
//! In: a job. Out: an event whenever something of it changed, and one at its end.
//! Always true: what is said is what the list of jobs would say, with how far its loops are; a
//! stream ends with the job or with the server; a large job is not replayed all the time for those
//! who look on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;

use crate::clock::Clock;
use crate::data::Value;
use crate::names::JobId;
use crate::store::JobMark;

use super::job::{Purpose, Seen, job_id};
use super::{Problem, Rooms, failures, progress, standing, wire};

/// How often a job is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// For so many times as long as the last look took, the next one is put off.
const REST_FACTOR: u32 = 10;

/// `GET /api/jobs/{id}/stream`
pub(super) async fn follow(
    State(rooms): State<Arc<Rooms>>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let id = job_id(&id)?;
    // Whether there is such a job is said with the status.
    rooms.intake.store.mark(&id).await?;
    let following = Following {
        rooms,
        id,
        last: None,
        rest: Duration::ZERO,
        is_over: false,
    };
    let events = unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok(event), following))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Somebody who follows a job.
struct Following {
    rooms: Arc<Rooms>,
    id: JobId,
    last: Option<JobMark>,
    rest: Duration,
    is_over: bool,
}

impl Following {
    /// The next event; `None` once there is no more.
    async fn next(&mut self) -> Option<Event> {
        let mut stopping = self.rooms.intake.is_stopping.clone();
        while !self.is_over && !*stopping.borrow() {
            tokio::select! {
                () = Clock::rest(self.rest) => {}
                _ = stopping.wait_for(|is_stopping| *is_stopping) => return None,
            }
            self.rest = LOOK_EVERY;
            match self.look().await {
                Ok(None) => {}
                Ok(Some(event)) => return Some(event),
                // A database that is busy says more the next time.
                Err(problem) if problem.is_passing() => self.last = None,
                Err(_) => return None,
            }
        }
        None
    }

    /// What is new; none if nothing is.
    async fn look(&mut self) -> Result<Option<Event>, Problem> {
        let mark = self.rooms.intake.store.mark(&self.id).await?;
        if self.last == Some(mark) {
            return Ok(None);
        }
        self.last = Some(mark);
        let event = self.told(mark).await?;
        self.is_over = mark.status.is_final();
        Ok(event)
    }

    async fn told(&mut self, mark: JobMark) -> Result<Option<Event>, Problem> {
        let began = Instant::now();
        let seen = Seen::of(&self.rooms, &self.id, Purpose::Record).await?;
        let told = in_brief(&self.rooms, &seen).await?;
        self.rest = LOOK_EVERY.max(began.elapsed() * REST_FACTOR);
        let name = match mark.status.is_final() {
            true => "ended",
            false => "job",
        };
        let event = Event::default().event(name).id(mark.commits.to_string());
        Ok(event.json_data(&told).ok())
    }
}

/// A job as it is listed, with how far it is.
async fn in_brief(rooms: &Rooms, seen: &Seen) -> Result<Value, Problem> {
    let (record, look, entries) = seen.parts();
    let mut shown = wire::job(record);
    failures::mask(rooms, record, &mut shown).await;
    let records = std::slice::from_ref(record);
    standing::say_why(rooms, records, std::slice::from_mut(&mut shown)).await?;
    if let Value::Object(shown) = &mut shown
        && !record.status.is_final()
    {
        progress::show(look, entries, &*rooms.calls, shown);
    }
    Ok(shown)
}
