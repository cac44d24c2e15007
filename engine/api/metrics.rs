//! What the server counts, in the text form that Prometheus reads.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::{Problem, Rooms};

/// The media type of the text form.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`
pub(super) async fn metrics(State(rooms): State<Arc<Rooms>>) -> Result<impl IntoResponse, Problem> {
    let store = &rooms.intake.store;
    let counts = store.counts();
    let lines = [
        (
            "recipes_jobs_ended_total",
            "counter",
            "Jobs that ended since the server started.",
            counts.jobs_ended,
        ),
        (
            "recipes_commits_total",
            "counter",
            "Transactions that the database committed.",
            counts.commits,
        ),
        (
            "recipes_synced_commits_total",
            "counter",
            "Of these, those that waited until the disk had them.",
            counts.synced_commits,
        ),
        (
            "recipes_jobs_queued",
            "gauge",
            "Jobs in line, those whose recipe is not started among them.",
            store.queue_length().await?,
        ),
    ];
    let space = store.space().await?;
    let more = [
        (
            "recipes_history_pruned_jobs_total",
            "counter",
            "Jobs whose history was removed since the server started.",
            rooms.history.pruned(),
        ),
        (
            "recipes_database_used_bytes",
            "gauge",
            "What is in use of the database.",
            space.used_bytes(),
        ),
        (
            "recipes_database_file_bytes",
            "gauge",
            "The file of the database.",
            space.file_bytes,
        ),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in lines.into_iter().chain(more) {
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
        );
    }
    Ok(([(header::CONTENT_TYPE, TEXT)], text))
}
