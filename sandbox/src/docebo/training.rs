//! External training records. In: records from outside. Out: the same with ids. Always true: the
//! feature must be on. The write calls are assumed, see the route table.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Call, int};
use super::paging;
use super::reply::{Answer, Refusal};
use super::rows::Training;
use super::state::{Key, State};
use crate::moment::parse_moment;

/// `GET /learn/v1/external_training`.
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    is_on(call)?;
    let users = call.params.ints("user_id");
    let name = call.params.one("course_name").map(str::to_owned);
    let state = &*call.state;
    let mut ids: Vec<i64> = if users.is_empty() {
        state.trainings.keys().copied().collect()
    } else {
        let of_user = |user: &i64| {
            state
                .trainings_by_user
                .get(user)
                .into_iter()
                .flatten()
                .copied()
        };
        users.iter().flat_map(of_user).collect()
    };
    ids.retain(|id| {
        let row = state.trainings.get(id);
        name.as_ref()
            .is_none_or(|name| row.is_some_and(|row| row.course_name == *name))
    });
    let keys: Vec<Key> = ids.into_iter().map(|id| (id, 0)).collect();
    paging::list(call, 20, |_| Ok(keys), show)
}

/// `GET /learn/v1/external_training/{id}`.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    is_on(call)?;
    let id = find(call)?.id;
    show(call.state, (id, 0)).ok_or_else(|| Refusal::not_found("External training", id))
}

/// `POST /learn/v1/external_training`.
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    is_on(call)?;
    let blank = Training {
        id: 0,
        user: 0,
        course_name: String::new(),
        course_type: String::new(),
        training_institute: String::new(),
        from_date: None,
        to_date: String::new(),
        score: None,
        credits: None,
        status: "approved".to_owned(),
        fields: BTreeMap::new(),
    };
    let row = read(call, blank)?;
    let id = call.state.put_training(row).map_err(Refusal::bad_request)?;
    Ok(json!({ "id": id }))
}

/// `PUT /learn/v1/external_training/{id}`.
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    is_on(call)?;
    let row = read(call, find(call)?.clone())?;
    let id = call.state.put_training(row).map_err(Refusal::bad_request)?;
    Ok(json!({ "id": id }))
}

/// `DELETE /learn/v1/external_training/{id}`.
pub(crate) fn remove(call: &mut Call<'_>) -> Answer {
    is_on(call)?;
    let (id, user) = find(call).map(|row| (row.id, row.user))?;
    call.state.trainings.remove(&id);
    if let Some(ids) = call.state.trainings_by_user.get_mut(&user) {
        ids.remove(&id);
    }
    Ok(json!({ "id": id }))
}

fn read(call: &Call<'_>, mut row: Training) -> Result<Training, Refusal> {
    let text = |name: &str| call.body_text(name).map(str::to_owned);
    row.user = call.body_int("user_id").unwrap_or(row.user);
    row.course_name = text("course_name").unwrap_or(row.course_name);
    row.course_type = text("course_type").unwrap_or(row.course_type);
    row.training_institute = text("training_institute").unwrap_or(row.training_institute);
    row.from_date = text("from_date").or(row.from_date);
    row.to_date = text("to_date").unwrap_or(row.to_date);
    row.score = call.body.get("score").and_then(Value::as_f64).or(row.score);
    row.credits = call
        .body
        .get("credits")
        .and_then(Value::as_f64)
        .or(row.credits);
    row.status = text("status").unwrap_or(row.status);
    for field in call
        .body
        .get("additional_fields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let Some(id) = field.get("id").and_then(int) {
            row.fields
                .insert(id, field.get("value").cloned().unwrap_or_default());
        }
    }
    if row.course_name.is_empty() {
        return Err(Refusal::bad_request("course_name cannot be blank"));
    }
    for date in [Some(&row.to_date), row.from_date.as_ref()]
        .into_iter()
        .flatten()
    {
        parse_moment(date).ok_or_else(|| Refusal::bad_request(format!("Invalid date: {date}")))?;
    }
    Ok(row)
}

fn show(state: &State, (id, _): Key) -> Option<Value> {
    let row = state.trainings.get(&id)?;
    let fields = row
        .fields
        .iter()
        .map(|(id, value)| json!({ "id": id, "value": value }));
    Some(json!({
        "training_id": id,
        "user_id": row.user,
        "course_name": row.course_name,
        "course_type": row.course_type,
        "score": row.score,
        "from_date": row.from_date,
        "to_date": row.to_date,
        "credits": row.credits,
        "training_institute": row.training_institute,
        "status": row.status,
        "additional_fields": fields.collect::<Vec<_>>(),
    }))
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Training, Refusal> {
    let id = call.id("id")?;
    call.state
        .trainings
        .get(&id)
        .ok_or_else(|| Refusal::not_found("External training", id))
}

fn is_on(call: &Call<'_>) -> Result<(), Refusal> {
    if call.state.quirks.external_training {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "External training is not active on this platform",
    ))
}
