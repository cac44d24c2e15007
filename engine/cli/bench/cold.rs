//! W4: the start of a server with many recipes, and what it takes when idle.

use std::fs;
use std::time::{Duration, Instant};

use super::delivery::body;
use super::house::{LEARNER_FINISHED, Server, furnish};
use super::load::Sender;
use super::report::Report;
use super::{Bounds, process};
use crate::clock::Clock;

const GROUP: &str = "W4: a server with 1,000 recipes";
const RECIPES: usize = 1_000;

/// Measures the time to the first webhook that is taken in, memory when idle, and the program.
pub(super) async fn measure(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    let workspace = furnish(&bounds.folder, "W4", "http://127.0.0.1:9")?;
    for number in 0..RECIPES {
        let path = workspace.join(format!("recipes/bench/webhook-{number}.yaml"));
        fs::write(path, LEARNER_FINISHED)?;
    }
    let server = Server::start(&workspace).await?;
    for number in 0..RECIPES {
        server
            .start_recipe(&format!("bench/webhook-{number}"))
            .await?;
    }
    drop(server);
    let begin = Instant::now();
    let server = Server::start(&workspace).await?;
    let mut sender = Sender::connect(server.address(), "/webhooks/bench/webhook-500").await?;
    let (status, _) = sender.post(&body(1)).await?;
    anyhow::ensure!(
        status == 202,
        "the first webhook was answered with {status}"
    );
    let seconds = begin.elapsed().as_secs_f64();
    Clock::rest(Duration::from_secs(5)).await;
    report.add(
        GROUP,
        "cold start to the first webhook taken in",
        seconds,
        "s",
    );
    report.add(
        GROUP,
        "memory when idle",
        process::resident_mib(server.pid()),
        "MiB",
    );
    report.add(
        GROUP,
        "memory at most",
        process::peak_mib(server.pid()),
        "MiB",
    );
    let before = process::cpu(server.pid());
    Clock::rest(Duration::from_secs(5)).await;
    let idle = process::cpu(server.pid()).zip(before);
    let idle = idle.map(|(now, then)| (now - then).as_secs_f64() * 1000.0 / 5.0);
    report.add(GROUP, "processor time when idle", idle, "ms/s");
    let program = fs::metadata(std::env::current_exe()?)?.len();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a file's size, to be read by people"
    )]
    report.add(
        GROUP,
        "size of the program",
        program as f64 / 1_048_576.0,
        "MiB",
    );
    Ok(())
}
