//! Projects: which there are, which recipe calls which, and what their tests say.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;

use crate::data::Value;
use crate::diagnostic::did_you_mean;
use crate::library::{Library, Shelf};
use crate::names::RecipeName;
use crate::trial::{CaseResult, run_case, suites};

use super::aside::played;
use super::{Problem, Rooms, body, wire};

/// `GET /api/projects`
pub(super) async fn list(State(rooms): State<Arc<Rooms>>) -> Json<Value> {
    let library = rooms.intake.shelf.library();
    let projects = library.catalogue.projects.values().map(|project| {
        let recipes = library.written.keys();
        let recipes = recipes.filter(|name| name.project() == project.name);
        let path = format!("recipes/{}/project.yaml", project.name);
        let found = library.diagnostics_of(&path).map(wire::diagnostic);
        json!({
            "name": project.name,
            "title": project.title,
            "description": project.description,
            "version": project.version,
            "recipe_count": recipes.count(),
            "problems": found.collect::<Vec<_>>(),
        })
    });
    Json(json!({ "projects": projects.collect::<Vec<_>>() }))
}

/// `GET /api/projects/{project}/graph`: which recipe calls or starts which.
pub(super) async fn graph(
    State(rooms): State<Arc<Rooms>>,
    Path(project): Path<String>,
) -> Result<Json<Value>, Problem> {
    let library = rooms.intake.shelf.library();
    let own = own_recipes(&library, &project)?;
    Ok(Json(call_graph(&library, &project, &own)))
}

/// Which of these recipes calls or starts which, and what they reach.
pub fn call_graph(library: &Library, project: &str, own: &[&RecipeName]) -> Value {
    let signatures = &library.catalogue.signatures;
    let (mut nodes, mut edges) = (BTreeSet::new(), Vec::new());
    for name in own.iter().copied() {
        nodes.insert(name);
        let Some(signature) = signatures.get(name) else {
            continue;
        };
        let kinds = [("call", &signature.calls), ("start", &signature.starts)];
        for (kind, reached) in kinds {
            let reached: BTreeSet<&RecipeName> = reached.iter().map(|(name, _)| name).collect();
            for target in reached {
                nodes.insert(target);
                edges.push(json!({
                    "from": name.as_str(), "to": target.as_str(), "kind": kind,
                }));
            }
        }
    }
    let nodes: Vec<Value> = nodes
        .into_iter()
        .map(|name| {
            let signature = signatures.get(name);
            json!({
                "name": name.as_str(),
                "trigger": signature.map_or("missing", |signature| &signature.trigger),
            })
        })
        .collect();
    json!({ "project": project, "recipes": nodes, "calls": edges })
}

/// Which tests are run.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// Only those of this recipe, without its project.
    recipe: Option<String>,
}

/// `POST /api/projects/{project}/test`: runs the tests beside the recipes; nothing leaves the
/// machine. One such thing runs at a time.
pub(super) async fn test(
    State(rooms): State<Arc<Rooms>>,
    Path(project): Path<String>,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    let wish: Wish = body::json(&bytes)?;
    let library = rooms.intake.shelf.library();
    own_recipes(&library, &project)?;
    let alone = rooms.alone()?;
    let is_stopping = rooms.intake.is_stopping.clone();
    let (results, unusable) = played(is_stopping, async move || {
        let _alone = alone;
        play(&library, &project, wish.recipe).await
    })
    .await?;
    let failed = results
        .iter()
        .filter(|one| !one.problems.is_empty())
        .count();
    let cases = results.iter().map(|one| {
        json!({
            "title": one.title,
            "place": one.place.to_string(),
            "is_good": one.problems.is_empty(),
            "problems": one.problems,
        })
    });
    Ok(Json(json!({
        "passed": results.len() - failed,
        "failed": failed,
        "cases": cases.collect::<Vec<_>>(),
        "unusable": unusable,
    })))
}

/// What came of a project's tests, and what is wrong with test files.
type Played = (Vec<CaseResult>, Vec<Value>);

async fn play(library: &Arc<Library>, project: &str, recipe: Option<String>) -> Played {
    let (suites, found) = suites(library);
    let folder = format!("recipes/{project}/");
    let found = found.iter();
    let found = found.filter(|found| found.place.file.starts_with(&folder));
    let unusable = found.map(wire::diagnostic).collect();
    let wanted = suites.iter().filter(|suite| {
        let is_meant = |recipe: &String| suite.recipe.name() == recipe;
        suite.file.starts_with(&folder) && recipe.as_ref().is_none_or(is_meant)
    });
    let shelf = Shelf::new((**library).clone());
    let mut results = Vec::new();
    for suite in wanted {
        for case in &suite.cases {
            results.push(run_case(&shelf, &suite.recipe, case, None).await);
        }
    }
    (results, unusable)
}

fn own_recipes<'a>(library: &'a Library, project: &str) -> Result<Vec<&'a RecipeName>, Problem> {
    let all = library.written.keys();
    let own: Vec<&RecipeName> = all.filter(|name| name.project() == project).collect();
    if !own.is_empty() || library.catalogue.projects.contains_key(project) {
        return Ok(own);
    }
    let known = library.catalogue.projects.keys().map(String::as_str);
    let help = did_you_mean(project, known)
        .map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
    Err(Problem::not_found(format!(
        "there is no project `{project}`{help}"
    )))
}
