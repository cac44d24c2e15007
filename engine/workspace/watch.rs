//! Looks at the files of a workspace, again and again.
//!
//! In: the moment of a look, by the clock that the files have their times from. Out: changed files,
//! taken up; or why everything stays as it was.
//! Always true: a file that is just being written is left alone until it rests; what could not be
//! taken up for a reason that passes is tried again at the next look.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::rest::{LOOKS_MAX, REST, now, rests};
use super::{Workspace, stamp};
use crate::clock::{Clock, Moment};
use crate::library::{Differences, Stamp};

/// How often the files are looked at. Polling also sees what network folders and container mounts
/// do not announce.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing changed.
    Same,
    /// Files are just being written; they are left alone.
    Restless,
    /// What changed was taken up; so many findings are there now.
    TakenUp(usize),
}

impl Workspace {
    /// Looks at the files until the server stops.
    pub async fn watch(self: std::sync::Arc<Self>) {
        let mut stopping = self.intake.is_stopping.clone();
        let mut told = String::new();
        while !*stopping.borrow() {
            tokio::select! {
                () = Clock::rest(LOOK_EVERY) => {}
                _ = stopping.changed() => return,
            }
            match self.look_at(now()).await {
                Ok(Look::Same | Look::Restless) => {}
                Ok(Look::TakenUp(findings)) => {
                    told.clear();
                    tracing::info!(
                        "changed files were read, and what is sound counts from now on ({findings} \
                         findings; `recipes check` shows them)"
                    );
                }
                // What is tried again at each look is told once.
                Err(why) if why == told => {}
                Err(why) => {
                    tracing::error!("everything stays as it was: {why}");
                    told = why;
                }
            }
        }
    }

    /// Takes up what changed, once it rests: how many findings there are now, if anything changed,
    /// or why everything stays as it was.
    pub async fn look(&self) -> Result<Option<usize>, String> {
        let mut was_restless = false;
        for _ in 0..LOOKS_MAX {
            match self.look_at(now()).await? {
                Look::TakenUp(findings) => return Ok(Some(findings)),
                // Whoever else looked at them has taken them up.
                Look::Same if was_restless => {
                    return Ok(Some(self.intake.shelf.library().diagnostics.len()));
                }
                Look::Same => return Ok(None),
                Look::Restless => was_restless = true,
            }
            Clock::rest(REST).await;
        }
        Err("files are being written all the while; they count once they rest".to_owned())
    }

    /// Looks at the files once, as if at this moment.
    pub async fn look_at(&self, now: Moment) -> Result<Look, String> {
        let mut turn = self.turn.lock().await;
        // What waits counts already.
        let _ = self.finish_change().await;
        let Some(stamp) = stamp(&self.folder).await else {
            return Ok(Look::Same);
        };
        let changed = stamp.since(&turn);
        let is_same = changed.saved.is_empty() && changed.gone.is_empty();
        let is_behind = self.is_behind.load(Ordering::SeqCst);
        if is_same && !is_behind {
            return Ok(Look::Same);
        }
        if !is_same && !self.rests(&stamp, &changed, now) {
            return Ok(Look::Restless);
        }
        *turn = stamp;
        self.take_up(changed).await.map(Look::TakenUp)
    }

    /// Whether all that changed did so some time ago.
    fn rests(&self, stamp: &Stamp, changed: &Differences, now: Moment) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        rests(stamp, changed, &mut seen, now)
    }
}
