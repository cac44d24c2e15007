//! Whether files rest: one that is just being written is neither read for a change nor taken up.
//!
//! In: what the files are, and what they were when they were last taken up. Out: whether they rest.
//! Always true: what counts already rests; a file of which nothing says since when it is as it is
//! rests once two looks some time apart find it the same.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Workspace, stamp};
use crate::clock::{Clock, Moment};
use crate::library::{Differences, Held, Stamp};

/// How long nothing may happen to a file before it counts as saved: programs that copy slowly and
/// editors that write in pieces pause for less.
pub(super) const REST: Duration = Duration::from_millis(500);

/// How often somebody who waits has it looked at files that do not come to rest.
pub(super) const LOOKS_MAX: u32 = 6;

/// Somebody who waits for files to rest.
pub(super) struct Patience {
    /// The files as they were last taken up.
    counted: Stamp,
    seen: Option<(Stamp, Moment)>,
}

impl Patience {
    /// Somebody who waits for files that were taken up when they had this stamp.
    pub(super) fn new(counted: Stamp) -> Self {
        Self {
            counted,
            seen: None,
        }
    }

    /// Looks at the files as they are at this moment; the path of one that does not rest.
    pub(super) fn look(&mut self, stamp: &Stamp, now: Moment) -> Result<(), String> {
        let changed = stamp.since(&self.counted);
        let first = changed.saved.iter().chain(&changed.gone).next().cloned();
        match first {
            Some(path) if !rests(stamp, &changed, &mut self.seen, now) => Err(path),
            _ => Ok(()),
        }
    }
}

impl Workspace {
    /// Waits until these files rest, and reads them; the path of one that does not come to rest.
    pub(super) async fn at_rest<T, F: Future<Output = T>>(
        &self,
        which: &(dyn Fn(&str) -> bool + Send + Sync),
        read: impl Fn() -> F,
    ) -> Result<T, String> {
        let counted = self.turn.lock().await.of_those(which);
        let mut patience = Patience::new(counted);
        let mut restless = String::new();
        for _ in 0..LOOKS_MAX {
            let before = self.stamp_of(which).await;
            match patience.look(&before, now()) {
                Err(path) => restless = path,
                Ok(()) => {
                    let found = read().await;
                    // Somebody may have begun to write meanwhile.
                    let Differences { saved, gone } = self.stamp_of(which).await.since(&before);
                    match saved.into_iter().chain(gone).next() {
                        Some(path) => restless = path,
                        None => return Ok(found),
                    }
                }
            }
            Clock::rest(REST).await;
        }
        Err(restless)
    }

    /// After a change of these files: takes down what all files are now, but for what others are
    /// changing as long as that does not rest; that is to be read as it counted before.
    pub(super) async fn hold_others(&self, own: &BTreeSet<&str>, turn: &mut Stamp) -> Held {
        let mut stamp = stamp(&self.folder).await.unwrap_or_default();
        let held = self.held(&stamp, own, turn);
        for path in held.keys() {
            stamp.hold(path, turn);
        }
        *turn = stamp;
        held
    }

    /// What others are changing and does not rest, as it counts until it does; beside these files.
    pub(super) fn held(&self, stamp: &Stamp, own: &BTreeSet<&str>, counted: &Stamp) -> Held {
        let Differences { saved, gone } = stamp.since(counted);
        let is_other = |path: &String| !own.contains(path.as_str());
        let rested = now().before(REST);
        let mut others = saved.iter().filter(|path| is_other(path));
        let rest = others.all(|path| stamp.is_older(path, rested));
        if rest && !gone.iter().any(is_other) {
            return Held::new();
        }
        let library = self.intake.shelf.library();
        let held = saved.into_iter().chain(gone).filter(is_other);
        held.map(|path| {
            let text = library.texts.get(path.as_str()).cloned();
            (path, text)
        })
        .collect()
    }

    async fn stamp_of(&self, which: &(dyn Fn(&str) -> bool + Send + Sync)) -> Stamp {
        let stamp = stamp(&self.folder).await.unwrap_or_default();
        stamp.of_those(which)
    }
}

/// Whether all that changed did so some time ago: by what the files say, or because they are still
/// as an earlier look saw them.
pub(super) fn rests(
    stamp: &Stamp,
    changed: &Differences,
    seen: &mut Option<(Stamp, Moment)>,
    now: Moment,
) -> bool {
    let rested = now.before(REST);
    let is_seen = seen
        .as_ref()
        .filter(|(seen, at)| seen == stamp && *at <= now);
    let rests = match is_seen {
        Some((_, at)) => *at <= rested,
        // Of what is gone, nothing says since when: it may be about to be written anew.
        None => false,
    };
    let is_old = changed.gone.is_empty()
        && changed
            .saved
            .iter()
            .all(|path| stamp.is_older(path, rested));
    if rests || is_old {
        *seen = None;
        return true;
    }
    if is_seen.is_none() {
        *seen = Some((stamp.clone(), now));
    }
    false
}

/// The moment by the machine's own clock, however fast that of the engine runs: files have their
/// times from it.
pub(super) fn now() -> Moment {
    Clock::real(1.0).now()
}
