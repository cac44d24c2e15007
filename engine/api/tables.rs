//! Lookup tables: which there are, how they are declared, and what their rows were.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json};
use serde_json::json;

use crate::data::Value;
use crate::table::Sight;

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
    let (mut sight, mut most) = (Sight::Masked, PAGE);
    for (name, value) in parameters(query.as_deref()) {
        match name.as_str() {
            "reveal" if reveal::reveals(&value)? => sight = Sight::Personal,
            "limit" => most = limit(&name, &value, PAGE_MAX)?,
            _ => return Err(unknown_parameter(&name, &["reveal", "limit"])),
        }
    }
    let known = || Problem::not_found(format!("`{name}` has no row with the number `{number}`"));
    let wanted = number.parse::<i64>().map_err(|_| known())?;
    if sight == Sight::Personal {
        reveal::note_reveal(&rooms, &asker, format!("table:{}", table.name)).await?;
    }
    let store = &rooms.intake.store;
    let versions = store.row_history(&table.name, wanted, most).await?;
    if versions.is_empty() {
        return Err(known());
    }
    let versions = versions.iter().map(|version| {
        json!({
            "version": version.version,
            "change": version.change,
            "row": table.shown_row(&version.row, sight),
            "written_by": version.written_by,
            "written_at": wire::moment(version.written_at),
        })
    });
    Ok(Json(json!({ "versions": versions.collect::<Vec<_>>() })))
}
