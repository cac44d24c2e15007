//! Builds the rooms, starts their loops, and stops them in order.
//!
//! In: settings. Out: an [`Engine`] that takes deliveries in and runs jobs.
//! Always true: nothing is taken in before it can be kept; an orderly stop gives every job back.

mod bare;
mod listen;
mod open;
mod tokens;
mod trouble;

pub use crate::api::fresh_token;
pub use bare::Bare;
pub use tokens::Whereabouts;
pub use trouble::Trouble;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::api::{self, Accepted, Lobby, Rooms};
use crate::clock::{Clock, Moment};
use crate::data::{Secret, digest};
use crate::history::History;
use crate::library::Shelf;
use crate::mask::learn_secret;
use crate::runner::World;
use crate::settings::Settings;
use crate::store::Store;
use crate::trigger::{Intake, Timekeeper};
use crate::worker::Worker;
use crate::workspace::{Look, Workspace};

/// How long requests that are under way at a stop are waited for.
const REQUESTS_GRACE: Duration = Duration::from_secs(10);

/// How long jobs get to come to a place where they can be given back.
const JOBS_GRACE: Duration = Duration::from_secs(30);

/// A workspace with its database open, ready to take in and to run.
pub struct Engine {
    settings: Settings,
    world: World,
    intake: Intake,
    worker: Arc<Worker>,
    workspace: Arc<Workspace>,
    history: Arc<History>,
    local_token: Secret,
    stop: watch::Sender<bool>,
    loops: Mutex<Vec<JoinHandle<()>>>,
}

/// What a server tells of itself once it listens.
#[derive(Clone, Debug)]
pub struct Listening {
    /// Where it listens.
    pub address: SocketAddr,
    /// The address for programs on this machine, such as `http://127.0.0.1:8700`.
    pub url: String,
    /// The admin's token, if it was made just now: it is shown this once.
    pub new_admin_token: Option<Secret>,
    /// A token for programs on this machine, as long as this server lives.
    pub local_token: Secret,
}

impl Engine {
    /// Opens a workspace: reads its files, opens its database, takes its jobs over.
    pub async fn open(settings: Settings) -> Result<Self, Trouble> {
        open::open(settings).await
    }

    /// Listens, takes in and runs jobs, until [`Engine::shutdown`]. Refuses while a started recipe
    /// lacks a connection or a part of one: its jobs would fail for a reason that the right
    /// environment mends.
    pub async fn serve(&self) -> Result<Listening, Trouble> {
        open::check_started(self.shelf(), self.store(), &*self.intake.references).await?;
        // Alone on this database, so whoever held a lease is gone.
        let recovered = self.store().recover(self.world.clock.now()).await?;
        if recovered > 0 {
            tracing::info!("{recovered} jobs go on that an earlier server left");
        }
        let now = self.world.clock.now();
        let new_admin_token = tokens::first_admin(&self.settings, self.store(), now).await?;
        let listening = self.listen().await?;
        let here = Whereabouts {
            url: listening.url.clone(),
            token: self.local_token.reveal().to_owned(),
            pid: std::process::id(),
        };
        let text = serde_json::to_string(&here).unwrap_or_default();
        tokens::write_private(&self.settings.data(tokens::SERVER_FILE), &text)?;
        let working = tokio::spawn(self.worker.clone().work());
        let reloading = tokio::spawn(self.workspace.clone().watch());
        let timekeeper = Timekeeper::new(self.intake.clone(), self.world.calls.clone());
        let timing = tokio::spawn(timekeeper.work());
        let keeping = tokio::spawn(self.history.clone().work());
        self.loops().extend([working, reloading, timing, keeping]);
        Ok(Listening {
            new_admin_token,
            ..listening
        })
    }

    /// Takes changed files up now, which the server does by itself every few seconds: how many
    /// findings there are, or why everything stays as it was.
    pub async fn take_up_files(&self) -> Result<usize, String> {
        self.workspace.take_all_up().await
    }

    /// Looks at the files once as the server does every second, as if at this moment by the files'
    /// own clock.
    pub async fn look_at_files(&self, now: Moment) -> Result<Look, String> {
        self.workspace.look_at(now).await
    }

    /// Listens and answers commands of this process, and runs nothing.
    pub async fn answer(&self) -> Result<Listening, Trouble> {
        self.listen().await
    }

    async fn listen(&self) -> Result<Listening, Trouble> {
        self.workspace.note_present().await?;
        let wanted = self.settings.address;
        let listener = TcpListener::bind(wanted)
            .await
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::AddrInUse => Trouble::PortInUse(wanted),
                _ => Trouble::Listen {
                    address: wanted,
                    why: error.to_string(),
                },
            })?;
        let address = listener.local_addr().map_err(|error| Trouble::Listen {
            address: wanted,
            why: error.to_string(),
        })?;
        let url = local_url(address);
        let public_url = self
            .settings
            .public_url
            .clone()
            .unwrap_or_else(|| url.clone());
        let given = self.settings.admin_token.as_ref();
        let passing = given.map(|token| (tokens::ADMIN, token));
        let passing = passing
            .into_iter()
            .chain([(tokens::CLI, &self.local_token)]);
        let passing = passing.map(|(name, token)| {
            learn_secret(token.reveal());
            (name, digest(token.reveal().as_bytes()))
        });
        let clock = self.world.clock.clone();
        let accepted = Accepted::open(self.store().clone(), clock, passing).await?;
        let rooms = Rooms {
            intake: self.intake.clone(),
            calls: self.world.calls.clone(),
            accepted: Arc::new(accepted),
            history: self.history.clone(),
            workspace: self.workspace.clone(),
            public_url: public_url.into(),
            messages: Arc::default(),
            turned_away: Arc::default(),
            previews: Arc::new(Semaphore::new(1)),
            searches: Arc::new(Semaphore::new(1)),
            starting: Arc::default(),
            upgrading: Arc::default(),
            lobby: Arc::new(Lobby::new(self.settings.bounds)),
            pulse: Arc::default(),
        };
        let serving = tokio::spawn(listen::serve(
            listener,
            api::router(rooms),
            self.settings.bounds,
            self.stop.subscribe(),
        ));
        self.loops().push(serving);
        Ok(Listening {
            address,
            url,
            new_admin_token: None,
            local_token: self.local_token.clone(),
        })
    }

    /// Says that the end is near: from now on nothing new is taken in or sent.
    pub fn begin_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops in order: nothing new is taken in, calls under way are recorded, jobs are given back.
    pub async fn shutdown(self) {
        self.begin_to_stop();
        let loops: Vec<JoinHandle<()>> = std::mem::take(&mut *self.loops());
        for (index, running) in loops.into_iter().enumerate() {
            let grace = if index == 0 {
                REQUESTS_GRACE
            } else {
                JOBS_GRACE
            };
            let abort = running.abort_handle();
            if Clock::within(grace, running).await.is_none() {
                tracing::warn!("stopping took too long; what is durable counts");
                abort.abort();
            }
        }
        let _ = std::fs::remove_file(self.settings.data(tokens::SERVER_FILE));
        // Only then may the next one work on it.
        let closing = self.world.store.close();
        if Clock::within(JOBS_GRACE, closing).await.is_none() {
            tracing::warn!("the database is busy; what is durable counts");
        }
    }

    /// The recipes.
    pub fn shelf(&self) -> &Arc<Shelf> {
        &self.intake.shelf
    }

    /// The database.
    pub fn store(&self) -> &Arc<Store> {
        &self.world.store
    }

    /// What triggers need.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// The keeper of the history.
    pub fn history(&self) -> &Arc<History> {
        &self.history
    }

    fn loops(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How programs on this machine reach an address that may stand for all of them.
fn local_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if ip.is_unspecified() && ip.is_ipv4() => "127.0.0.1".to_owned(),
        ip if ip.is_unspecified() => "[::1]".to_owned(),
        ip if ip.is_ipv6() => format!("[{ip}]"),
        ip => ip.to_string(),
    };
    format!("http://{ip}:{}", address.port())
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({})", self.settings.workspace.display())
    }
}

#[cfg(test)]
mod tests;
