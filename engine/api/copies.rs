//! Clones of projects and customised recipes.
//!
//! Always true: a copy is on the disk and taken up before it is answered; what is refused has left
//! nothing behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::data::Value;
use crate::library::{bundled, write_copy};
use crate::names::RecipeName;
use crate::origin::{self, Copy, Refused, Source, Tables};
use crate::store::AuditEntry;

use super::{Person, Problem, Rooms, body};

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
    let copy = made(&rooms, |source| {
        origin::clone_project(source, &project, &wish.name, tables)
    })?;
    let detail = json!({ "of": project });
    let subject = format!("project:{}", wish.name);
    write(&rooms, copy, entry(&rooms, &by, "cloned", subject, detail)).await
}

/// `POST /api/recipes/{project}/{name}/customise`
pub(super) async fn customise(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path((project, name)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let name = RecipeName::of(&project, &name).map_err(Problem::not_found)?;
    let copy = made(&rooms, |source| origin::customise(source, &name))?;
    let subject = format!("recipe:{name}");
    let entry = entry(&rooms, &by, "customised", subject, Value::Null);
    write(&rooms, copy, entry).await
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

fn made(
    rooms: &Rooms,
    copy: impl FnOnce(&Source<'_>) -> Result<Copy, Refused>,
) -> Result<Copy, Problem> {
    let bundled: BTreeMap<String, String> = bundled()
        .into_iter()
        .filter_map(|(path, found)| Some((path, String::from_utf8(found.bytes.ok()?).ok()?)))
        .collect();
    let texts = rooms.intake.shelf.texts();
    let lock = rooms.intake.shelf.lock();
    let source = Source {
        texts: &texts,
        bundled: &bundled,
        lock: &lock,
    };
    copy(&source).map_err(|refused| match refused.code {
        "not_found" => Problem::not_found(refused.message),
        "bad_name" => Problem::bad_request(refused.message),
        code => Problem::conflict(code, refused.message),
    })
}

fn entry(rooms: &Rooms, by: &str, action: &str, subject: String, detail: Value) -> AuditEntry {
    AuditEntry {
        at: rooms.intake.clock.now(),
        by: format!("person:{by}"),
        action: action.to_owned(),
        subject,
        detail,
    }
}

/// Writes a copy, takes it up, and notes who made it.
async fn write(
    rooms: &Rooms,
    copy: Copy,
    entry: AuditEntry,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let files: Vec<String> = copy.files.keys().cloned().collect();
    let workspace = rooms.files.workspace().to_owned();
    let written = tokio::task::spawn_blocking(move || write_copy(&workspace, &copy)).await;
    let cannot = |why: String| {
        let title = "The files of the workspace could not be written.";
        Problem::new(500, "cannot_write", title).detail(why)
    };
    match written {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(cannot(error.to_string())),
        Err(_) => {
            return Err(cannot(
                "writing them met a fault of the engine's own".into(),
            ));
        }
    }
    rooms.files.take_up().await.map_err(cannot)?;
    rooms.intake.store.note(entry).await?;
    Ok((StatusCode::CREATED, Json(json!({ "files": files }))))
}
