//! Points at which a crash test stops the process, to kill it from outside.
//!
//! Always true: without the setting, a point costs one comparison and does nothing.

use std::sync::atomic::{AtomicU32, Ordering};

/// A place in the life of a call that must not happen twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The intent is durable, nothing was sent.
    IntentWritten,
    /// The reply is here, nothing of it is durable.
    ReplyReceived,
    /// The outcome is durable.
    CommitDone,
}

/// Stops everything at the n-th passing of a point.
#[derive(Debug, Default)]
pub struct Halt {
    armed: Option<(Point, AtomicU32)>,
}

impl Point {
    /// All points.
    pub const ALL: [Self; 3] = [Self::IntentWritten, Self::ReplyReceived, Self::CommitDone];

    /// The point as it is written in the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IntentWritten => "intent_written",
            Self::ReplyReceived => "reply_received",
            Self::CommitDone => "commit_done",
        }
    }
}

impl Halt {
    /// Reads `point:n`, such as `reply_received:3`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a halt such as `reply_received:3`");
        let (name, count) = text.split_once(':').ok_or_else(wrong)?;
        let point = Point::ALL.into_iter().find(|point| point.as_str() == name);
        let count: u32 = count.parse().map_err(|_| wrong())?;
        Ok(Self {
            armed: Some((point.ok_or_else(wrong)?, AtomicU32::new(count))),
        })
    }

    /// Passes a point: says so on standard error and stops for ever if it is the armed one's turn.
    pub async fn pass(&self, point: Point) {
        let Some((armed, left)) = &self.armed else {
            return;
        };
        if *armed == point && left.fetch_sub(1, Ordering::SeqCst) == 1 {
            tracing::error!(target: "halt", "halted at {}", point.as_str());
            std::future::pending::<()>().await;
        }
    }
}
