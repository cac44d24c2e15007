//! From settings to an engine whose rooms are built and not yet at work.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use crate::api::fresh_token;
use crate::clock::Clock;
use crate::connector::References;
use crate::diagnostic::Severity;
use crate::history::History;
use crate::library::{Held, Library, Shelf, Stamp, resume};
use crate::names::TableName;
use crate::outbound::{Accounts, Outbound};
use crate::runner::{Bell, World};
use crate::settings::{Settings, WorkspaceReferences};
use crate::store::Store;
use crate::trigger::Intake;
use crate::worker::Worker;
use crate::workspace::{self, Workspace};

use super::{Engine, Trouble};

/// What tells a workspace from any other folder: it has one of these.
const PARTS: [&str; 6] = [
    "connections.yaml",
    "settings.yaml",
    "recipes",
    "connectors",
    "lookup-tables",
    "data",
];

/// Opens a workspace.
pub(super) async fn open(settings: Settings) -> Result<Engine, Trouble> {
    let workspace = &settings.workspace;
    let (mut library, mut read_at) = read(workspace, BTreeSet::new()).await?;
    let folder = settings.data("");
    make_private(&folder).map_err(|error| Trouble::Write {
        path: folder.display().to_string(),
        why: error.to_string(),
    })?;
    let store = Arc::new(Store::open_with_key(&settings.database(), &settings.key_path()).await?);
    // Nobody else has this workspace now. What was cut off counts already; not every disk lets it
    // be finished.
    if let Err(why) = resume(workspace) {
        tracing::error!("files that were just changing wait to be put in place: {why}");
    }
    if !library.broken.tables.is_empty() {
        let filled = store.table_names().await?;
        (library, read_at) = read(workspace, filled).await?;
    }
    workspace::settle_saving(&store, &workspace::connections_hash(workspace)).await?;
    store.vault().arrive();
    let clock = settings.clock();
    let shelf = Shelf::new(library);
    let tables = shelf.tables();
    let tables: Vec<_> = tables.values().map(|table| (**table).clone()).collect();
    store.declare_settings(shelf.settings());
    store.declare(&tables, clock.now()).await?;
    bring_back(&shelf, &store).await?;
    let references = WorkspaceReferences::of(workspace.clone()).with(store.vault().clone());
    let references: Arc<dyn References> = Arc::new(references);
    let outbound = outside(&settings, &shelf, references.clone(), &store, &clock).await?;
    let (stop, is_stopping) = watch::channel(false);
    let bell = Arc::new(Bell::default());
    let world = World {
        is_preview: false,
        store: store.clone(),
        calls: outbound.clone(),
        clock: clock.clone(),
        halt: settings.halt.clone(),
        bell: bell.clone(),
        is_stopping: is_stopping.clone(),
    };
    let intake = Intake {
        store: store.clone(),
        shelf: shelf.clone(),
        references,
        clock: clock.clone(),
        bell,
        gauge: Arc::default(),
        is_stopping,
    };
    let history = History::new(
        store,
        shelf.clone(),
        clock,
        settings.history.clone(),
        intake.is_stopping.clone(),
    );
    let workspace = Workspace::new(workspace, read_at, intake.clone(), outbound);
    Ok(Engine {
        worker: Worker::new(world.clone(), shelf),
        history,
        world,
        intake,
        workspace: Arc::new(workspace),
        local_token: fresh_token(),
        stop,
        loops: std::sync::Mutex::default(),
        settings,
    })
}

/// What broke while no server ran, or before it was stopped, goes on by its last version that ran.
async fn bring_back(shelf: &Shelf, store: &Store) -> Result<(), Trouble> {
    let broken = shelf.without_good();
    if broken.is_empty() {
        return Ok(());
    }
    let live = store.live_versions().await?;
    let mut texts = BTreeMap::new();
    for name in broken {
        if let Some(hash) = live.get(name.as_str())
            && let Some(text) = store.version_text(hash).await?
        {
            texts.insert(name, text);
        }
    }
    shelf.bring_back(&texts);
    Ok(())
}

/// The way to vendors, through the accounts of the workspace.
async fn outside(
    settings: &Settings,
    shelf: &Shelf,
    references: Arc<dyn References>,
    store: &Arc<Store>,
    clock: &Clock,
) -> Result<Arc<Outbound>, Trouble> {
    let (connectors, connections) = shelf.accounts();
    let accounts = Accounts {
        connectors,
        connections,
    };
    let outbound = Outbound::open(accounts, references, store.clone(), clock.clone())
        .await
        .map_err(|failure| Trouble::Outbound(failure.message))?;
    Ok(Arc::new(outbound.allowing(settings.private_hosts.clone())))
}

/// Reads a workspace's files; a folder that has none of them is no workspace.
async fn read(workspace: &Path, filled: BTreeSet<TableName>) -> Result<(Library, Stamp), Trouble> {
    let refuse = |why| Trouble::Workspace {
        path: workspace.display().to_string(),
        why,
    };
    if workspace.is_dir() && !PARTS.iter().any(|part| workspace.join(part).exists()) {
        return Err(refuse(format!("it has none of {}", PARTS.join(", "))));
    }
    workspace::read(workspace, filled, Held::new())
        .await
        .map_err(refuse)
}

/// Makes the folder that the server writes into; what it holds is nobody else's business.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut maker = fs::DirBuilder::new();
    maker.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        maker.mode(0o700);
    }
    maker.create(folder)
}

/// Refuses while a started recipe lacks a connection or a part of one.
pub(super) async fn check_started(
    shelf: &Shelf,
    store: &Store,
    references: &dyn References,
) -> Result<(), Trouble> {
    let states = store.states().await?;
    let started = states
        .iter()
        .filter(|(_, state)| state.is_started)
        .map(|(name, _)| name);
    let mut troubles: Vec<String> = Vec::new();
    for name in started.filter(|name| shelf.program(name).is_some()) {
        let (found, _) = shelf.check_files(name, references);
        for found in found {
            let is_missing = found.severity == Severity::Error
                && [
                    crate::library::codes::NO_CONNECTION,
                    crate::library::codes::INCOMPLETE_CONNECTION,
                ]
                .contains(&found.code);
            let line = format!("{} ({name})", found.message);
            if is_missing
                && !troubles
                    .iter()
                    .any(|known| known.starts_with(&found.message))
            {
                troubles.push(line);
            }
        }
    }
    if troubles.is_empty() {
        return Ok(());
    }
    Err(Trouble::NotReady(format!(
        "{}; set what is missing, or stop the recipe with `recipes stop NAME`",
        troubles.join("; ")
    )))
}
