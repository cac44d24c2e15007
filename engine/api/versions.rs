//! The versions of a recipe that were live: listed, shown, compared, brought back.
//!
//! Always true: an earlier version comes back as a save like any other, checked against what is
//! there now; a text that never was a version, and so is kept nowhere else, is not lost unasked.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::data::Value;
use crate::library::path_of;
use crate::names::RecipeName;
use crate::recipe::differences;
use crate::source::{self, Document};
use crate::store::{Version, VersionOrigin};
use crate::workspace::{Expected, Save};

use super::body::{self, parameters, unknown_parameter};
use super::source::{others, perform, said_expected};
use super::{Person, Problem, Rooms, wire};

/// `GET /api/recipes/{project}/{name}/versions`: newest first.
pub(super) async fn list(
    State(rooms): State<Arc<Rooms>>,
    Path((project, name)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let name = known(&project, &name)?;
    let versions = of(&rooms, &name).await?;
    let live = live(&rooms, &name, &versions);
    let versions: Vec<Value> = versions.iter().map(|version| card(version, live)).collect();
    Ok(Json(json!({ "name": name.as_str(), "versions": versions })))
}

/// `GET /api/recipes/{project}/{name}/versions/{number}`: with its text.
pub(super) async fn show(
    State(rooms): State<Arc<Rooms>>,
    Path((project, name, number)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let name = known(&project, &name)?;
    let versions = of(&rooms, &name).await?;
    let version = find(&name, &versions, &number)?;
    let mut wire = card(version, live(&rooms, &name, &versions));
    wire["source"] = text(&rooms, version).await?.into();
    Ok(Json(wire))
}

/// `GET /api/recipes/{project}/{name}/diff?from=1&to=2`: in what two versions differ, in words; the
/// last two unless said otherwise.
pub(super) async fn compare(
    State(rooms): State<Arc<Rooms>>,
    Path((project, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let name = known(&project, &name)?;
    let versions = of(&rooms, &name).await?;
    let (mut from, mut to) = (None, None);
    for (parameter, value) in parameters(query.as_deref()) {
        match parameter.as_str() {
            "from" => from = Some(find(&name, &versions, &value)?),
            "to" => to = Some(find(&name, &versions, &value)?),
            _ => return Err(unknown_parameter(&parameter, &["from", "to"])),
        }
    }
    let Some(to) = to.or(versions.first()) else {
        return Err(Problem::not_found(format!("`{name}` has no version yet")));
    };
    let before = versions.iter().find(|version| version.number < to.number);
    let from = from.or(before).unwrap_or(to);
    let (was, is) = (text(&rooms, from).await?, text(&rooms, to).await?);
    let changes = match (tree(&name, &was), tree(&name, &is)) {
        (Some(was), Some(is)) => differences(&was.root, &is.root),
        _ => Vec::new(),
    };
    Ok(Json(json!({
        "name": name.as_str(),
        "from": from.number,
        "to": to.number,
        "is_same_text": from.hash == to.hash,
        "changes": changes,
    })))
}

/// Which version is to come back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    version: u64,
}

/// `POST /api/recipes/{project}/{name}/restore`
pub(super) async fn restore(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path((project, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let wish: Wish = body::json(&bytes)?;
    let name = known(&project, &name)?;
    let versions = of(&rooms, &name).await?;
    let version = find(&name, &versions, &wish.version.to_string())?;
    let is_there = rooms.intake.shelf.has_file(&name);
    let said = said_expected(&headers)?;
    let is_said = said.is_some();
    let otherwise = || match is_there {
        true => Expected::OneOf(
            versions
                .iter()
                .map(|version| version.hash.clone())
                .collect(),
        ),
        false => Expected::Nothing,
    };
    let save = Save {
        text: text(&rooms, version).await?,
        expected: said.unwrap_or_else(otherwise),
        others: others(query.as_deref())?,
        origin: VersionOrigin::Restored(version.number),
        by: by.to_string(),
        name,
    };
    let number = version.number;
    perform(&rooms, save).await.map_err(|problem| {
        if is_said || problem.code() != "changed_meanwhile" {
            return problem;
        }
        problem.detail(format!(
            "the file holds a text that never ran, so that it is kept nowhere else; look at it, and \
             if version {number} is to take its place, say so: `--overwrite`, or `If-Match: *`"
        ))
    })
}

/// A recipe's name as an address gives it; what cannot be one is nowhere.
fn known(project: &str, name: &str) -> Result<RecipeName, Problem> {
    RecipeName::of(project, name)
        .map_err(|_| Problem::not_found(format!("there is no recipe `{project}/{name}`")))
}

async fn of(rooms: &Rooms, name: &RecipeName) -> Result<Vec<Version>, Problem> {
    let versions = rooms.intake.store.versions(name).await?;
    // One whose file is gone can be brought back.
    if versions.is_empty() && !rooms.intake.shelf.has_file(name) {
        super::recipes::find(rooms, name.project(), name.name())?;
    }
    Ok(versions)
}

fn find<'a>(
    name: &RecipeName,
    versions: &'a [Version],
    number: &str,
) -> Result<&'a Version, Problem> {
    let wanted = number.parse::<u64>();
    let wanted = wanted
        .map_err(|_| Problem::bad_request(format!("`{number}` is not the number of a version")))?;
    let found = versions.iter().find(|version| version.number == wanted);
    found.ok_or_else(|| {
        Problem::not_found(format!(
            "`{name}` has no version {wanted}; `recipes versions {name}` shows those it has"
        ))
    })
}

/// The number of the version that new jobs run on.
fn live(rooms: &Rooms, name: &RecipeName, versions: &[Version]) -> Option<u64> {
    let program = rooms.intake.shelf.program(name)?;
    let hash = &program.root().hash;
    let live = versions.iter().find(|version| version.hash == *hash)?;
    Some(live.number)
}

async fn text(rooms: &Rooms, version: &Version) -> Result<String, Problem> {
    let text = rooms.intake.store.version_text(&version.hash).await?;
    text.ok_or_else(|| {
        Problem::not_found(format!("the text of version {} is gone", version.number))
    })
}

fn tree(name: &RecipeName, text: &str) -> Option<Document> {
    source::parse(&Arc::from(path_of(name)), text.as_bytes()).0
}

fn card(version: &Version, live: Option<u64>) -> Value {
    let (from, restored) = match version.origin {
        VersionOrigin::Bundled => ("bundled", None),
        VersionOrigin::File => ("file", None),
        VersionOrigin::Api => ("api", None),
        VersionOrigin::Restored(number) => ("restored", Some(number)),
    };
    let mut card = json!({
        "number": version.number,
        "hash": version.hash,
        "at": wire::moment(version.at),
        "from": from,
        "is_live": live == Some(version.number),
    });
    if let Some(number) = restored {
        card["restored"] = number.into();
    }
    if let Some(by) = &version.by {
        card["by"] = by.as_str().into();
    }
    card
}
