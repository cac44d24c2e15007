//! `bulk_create` in both versions. In: many credential bodies. Out: for `v1` a bare array, all or
//! nothing; for `v2` one result per row, with 200, 207 or 422 for all, some or none. Always true: a
//! bad row of `v2` spoils only itself.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::call::Call;
use super::credentials::{create_one, show};
use super::reply::{Answer, Refusal, ok};
use super::state::State;

/// The most rows per call, by version.
const V1_ROWS_MAX: usize = 100;
const V2_ROWS_MAX: usize = 30;

/// `POST /v1/credentials/bulk_create`. Its answers misspell `custom_attributes`.
pub(crate) fn v1(call: &mut Call<'_>) -> Answer {
    let rows = rows(call, V1_ROWS_MAX)?;
    let mut created = Vec::new();
    for row in &rows {
        match create_one(call.state, row, call.department, call.now) {
            Ok(id) => created.push(id),
            Err(refusal) => {
                created
                    .into_iter()
                    .for_each(|id| drop(call.state.take_credential(id)));
                return Err(refusal);
            }
        }
    }
    let shown = created.into_iter().map(|id| {
        let mut credential = shown(call.state, id);
        credential["custom_attibutes"] = credential["custom_attributes"].take();
        credential
            .as_object_mut()
            .map(|object| object.shift_remove("custom_attributes"));
        json!({ "credential": credential })
    });
    ok(shown.collect())
}

/// `POST /v2/credentials/bulk_create`. Without credits a row is an error here.
pub(crate) fn v2(call: &mut Call<'_>) -> Answer {
    let rows = rows(call, V2_ROWS_MAX)?;
    let (mut results, mut failures) = (Vec::new(), 0);
    for row in &rows {
        let wants_credit = row.get("approve").and_then(Value::as_bool).unwrap_or(true);
        let done = if wants_credit && call.state.issuer.credits == 0 {
            let message = "You do not have enough credits to publish this credential";
            Err(json!({ "code": "insufficient_credits", "message": message, "details": [] }))
        } else {
            let created = create_one(call.state, row, call.department, call.now);
            created.map_err(|refusal| item_error(&refusal))
        };
        results.push(match done {
            Ok(id) => json!({ "credential": shown(call.state, id) }),
            Err(error) => {
                failures += 1;
                json!({ "errors": error })
            }
        });
    }
    let status = match failures {
        0 => StatusCode::OK,
        all if all == results.len() => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::MULTI_STATUS,
    };
    Ok((status, json!({ "results": results })))
}

fn item_error(refusal: &Refusal) -> Value {
    let (property, message) = refusal.first_field();
    json!({
        "code": "credential_invalid",
        "message": "Credential is invalid",
        "details": [{ "property": property, "message": message }],
    })
}

fn rows(call: &Call<'_>, rows_max: usize) -> Result<Vec<Value>, Refusal> {
    let rows = call
        .body
        .get("credentials")
        .and_then(Value::as_array)
        .cloned();
    let rows = rows.ok_or_else(|| Refusal::field("credentials", "can't be blank"))?;
    if rows.len() > rows_max {
        let message = format!("is too long (maximum is {rows_max} credentials)");
        return Err(Refusal::field("credentials", &message));
    }
    Ok(rows)
}

fn shown(state: &State, id: i64) -> Value {
    state
        .credentials
        .get(&id)
        .map(|row| show(state, row))
        .unwrap_or_default()
}
