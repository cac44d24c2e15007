//! Connectors and tables of the workspace that cannot be used, and the recipes that wait for them.
//!
//! In: their files with errors, compiled recipes. Out: which recipes are hindered by which file.
//! Always true: a mistake is told where it was made: recipes are read as if the bundled connector or
//! table stood there, are blamed for nothing, and are not run before the file is mended.

use std::sync::Arc;

use super::{Library, files};
use crate::compile::{Recipe, StepKind};
use crate::connector::{self, Connector};
use crate::diagnostic::Report;
use crate::names::{ConnectorName, TableName};
use crate::source;
use crate::table::Table;

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

/// The broken file that a recipe waits for, if it uses such a connector or table.
pub(super) fn hindrance(recipe: &Recipe, library: &Library) -> Option<Arc<str>> {
    let actions = recipe.actions();
    let mut files = actions
        .iter()
        .map(|action| library.broken.get(&action.connector));
    if let Some(file) = files.find_map(Option::<&Arc<str>>::cloned) {
        return Some(file);
    }
    let mut found = None;
    recipe.for_each_step(&mut |step| {
        if let StepKind::Table { table, .. } = &step.kind
            && found.is_none()
        {
            found = library.broken_tables.get(table).cloned();
        }
    });
    found
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
