//! What broke since the last reading of a workspace, as it was before.
//!
//! In: a new reading, and the one that is held. Out: the new reading with the last good connectors,
//! lookup tables, projects and connections in place of what cannot be used.
//! Always true: what is found about the files stays; what never was good stays away.

use super::{Library, Shelf};

impl Shelf {
    /// Brings back what broke since the last reading.
    pub fn keep_good(&self, library: &mut Library) {
        let held = self.read();
        // At the first reading there is nothing that could be better.
        if held.library.paths.is_empty() {
            return;
        }
        let (before, now) = (&held.library.catalogue, &mut library.catalogue);
        for name in library.broken.connectors.keys() {
            let good = before.connectors.get(name).cloned();
            now.connectors.extend(good.map(|good| (name.clone(), good)));
        }
        for name in library.broken.tables.keys() {
            let good = before.tables.get(name).cloned();
            now.tables.extend(good.map(|good| (name.clone(), good)));
        }
        for name in library.broken.projects.keys() {
            let good = before.projects.get(name).cloned();
            let good = good.filter(|project| project.is_sound);
            now.projects.extend(good.map(|good| (name.clone(), good)));
        }
        library.connections.keep_good(&held.library.connections);
    }
}
