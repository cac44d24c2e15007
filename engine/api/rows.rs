//! Rows of lookup tables: looking, putting, deleting, as JSON or as CSV.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::data::{Object, Value};
use crate::names::TableName;
use crate::store::{Import, RowFilter, TableRow};
use crate::table::{
    CsvFault, Operation, Refused, SETTINGS_TABLE, Sight, Table, check_setting, value_of_text,
};

use super::body::{limit, next_page, parameters, unknown_parameter};
use super::{Person, Problem, Rooms, SignedIn, body, reveal, wire};

/// How many rows a page holds unless asked otherwise, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The parameters of the list; `where.<column>` stands for any column.
const KNOWN: [&str; 5] = ["limit", "after", "search", "reveal", "where.<column>"];

/// What a list is asked for.
struct Asked {
    sight: Sight,
    limit: usize,
    after: Option<i64>,
    search: Option<String>,
    wanted: Object,
}

/// `GET /api/lookup-tables/{name}/rows`, as JSON or, if asked for `text/csv`, all rows as CSV;
/// with `?reveal=personal` with personal columns, which is noted in the audit.
pub(super) async fn list(
    State(rooms): State<Arc<Rooms>>,
    Extension(asker): Extension<SignedIn>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let table = find(&rooms, &name)?;
    let given = parameters(query.as_deref());
    let asked = asked(&table, &given)?;
    if asked.sight == Sight::Personal {
        reveal::note_reveal(&rooms, &asker, format!("table:{}", table.name)).await?;
    }
    if accepts_csv(&headers) {
        return export(&rooms, &table, asked.sight).await;
    }
    let columns: Vec<&String> = table.columns.keys().collect();
    let mut answer = json!({ "columns": columns, "key": table.key });
    if asked.wanted.is_empty() {
        let filter = RowFilter {
            search: asked.search.map(|text| (text, asked.sight)),
            after: asked.after,
            limit: asked.limit + 1,
        };
        let mut rows = rooms.intake.store.rows(&table.name, filter).await?;
        let has_more = rows.len() > asked.limit;
        rows.truncate(asked.limit);
        if let Some(last) = rows.last().filter(|_| has_more) {
            let path = format!("/api/lookup-tables/{}/rows", table.name);
            let last = ("after", &*last.number.to_string());
            answer["next"] = next_page(&path, &given, last).into();
        }
        answer["rows"] = rows
            .iter()
            .map(|row| row_wire(&table, row, asked.sight))
            .collect();
        return Ok(Json(answer).into_response());
    }
    let filter = table
        .having(&asked.wanted)
        .map_err(|refused| refusal(&refused))?;
    let find = Operation::Find {
        filter: Some(filter),
        sort_by: Vec::new(),
        limit: Some(asked.limit),
    };
    let found = rooms.intake.store.read(&table.name, &find).await?;
    let found = found.map_err(|refused| refusal(&refused))?;
    let rows = found["items"].as_array().into_iter().flatten();
    answer["rows"] = rows
        .map(|row| {
            row.as_object()
                .map_or(Value::Null, |row| table.shown_row(row, asked.sight).into())
        })
        .collect();
    Ok(Json(answer).into_response())
}

/// What a `PUT` brings as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    rows: Vec<Object>,
}

/// `PUT /api/lookup-tables/{name}/rows`: adds rows or changes those of the same key, all or
/// nothing; columns that a row does not name stay as they are. With `?replace=true`, rows that are
/// not mentioned go.
pub(super) async fn put(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    let table = find(&rooms, &name)?;
    let how = import_of(query.as_deref())?;
    let rows = if is_csv(&headers) {
        let declared = rooms.intake.shelf.settings();
        let is_of_settings = table.name.as_str() == SETTINGS_TABLE;
        let also = |row: &Object| match is_of_settings {
            true => check_setting(&declared, row),
            false => Ok(()),
        };
        table
            .parse_csv(&bytes, &also)
            .map_err(|faults| csv_problem(&faults))?
    } else {
        let rows = body::json::<Wish>(&bytes)?.rows;
        table.unmasked(rows).map_err(|refused| refusal(&refused))?
    };
    let store = &rooms.intake.store;
    let now = rooms.intake.clock.now();
    let performed = store
        .import(&table.name, rows, how, &person(&by), now)
        .await?;
    performed.map(Json).map_err(|refused| refusal(&refused))
}

/// `DELETE /api/lookup-tables/{name}/rows?number=7`: rows by the numbers that the list shows.
pub(super) async fn delete(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let table = find(&rooms, &name)?;
    let mut numbers = Vec::new();
    for (name, value) in parameters(query.as_deref()) {
        if name != "number" {
            return Err(unknown_parameter(&name, &["number"]));
        }
        let number = value.parse::<i64>();
        let wrong = |_| Problem::bad_request(format!("`{value}` is not the number of a row"));
        numbers.push(number.map_err(wrong)?);
    }
    let [number] = numbers.as_slice() else {
        return Err(Problem::bad_request(
            "name one row: `?number=7`, as the list of rows shows it",
        ));
    };
    let now = rooms.intake.clock.now();
    rooms
        .intake
        .store
        .delete_row(&table.name, *number, &person(&by), now)
        .await?;
    Ok(Json(json!({ "removed": 1 })))
}

fn person(name: &str) -> String {
    format!("person:{name}")
}

pub(super) fn find(rooms: &Rooms, name: &str) -> Result<Arc<Table>, Problem> {
    let tables = rooms.intake.shelf.tables();
    let found = TableName::new(name)
        .ok()
        .and_then(|name| tables.get(&name).cloned());
    found.ok_or_else(|| {
        let known = tables.keys().map(TableName::as_str);
        let help = crate::diagnostic::did_you_mean(name, known)
            .map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        Problem::not_found(format!("there is no lookup table `{name}`{help}"))
    })
}

fn asked(table: &Table, given: &[(String, String)]) -> Result<Asked, Problem> {
    let mut asked = Asked {
        sight: Sight::Masked,
        limit: PAGE,
        after: None,
        search: None,
        wanted: Object::new(),
    };
    for (name, value) in given {
        match (name.as_str(), name.strip_prefix("where.")) {
            (_, Some(column)) => {
                let read = value_asked(table, column, value)?;
                asked.wanted.insert(column.to_owned(), read);
            }
            ("limit", _) => asked.limit = limit(name, value, PAGE_MAX)?,
            ("reveal", _) if reveal::reveals(value)? => asked.sight = Sight::Personal,
            ("search", _) => asked.search = Some(value.clone()),
            ("after", _) => {
                let number = value.parse::<i64>();
                let wrong = |_| Problem::bad_request("`after` is the number of a row");
                asked.after = Some(number.map_err(wrong)?);
            }
            _ => return Err(unknown_parameter(name, &KNOWN)),
        }
    }
    Ok(asked)
}

/// The value that rows are asked to have in a column.
pub(super) fn value_asked(table: &Table, column: &str, value: &str) -> Result<Value, Problem> {
    let found = table.column(column);
    let field = &found.map_err(|refused| refusal(&refused))?.field;
    let read = value_of_text(field, value)
        .map_err(|why| Problem::bad_request(format!("`where.{column}`: {why}")))?;
    Ok(read.unwrap_or_else(|| value.into()))
}

fn import_of(query: Option<&str>) -> Result<Import, Problem> {
    let mut how = Import::Merge;
    for (name, value) in parameters(query) {
        how = match (name.as_str(), value.as_str()) {
            ("replace", "true") => Import::Replace,
            ("replace", "false") => Import::Merge,
            ("replace", _) => return Err(Problem::bad_request("`replace` is true or false")),
            _ => return Err(unknown_parameter(&name, &["replace"])),
        };
    }
    Ok(how)
}

fn row_wire(table: &Table, row: &TableRow, sight: Sight) -> Value {
    let mut wire = table.shown_row(&row.row, sight);
    wire.insert("_number".into(), row.number.into());
    wire.insert("_written_by".into(), row.written_by.as_str().into());
    wire.insert("_written_at".into(), wire::moment(row.written_at));
    Value::Object(wire)
}

async fn export(rooms: &Rooms, table: &Table, sight: Sight) -> Result<Response, Problem> {
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let filter = RowFilter {
            search: None,
            after,
            limit: PAGE_MAX,
        };
        let page = rooms.intake.store.rows(&table.name, filter).await?;
        after = page.last().map(|last| last.number);
        rows.extend(page.iter().map(|row| table.shown_row(&row.row, sight)));
        if page.len() < PAGE_MAX {
            break;
        }
    }
    let text = table.write_csv(&rows).map_err(|why| {
        tracing::error!("table `{}` cannot be written as CSV: {why}", table.name);
        Problem::new(500, "internal", "The rows cannot be written as CSV.")
    })?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response())
}

fn accepts_csv(headers: &HeaderMap) -> bool {
    names_csv(headers, header::ACCEPT)
}

fn is_csv(headers: &HeaderMap) -> bool {
    names_csv(headers, header::CONTENT_TYPE)
}

fn names_csv(headers: &HeaderMap, name: header::HeaderName) -> bool {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.trim_start().starts_with("text/csv"))
}

fn csv_problem(faults: &[CsvFault]) -> Problem {
    let errors = faults.iter().map(|fault| {
        let mut error = json!({ "line": fault.line, "message": fault.to_string() });
        if let Some(column) = &fault.column {
            error["column"] = column.as_str().into();
        }
        error
    });
    Problem::new(
        422,
        "invalid_rows",
        "The file does not fit the table; nothing of it was taken.",
    )
    .errors(errors)
}

pub(super) fn refusal(refused: &Refused) -> Problem {
    let error = json!({ "code": refused.code, "message": refused.message });
    Problem::new(
        422,
        "invalid_rows",
        "The table does not take this; nothing was changed.",
    )
    .detail(refused.message.as_str())
    .errors([error])
}
