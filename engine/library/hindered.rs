//! Files of the workspace that cannot be used, and the recipes that wait for them.
//!
//! In: connectors, tables and projects with errors, compiled recipes. Out: which recipes are hindered
//! by which file.
//! Always true: what recipes rely on is never used in part: they are not run as such a file has it
//! before it is mended. A mistake is told where it was made: recipes are read as if the bundled
//! connector or table stood there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Library, files};
use crate::compile::{Recipe, StepKind};
use crate::connector::{self, Connector};
use crate::diagnostic::Report;
use crate::names::{ConnectorName, TableName};
use crate::source;
use crate::table::Table;

/// What files of the workspace have errors about, with the file of each.
#[derive(Clone, Debug, Default)]
pub struct Broken {
    /// Connectors.
    pub connectors: BTreeMap<ConnectorName, Arc<str>>,
    /// Lookup tables.
    pub tables: BTreeMap<TableName, Arc<str>>,
    /// Projects, by folder.
    pub projects: BTreeMap<String, Arc<str>>,
}

impl Broken {
    /// Whether all of them can be used.
    pub fn is_empty(&self) -> bool {
        self.connectors.is_empty() && self.tables.is_empty() && self.projects.is_empty()
    }

    /// The file that a recipe waits for, if it is wired by, calls or keeps its rows in what is
    /// broken.
    pub(super) fn hindrance(&self, recipe: &Recipe) -> Option<Arc<str>> {
        if self.is_empty() {
            return None;
        }
        let mut file = self.projects.get(recipe.name.project());
        let actions = recipe.actions();
        let mut connectors = actions
            .iter()
            .map(|action| self.connectors.get(&action.connector));
        file = file.or_else(|| connectors.find_map(|file| file));
        recipe.for_each_step(&mut |step| {
            if let StepKind::Table { table, .. } = &step.kind {
                file = file.or_else(|| self.tables.get(table));
            }
        });
        file.cloned()
    }
}

/// The bundled connector behind a file of the workspace.
pub(super) fn bundled(name: &ConnectorName, path: &Arc<str>) -> Option<Connector> {
    let (document, _) = source::parse(path, files::bundled_file(path)?);
    Some(connector::read(name, &document?, &mut Report::of(path)))
}

/// The bundled table behind a file of the workspace.
pub(super) fn bundled_table(name: &TableName, path: &Arc<str>) -> Option<Table> {
    let (document, _) = source::parse(path, files::bundled_file(path)?);
    Some(Table::read(name.clone(), &document?).0)
}

/// Says of errors in a bundled recipe which files of the workspace they may come from: as it was
/// bundled, it had none.
pub(super) fn name_causes(report: &mut Report, text: &str, library: &Library) {
    let connectors = library.overrides.iter();
    let connectors = connectors.filter(|(name, _)| text.contains(&format!("{name}.")));
    let connectors = connectors.map(|(_, change)| &change.file);
    let tables = library.own_tables.iter();
    let tables = tables.filter(|(name, _)| text.contains(name.as_str()));
    let files: Vec<String> = connectors
        .chain(tables.map(|(_, file)| file))
        .map(|file| format!("`{file}`"))
        .collect();
    if files.is_empty() {
        return;
    }
    let files = files.join(", ");
    report.relocate(|found| {
        let help = found.help.take().map_or(String::new(), |help| format!("; {help}"));
        found.help = Some(format!(
            "this recipe is bundled: look at {files} of the workspace, which changes what it uses{help}"
        ));
    });
}
