//! Single credentials, `/v1/credentials`. In: credential bodies and ids. Out: credentials in the
//! single-object form. Always true: a group that allows no duplicates has one credential per
//! e-mail, a custom id belongs to one credential, and publishing costs a credit.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::call::{Call, int};
use super::reply::{Answer, Refusal, ok};
use super::rows::{Credential, Group, GroupState, Recipient};
use super::state::State;
use crate::moment::{Moment, parse_moment};

/// `POST /v1/credentials`; answers 200, not 201.
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let body = call.body.get("credential").cloned().unwrap_or_default();
    let id = create_one(call.state, &body, call.department, call.now)?;
    shown(call.state, id)
}

/// `GET /v1/credentials/{id}`.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let id = find(call)?;
    shown(call.state, id)
}

/// `PUT /v1/credentials/{id}`: changes what the body names.
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let id = find(call)?;
    let body = call.body.get("credential").cloned().unwrap_or_default();
    let Some(mut row) = call.state.credentials.get(&id).cloned() else {
        return shown(call.state, id);
    };
    let was_published = row.approve;
    read(call.state, &mut row, &body, call.department)?;
    check_duplicate(call.state, &row)?;
    row.updated_at = Some(Moment(call.now));
    if !was_published && row.approve {
        publish(call.state, &mut row, call.now);
    }
    call.state
        .put_credential(row, call.now)
        .map_err(|_| Refusal::invalid("Invalid Group"))?;
    shown(call.state, id)
}

/// `DELETE /v1/credentials/{id}`: answers with the credential that is gone.
pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let id = find(call)?;
    let body = call
        .state
        .credentials
        .get(&id)
        .map(|row| show(call.state, row));
    call.state.take_credential(id);
    ok(json!({ "credential": body }))
}

/// Creates one credential of a body and returns its number.
pub(crate) fn create_one(
    state: &mut State,
    body: &Value,
    department: Option<i64>,
    now: i64,
) -> Result<i64, Refusal> {
    if !body.get("recipient").is_some_and(Value::is_object) {
        return Err(Refusal::invalid(
            "Can not create credential without recipient data",
        ));
    }
    let mut row = blank();
    read(state, &mut row, body, department)?;
    if let Some(license) = body
        .get("id")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
    {
        if state.find_credential(license).is_some() {
            return Err(Refusal::field("id", "has already been taken"));
        }
        row.license_id = Some(license.to_owned());
    }
    check_duplicate(state, &row)?;
    if row.issued_on.is_empty() {
        row.issued_on = crate::moment::format_moment(now, "%Y-%m-%d");
    }
    if body.get("expired_on").is_none() {
        row.expired_on = auto_expiry(state, &row);
    }
    if row.approve {
        publish(state, &mut row, now);
    }
    state
        .put_credential(row, now)
        .map_err(|_| Refusal::invalid("Invalid Group"))
}

fn blank() -> Credential {
    Credential {
        id: 0,
        uuid: String::new(),
        encoded_id: String::new(),
        license_id: None,
        group_id: 0,
        recipient: Recipient::default(),
        name: None,
        description: None,
        issued_on: String::new(),
        expired_on: None,
        custom_attributes: Map::new(),
        meta_data: Map::new(),
        approve: true,
        private: false,
        complete: true,
        published_at: None,
        created_at: None,
        updated_at: None,
    }
}

/// Takes what the body names into the row.
fn read(
    state: &State,
    row: &mut Credential,
    body: &Value,
    department: Option<i64>,
) -> Result<(), Refusal> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(id) = body.get("group_id").and_then(int) {
        row.group_id = id;
    } else if let Some(name) = text("group_name") {
        let group = state.groups.values().find(|group| group.name == name);
        row.group_id = group.map_or(0, |group| group.id);
    }
    let group = state.group(row.group_id, department);
    let group = group.filter(|group| group.state == GroupState::Active || row.id != 0);
    let group = group.ok_or_else(|| Refusal::invalid("Invalid Group"))?;
    read_recipient(&mut row.recipient, body.get("recipient"))?;
    row.name = text("name").or(row.name.take());
    row.description = text("description").or(row.description.take());
    check_texts(row, group)?;
    if let Some(day) = read_day(body, "issued_on")? {
        row.issued_on = day.unwrap_or_default();
    }
    if let Some(day) = read_day(body, "expired_on")? {
        row.expired_on = day;
    }
    for (name, held) in [
        ("custom_attributes", &mut row.custom_attributes),
        ("meta_data", &mut row.meta_data),
    ] {
        if let Some(Value::Object(object)) = body.get(name) {
            held.clone_from(object);
        }
    }
    let flag = |name: &str| body.get(name).and_then(Value::as_bool);
    row.approve = flag("approve").unwrap_or(row.approve);
    row.private = flag("private").unwrap_or(row.private);
    row.complete = flag("complete").unwrap_or(row.complete);
    Ok(())
}

fn read_recipient(recipient: &mut Recipient, body: Option<&Value>) -> Result<(), Refusal> {
    let text = |name: &str| match body.and_then(|body| body.get(name)) {
        Some(Value::String(text)) => Some(text.trim().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    recipient.name = text("name").unwrap_or(std::mem::take(&mut recipient.name));
    recipient.email = text("email").unwrap_or(std::mem::take(&mut recipient.email));
    recipient.id = text("id").or(recipient.id.take());
    recipient.phone_number = text("phone_number").or(recipient.phone_number.take());
    if let Some(Value::Object(meta_data)) = body.and_then(|body| body.get("meta_data")) {
        recipient.meta_data = meta_data.clone();
    }
    if recipient.name.is_empty() {
        return Err(Refusal::field("recipient.name", "can't be blank"));
    }
    if recipient.email.is_empty() {
        return Err(Refusal::field("recipient.email", "can't be blank"));
    }
    if !recipient.email.contains('@') {
        return Err(Refusal::field("recipient.email", "is invalid"));
    }
    Ok(())
}

/// A credential needs texts of its own only where its group has none.
fn check_texts(row: &Credential, group: &Group) -> Result<(), Refusal> {
    if row.name.is_none() && group.course_name.is_empty() {
        return Err(Refusal::field("name", "can't be blank"));
    }
    if row.description.is_none() && group.course_description.is_empty() {
        return Err(Refusal::field("description", "can't be blank"));
    }
    Ok(())
}

/// A day of the body: absent, null, `YYYY-MM-DD`, or the deprecated `DD/MM/YYYY`.
fn read_day(body: &Value, name: &str) -> Result<Option<Option<String>>, Refusal> {
    match body.get(name) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(text)) if text.is_empty() => Ok(Some(None)),
        Some(value) => {
            let text = value.as_str().unwrap_or_default();
            let parts: Vec<&str> = text.split('/').collect();
            let day = match parts[..] {
                [day, month, year] => format!("{year}-{month:0>2}-{day:0>2}"),
                _ => text.to_owned(),
            };
            if day.len() == 10 && parse_moment(&day).is_some() {
                return Ok(Some(Some(day)));
            }
            Err(Refusal::field(name, "is invalid"))
        }
    }
}

fn check_duplicate(state: &State, row: &Credential) -> Result<(), Refusal> {
    let group = state.groups.get(&row.group_id);
    if group.is_some_and(|group| group.allow_duplicate_credentials) {
        return Ok(());
    }
    let others = state.by_email.get(&row.recipient.email.to_lowercase());
    let others = others
        .into_iter()
        .flatten()
        .filter_map(|id| state.credentials.get(id));
    let is_same = |other: &Credential| {
        other.id != row.id
            && other.group_id == row.group_id
            && state.same_email(&other.recipient.email, &row.recipient.email)
    };
    if others.filter(|other| is_same(other)).count() == 0 {
        return Ok(());
    }
    let message = "has already been taken. The settings of this group do not allow duplicates of \
                   this credential to be sent to the same email";
    Err(Refusal::field("recipient.email", message))
}

/// Publishes for one credit; without credits, or in sandbox mode, the row stays unpublished.
fn publish(state: &mut State, row: &mut Credential, now: i64) {
    row.approve = !state.quirks.sandbox_mode && state.issuer.credits > 0;
    if row.approve {
        state.issuer.credits -= 1;
        row.published_at = Some(Moment(now));
    }
}

/// The day on which the group's own expiry ends a credential.
fn auto_expiry(state: &State, row: &Credential) -> Option<String> {
    let years = state
        .groups
        .get(&row.group_id)?
        .auto_expiry
        .filter(|years| *years > 0)?;
    let issued: jiff::civil::Date = row.issued_on.parse().ok()?;
    let expires = issued
        .checked_add(jiff::Span::new().try_years(years).ok()?)
        .ok()?;
    Some(expires.to_string())
}

fn find(call: &mut Call<'_>) -> Result<i64, Refusal> {
    let found = call.state.find_credential(&call.id());
    let seen = found.filter(|id| {
        let row = call.state.credentials.get(id);
        row.is_some_and(|row| call.state.sees(call.department, row))
    });
    let long = "No credential with the id given in your account";
    seen.ok_or_else(|| Refusal::missing(call.state, long))
}

fn shown(state: &State, id: i64) -> Answer {
    let row = state.credentials.get(&id);
    Ok((
        StatusCode::OK,
        json!({ "credential": row.map(|row| show(state, row)) }),
    ))
}

/// The single-object form: the id is a string, the address is there.
pub(crate) fn show(state: &State, row: &Credential) -> Value {
    let group = state.groups.get(&row.group_id);
    let own = |text: &Option<String>, of_group: fn(&Group) -> &String| {
        text.clone()
            .or_else(|| group.map(|group| of_group(group).clone()))
    };
    json!({
        "id": row.uuid,
        "name": own(&row.name, |group| &group.course_name),
        "description": own(&row.description, |group| &group.course_description),
        "approve": row.approve,
        "grade": Value::Null,
        "complete": row.complete,
        "issued_on": row.issued_on,
        "course_link": group.and_then(|group| group.details.get("course_link")),
        "custom_attributes": row.custom_attributes,
        "expired_on": row.expired_on,
        "group_name": group.map(|group| &group.name),
        "group_id": row.group_id,
        "url": format!("https://www.credential.net/{}", row.uuid),
        "encoded_id": row.encoded_id,
        "license_id": row.license_id,
        "private": row.private,
        "seo_image": Value::Null,
        "certificate": { "image": { "preview": Value::Null } },
        "badge": { "image": { "preview": Value::Null } },
        "evidence_items": [],
        "references": [],
        "recipient": row.recipient,
        "issuer": issuer(state),
        "meta_data": row.meta_data,
    })
}

/// The issuer as credentials show it.
pub(crate) fn issuer(state: &State) -> Value {
    json!({
        "id": state.issuer.id,
        "name": state.issuer.name,
        "description": "",
        "url": state.issuer.url,
    })
}
