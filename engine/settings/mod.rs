//! What an admin sets about the server itself: read once, from arguments, environment and file.
//!
//! In: arguments of the command line, `RECIPES_*` variables, `settings.yaml` of the workspace; the
//! first that says something counts. Out: [`Settings`], or a clear sentence for each mistake.
//! Always true: nothing else in the engine reads the environment.

mod file;
mod history;
mod references;

pub use file::{Mistakes, Wrong};
pub use references::WorkspaceReferences;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::file::{Said, SettingsFile};
use crate::api::Bounds;
use crate::clock::{Clock, Moment};
use crate::data::Secret;
use crate::history::Budgets;
use crate::outbound::PrivateHosts;
use crate::runner::Halt;
use crate::store::key_beside;

/// Where the server listens unless told otherwise: this machine only.
pub const ADDRESS: &str = "127.0.0.1:8700";

/// The file of a workspace that sets what the server does.
pub const FILE: &str = "settings.yaml";

/// The folder of a workspace that the server writes into.
pub const DATA_FOLDER: &str = "data";

/// All keys of the settings file.
const KEYS: [&str; 9] = [
    "address",
    "public_url",
    "log",
    "time_scale",
    ALLOW_PRIVATE_HOSTS,
    KEY_FILE,
    history::HISTORY_AGE,
    history::HISTORY_SIZE,
    history::CHANGES_AGE,
];

/// The key of the private targets that any connection may reach.
const ALLOW_PRIVATE_HOSTS: &str = "allow_private_hosts";

/// The key of where the key file stands that secrets in the database are sealed with.
const KEY_FILE: &str = "key_file";

/// The most that time may be scaled.
const TIME_SCALE_MAX: f64 = 100_000.0;

/// What the server is told.
#[derive(Debug)]
pub struct Settings {
    /// The folder with recipes, connectors, tables, connections and the database.
    pub workspace: PathBuf,
    /// Where the server listens.
    pub address: SocketAddr,
    /// Where the outside reaches it, if that differs.
    pub public_url: Option<String>,
    /// How log lines look.
    pub log: LogFormat,
    /// How much faster than the wall the clock runs; 1 but for rehearsals.
    pub time_scale: f64,
    /// Since when it has run so; since the start if it is not said. Programs that come one after the
    /// other then agree on the time.
    pub time_since: Option<Moment>,
    /// Targets in private networks that any connection may reach.
    pub private_hosts: PrivateHosts,
    /// How much history is kept.
    pub history: Budgets,
    /// How much strangers may ask of it at once.
    pub bounds: Bounds,
    /// Where a crash test stops the process.
    pub halt: Arc<Halt>,
    /// An admin token that is set from outside; otherwise the first start makes one.
    pub admin_token: Option<Secret>,
    /// The key file, if it does not stand beside the database.
    pub key_file: Option<PathBuf>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// The workspace.
    pub workspace: Option<PathBuf>,
    /// Where the server listens.
    pub address: Option<String>,
    /// How log lines look.
    pub log: Option<String>,
}

impl Settings {
    /// Reads arguments, environment and the workspace's file; otherwise all that is wrong there.
    pub fn read(arguments: Arguments) -> Result<Self, Mistakes> {
        let workspace = arguments
            .workspace
            .or_else(|| environment("RECIPES_WORKSPACE").map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("."));
        let (file, mut mistakes) = SettingsFile::look(&workspace)?;
        let say = |argument, variable, key| Said::find(argument, variable, &file, key);
        let address = say(arguments.address, "RECIPES_ADDRESS", "address");
        let public_url = say(None, "RECIPES_PUBLIC_URL", "public_url");
        let log = say(arguments.log, "RECIPES_LOG", "log");
        let time_scale = say(None, "RECIPES_TIME_SCALE", "time_scale");
        let time_since = environment("RECIPES_TIME_SINCE");
        let time_since = time_since.map(|text| Moment::parse(&text)).transpose();
        let halt =
            environment("RECIPES_HALT").map_or(Ok(Halt::default()), |text| Halt::parse(&text));
        let address = mistakes.take(meaning(address, parse_address));
        let public_url = mistakes.take(meaning(public_url, parse_url));
        let log = mistakes.take(meaning(log, parse_log));
        let time_scale = mistakes.take(meaning(time_scale, parse_scale));
        let key_file = mistakes.take(key_file(&workspace, &file));
        let time_since = mistakes.take(time_since);
        let private_hosts = mistakes.take(private_hosts(&file));
        let history = mistakes.take(history::budgets(&file));
        let halt = mistakes.take(halt);
        let read = || {
            Some(Self {
                address: match address? {
                    Some(address) => address,
                    None => parse_address(ADDRESS).ok()?,
                },
                public_url: public_url?,
                log: log?.unwrap_or(LogFormat::Text),
                time_scale: time_scale?.unwrap_or(1.0),
                time_since: time_since?,
                private_hosts: private_hosts?,
                history: history?,
                bounds: Bounds::default(),
                halt: Arc::new(halt?),
                admin_token: environment("RECIPES_ADMIN_TOKEN").map(Secret::new),
                key_file: key_file?,
                workspace,
            })
        };
        mistakes.unless_any(read())
    }

    /// Settings of a server for one workspace at a free port of this machine, which keeps all
    /// history.
    pub fn private(workspace: &Path) -> Self {
        Self {
            workspace: workspace.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            log: LogFormat::Text,
            time_scale: 1.0,
            time_since: None,
            private_hosts: PrivateHosts::default(),
            history: Budgets::UNBOUNDED,
            bounds: Bounds::default(),
            halt: Arc::default(),
            admin_token: None,
            key_file: None,
        }
    }

    /// The key file of a workspace, if it does not stand beside the database.
    pub fn key_file(workspace: &Path) -> Result<Option<PathBuf>, Mistakes> {
        Ok(key_file(workspace, &SettingsFile::read(workspace)?)?)
    }

    /// Where the key stands that secrets in the database are sealed with.
    pub fn key_path(&self) -> PathBuf {
        let beside = || key_beside(&self.database());
        self.key_file.clone().unwrap_or_else(beside)
    }

    /// The targets in private networks that the settings of a workspace allow.
    pub fn private_hosts(workspace: &Path) -> Result<PrivateHosts, Mistakes> {
        private_hosts(&SettingsFile::read(workspace)?)
    }

    /// How much history is kept in a workspace.
    pub fn budgets(workspace: &Path) -> Result<Budgets, Mistakes> {
        history::budgets(&SettingsFile::read(workspace)?)
    }

    /// The clock that these settings ask for.
    pub fn clock(&self) -> Clock {
        match self.time_since {
            Some(since) => Clock::scaled_since(self.time_scale, since),
            None => Clock::real(self.time_scale),
        }
    }

    /// Where the real server of the workspace is or will be reached, as its settings say.
    pub fn reached_at(workspace: &Path) -> Option<String> {
        let real = Self::read(Arguments {
            workspace: Some(workspace.to_owned()),
            ..Arguments::default()
        });
        let real = real.ok()?;
        Some(
            real.public_url
                .unwrap_or_else(|| format!("http://{}", real.address)),
        )
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data("recipes.db")
    }

    /// A file that the server writes.
    pub fn data(&self, name: &str) -> PathBuf {
        data_file(&self.workspace, name)
    }
}

/// A file that the server of a workspace writes.
pub fn data_file(workspace: &Path, name: &str) -> PathBuf {
    workspace.join(DATA_FOLDER).join(name)
}

/// A variable of the environment, unless it is empty.
pub fn environment(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the room that reads the environment"
    )]
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// What a setting means, if it is given.
fn meaning<T>(
    said: Result<Option<Said>, Wrong>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Wrong> {
    said?.map(|said| said.read(read)).transpose()
}

/// A path that is not whole begins at the workspace.
fn key_file(workspace: &Path, file: &SettingsFile) -> Result<Option<PathBuf>, Wrong> {
    let said = Said::find(None, "RECIPES_KEY_FILE", file, KEY_FILE)?;
    Ok(said.map(|path| workspace.join(path.text())))
}

fn private_hosts(file: &SettingsFile) -> Result<PrivateHosts, Mistakes> {
    if let Some(text) = environment("RECIPES_ALLOW_PRIVATE_HOSTS") {
        return PrivateHosts::parse(text.split(','))
            .map_err(|why| format!("`{ALLOW_PRIVATE_HOSTS}`: {why}").into());
    }
    let written = file.texts(ALLOW_PRIVATE_HOSTS)?;
    // Each by itself, so that the one that is wrong is told with its place.
    let mut mistakes = Mistakes::default();
    for said in &written {
        mistakes.take(said.read(|text| PrivateHosts::parse([text])));
    }
    mistakes.unless_any(Some(()))?;
    Ok(PrivateHosts::parse(written.iter().map(Said::text))?)
}

fn parse_url(text: &str) -> Result<String, String> {
    let is_address = url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match is_address {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is no address at which others reach the server; write it like \
             https://recipes.example.com"
        )),
    }
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let whole = if text.contains(':') {
        text.to_owned()
    } else {
        format!("127.0.0.1:{text}")
    };
    let whole = whole.replace("localhost:", "127.0.0.1:");
    whole
        .parse()
        .map_err(|_| format!("`{text}` is not an address to listen at; write it like {ADDRESS}"))
}

fn parse_log(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("`{text}` is no log format; write text or json")),
    }
}

fn parse_scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale > 0.0 && scale <= TIME_SCALE_MAX => Ok(scale),
        _ => Err(format!(
            "`{text}` is no time scale; write 1 for real time, or a greater number for rehearsals"
        )),
    }
}
