//! Clones of projects and customised recipes.
//!
//! Always true: a copy is on the disk and taken up before it is answered; what is refused has left
//! nothing behind.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::data::Value;
use crate::library::{Change, Library, Made, path_of};
use crate::names::RecipeName;
use crate::origin::{self, Copy, Refused, Source, Tables};
use crate::store::AuditEntry;

use super::{Person, Problem, Rooms, body, changes};

/// What a clone is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CloneWish {
    /// The name of the new project.
    #[serde(rename = "as")]
    name: String,
    /// Whether it gets tables of its own.
    #[serde(default)]
    own_tables: bool,
}

/// `POST /api/projects/{project}/clone`
pub(super) async fn clone(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(project): Path<String>,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let wish: CloneWish = body::json(&bytes)?;
    let tables = match wish.own_tables {
        true => Tables::Own,
        false => Tables::Shared,
    };
    let detail = json!({ "of": project });
    let subject = format!("project:{}", wish.name);
    let entry = entry(&rooms, &by, "cloned", subject, detail);
    let inside = format!("recipes/{project}/");
    let reads = |path: &str| {
        path.starts_with(&inside) || path.starts_with("lookup-tables/") || path == origin::FILE
    };
    copy(&rooms, &project, &reads, entry, |source| {
        origin::clone_project(source, &project, &wish.name, tables)
    })
    .await
}

/// `POST /api/recipes/{project}/{name}/customise`
pub(super) async fn customise(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path((project, name)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let name = RecipeName::of(&project, &name).map_err(Problem::not_found)?;
    let subject = format!("recipe:{name}");
    let entry = entry(&rooms, &by, "customised", subject, Value::Null);
    let file = path_of(&name);
    let reads = |path: &str| path == file || path == origin::FILE;
    copy(&rooms, &project, &reads, entry, |source| {
        origin::customise(source, &name)
    })
    .await
}

/// `POST /api/projects/{project}/forget`: of a copy whose folder was removed, nothing is recorded any
/// more.
pub(super) async fn forget(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(project): Path<String>,
) -> Result<Json<Value>, Problem> {
    let reads = |path: &str| path == origin::FILE;
    let originals = rooms.workspace.originals(&reads).await;
    let originals = originals.map_err(changes::unread)?;
    let (lock, left) = origin::forget(&originals.source(), &project).map_err(changes::refused)?;
    let change = Change::of_record(&lock, originals.lock_text.clone());
    let subject = format!("project:{project}");
    let entry = entry(&rooms, &by, "forgotten", subject, Value::Null);
    let changed = rooms.workspace.change(change, entry).await;
    changed.map_err(changes::not_changed)?;
    Ok(Json(json!({ "project": project, "left": left })))
}

/// Refuses to start a recipe beside a started copy that writes to the same place.
pub(super) async fn check_alone(rooms: &Rooms, name: &RecipeName) -> Result<(), Problem> {
    let copies = rooms.intake.shelf.copies(name);
    if copies.is_empty() {
        return Ok(());
    }
    let states = rooms.intake.store.states().await?;
    let started = copies
        .into_iter()
        .find(|(copy, _)| states.get(copy).is_some_and(|state| state.is_started));
    let Some((copy, places)) = started else {
        return Ok(());
    };
    Err(Problem::conflict(
        "copy_is_started",
        format!(
            "`{copy}` is a copy of the same recipe, is started, and writes to the same place ({}): \
             everything would be done by both. Stop it first (`recipes stop {copy}`), or say that both \
             shall run (`--beside-copy`, or `\"beside_copy\": true`)",
            places.join(", ")
        ),
    ))
}

/// Where a recipe's file comes from; null if there is none.
pub(super) fn origin(library: &Library, name: &RecipeName) -> Value {
    match library.made(name) {
        None => Value::Null,
        Some(Made::Bundled) => json!({ "kind": "bundled" }),
        Some(Made::Here) => json!({ "kind": "own" }),
        Some(Made::Customised(version)) => {
            json!({ "kind": "customised", "version": version, "is_as_the_original": false })
        }
        Some(Made::Alike(version)) => {
            json!({ "kind": "customised", "version": version, "is_as_the_original": true })
        }
        Some(Made::Copy(of, version)) => {
            json!({ "kind": "copy", "of": of.as_str(), "version": version })
        }
    }
}

/// Makes a copy of the files as they are on the disk once those that it reads rest, writes it, takes it up, and notes who made it.
async fn copy(
    rooms: &Rooms,
    project: &str,
    reads: &(dyn Fn(&str) -> bool + Send + Sync),
    entry: AuditEntry,
    made: impl FnOnce(&Source<'_>) -> Result<Copy, Refused>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let originals = rooms.workspace.originals(reads).await;
    let originals = originals.map_err(changes::unread)?;
    originals.check(project).map_err(changes::unsound)?;
    let copy = made(&originals.source()).map_err(changes::refused)?;
    let files: Vec<String> = copy.files.keys().cloned().collect();
    let change = Change::of_copy(&copy, &originals.own, originals.lock_text.clone());
    let changed = rooms.workspace.change(change, entry).await;
    changed.map_err(changes::not_changed)?;
    Ok((StatusCode::CREATED, Json(json!({ "files": files }))))
}

/// An entry of the audit of what a person did to files.
pub(super) fn entry(
    rooms: &Rooms,
    by: &str,
    action: &str,
    subject: String,
    detail: Value,
) -> AuditEntry {
    AuditEntry {
        at: rooms.intake.clock.now(),
        by: format!("person:{by}"),
        action: action.to_owned(),
        subject,
        detail,
    }
}
