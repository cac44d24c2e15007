//! Work on many files, on all processors.
//!
//! In: items, and what is done with each. Out: what came of each, in the order of the items.
//! Always true: the outcome is that of doing one after another.

use std::thread;

/// Below so many items for each processor, a thread costs more than it brings.
const ITEMS_MIN: usize = 64;

/// Does the same with all items.
pub(super) fn at_once<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(items.len() / ITEMS_MIN);
    if threads < 2 {
        return items.into_iter().map(work).collect();
    }
    let share = items.len().div_ceil(threads);
    let mut rest = items.into_iter();
    thread::scope(|scope| {
        let work = &work;
        let parts: Vec<_> = (0..threads)
            .map(|_| {
                let part: Vec<T> = rest.by_ref().take(share).collect();
                scope.spawn(move || part.into_iter().map(work).collect::<Vec<R>>())
            })
            .collect();
        let ended = parts.into_iter().map(|part| part.join());
        ended
            .flat_map(|came| came.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
