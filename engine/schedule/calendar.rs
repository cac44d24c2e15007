//! From times of a day to moments, where clocks are put forward and back.
//!
//! In: a day, times of it, a zone. Out: moments in order.
//! Always true: a time that the zone leaves out comes at the end of the gap, one that it repeats
//! comes once, unless the times are those of an interval: these come whenever the wall shows them.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::clock::Moment;

/// What times of day mean where clocks are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// Each is meant once a day, whatever the clocks do.
    OnceEach,
    /// They are marks of an interval: each time that the wall shows one counts.
    EveryReal,
}

/// The moments of these times on a day, in order, each once.
pub(super) fn moments(day: Date, times: &[Time], meaning: Times, zone: &TimeZone) -> Vec<Moment> {
    let mut found = Vec::with_capacity(times.len());
    for time in times {
        let wall = day.to_datetime(*time);
        match (zone.to_ambiguous_timestamp(wall).offset(), meaning) {
            (AmbiguousOffset::Unambiguous { offset }, _) => {
                found.extend(offset.to_timestamp(wall).ok());
            }
            (AmbiguousOffset::Gap { .. }, Times::EveryReal) => {}
            (AmbiguousOffset::Gap { before, after }, Times::OnceEach) => {
                // Read with the offset after the change, the time lies before the change.
                let from = after.to_timestamp(wall).ok();
                let end = from.and_then(|from| Some(zone.following(from).next()?.timestamp()));
                found.extend(end.or_else(|| before.to_timestamp(wall).ok()));
            }
            (AmbiguousOffset::Fold { before, after }, meaning) => {
                found.extend(before.to_timestamp(wall).ok());
                if meaning == Times::EveryReal {
                    found.extend(after.to_timestamp(wall).ok());
                }
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
        .into_iter()
        .map(|timestamp| Moment(timestamp.as_microsecond()))
        .collect()
}
