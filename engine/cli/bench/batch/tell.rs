//! What is reported of a run.

use std::collections::BTreeMap;

use anyhow::ensure;

use super::super::Bounds;
use super::super::report::Report;
use super::super::rounds::seconds;
use super::GROUP;
use super::campus::{Campus, Run};

/// Time, memory, calls, budgets, and whether everybody holds what they must.
pub(super) async fn run(
    campus: &Campus,
    name: &str,
    run: &Run,
    bounds: &Bounds,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut add = |what: &str, value: Option<f64>, unit: &'static str| {
        report.add(GROUP, format!("{name}: {what}"), value, unit);
    };
    let count: u64 = run.calls.iter().map(|(.., count)| count).sum();
    add("from start to end", Some(run.seconds), "s");
    add(
        "in the vendors' time",
        Some(seconds(&run.job)? / 3600.0),
        "h",
    );
    add("processor time", run.cpu, "s");
    add("peak memory", run.peak_mib, "MiB");
    for (vendor, kind, count) in &run.calls {
        add(&format!("{vendor}: {kind}"), Some(number(*count)), "calls");
    }
    add(
        "calls that may change something",
        Some(number(run.writes)),
        "",
    );
    for (vendor, told) in campus.budgets().await? {
        for (what, value) in told.as_object().into_iter().flatten() {
            if let Some(value) = value.as_f64() {
                add(&format!("{vendor}: {what}"), Some(value), "");
            }
        }
        ensure!(told["refused_429"] == 0, "{vendor} refused calls: {told}");
    }
    let mib = number(campus.bytes_on_disk()?) / (1024.0 * 1024.0);
    add("database and files", Some(mib), "MiB");
    let rate = number(count) / run.seconds;
    add("calls a second", Some(rate), "/s");
    report.of(bounds.limits.requests, "bare HTTP");
    standing(campus, name, report).await?;
    let missing = held(campus).await?.missing;
    ensure!(missing == 0, "{missing} credentials are missing");
    Ok(())
}

/// Who holds what now.
pub(super) async fn standing(
    campus: &Campus,
    name: &str,
    report: &mut Report,
) -> anyhow::Result<()> {
    let held = held(campus).await?;
    for (what, value) in [
        ("credentials at the vendor", held.count),
        ("credentials still missing", held.missing),
        ("credentials doubled", held.doubled),
    ] {
        report.add(GROUP, format!("{name}: {what}"), number(value), "");
    }
    ensure!(
        held.doubled == 0,
        "{} credentials are doubled",
        held.doubled
    );
    Ok(())
}

struct Held {
    count: u64,
    missing: u64,
    doubled: u64,
}

async fn held(campus: &Campus) -> anyhow::Result<Held> {
    let rows = campus.credentials().await?;
    let mut holders: BTreeMap<(String, i64), u64> = BTreeMap::new();
    for row in &rows {
        let email = row["recipient"]["email"].as_str().unwrap_or_default();
        let group = row["group_id"].as_i64().unwrap_or_default();
        *holders.entry((email.to_owned(), group)).or_default() += 1;
    }
    let wanted = campus.academy.wanted().iter();
    Ok(Held {
        count: rows.len() as u64,
        missing: wanted
            .filter(|holder| !holders.contains_key(*holder))
            .count() as u64,
        doubled: holders.values().filter(|count| **count > 1).count() as u64,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls and bytes")]
fn number(count: u64) -> f64 {
    count as f64
}
