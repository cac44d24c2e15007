//! The small workspace that recipes of the targets stand in.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use recipe_engine::compile::{Catalogue, Project, Signature, compile, program};
use recipe_engine::compile::{Program, Recipe};
use recipe_engine::connector;
use recipe_engine::diagnostic::Diagnostic;
use recipe_engine::names::{ConnectorName, RecipeName, TableName};
use recipe_engine::recipe::RecipeFile;
use recipe_engine::source::{Document, parse};
use recipe_engine::table::Table;

const VENDOR: &str = include_str!("../../recipes/connectors/vendor.yaml");
const PEOPLE: &str = include_str!("../../recipes/lookup-tables/people.yaml");

/// A vendor with one action of every effect, and a table.
static SHELF: LazyLock<(
    ConnectorName,
    Arc<connector::Connector>,
    TableName,
    Arc<Table>,
)> = LazyLock::new(|| {
    let vendor = ConnectorName::new("vendor").expect("it is a name");
    let (document, mut report) = parse(&Arc::from("vendor.yaml"), VENDOR.as_bytes());
    let document = document.expect("the vendor is sound");
    let read = connector::read(&vendor, &document, &mut report);
    assert!(!report.has_errors(), "the vendor is sound");
    let people = TableName::new("people").expect("it is a name");
    let (document, _) = parse(&Arc::from("people.yaml"), PEOPLE.as_bytes());
    let document = document.expect("the table is sound");
    let (table, report) = Table::read(people.clone(), &document);
    assert!(!report.has_errors(), "the table is sound");
    (vendor, Arc::new(read), people, Arc::new(table))
});

/// A recipe as the compiler left it.
pub(crate) struct Compiled {
    pub(crate) recipe: Option<Arc<Recipe>>,
    pub(crate) found: Vec<Diagnostic>,
}

/// Compiles recipes of one project, by name.
pub(crate) fn compiled(documents: Vec<(&str, Document)>) -> BTreeMap<RecipeName, Compiled> {
    let (vendor, connector, people, table) = &*SHELF;
    let mut catalogue = Catalogue::default();
    catalogue
        .connectors
        .insert(vendor.clone(), connector.clone());
    catalogue.tables.insert(people.clone(), table.clone());
    let project = Arc::new(Project::unwired("p"));
    catalogue.projects.insert("p".into(), project);
    let mut files = Vec::new();
    for (name, document) in documents {
        let name = RecipeName::of("p", name).expect("it is a name");
        let (file, report) = RecipeFile::read(name.clone(), document);
        catalogue
            .signatures
            .insert(name, Signature::of(&file).into());
        files.push((file, report));
    }
    files
        .into_iter()
        .map(|(file, report)| {
            let has_errors = report.has_errors();
            let mut found = report.into_diagnostics();
            // As the library does it: what is no recipe is not compiled.
            let (recipe, more) = compile(&file, &catalogue);
            found.extend(more.into_diagnostics());
            let recipe = recipe.filter(|_| !has_errors).map(Arc::new);
            (file.name, Compiled { recipe, found })
        })
        .collect()
}

/// Puts compiled recipes together, if all of them are sound.
pub(crate) fn program_of(
    root: &str,
    compiled: &BTreeMap<RecipeName, Compiled>,
) -> Option<Arc<Program>> {
    let recipes: Option<BTreeMap<RecipeName, Arc<Recipe>>> = compiled
        .iter()
        .map(|(name, compiled)| Some((name.clone(), compiled.recipe.clone()?)))
        .collect();
    let root = RecipeName::of("p", root).ok()?;
    program(&root, &recipes?).ok().map(Arc::new)
}
