//! The threads that share the runs.
//!
//! In: pieces of work. Out: what came of each, in the order of the pieces.
//! Always true: each thread has stand-ins and a workspace of its own, which all its runs use one
//! after the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::runtime::{Builder, Runtime};

use super::super::ground::Ground;

/// One thread's runtime, with the stand-ins that live in it.
pub(super) struct Hand {
    runtime: Runtime,
    ground: Arc<Ground>,
}

impl Hand {
    /// So many hands, with these files above the bundled ones.
    pub(super) fn some(count: usize, files: &[(&str, &str)]) -> Vec<Self> {
        let open = || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            let ground = Arc::new(runtime.block_on(Ground::with(files)));
            Self { runtime, ground }
        };
        std::thread::scope(|scope| {
            let opened: Vec<_> = (0..count).map(|_| scope.spawn(open)).collect();
            opened
                .into_iter()
                .map(|hand| hand.join().expect("no panic"))
                .collect()
        })
    }
}

/// Does each piece of work with the hand that is free for it.
pub(super) fn share<W, R, F>(
    hands: &mut [Hand],
    work: Vec<W>,
    act: impl Fn(Arc<Ground>, W) -> F + Sync,
) -> Vec<R>
where
    W: Send,
    R: Send,
    F: Future<Output = R>,
{
    let work: Vec<Mutex<Option<W>>> = work.into_iter().map(|one| Mutex::new(Some(one))).collect();
    let done: Vec<Mutex<Option<R>>> = work.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for hand in hands {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    let Some(one) = work.get(at) else { break };
                    let one = one.lock().expect("no panic").take().expect("taken once");
                    let result = hand.runtime.block_on(act(hand.ground.clone(), one));
                    *done[at].lock().expect("no panic") = Some(result);
                }
            });
        }
    });
    let done = done.into_iter();
    done.map(|one| one.into_inner().expect("no panic").expect("done"))
        .collect()
}
