//! Certifications and their awards. In: ids, and awards from outside. Out: lists, and awards given,
//! changed and revoked. Always true: each change tells the webhooks; external awards need the
//! feature that support activates. The write calls are assumed, see the route table.

use serde_json::{Value, json};

use super::call::{Call, int};
use super::paging;
use super::reply::{Answer, Refusal};
use super::rows::{Association, Award};
use super::state::{Key, State, date};
use crate::moment::{Moment, parse_moment};

/// `GET /learn/v1/certification`.
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let search = call.params.one("search_text").map(str::to_lowercase);
    let is_kept = |texts: [&String; 2]| {
        search
            .as_ref()
            .is_none_or(|s| texts.iter().any(|text| text.to_lowercase().contains(s)))
    };
    let rows = call.state.certifications.values();
    let keys = rows
        .filter(|row| is_kept([&row.code, &row.title]))
        .map(|row| (row.id, 0));
    let keys: Vec<Key> = keys.collect();
    paging::list(
        call,
        20,
        |_| Ok(keys),
        |state, (id, _)| {
            let row = state.certifications.get(&id)?;
            Some(json!({
                "id_cert": id,
                "code": row.code,
                "title": row.title,
                "description": row.description,
                "duration": row.duration,
                "duration_unit": row.duration_unit,
            }))
        },
    )
}

/// `GET /certification/v1/awards/users/{user}`.
pub(crate) fn by_user(call: &mut Call<'_>) -> Answer {
    let user = call.id("user")?;
    let ids = call.state.awards_by_user.get(&user).into_iter().flatten();
    let keys: Vec<Key> = ids.map(|id| (*id, 0)).collect();
    paging::list(call, 200, |_| Ok(keys), show)
}

/// `GET /certification/v1/certifications/{id}/awards`.
pub(crate) fn by_certification(call: &mut Call<'_>) -> Answer {
    let id = find_certification(call)?;
    let users = call.params.ints("user_id");
    let ids = call
        .state
        .awards_by_certification
        .get(&id)
        .into_iter()
        .flatten();
    let is_kept = |id: &&i64| {
        let award = call.state.awards.get(id);
        users.is_empty() || award.is_some_and(|award| users.contains(&award.user))
    };
    let keys: Vec<Key> = ids.filter(is_kept).map(|id| (*id, 0)).collect();
    paging::list(call, 200, |_| Ok(keys), show)
}

/// `GET /certification/v1/external_sources`.
pub(crate) fn sources(call: &mut Call<'_>) -> Answer {
    let keys: Vec<Key> = call.state.sources.keys().map(|id| (*id, 0)).collect();
    paging::list(
        call,
        200,
        |_| Ok(keys),
        |state, (id, _)| {
            state
                .sources
                .get(&id)
                .map(|source| json!({ "id": id, "name": source.name }))
        },
    )
}

/// `POST /certification/v1/certifications/{id}/awards`.
pub(crate) fn award(call: &mut Call<'_>) -> Answer {
    let certification = find_certification(call)?;
    let association = read_association(call)?;
    let issued_at = read_date(call, "issued_on")?.flatten().unwrap_or(call.now);
    let expires_at = read_date(call, "expires_on")?;
    let users = call.body_ints("user_ids");
    if users.is_empty() {
        return Err(Refusal::bad_request("user_ids cannot be blank"));
    }
    let (mut awarded, mut errors) = (Vec::new(), Vec::new());
    for user in users {
        let key = (user, certification);
        let association = association.clone().unwrap_or_default();
        match call
            .state
            .award(key, issued_at, expires_at, association, call.now)
        {
            Ok(id) => awarded.push(json!({ "user_id": user, "id": id })),
            Err(message) => errors.push(json!({ "user_id": user, "message": message })),
        }
    }
    Ok(json!({ "awarded": awarded, "errors": errors }))
}

/// `PUT /certification/v1/awards/{id}`.
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let mut award = find_award(call)?.clone();
    if let Some(association) = read_association(call)? {
        award.association = association;
    }
    if let Some(Some(at)) = read_date(call, "issued_on")? {
        award.issued_at = Some(Moment(at));
    }
    if let Some(at) = read_date(call, "expires_on")? {
        award.expires_at = at.map(Moment);
    }
    let id = award.id;
    call.state.awards.insert(id, award);
    call.state.tell_award("certification.updated", id, call.now);
    show(call.state, (id, 0)).ok_or_else(|| Refusal::not_found("Award", id))
}

/// `DELETE /certification/v1/awards/{id}`: revokes; the row stays, archived.
pub(crate) fn revoke(call: &mut Call<'_>) -> Answer {
    let id = find_award(call)?.id;
    revoke_award(call.state, id, call.now);
    Ok(json!({ "id": id }))
}

/// Archives an award and tells the webhooks; false when it was archived already.
pub(crate) fn revoke_award(state: &mut State, id: i64, now: i64) -> bool {
    let Some(award) = state.awards.get_mut(&id).filter(|award| !award.archived) else {
        return false;
    };
    award.archived = true;
    state.tell_award("certification.revoked", id, now);
    true
}

fn show(state: &State, (id, _): Key) -> Option<Value> {
    let award = state.awards.get(&id)?;
    let certification = state.certifications.get(&award.certification)?;
    let source = award
        .association
        .source_id
        .and_then(|id| state.sources.get(&id));
    Some(json!({
        "id": id,
        "user_id": award.user,
        "certification_id": award.certification,
        "certification_code": certification.code,
        "certification_title": certification.title,
        "issued_on": award.issued_at.map(|at| date(at.0)),
        "expires_on": award.expires_at.map(|at| date(at.0)),
        "status": if award.archived { "archived" } else { "active" },
        "association": {
            "type": award.association.kind,
            "item_id": award.association.item_id,
            "source_id": award.association.source_id,
            "source_name": source.map(|source| &source.name),
            "link": award.association.link,
        },
    }))
}

fn find_certification(call: &Call<'_>) -> Result<i64, Refusal> {
    let id = call.id("id")?;
    let row = call.state.certifications.get(&id);
    row.map(|row| row.id)
        .ok_or_else(|| Refusal::not_found("Certification", id))
}

fn find_award<'a>(call: &'a Call<'_>) -> Result<&'a Award, Refusal> {
    let id = call.id("id")?;
    call.state
        .awards
        .get(&id)
        .ok_or_else(|| Refusal::not_found("Award", id))
}

fn read_association(call: &Call<'_>) -> Result<Option<Association>, Refusal> {
    let Some(value) = call
        .body
        .get("association")
        .filter(|value| !value.is_null())
    else {
        return Ok(None);
    };
    let kind = value
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or("external")
        .to_owned();
    if kind == "external" && !call.state.quirks.external_certifications {
        return Err(Refusal::forbidden(
            "External certifications are not active on this platform",
        ));
    }
    Ok(Some(Association {
        kind,
        item_id: value.get("item_id").and_then(int),
        source_id: value.get("source_id").and_then(int),
        link: value.get("link").and_then(Value::as_str).map(str::to_owned),
    }))
}

/// A date of the body: absent, null, or a day.
fn read_date(call: &Call<'_>, name: &str) -> Result<Option<Option<i64>>, Refusal> {
    match call.body.get(name) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(value) => {
            let at = value.as_str().and_then(parse_moment);
            let at = at.ok_or_else(|| Refusal::bad_request(format!("Invalid {name}: {value}")))?;
            Ok(Some(Some(at)))
        }
    }
}
