//! Something happened: a webhook came, a person wants a run. It becomes queued jobs.
//!
//! In: deliveries and wishes. Out: jobs in the queue, or why not.
//! Always true: nothing is acknowledged before payload, dedupe key and jobs are committed
//! together; a sender is never told that it did wrong when the trouble is ours.

mod body;
mod by_hand;
mod gauge;
mod gone;
pub mod rerun;
mod replay;
mod sample;
mod scope;
mod sign_in;
mod signature;
mod split;
mod timed;
mod webhook;

pub use body::read as read_body;
pub use by_hand::{Given, run};
pub use gauge::{Gauge, QUEUED_JOBS_MAX};
pub use gone::{gone, or_later};
pub use replay::replay;
pub use sample::{Delivery, Sample, sample};
pub use timed::{Plan, Timekeeper, before_start, next_poll, plan};
pub use webhook::{BODY_BYTES_MAX, Guest, Head, admit, check_length, deliver};

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::connector::References;
use crate::data::Value;
use crate::library::Shelf;
use crate::names::{JobId, RecipeName};
use crate::runner::Bell;
use crate::shape::Misfit;
use crate::store::{Arrival, NewJob, Payload, Replay, Store, StoreError};

use self::split::Split;

/// What triggers need of the house.
#[derive(Clone)]
pub struct Intake {
    /// The queue.
    pub store: Arc<Store>,
    /// The recipes.
    pub shelf: Arc<Shelf>,
    /// Where secrets of incoming sign-ins come from.
    pub references: Arc<dyn References>,
    /// The time.
    pub clock: Clock,
    /// Wakes the worker.
    pub bell: Arc<Bell>,
    /// How full the queue is.
    pub gauge: Arc<Gauge>,
    /// Turns true when nothing new is taken in.
    pub is_stopping: watch::Receiver<bool>,
}

/// What was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The jobs it became, with whether each is new (false: the same event came before).
    pub jobs: Vec<(JobId, bool)>,
    /// Whether the sender waits for the result.
    pub wants_result: bool,
}

/// Why nothing was taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such recipe, or no webhook of that name.
    #[error("{0}")]
    Unknown(String),
    /// The sender did not sign in as it must.
    #[error("{message}")]
    NotSignedIn {
        /// What is wrong; never what would have been right.
        message: String,
        /// The scheme that is asked for, if it has a name in HTTP.
        challenge: Option<&'static str>,
    },
    /// Whether the sender is who it says cannot be known before an administrator mends our side.
    #[error("{0}")]
    NotSetUp(String),
    /// The delivery is larger than what is taken.
    #[error("{0}")]
    TooLarge(String),
    /// It does not go together with how things stand now.
    #[error("{0}")]
    Conflict(String),
    /// The body is not what it must be.
    #[error("{0}")]
    Unreadable(String),
    /// The input does not fit what the recipe declares.
    #[error("the input does not fit what the recipe declares")]
    WrongInput(Vec<Misfit>),
    /// Too many jobs wait already.
    #[error("{0} jobs are waiting; nothing more is taken in until some are done")]
    QueueFull(u64),
    /// Too many jobs of a recipe wait for it to be started.
    #[error(
        "{jobs} jobs of `{recipe}` wait for it to be started; nothing more is taken in for it until \
         then"
    )]
    RecipeFull {
        /// The recipe.
        recipe: RecipeName,
        /// How many.
        jobs: u64,
    },
    /// It cannot be taken in now; the same thing may be sent again.
    #[error("{why}")]
    Later {
        /// Why not now.
        why: String,
        /// When it is worth another try.
        retry_after: Duration,
    },
}

/// When a sender should come back after a trouble of ours.
const RETRY_AFTER: Duration = Duration::from_secs(10);

impl Refusal {
    fn later(why: impl Into<String>) -> Self {
        Self::Later {
            why: why.into(),
            retry_after: RETRY_AFTER,
        }
    }

    /// For a delivery that finds no room beside all others that are being taken in.
    pub(crate) fn too_much_at_once() -> Self {
        Self::later("too much comes in at the moment")
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        // A sender is told when to come back; what is wrong with us stands in the log.
        tracing::error!("a delivery or a wish could not be kept: {error}");
        Self::later("it cannot be kept at the moment; the server's log says why")
    }
}

/// Everything but the jobs' own names that they are made of.
struct Made {
    recipe: RecipeName,
    split: Split,
    input: Value,
    delivered: Option<Delivered>,
    started_by: String,
    needs_started_recipe: bool,
}

/// Where the events come from.
enum Delivered {
    /// From outside, just now.
    Fresh(Payload),
    /// From the store, once more.
    Again { event: i64, by: String },
}

/// Commits what arrived and wakes the worker.
async fn take_in(intake: &Intake, made: Made) -> Result<Vec<(JobId, bool)>, Refusal> {
    let at = intake.clock.now();
    let room = made.split.events.len();
    let (gauge, store) = (&intake.gauge, &intake.store);
    match made.needs_started_recipe {
        true => gauge.make_room_for(store, &made.recipe, room).await?,
        false => gauge.make_room(store, room).await?,
    }
    let Split { shared, events } = made.split;
    let jobs: Vec<NewJob> = events
        .into_iter()
        .map(|event| NewJob {
            id: JobId::fresh(),
            recipe: made.recipe.clone(),
            event: event.own,
            input: made.input.clone(),
            started_by: made.started_by.clone(),
            needs_started_recipe: made.needs_started_recipe,
            dedupe: event.dedupe,
        })
        .collect();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id.clone()).collect();
    let (payload, replays) = match made.delivered {
        Some(Delivered::Fresh(payload)) => (Some(payload), None),
        Some(Delivered::Again { event, by }) => (None, Some(Replay { event, by })),
        None => (None, None),
    };
    let arrival = Arrival {
        recipe: made.recipe,
        payload,
        jobs,
        at,
    };
    let enqueued = intake.store.enqueue_split(arrival, shared, replays).await?;
    intake.bell.ring_queue();
    Ok(ids.into_iter().zip(enqueued.is_new).collect())
}

#[cfg(test)]
mod tests;
