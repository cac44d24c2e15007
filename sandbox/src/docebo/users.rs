//! Users, `manage/v1/user`. In: searches and ids. Out: users in the two shapes of that service.

use serde_json::{Value, json};

use super::call::Call;
use super::paging;
use super::reply::{Answer, Refusal};
use super::rows::User;
use super::state::{Key, State, date_time};
use crate::moment::parse_moment;

/// `GET /manage/v1/user/session`: who the token is; the cheapest test of a connection.
pub(crate) fn session(call: &mut Call<'_>) -> Answer {
    let user = call
        .state
        .users
        .get(&call.caller)
        .ok_or_else(Refusal::unauthorized)?;
    Ok(json!({
        "id": manage_id(call.state, user.id),
        "username": user.username,
        "firstname": user.first_name,
        "lastname": user.last_name,
        "email": user.email,
        "user_level": level(user),
        "timezone": user.timezone,
        "language": user.language,
    }))
}

/// `GET /manage/v1/user`: search and list.
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    paging::list(call, 200, |call| Ok(matching(call)), show)
}

fn matching(call: &Call<'_>) -> Vec<Key> {
    let users = &call.state.users;
    let updated_from = call.params.one("updated_from").and_then(parse_moment);
    let is_kept = |user: &User| {
        updated_from.is_none_or(|from| user.updated_at.is_some_and(|at| at.0 >= from))
    };
    let search = call.params.one("search_text").map(str::to_lowercase);
    let mut found: Vec<&User> = match search {
        Some(text) if call.params.one("match_type") == Some("full") => {
            let ids = call.state.users_by_text.get(&text);
            ids.into_iter()
                .flatten()
                .filter_map(|id| users.get(id))
                .collect()
        }
        Some(text) => {
            let texts = |user: &User| {
                let all = [
                    &user.email,
                    &user.username,
                    &user.first_name,
                    &user.last_name,
                ];
                all.into_iter()
                    .any(|value| value.to_lowercase().contains(&text))
            };
            users.values().filter(|user| texts(user)).collect()
        }
        None => users.values().collect(),
    };
    found.retain(|user| is_kept(user));
    match call.params.one("sort_attr") {
        Some("username") => found.sort_by_key(|user| user.username.to_lowercase()),
        Some("email") => found.sort_by_key(|user| user.email.to_lowercase()),
        Some("last_update") => found.sort_by_key(|user| user.updated_at),
        _ => {}
    }
    if call.params.one("sort_dir") == Some("desc") {
        found.reverse();
    }
    found.into_iter().map(|user| (user.id, 0)).collect()
}

fn show(state: &State, (id, _): Key) -> Option<Value> {
    let user = state.users.get(&id)?;
    let mut item = json!({
        "user_id": manage_id(state, id),
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "fullname": user.full_name(),
        "email": user.email,
        "uuid": format!("{id:08x}-0000-4000-8000-000000000000"),
        "status": if user.active { "1" } else { "0" },
        "level": level(user),
        "language": user.language,
        "lang_code": user.language,
        "timezone": user.timezone,
        "creation_date": user.created_at.map(|at| date_time(at.0)),
        "last_update": user.updated_at.map(|at| date_time(at.0)),
        "last_access_date": state.date_time(id, None),
        "expiration_date": Value::Null,
        "expired": false,
        "email_validation_status": "1",
        "is_manager": false,
        "managers": [],
        "encoded_username": user.username.replace('@', "%40"),
        "avatar": "",
        "actions": [],
    });
    for (field, value) in &user.fields {
        item[format!("field_{field}")] = value.clone();
    }
    Some(item)
}

/// `GET /manage/v1/user/{id}`: one user.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let id = call.id("id")?;
    let user = call
        .state
        .users
        .get(&id)
        .ok_or_else(|| Refusal::not_found("User", id))?;
    let fields = user
        .fields
        .iter()
        .map(|(id, value)| json!({ "id": id, "value": value }));
    Ok(json!({
        "user_data": {
            "user_id": manage_id(call.state, id),
            "username": user.username,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": user.email,
            "level": level(user),
            "valid": if user.active { "1" } else { "0" },
            "expiration": Value::Null,
            "force_change": "0",
            "language": user.language,
            "timezone": user.timezone,
            "date_format": "",
            "email_validation_status": "1",
        },
        "additional_fields": fields.collect::<Vec<_>>(),
        "branches": [],
    }))
}

/// An id as `manage` writes it.
fn manage_id(state: &State, id: i64) -> Value {
    if state.quirks.string_ids_in_manage {
        json!(id.to_string())
    } else {
        json!(id)
    }
}

fn level(user: &User) -> &'static str {
    match user.level.as_str() {
        "superadmin" => "godadmin",
        "poweruser" => "power_user",
        _ => "user",
    }
}
