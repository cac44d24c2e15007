//! The older lists, `GET /v1/all_credentials` and `POST /v1/credentials/search`. In: filters by
//! flat or dotted name. Out: credentials in the list form of `v1`. Always true: a filter name that
//! is unknown filters nothing, as with the vendor.

use serde_json::{Value, json};

use super::call::Call;
use super::credentials::issuer;
use super::groups::contains;
use super::reply::{Answer, ok, page};
use super::rows::Credential;
use super::state::{State, timestamp};
use crate::moment::{DAY, parse_moment};

/// Answers a page of the credentials that the filters want.
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let (number, size) = call.page();
    let found = matching(call);
    let (rows, meta) = page(&found, number, size);
    let credentials: Vec<Value> = rows.iter().map(|row| show(call.state, row)).collect();
    ok(json!({ "credentials": credentials, "meta": meta }))
}

fn matching<'a>(call: &'a Call<'_>) -> Vec<&'a Credential> {
    let state = &*call.state;
    let either = |flat: &str, dotted: &str| call.filter(dotted).or_else(|| call.filter(flat));
    let group = call
        .filter("group_id")
        .and_then(|text| text.parse::<i64>().ok());
    let email = either("email", "recipient.email");
    let recipient = either("recipient_id", "recipient.id");
    let name = call
        .filter("recipient.name")
        .map(|name| name.to_lowercase());
    let license = call.filter("license_id");
    let day = |name: &str| call.filter(name).and_then(|text| parse_moment(&text));
    let issued = (day("start_date"), day("end_date"));
    let updated = (day("start_updated_date"), day("end_updated_date"));
    let object = |name: &str| call.body.get(name).and_then(Value::as_object);
    let (meta, of_recipient) = (object("meta_data"), object("recipient.meta_data"));
    let within = |at: Option<i64>, (from, to): (Option<i64>, Option<i64>)| {
        from.is_none_or(|from| at.is_some_and(|at| at >= from))
            && to.is_none_or(|to| at.is_some_and(|at| at < to + DAY))
    };
    let is_kept = |row: &&Credential| {
        group.is_none_or(|group| row.group_id == group)
            && email
                .as_ref()
                .is_none_or(|email| state.same_email(email, &row.recipient.email))
            && recipient
                .as_ref()
                .is_none_or(|id| row.recipient.id.as_ref() == Some(id))
            && name
                .as_ref()
                .is_none_or(|name| row.recipient.name.to_lowercase().contains(name))
            && license
                .as_ref()
                .is_none_or(|license| row.license_id.as_ref() == Some(license))
            && meta.is_none_or(|wanted| contains(&row.meta_data, wanted))
            && of_recipient.is_none_or(|wanted| contains(&row.recipient.meta_data, wanted))
            && within(parse_moment(&row.issued_on), issued)
            && within(row.updated_at.map(|at| at.0), updated)
            && state.sees(call.department, row)
    };
    let rows = |ids: Vec<i64>| {
        ids.into_iter()
            .filter_map(|id| state.credentials.get(&id))
            .filter(is_kept)
            .collect()
    };
    let set = |ids: Option<&std::collections::BTreeSet<i64>>| {
        ids.map(|ids| ids.iter().copied().collect())
            .unwrap_or_default()
    };
    if let Some(license) = &license {
        return rows(state.by_license.get(license).copied().into_iter().collect());
    }
    if let Some(email) = &email {
        return rows(set(state.by_email.get(&email.to_lowercase())));
    }
    if let Some(group) = group {
        return rows(set(state.by_group.get(&group)));
    }
    state.credentials.values().filter(is_kept).collect()
}

/// The list form of `v1`: numeric id, no address, the group by name only.
fn show(state: &State, row: &Credential) -> Value {
    let group = state.groups.get(&row.group_id);
    let issued_on = if state.quirks.dates_are_timestamps {
        format!("{}T00:00:00.000Z", row.issued_on)
    } else {
        row.issued_on.clone()
    };
    json!({
        "id": row.id,
        "name": row.name.as_ref().or(group.map(|group| &group.course_name)),
        "description": row.description.as_ref().or(group.map(|group| &group.course_description)),
        "approve": row.approve,
        "grade": Value::Null,
        "complete": row.complete,
        "issued_on": issued_on,
        "allow_supplemental_references": true,
        "allow_supplemental_evidence": true,
        "course_link": Value::Null,
        "custom_attributes": row.custom_attributes,
        "expired_on": row.expired_on,
        "group_name": group.map(|group| &group.name),
        "license_id": row.license_id,
        "encoded_id": row.encoded_id,
        "private": row.private,
        "seo_image": Value::Null,
        "updated_at": timestamp(row.updated_at),
        "evidence_items": [],
        "references": [],
        "recipient": row.recipient,
        "issuer": issuer(state),
        "meta_data": row.meta_data,
    })
}
