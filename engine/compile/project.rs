//! A project that is ready to be used: its names wired to things that exist.
//!
//! In: a project file and the catalogue. Out: a [`Project`], and findings.
//! Always true: a name that is not wired plays itself.

use indexmap::IndexMap;

use super::catalogue::Catalogue;
use super::codes;
use super::says::{self, Says};
use super::walk::meant;
use crate::diagnostic::Report;
use crate::names::{ConnectionName, ConnectorName, RecipeName, TableName};
use crate::recipe::ProjectFile;
use crate::shape::Field;
use crate::table::SETTINGS_TABLE;

/// A project: title, version and how its names are wired.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder's name.
    pub name: String,
    /// Its title, for people.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Its version.
    pub version: String,
    /// Which connection plays which connector; by default the one of that name.
    pub connections: IndexMap<String, ConnectionName>,
    /// Which table plays which table name; by default the one of that name.
    pub tables: IndexMap<String, TableName>,
    /// The settings keys it declares, by integration.
    pub settings: IndexMap<String, IndexMap<String, Field>>,
    /// What their values mean, in words, by integration and key.
    pub says: IndexMap<String, IndexMap<String, Says>>,
    /// The recipe with the project's own checks.
    pub doctor: Option<RecipeName>,
    /// Whether its file has no errors. If it has, no job may run by it: what a mistaken line would
    /// have wired would play itself.
    pub is_sound: bool,
}

impl Project {
    /// A project that wires nothing.
    pub fn unwired(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            description: String::new(),
            version: String::new(),
            connections: IndexMap::new(),
            tables: IndexMap::new(),
            settings: IndexMap::new(),
            says: IndexMap::new(),
            doctor: None,
            is_sound: true,
        }
    }

    /// Takes a project file as it is; `check` says whether its wiring leads somewhere.
    pub fn of(file: &ProjectFile) -> Self {
        let mut unheard = Report::default();
        let connections = file.connections.iter();
        let tables = file.tables.iter();
        Self {
            name: file.name.clone(),
            title: file.title.clone(),
            description: file.description.clone(),
            version: file.version.clone(),
            connections: connections
                .filter_map(|(role, (name, _))| {
                    Some((role.clone(), ConnectionName::new(name).ok()?))
                })
                .collect(),
            tables: tables
                .filter_map(|(role, (name, _))| Some((role.clone(), TableName::new(name).ok()?)))
                .collect(),
            settings: file.settings.clone(),
            says: says::read(file, &mut unheard),
            doctor: file
                .doctor
                .as_ref()
                .and_then(|(name, _)| RecipeName::of(&file.name, name).ok()),
            is_sound: true,
        }
    }
}

/// Reports names that a project wires and that do not exist, and what it says wrongly of settings.
pub fn check_wiring(file: &ProjectFile, catalogue: &Catalogue, report: &mut Report) {
    let connectors: Vec<&str> = catalogue
        .connectors
        .keys()
        .map(ConnectorName::as_str)
        .collect();
    for (role, (_, span)) in &file.connections {
        if !connectors.contains(&&**role) {
            report
                .error(
                    codes::BAD_WIRING,
                    *span,
                    format!("there is no connector `{role}`"),
                )
                .help(meant(role, &connectors));
        }
    }
    let tables: Vec<&str> = catalogue.tables.keys().map(TableName::as_str).collect();
    for (role, (name, span)) in &file.tables {
        if role == SETTINGS_TABLE {
            report
                .error(
                    codes::BAD_WIRING,
                    *span,
                    format!("`{SETTINGS_TABLE}` is the same for all projects"),
                )
                .help("remove this line: settings are read from there whatever stands here");
        }
        if !tables.contains(&&**name) {
            report
                .error(
                    codes::BAD_WIRING,
                    *span,
                    format!("there is no lookup table `{name}`"),
                )
                .help(meant(name, &tables));
        }
    }
    says::read(file, report);
}
