//! W7: a bundled batch synchronisation of a whole academy, within the vendors' budgets.
//!
//! In: academies of two sizes. Out: what a run costs in time, calls and memory, what the second run
//! writes, and what a stop and a kill in the middle leave.
//! Always true: engine and stand-ins keep one faster time, and the stand-ins refuse what is beyond
//! their budgets; the engine is a process of its own, so that its memory is its own.

mod campus;
mod tell;

use anyhow::ensure;
use recipe_sandbox::Size;

use self::campus::{Campus, Run};
use super::Bounds;
use super::report::Report;

pub(super) const GROUP: &str = "W7: a batch synchronisation, 60 times as fast as in life";

/// How much faster time passes. Beyond this, the machine and not the budgets would be measured.
pub(super) const TIME_SCALE: u32 = 60;

/// The academy that is measured.
const LARGE: Size = Size {
    courses: 2_000,
    enrollments: 50_000,
    groups: 200,
    credentials: 20_000,
};

/// A tenth of it, for memory, and for what stops in its middle.
const SMALL: Size = Size {
    courses: 200,
    enrollments: 5_000,
    groups: 20,
    credentials: 2_000,
};

/// How much more memory ten times as many enrolments may take.
const GROWTH_MAX_MIB: f64 = 20.0;

/// Measures all of it; the large academy comes last.
pub(super) async fn measure(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    let campus = Campus::open(&bounds.folder, "W7-small", SMALL).await?;
    let small = campus.run().await?;
    tell::run(&campus, "5,000 enrolments", &small, bounds, report).await?;
    campus.close().await;
    broken_off(bounds, report).await?;

    let campus = Campus::open(&bounds.folder, "W7-large", LARGE).await?;
    let first = campus.run().await?;
    tell::run(&campus, "50,000 enrolments", &first, bounds, report).await?;
    let second = campus.run().await?;
    tell::run(&campus, "50,000 again", &second, bounds, report).await?;
    campus.close().await;
    let growth = first.peak_mib.zip(small.peak_mib);
    let growth = growth.map(|(large, small)| large - small);
    report.add(GROUP, "memory: 50,000 beyond 5,000", growth, "MiB");
    ensure!(second.writes == 0, "the second run wrote something");
    ensure!(
        growth.is_none_or(|growth| growth < GROWTH_MAX_MIB),
        "memory grows with the number of enrolments"
    );
    Ok(())
}

/// A run that a person stops in its middle, one whose server is killed there, and what is there
/// when a third has come to its end.
async fn broken_off(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    let mut campus = Campus::open(&bounds.folder, "W7-stopped", SMALL).await?;
    // Half of those who must hold a credential hold one before, which is brought up to date.
    let quarter = campus.academy.wanted().len() / 8;
    let stopped = campus.run_until(quarter).await?;
    let seconds = campus.stop(&stopped).await?;
    report.add(GROUP, "stopped in the middle: ended within", seconds, "s");
    tell::standing(&campus, "stopped in the middle", report).await?;
    campus.run_until(quarter).await?;
    campus.kill_and_restart().await?;
    let last: Run = campus.follow().await?;
    tell::run(
        &campus,
        "killed in the middle, to the end",
        &last,
        bounds,
        report,
    )
    .await?;
    campus.close().await;
    Ok(())
}
