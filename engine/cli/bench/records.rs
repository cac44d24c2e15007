//! W3: one job that reads pages of records and sends each record on.

use std::process::Child;

use serde_json::json;

use super::delivery::Count;
use super::house::{Server, furnish, spawn};
use super::report::Report;
use super::rounds::{run, seconds};
use super::{Bounds, process};
use crate::data::Value;

const GROUP: &str = "W3: one job, 100 pages of 100 records, one POST each, 16 at once";
/// How many records the vendor has.
pub(super) const RECORDS: u64 = 10_000;

/// The vendor's stand-in, as a process of its own.
pub(super) struct Vendor {
    child: Child,
    /// Where it answers.
    pub(super) url: String,
    http: reqwest::Client,
}

impl Vendor {
    /// Starts it.
    pub(super) fn open() -> anyhow::Result<Self> {
        let (child, url) = spawn(&["sandbox", "--port", "0"], "records\t")?;
        let http = super::super::client::http()?;
        Ok(Self { child, url, http })
    }

    /// What its sink has taken.
    pub(super) async fn sink(&self) -> anyhow::Result<Value> {
        let url = format!("{}/_control/sink", self.url);
        let text = self.http.get(url).send().await?.text().await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// How many requests the sink has taken.
    pub(super) async fn received(&self) -> anyhow::Result<u64> {
        Ok(self.sink().await?["received"].as_u64().unwrap_or_default())
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Measures time, memory and commits for calls that may and that must not be repeated.
pub(super) async fn measure(bounds: &Bounds, report: &mut Report) -> anyhow::Result<()> {
    for kind in ["repeatable", "once"] {
        let vendor = Vendor::open()?;
        let workspace = furnish(&bounds.folder, kind, &vendor.url)?;
        let server = Server::start(&workspace).await?;
        let before = Count::read(&server).await?;
        let job = run(&server, &format!("bench/send-records-{kind}"), json!({})).await?;
        let came = Count::read(&server).await?.since(&before);
        let count = job["output"]["count"].as_u64();
        anyhow::ensure!(count == Some(RECORDS), "the job did not end well: {job}");
        report.add(
            GROUP,
            format!("{kind}: from start to end"),
            seconds(&job)?,
            "s",
        );
        let cpu = came.cpu_ms.map(|ms| ms / 1000.0);
        report.add(GROUP, format!("{kind}: processor time"), cpu, "s");
        report.add(GROUP, format!("{kind}: commits"), came.commits, "");
        report.add(GROUP, format!("{kind}: fsyncs"), came.syncs, "");
        let peak = process::peak_mib(server.pid());
        report.add(GROUP, format!("{kind}: peak memory"), peak, "MiB");
        let most = vendor.sink().await?["in_flight_max"].as_f64();
        report.add(
            GROUP,
            format!("{kind}: most in flight, as the sink saw"),
            most,
            "",
        );
    }
    Ok(())
}
