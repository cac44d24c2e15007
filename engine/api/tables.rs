//! Lookup tables: which there are, how they are declared, and what their rows were.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json};
use serde_json::json;

use crate::data::{Object, Value};
use crate::store::RowNamed;
use crate::table::{Sight, Table};

use super::body::{limit, parameters, unknown_parameter};
use super::{Problem, Rooms, SignedIn, reveal, rows, wire};

/// How many versions of a row are shown unless asked otherwise, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

/// `GET /api/lookup-tables`
pub(super) async fn list(State(rooms): State<Arc<Rooms>>) -> Json<Value> {
    let tables = rooms.intake.shelf.tables();
    let tables = tables.values().map(|table| {
        let columns = table.columns.iter().map(|(name, column)| {
            json!({
                "name": name,
                "type": column.field.shape.to_string(),
                "is_needed": !column.field.may_be_left_out(),
                "is_secret": column.field.secret,
            })
        });
        json!({
            "name": table.name.as_str(),
            "title": table.title,
            "key": table.key,
            "columns": columns.collect::<Vec<_>>(),
        })
    });
    Json(json!({ "tables": tables.collect::<Vec<_>>() }))
}

/// `GET /api/lookup-tables/{name}/rows/{number}/history`: what a row was, newest first; with
/// `?reveal=personal` with personal columns, which is noted in the audit.
pub(super) async fn history(
    State(rooms): State<Arc<Rooms>>,
    Extension(asker): Extension<SignedIn>,
    Path((name, number)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let table = rows::find(&rooms, &name)?;
    let asked = asked(&table, query.as_deref())?;
    if let Some(column) = asked.key.keys().next() {
        let name = format!("where.{column}");
        return Err(unknown_parameter(&name, &["reveal", "limit"]));
    }
    let unknown = format!("`{name}` has no row with the number `{number}`");
    let Ok(number) = number.parse::<i64>() else {
        return Err(Problem::not_found(unknown));
    };
    versions(
        &rooms,
        &asker,
        &table,
        RowNamed::Number(number),
        &asked,
        unknown,
    )
    .await
}

/// `GET /api/lookup-tables/{name}/history?where.<key column>=...`: the same of a row by its key,
/// also of one that was removed.
pub(super) async fn history_of_key(
    State(rooms): State<Arc<Rooms>>,
    Extension(asker): Extension<SignedIn>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let table = rows::find(&rooms, &name)?;
    let asked = asked(&table, query.as_deref())?;
    let is_whole = table.key.len() == asked.key.len();
    let given = table.given_columns(&asked.key);
    let given = given.map_err(|refused| rows::refusal(&refused))?;
    let key = table.key_of(&given).ok().flatten();
    let Some(key) = key.filter(|_| is_whole) else {
        let columns = table.key.iter().map(|column| format!("`where.{column}`"));
        let columns = columns.collect::<Vec<_>>().join(", ");
        return Err(Problem::bad_request(match table.key.is_empty() {
            true => format!("`{name}` has no key; ask for a row by its number"),
            false => format!("name the row by its key, which is {columns} here"),
        }));
    };
    let shown = table.shown_key(&asked.key);
    let unknown = format!("`{name}` has no row with {shown}, and never had one");
    versions(&rooms, &asker, &table, RowNamed::Key(key), &asked, unknown).await
}

/// What is asked of a row's history.
struct Asked {
    sight: Sight,
    most: usize,
    key: Object,
}

fn asked(table: &Table, query: Option<&str>) -> Result<Asked, Problem> {
    let mut asked = Asked {
        sight: Sight::Masked,
        most: PAGE,
        key: Object::new(),
    };
    for (name, value) in parameters(query) {
        match (name.as_str(), name.strip_prefix("where.")) {
            (_, Some(column)) => {
                let read = rows::value_asked(table, column, &value)?;
                asked.key.insert(column.to_owned(), read);
            }
            ("reveal", _) if reveal::reveals(&value)? => asked.sight = Sight::Personal,
            ("limit", _) => asked.most = limit(&name, &value, PAGE_MAX)?,
            _ => {
                let known = ["reveal", "limit", "where.<column>"];
                return Err(unknown_parameter(&name, &known));
            }
        }
    }
    Ok(asked)
}

async fn versions(
    rooms: &Rooms,
    asker: &SignedIn,
    table: &Table,
    row: RowNamed,
    asked: &Asked,
    unknown: String,
) -> Result<Json<Value>, Problem> {
    if asked.sight == Sight::Personal {
        reveal::note_reveal(rooms, asker, format!("table:{}", table.name)).await?;
    }
    let store = &rooms.intake.store;
    let versions = store.row_history(&table.name, row, asked.most).await?;
    if versions.is_empty() {
        return Err(Problem::not_found(unknown));
    }
    let versions = versions.iter().map(|version| {
        json!({
            "version": version.version,
            "change": version.change,
            "row": table.shown_row(&version.row, asked.sight),
            "written_by": version.written_by,
            "written_at": wire::moment(version.written_at),
        })
    });
    Ok(Json(json!({ "versions": versions.collect::<Vec<_>>() })))
}
