//! Points at which a crash test stops a worker, to kill the process from outside or to let
//! another worker take over.
//!
//! Always true: without the setting, a point costs one comparison and does nothing.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

/// A place in the life of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Something of the job was committed.
    Committed,
    /// The intent of a call that must not happen twice is durable, nothing was sent.
    IntentWritten,
    /// The reply to a call that changes something is here, nothing of it is durable.
    ReplyReceived,
    /// The outcome of a call that must not happen twice is durable.
    CommitDone,
}

/// Stops at the n-th passing of a point.
#[derive(Debug, Default)]
pub struct Halt {
    armed: Option<(Point, u32)>,
    passed: AtomicU32,
    committed: AtomicU32,
    tripped: Notify,
}

impl Point {
    /// All points.
    pub const ALL: [Self; 4] = [
        Self::Committed,
        Self::IntentWritten,
        Self::ReplyReceived,
        Self::CommitDone,
    ];

    /// The point as it is written in the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::IntentWritten => "intent_written",
            Self::ReplyReceived => "reply_received",
            Self::CommitDone => "commit_done",
        }
    }
}

impl Halt {
    /// Stops at the n-th passing of this point.
    pub fn at(point: Point, n: u32) -> Self {
        Self {
            armed: Some((point, n)),
            ..Self::default()
        }
    }

    /// Reads `point:n`, such as `reply_received:3`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a halt such as `reply_received:3`");
        let (name, n) = text.split_once(':').ok_or_else(wrong)?;
        let point = Point::ALL.into_iter().find(|point| point.as_str() == name);
        Ok(Self::at(
            point.ok_or_else(wrong)?,
            n.parse().map_err(|_| wrong())?,
        ))
    }

    /// Passes a point: if it is the armed one's turn, says so in the log and stops for ever.
    pub async fn pass(&self, point: Point) {
        if point == Point::Committed {
            self.committed.fetch_add(1, Ordering::SeqCst);
        }
        let Some((armed, n)) = self.armed else { return };
        if armed == point && self.passed.fetch_add(1, Ordering::SeqCst) + 1 == n {
            tracing::error!(target: "halt", "halted at {}", point.as_str());
            self.tripped.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Waits until it stopped something.
    pub async fn tripped(&self) {
        self.tripped.notified().await;
    }

    /// How many commits passed.
    pub fn committed(&self) -> u32 {
        self.committed.load(Ordering::SeqCst)
    }
}
