//! One run, from the first start of the engine to the comparison.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::api::Api;
use super::compare::compare;
use super::drain::drain;
use super::engine::{Engine, Start, TIME_SCALE};
use super::load::Load;
use super::plan::{Chance, Jump, Life};
use super::post::Post;
use super::report::{Done, Report};
use super::vendor::Vendor;
use super::workspace::{STARTED, furnish};
use crate::clock::{Clock, Moment};
use crate::server::fresh_token;

/// What the user wants.
pub(super) struct Wanted {
    pub(super) lasts: Duration,
    pub(super) seed: u64,
    pub(super) rate: u64,
    /// Whether a program reads along.
    pub(super) is_quiet: bool,
}

/// How much a file may still grow while the disk is full.
const ROOM_BYTES: u64 = 64 * 1024;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// The house around the engine.
struct Stage {
    api: Api,
    token: String,
    workspace: PathBuf,
    vendor: Vendor,
    /// Since when the engine's clock has run faster than the wall.
    since: Moment,
}

/// Tortures the engine in a folder.
pub(super) async fn torture(folder: &Path, wanted: &Wanted) -> anyhow::Result<Report> {
    let token = fresh_token().reveal().to_owned();
    let api = Api::new(&token)?;
    let vendor = Vendor::open(wanted.seed, api.clone()).await?;
    let post = Post::open().await?;
    let workspace = furnish(folder, vendor.url(), post.port)?;
    let mut stage = Stage {
        api,
        token,
        workspace,
        vendor,
        since: Clock::real(1.0).now(),
    };
    let engine = stage.start(None)?;
    for recipe in STARTED {
        let path = format!("/api/recipes/{recipe}/start");
        stage.api.ask(Method::POST, &path, None).await?;
    }
    stage.kill(engine);
    let load = Load::begin(&stage.api, wanted.seed, wanted.rate);
    let mut done = stage.live_and_die(wanted).await?;
    let engine = stage.start(None)?;
    tell(wanted, "faults are off; the rest is worked off")?;
    let sent = load.end().await;
    done.drained = drain(&stage.api, &stage.vendor).await?;
    let report = compare(&stage.api, &stage.vendor, &post, wanted.seed, sent, done).await?;
    stage.kill(engine);
    stage.vendor.close().await;
    Ok(report)
}

fn tell(wanted: &Wanted, what: &str) -> anyhow::Result<()> {
    if wanted.is_quiet {
        return Ok(());
    }
    super::say(&format!("{what}\n"))
}

impl Stage {
    /// Starts the engine, kills it, and so on until the time is up.
    async fn live_and_die(&mut self, wanted: &Wanted) -> anyhow::Result<Done> {
        let mut done = Done::default();
        let mut chance = Chance::new(wanted.seed);
        let (began, mut told) = (Instant::now(), Instant::now());
        while began.elapsed() < wanted.lasts {
            let life = Life::next(&mut chance);
            self.shift(life.clock, &mut done).await?;
            for fault in &life.faults {
                self.vendor.order("faults", fault).await?;
            }
            self.live(&life, &mut done).await?;
            for (kind, struck) in self.vendor.relieve().await? {
                *done.faults.entry(kind).or_default() += struck;
            }
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                let minutes = began.elapsed().as_secs_f64() / 60.0;
                tell(
                    wanted,
                    &format!("{minutes:.1} minutes, {} kills", done.kills),
                )?;
            }
        }
        done.lasted = began.elapsed();
        Ok(done)
    }

    /// One life.
    async fn live(&mut self, life: &Life, done: &mut Done) -> anyhow::Result<()> {
        let limit = life.has_full_disk.then(|| self.log_size() + ROOM_BYTES);
        match self.start(limit) {
            Ok(engine) => {
                done.full_disks += u64::from(life.has_full_disk);
                Clock::rest(life.lasts).await;
                self.kill(engine);
                done.kills += 1;
            }
            // On a full disk it may refuse to start at all.
            Err(_) if life.has_full_disk => {
                self.api.is_at(None);
                done.refused_starts += 1;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn start(&self, file_bytes_max: Option<u64>) -> anyhow::Result<Engine> {
        let engine = Engine::start(&Start {
            workspace: &self.workspace,
            token: &self.token,
            since: self.since,
            file_bytes_max,
        })?;
        self.api.is_at(Some(&engine.url));
        Ok(engine)
    }

    fn kill(&self, engine: Engine) {
        self.api.is_at(None);
        drop(engine);
    }

    /// Moves the clocks while the engine is dead.
    async fn shift(&mut self, jump: Jump, done: &mut Done) -> anyhow::Result<()> {
        // A clock that began earlier shows a later time, by the time in between times the scale.
        let shift = |by: Duration| by.div_f64(TIME_SCALE - 1.0).as_micros();
        match jump {
            Jump::None => {}
            Jump::Ahead(by) => {
                let advance = json!({ "advance": format!("{}s", by.as_secs()) });
                self.vendor.order("clock", &advance).await?;
                self.since.0 -= i64::try_from(shift(by))?;
                done.jumps_ahead += 1;
            }
            Jump::Back(by) => {
                self.since.0 += i64::try_from(shift(by))?;
                done.jumps_back += 1;
            }
        }
        Ok(())
    }

    /// The size of the database's log, which is what grows.
    fn log_size(&self) -> u64 {
        let log = self.workspace.join("data").join("recipes.db-wal");
        std::fs::metadata(log).map_or(0, |file| file.len())
    }
}
