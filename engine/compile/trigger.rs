//! What sets a recipe off.
//!
//! Always true: names and lengths of time were checked; a schedule has a next moment.

use std::time::Duration;

use super::steps::ActionRef;
use crate::expression::Expression;
use crate::names::ConnectionName;
use crate::schedule::Rule;

/// What sets a recipe off.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are few of them, and they are never moved"
)]
pub enum Trigger {
    /// Other recipes, or a person.
    Function,
    /// A person.
    Manual,
    /// The clock.
    Schedule(Schedule),
    /// A request from outside.
    Webhook(Webhook),
    /// A connector's listing that is asked now and then.
    Poll(Poll),
}

/// A schedule as written, checked.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// When it fires (`at` and `days` are turned into a cron line).
    pub rule: Rule,
    /// The zone of `at` and `cron`: an IANA name.
    pub timezone: Option<String>,
    /// Whether a missed fire is made up for once.
    pub run_missed_once: bool,
    /// What happens if the last job still runs.
    pub if_still_running: IfStillRunning,
    /// What `job.covers.from` is on the first run.
    pub first_from: Option<Expression>,
}

/// What a fire does while the job of the last one still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfStillRunning {
    /// Nothing.
    Skip,
    /// Waits its turn.
    Queue,
    /// Runs beside it.
    Allow,
}

/// A webhook as written, checked.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// How the sender signs in; `None`: anybody may send.
    pub auth: Option<WebhookAuth>,
    /// Where in the body the elements stand that become a job each; the first path that matches.
    pub split: Vec<Expression>,
    /// Which deliveries are the same.
    pub dedupe: Option<Dedupe>,
    /// What happens to deliveries while the recipe is stopped.
    pub while_stopped: WhileStopped,
    /// Whether the answer waits for the job's result.
    pub respond_with_result: bool,
}

/// How the sender of a webhook signs in, with the connection that holds the secret.
#[derive(Clone, Debug)]
pub enum WebhookAuth {
    /// HTTP Basic.
    Basic(ConnectionName),
    /// A bearer token.
    Token(ConnectionName),
    /// A signature over the raw body.
    Hmac(ConnectionName),
}

impl WebhookAuth {
    /// The connection that holds what senders sign in with.
    pub fn connection(&self) -> &ConnectionName {
        match self {
            Self::Basic(name) | Self::Token(name) | Self::Hmac(name) => name,
        }
    }
}

/// Which events are the same event.
#[derive(Clone, Debug)]
pub struct Dedupe {
    /// The key; events with the same key within the window are one.
    pub key: Expression,
    /// How long a key is remembered.
    pub window: Duration,
}

/// What happens to deliveries while a recipe is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhileStopped {
    /// They wait until it is started.
    Queue,
    /// The sender is told to come back.
    Reject,
    /// They are accepted and forgotten.
    Drop,
}

/// A poll trigger as written, checked.
#[derive(Clone, Debug)]
pub struct Poll {
    /// The listing that is asked.
    pub action: ActionRef,
    /// Its arguments.
    pub with: Expression,
    /// How often.
    pub rule: Rule,
    /// How far the last question got.
    pub cursor: Option<Cursor>,
    /// Which items are the same.
    pub dedupe: Option<Dedupe>,
    /// Whether one job takes all new items.
    pub batch: bool,
}

/// What a poll remembers from one question to the next.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Where it is found in an item: `trigger.item` is one item here, also of a batch.
    pub from: Expression,
    /// The argument that takes it.
    pub send: String,
    /// What is sent the first time.
    pub start: Option<Expression>,
}
