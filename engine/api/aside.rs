//! Work that takes its time, on a thread of its own: requests go on meanwhile.
//!
//! In: work. Out: what it gives.
//! Always true: tests that run when the server stops are given up.

use tokio::sync::watch;

use super::Problem;

/// Does the work on a thread of its own.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|fault| {
        tracing::error!("a piece of work met a fault of the engine's own: {fault}");
        Problem::new(500, "internal", "The engine met a fault of its own.")
            .detail("its log says where")
    })
}

/// Does work that waits for itself, such as tests, on a thread of its own until the server stops.
pub(super) async fn played<T: Send + 'static>(
    mut is_stopping: watch::Receiver<bool>,
    work: impl AsyncFnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let played = aside(move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build()?;
        std::io::Result::Ok(runtime.block_on(async {
            tokio::select! {
                biased;
                _ = is_stopping.wait_for(|is_stopping| *is_stopping) => None,
                done = work() => Some(done),
            }
        }))
    });
    match played.await? {
        Ok(Some(done)) => Ok(done),
        Ok(None) => {
            let title = "The server stops, so the tests were given up; ask again.";
            Err(Problem::new(503, "stopping", title))
        }
        Err(error) => {
            let title = "The tests could not be run.";
            Err(Problem::new(500, "cannot_test", title).detail(error.to_string()))
        }
    }
}
