//! `POST /learn/v1/enrollment/batch`. In: up to many rows that enroll, change or complete. Out: one
//! result per row, with status 200 even when every row failed. Always true: a bad row spoils only
//! itself.

use serde_json::{Value, json};

use super::call::{Call, flag, int};
use super::oauth::user_named;
use super::progress::{Cause, Change};
use super::reply::{Answer, Refusal};
use super::rows::Status;
use super::state::{Key, State};
use crate::moment::{Moment, parse_moment};

/// What a row may say of the role in the course.
const LEVELS: [&str; 5] = ["student", "learner", "tutor", "instructor", "coach"];

pub(crate) fn write(call: &mut Call<'_>) -> Answer {
    let items = call.body.get("items").and_then(Value::as_array).cloned();
    let items = items.ok_or_else(|| Refusal::bad_request("items cannot be blank"))?;
    let options = call.body.get("options").cloned().unwrap_or_default();
    let trigger_certifications = options
        .get("trigger_certifications")
        .and_then(flag)
        .unwrap_or(true);
    let cause = Cause {
        caller: call.caller,
        now: call.now,
        is_batch: true,
        trigger_certifications,
    };
    let mut results = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let done = write_row(call.state, item, &options, cause);
        let (key, message) = match done {
            Ok(key) => (Some(key), String::new()),
            Err(message) => (None, message),
        };
        let mut result = json!({
            "row_index": index,
            "success": key.is_some(),
            "message": message,
            "course_id": key.map_or_else(|| item.get("course_id").and_then(int), |key| Some(key.1)),
            "user_id": key.map_or_else(|| item.get("user_id").and_then(int), |key| Some(key.0)),
        });
        for echoed in ["batch_item_id", "session_id"] {
            if let Some(value) = item.get(echoed) {
                result[echoed] = value.clone();
            }
        }
        results.push(result);
    }
    Ok(Value::Array(results))
}

fn write_row(
    state: &mut State,
    item: &Value,
    options: &Value,
    cause: Cause,
) -> Result<Key, String> {
    let key = (find_user(state, item)?, find_course(state, item, options)?);
    let text = |name: &str| {
        let own = item.get(name).filter(|value| !value.is_null());
        own.or_else(|| options.get(name))
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let moment = |name: &str| match text(name) {
        None => Ok(None),
        Some(text) => match parse_moment(text) {
            Some(at) => Ok(Some(Moment(at))),
            None => Err(format!("Invalid {name}: {text}")),
        },
    };
    let status = match text("status") {
        None => None,
        Some(word) => Some(Status::read(word).ok_or_else(|| format!("Invalid status: {word}"))?),
    };
    let level = match text("level") {
        Some(level) if !LEVELS.contains(&level) => return Err(format!("Invalid level: {level}")),
        Some("learner") => Some("student".to_owned()),
        level => level.map(str::to_owned),
    };
    let change = Change {
        status,
        level,
        created_at: moment("enrollment_date")?,
        completed_at: moment("completion_date")?,
        active_from: moment("active_from")?,
        active_until: moment("active_until")?,
        score: item.get("score").and_then(Value::as_f64),
    };
    state.enroll(key, change, cause)?;
    Ok(key)
}

fn find_user(state: &State, item: &Value) -> Result<i64, String> {
    if let Some(id) = item.get("user_id").and_then(int) {
        let user = state.users.get(&id);
        return user
            .map(|user| user.id)
            .ok_or_else(|| format!("User {id} not found"));
    }
    let name = item.get("username").and_then(Value::as_str);
    let name = name.ok_or("user_id or username is required")?;
    user_named(state, name).ok_or_else(|| format!("User {name} not found"))
}

fn find_course(state: &State, item: &Value, options: &Value) -> Result<i64, String> {
    let id = item
        .get("course_id")
        .or_else(|| options.get("course_id"))
        .and_then(int);
    if let Some(id) = id {
        let course = state.courses.get(&id);
        return course
            .map(|course| course.id)
            .ok_or_else(|| format!("Course {id} not found"));
    }
    let code = item.get("course_code").and_then(Value::as_str);
    let code = code.ok_or("course_id or course_code is required")?;
    let id = state.courses_by_code.get(code).copied();
    id.ok_or_else(|| format!("Course {code} not found"))
}
