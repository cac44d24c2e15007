//! A recipe's text: read, and put in place of what stands there.
//!
//! In: requests with what they were made of. Out: the text with its ETag, what runs from now on, or
//! every finding as data.
//! Always true: nobody overwrites what they have not seen; a text that hides a secret here has no
//! ETag, so that what is hidden is not saved in its place.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::data::Value;
use crate::mask::learned_secrets;
use crate::names::RecipeName;
use crate::store::VersionOrigin;
use crate::workspace::{Expected, NotSaved, Others, Save, Saved};

use super::body;
use super::{Person, Problem, Rooms, gone, recipes, wire};

/// The media type of a recipe's text alone.
const YAML: &str = "application/yaml";

/// What bodies may say that they are, beside JSON.
const TEXTS: [&str; 5] = [
    YAML,
    "application/x-yaml",
    "text/yaml",
    "text/x-yaml",
    "text/plain",
];

/// `GET /api/recipes/{project}/{name}`; the text alone if asked for `application/yaml`.
pub(super) async fn show(
    State(rooms): State<Arc<Rooms>>,
    Path((project, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shown = gone::find(&rooms, &project, &name).await?;
    let mut wire = recipes::in_full(&rooms, &shown).await?;
    let library = rooms.intake.shelf.library();
    let Some(written) = library.written.get(&shown.name) else {
        return Err(Problem::not_found(format!("`{}` is gone", shown.name)));
    };
    let hides_secret = matches!(
        learned_secrets().text(&written.text),
        std::borrow::Cow::Owned(_)
    );
    let tag = (!hides_secret).then(|| (header::ETAG, tag(&written.hash)));
    let answer = if accepts_yaml(&headers) {
        ([(header::CONTENT_TYPE, YAML)], written.text.to_string()).into_response()
    } else {
        wire.insert("file".into(), (*written.file).into());
        wire.insert("is_bundled".into(), written.is_bundled.into());
        wire.insert("source".into(), (*written.text).into());
        if hides_secret {
            let why = "a secret is typed into this file and hidden here; put it into a connection, \
                       and change the file by hand";
            wire.insert("not_editable_because".into(), why.into());
        }
        Json(Value::Object(wire)).into_response()
    };
    Ok((tag.map(|tag| [tag]), answer).into_response())
}

/// What a `PUT` brings as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    source: String,
}

/// `PUT /api/recipes/{project}/{name}`: the text, as JSON or as YAML, with `If-Match` and the ETag
/// that it was read with, or with `If-None-Match: *` for a new one.
pub(super) async fn put(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path((project, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let name = name_of(&project, &name)?;
    let expected = said_expected(&headers)?.ok_or_else(precondition)?;
    let save = Save {
        text: text_of(&headers, &bytes)?,
        expected,
        others: others(query.as_deref())?,
        origin: VersionOrigin::Api,
        by: by.to_string(),
        name,
    };
    perform(&rooms, save).await
}

/// Saves a text and answers what came of it.
pub(super) async fn perform(rooms: &Rooms, save: Save) -> Result<Response, Problem> {
    let name = save.name.clone();
    let saved = rooms.workspace.save(save).await;
    let saved = saved.map_err(|why| refusal(&name, why))?;
    let versions = rooms.intake.store.versions(&name).await?;
    let Saved {
        hash,
        findings,
        broken,
        is_new,
    } = saved;
    let mut answer = json!({
        "name": name.as_str(),
        "hash": hash,
        "problems": findings.iter().map(wire::diagnostic).collect::<Vec<_>>(),
        "broken": broken.iter().map(wire::diagnostic).collect::<Vec<_>>(),
    });
    if let Some(live) = versions.first() {
        answer["version"] = live.number.into();
    }
    let status = match is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok((status, [(header::ETAG, tag(&hash))], Json(answer)).into_response())
}

/// What must stand there, if the request says so.
pub(super) fn said_expected(headers: &HeaderMap) -> Result<Option<Expected>, Problem> {
    let said = |header: HeaderName| {
        let value = headers.get(&header).map(|value| value.to_str());
        let value = value.transpose();
        value.map_err(|_| Problem::bad_request(format!("`{header}` cannot be read")))
    };
    match (said(header::IF_MATCH)?, said(header::IF_NONE_MATCH)?) {
        (Some("*"), _) => Ok(Some(Expected::Any)),
        (Some(tags), _) => {
            // A weak tag names no text for certain, and so matches none.
            let tags = tags.split(',').map(str::trim);
            let hashes = tags.filter_map(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
            let hashes = hashes.map(str::to_owned).collect();
            Ok(Some(Expected::OneOf(hashes)))
        }
        (None, Some("*")) => Ok(Some(Expected::Nothing)),
        (None, Some(_)) => Err(Problem::bad_request("`If-None-Match` can be `*` only")),
        (None, None) => Ok(None),
    }
}

/// Whether the recipes that call it may break: only if told so.
pub(super) fn others(query: Option<&str>) -> Result<Others, Problem> {
    Ok(match body::anyway(query)? {
        true => Others::MayBreak,
        false => Others::StaySound,
    })
}

/// A text's ETag.
pub(super) fn tag(hash: &str) -> String {
    format!("\"{hash}\"")
}

/// A recipe's name as an address gives it.
fn name_of(project: &str, name: &str) -> Result<RecipeName, Problem> {
    RecipeName::of(project, name).map_err(bad_name)
}

fn bad_name(why: String) -> Problem {
    let title = "This cannot be the name of a recipe.";
    Problem::new(422, "bad_name", title).detail(why)
}

pub(super) fn precondition() -> Problem {
    let title = "This needs the ETag of what it changes.";
    Problem::new(428, "precondition_required", title).detail(
        "read the recipe first and send its ETag as `If-Match`, so that nobody's change is lost; \
         for a new recipe, send `If-None-Match: *`",
    )
}

fn text_of(headers: &HeaderMap, bytes: &Bytes) -> Result<String, Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or(YAML);
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(body::json::<Wish>(bytes)?.source);
    }
    if !TEXTS.iter().any(|text| kind.eq_ignore_ascii_case(text)) {
        let title = "The body is of a kind that is not taken here.";
        return Err(Problem::new(415, "unsupported_media_type", title).detail(format!(
            "`{kind}`: send the text as `{YAML}`, or `{{ \"source\": ... }}` as `application/json`"
        )));
    }
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Problem::bad_request("the text is not UTF-8; save it as UTF-8"))
}

fn accepts_yaml(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("yaml"))
}

/// Why a recipe was not saved, on the wire.
pub(super) fn refusal(name: &RecipeName, why: NotSaved) -> Problem {
    let errors = |found: &[crate::diagnostic::Diagnostic]| -> Vec<Value> {
        found.iter().map(wire::diagnostic).collect()
    };
    match why {
        NotSaved::Changed(now) => {
            let title = "Somebody changed it meanwhile.";
            let problem = Problem::new(412, "changed_meanwhile", title).detail(format!(
                "`{name}` is not what it was when you read it; read it again, and put your change \
                 into that"
            ));
            match now {
                Some(hash) => problem.header(header::ETAG, tag(&hash)),
                None => problem,
            }
        }
        NotSaved::IsThere => Problem::new(412, "is_there", "There is such a recipe already.")
            .detail(format!(
                "`{name}` is there; to change it, send its ETag as `If-Match`"
            )),
        NotSaved::NoProject => Problem::not_found(format!(
            "there is no project `{}`; a project is a folder below `recipes/` with a project.yaml",
            name.project()
        )),
        NotSaved::NoRecipe => Problem::not_found(format!(
            "there is no recipe `{name}`; to make it, send `If-None-Match: *`"
        )),
        NotSaved::Bundled => Problem::conflict(
            "bundled",
            format!(
                "`{name}` came with the program and is not changed; customise or clone it first: \
                 `recipes customise {name}`, or `recipes clone {} NEW-NAME`",
                name.project()
            ),
        ),
        NotSaved::Unsound(found) => {
            let title = "The recipe has errors, and the one that is there stays.";
            Problem::new(422, "unsound", title).errors(errors(&found))
        }
        NotSaved::BreaksOthers(found) => {
            let title = "Other recipes would break, so nothing was saved.";
            Problem::new(409, "breaks_others", title)
                .detail("mend them first, or save it all the same with `?anyway=true`")
                .errors(errors(&found))
        }
        other => refusal_of_place(other),
    }
}

/// Why nothing was saved, for reasons that have nothing to do with what was.
pub(super) fn refusal_of_place(why: NotSaved) -> Problem {
    match why {
        NotSaved::BadName(why) | NotSaved::BadField(_, why) => bad_name(why),
        NotSaved::BadPlace(why) => Problem::conflict("bad_place", why),
        NotSaved::Restless(path) => {
            super::changes::unread(crate::workspace::Unread::Restless(path))
        }
        NotSaved::Store(error) => error.into(),
        NotSaved::Unwritable(why) => {
            tracing::error!("something could not be saved: {why}");
            let title = "This cannot be done at the moment; try again later.";
            Problem::new(503, "unavailable", title).detail(why)
        }
        _ => Problem::conflict("not_saved", "it was not saved"),
    }
}
