//! `POST /manage/v1/user/batch`. In: rows that create or change users and put them into branches.
//! Out: one result per row, with status 200 even when every row failed. Always true: a bad row spoils
//! only itself.

use serde_json::{Value, json};

use super::branches::coded;
use super::call::{Call, flag, int};
use super::oauth::user_named;
use super::reply::{Answer, Refusal};
use super::rows::User;
use super::state::State;
use crate::moment::Moment;

/// What a row may say of the level of a user.
const LEVELS: [&str; 3] = ["user", "poweruser", "superadmin"];

pub(crate) fn write(call: &mut Call<'_>) -> Answer {
    let items = call.body.get("items").and_then(Value::as_array).cloned();
    let items = items.ok_or_else(|| Refusal::bad_request("items cannot be blank"))?;
    let options = call.body.get("options").cloned().unwrap_or_default();
    let now = call.now;
    let results = items.iter().enumerate().map(|(index, item)| {
        let done = write_row(call.state, item, &options, now);
        let (user, error) = match done {
            Ok(user) => (Some(user), String::new()),
            Err(error) => (None, error),
        };
        json!({
            "row_index": index,
            "success": user.is_some(),
            "message": error,
            "output": {
                "user_id": user.as_ref().map(|(id, _)| *id),
                "username": user.as_ref().map(|(_, name)| name.clone()),
                "error": error,
            },
        })
    });
    Ok(Value::Array(results.collect()))
}

fn write_row(
    state: &mut State,
    item: &Value,
    options: &Value,
    now: i64,
) -> Result<(i64, String), String> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let known = match item.get("user_id").and_then(int) {
        Some(id) => Some(id),
        None => text("username").and_then(|name| user_named(state, name)),
    };
    let mut user = match known {
        Some(id) => {
            let user = state.users.get(&id).cloned();
            let user = user.ok_or_else(|| format!("User {id} not found"))?;
            let may_update = options.get("update_user_info").and_then(flag);
            if may_update == Some(false) {
                return Err(format!("User {} already exists", user.username));
            }
            user
        }
        None => new_user(text("username"))?,
    };
    if let Some(level) = text("level") {
        if !LEVELS.contains(&level) {
            return Err(format!("Invalid level: {level}"));
        }
        user.level = level.to_owned();
    }
    for (name, part) in [
        ("new_username", &mut user.username),
        ("firstname", &mut user.first_name),
        ("lastname", &mut user.last_name),
        ("email", &mut user.email),
        ("language", &mut user.language),
        ("timezone", &mut user.timezone),
    ] {
        if let Some(text) = text(name) {
            *part = text.to_owned();
        }
    }
    if let Some(active) = item.get("active").and_then(flag) {
        user.active = active;
    }
    for (name, value) in item.as_object().into_iter().flatten() {
        let field = name.strip_prefix("field_").and_then(|id| id.parse().ok());
        if let Some(field) = field {
            user.fields.insert(field, value.clone());
        }
    }
    if let Some(branch) = branch(state, item, options)? {
        if options
            .get("user_destination_branch_action")
            .and_then(Value::as_str)
            == Some("move")
        {
            user.branches.clear();
        }
        user.branches.insert(branch);
    }
    user.updated_at = Some(Moment(now));
    let name = user.username.clone();
    state.put_user(user, now);
    let id = user_named(state, &name).ok_or("the user was not kept")?;
    Ok((id, name))
}

fn new_user(username: Option<&str>) -> Result<User, String> {
    let username = username.filter(|name| !name.is_empty());
    let username = username.ok_or("user_id or username is required")?;
    serde_json::from_value(json!({ "username": username })).map_err(|error| error.to_string())
}

/// Where the row or else the options put the user.
fn branch(state: &State, item: &Value, options: &Value) -> Result<Option<i64>, String> {
    if let Some(code) = item.get("branch_code").and_then(Value::as_str) {
        let id = coded(state, code);
        return id
            .map(Some)
            .ok_or_else(|| format!("Branch {code} not found"));
    }
    match options.get("destination_branch").and_then(int) {
        None => Ok(None),
        Some(id) if state.branches.contains_key(&id) => Ok(Some(id)),
        Some(id) => Err(format!("Branch {id} not found")),
    }
}
