//! Connectors of the workspace that cannot be used, and the recipes that wait for them.
//!
//! In: connector files with errors, compiled recipes. Out: which recipes are hindered by which file.
//! Always true: a mistake is told where it was made: recipes are read as if the bundled connector
//! stood there, are blamed for nothing, and are not run before the file is mended.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Override, files};
use crate::compile::Recipe;
use crate::connector::{self, Connector};
use crate::diagnostic::Report;
use crate::names::ConnectorName;
use crate::source;

/// Connectors whose file in the workspace has errors, with that file.
pub(super) type Broken = BTreeMap<ConnectorName, Arc<str>>;

/// The bundled connector behind a file of the workspace.
pub(super) fn bundled(name: &ConnectorName, path: &Arc<str>) -> Option<Connector> {
    let (document, _) = source::parse(path, files::bundled_file(path)?);
    Some(connector::read(name, &document?, &mut Report::of(path)))
}

/// The broken file that a recipe waits for, if it uses such a connector.
pub(super) fn hindrance(recipe: &Recipe, broken: &Broken) -> Option<Arc<str>> {
    let actions = recipe.actions();
    let mut files = actions.iter().map(|action| broken.get(&action.connector));
    files.find_map(Option::<&Arc<str>>::cloned)
}

/// Says of errors in a bundled recipe which files of the workspace they may come from: as it was
/// bundled, it had none.
pub(super) fn name_causes(
    report: &mut Report,
    text: &str,
    changed: &BTreeMap<ConnectorName, Override>,
) {
    let used = changed.iter().filter(|(name, _)| {
        let action = format!("{name}.");
        text.contains(&action)
    });
    let files: Vec<String> = used
        .map(|(_, change)| format!("`{}`", change.file))
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
