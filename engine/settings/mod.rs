//! What an admin sets about the server itself: read once, from arguments, environment and file.
//!
//! In: arguments of the command line, `RECIPES_*` variables, `settings.yaml` of the workspace; the
//! first that says something counts. Out: [`Settings`], or one clear sentence.
//! Always true: nothing else in the engine reads the environment.

mod history;
mod references;

pub use references::WorkspaceReferences;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api::Bounds;
use crate::clock::{Clock, Moment};
use crate::data::Secret;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::history::Budgets;
use crate::outbound::PrivateHosts;
use crate::runner::Halt;
use crate::source::{self, Node, NodeKind};
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
    /// Reads arguments, environment and the workspace's file.
    pub fn read(arguments: Arguments) -> Result<Self, String> {
        let workspace = arguments
            .workspace
            .or_else(|| environment("RECIPES_WORKSPACE").map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("."));
        let file = SettingsFile::read(&workspace)?;
        let say = |argument: Option<String>, variable: &str, key: &str| {
            argument
                .or_else(|| environment(variable))
                .or_else(|| file.text(key))
        };
        let address = say(arguments.address, "RECIPES_ADDRESS", "address");
        let log = say(arguments.log, "RECIPES_LOG", "log");
        let scale = say(None, "RECIPES_TIME_SCALE", "time_scale");
        let key_file = key_file(&workspace, &file);
        let halt =
            environment("RECIPES_HALT").map_or(Ok(Halt::default()), |text| Halt::parse(&text));
        Ok(Self {
            workspace,
            address: parse_address(address.as_deref().unwrap_or(ADDRESS))?,
            public_url: say(None, "RECIPES_PUBLIC_URL", "public_url"),
            log: parse_log(log.as_deref().unwrap_or("text"))?,
            time_scale: parse_scale(scale.as_deref().unwrap_or("1"))?,
            time_since: environment("RECIPES_TIME_SINCE")
                .map(|text| Moment::parse(&text))
                .transpose()?,
            private_hosts: private_hosts(&file)?,
            history: history::budgets(&file)?,
            bounds: Bounds::default(),
            halt: Arc::new(halt?),
            admin_token: environment("RECIPES_ADMIN_TOKEN").map(Secret::new),
            key_file,
        })
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
    pub fn key_file(workspace: &Path) -> Result<Option<PathBuf>, String> {
        Ok(key_file(workspace, &SettingsFile::read(workspace)?))
    }

    /// Where the key stands that secrets in the database are sealed with.
    pub fn key_path(&self) -> PathBuf {
        let beside = || key_beside(&self.database());
        self.key_file.clone().unwrap_or_else(beside)
    }

    /// The targets in private networks that the settings of a workspace allow.
    pub fn private_hosts(workspace: &Path) -> Result<PrivateHosts, String> {
        private_hosts(&SettingsFile::read(workspace)?)
    }

    /// How much history is kept in a workspace.
    pub fn budgets(workspace: &Path) -> Result<Budgets, String> {
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

/// The settings file of a workspace; empty if there is none.
struct SettingsFile(Option<Node>);

impl SettingsFile {
    fn read(workspace: &Path) -> Result<Self, String> {
        let path = workspace.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self(None)),
            Err(error) => return Err(format!("`{}` cannot be read: {error}", path.display())),
        };
        let (document, report) = source::parse(&Arc::from(FILE), &bytes);
        let found = report.into_diagnostics();
        let Some(document) = document else {
            return Err(found.first().map_or_else(
                || format!("`{}`: it is not YAML", path.display()),
                |found| told(&path, found),
            ));
        };
        for (key, _) in document.root.as_map().unwrap_or_default() {
            if !KEYS.contains(&&*key.text) {
                let help = did_you_mean(&key.text, KEYS).map_or_else(
                    || format!("known are: {}", KEYS.join(", ")),
                    |meant| format!("did you mean `{meant}`?"),
                );
                return Err(format!(
                    "`{}`:{}:{}: `{}` is no setting; {help}",
                    path.display(),
                    key.span.line,
                    key.span.column,
                    key.text
                ));
            }
        }
        Ok(Self(Some(document.root)))
    }

    fn text(&self, key: &str) -> Option<String> {
        match &self.0.as_ref()?.get(key)?.kind {
            NodeKind::Text(text) => Some(text.to_string()),
            NodeKind::Integer(number) => Some(number.to_string()),
            NodeKind::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The elements of a list of texts; one text counts as a list of one.
    fn texts(&self, key: &str) -> Result<Vec<String>, String> {
        let Some(node) = self.0.as_ref().and_then(|root| root.get(key)) else {
            return Ok(Vec::new());
        };
        let wrong = |node: &Node| {
            let line = node.span.line;
            format!("`{FILE}`:{line}: `{key}` is a list of texts, such as [erp.internal, 10.1.2.3]")
        };
        let one = |node: &Node| {
            node.as_text()
                .map(ToString::to_string)
                .ok_or_else(|| wrong(node))
        };
        match &node.kind {
            NodeKind::List(elements) => elements.iter().map(one).collect(),
            _ => Ok(vec![one(node)?]),
        }
    }
}

/// A path that is not whole begins at the workspace.
fn key_file(workspace: &Path, file: &SettingsFile) -> Option<PathBuf> {
    let said = environment("RECIPES_KEY_FILE").or_else(|| file.text(KEY_FILE));
    said.map(|path| workspace.join(path))
}

/// A finding about the file with its place and how to mend it.
fn told(path: &Path, found: &Diagnostic) -> String {
    let span = found.place.span;
    let help = found.help.as_ref();
    format!(
        "`{}`:{}:{}: {}{}",
        path.display(),
        span.line,
        span.column,
        found.message,
        help.map_or(String::new(), |help| format!("; {help}"))
    )
}

fn private_hosts(file: &SettingsFile) -> Result<PrivateHosts, String> {
    let written = match environment("RECIPES_ALLOW_PRIVATE_HOSTS") {
        Some(text) => text.split(',').map(str::to_owned).collect(),
        None => file.texts(ALLOW_PRIVATE_HOSTS)?,
    };
    PrivateHosts::parse(written.iter().map(String::as_str))
        .map_err(|why| format!("`{ALLOW_PRIVATE_HOSTS}`: {why}"))
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
