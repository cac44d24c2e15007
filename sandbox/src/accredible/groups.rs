//! Credential groups, `/v1/issuer/groups`. In: searches, ids and group bodies. Out: groups. Always
//! true: a deleted group is gone; an archived one shows itself as the quirk says.

use serde_json::{Map, Value, json};

use super::call::{Call, int};
use super::quirks::ArchivedMode;
use super::reply::{Answer, Refusal, ok, page};
use super::rows::{Group, GroupState, Issuer};
use super::state::{State, timestamp};
use crate::moment::{DAY, Moment, parse_moment};

/// The documented keys that are kept as they come, each with what it is when nobody set it.
const DETAILS: [&str; 18] = [
    "course_link",
    "language",
    "attach_pdf",
    "blockchain",
    "design_name",
    "design_id",
    "certificate_design_id",
    "badge_design_id",
    "primary_design_id",
    "learning_outcomes",
    "generate_private_credential",
    "signup_url",
    "signup_url_show",
    "course_link_show",
    "organization_link_show",
    "skill_category",
    "achievement_type",
    "collections",
];

/// `GET /v1/issuer/details`: the test of a connection.
pub(crate) fn issuer(call: &mut Call<'_>) -> Answer {
    ok(json!({ "issuer": show_issuer(&call.state.issuer) }))
}

fn show_issuer(issuer: &Issuer) -> Value {
    json!({
        "id": issuer.id,
        "name": issuer.name,
        "email": issuer.email,
        "certificate_left": issuer.credits,
        "language": "en",
        "url": issuer.url,
        "spiderable": true,
        "whitelisted_domain": Value::Null,
        "linkedin_company_id": Value::Null,
        "linkedin_school_id": Value::Null,
    })
}

/// `POST /v1/issuer/groups/search` and the older `GET /v1/issuer/all_groups`.
pub(crate) fn search(call: &mut Call<'_>) -> Answer {
    let (number, size) = call.page();
    let ids: Option<Vec<i64>> = call
        .body
        .get("ids")
        .and_then(Value::as_array)
        .map(|ids| ids.iter().filter_map(int).collect());
    let (name, course_name) = (call.filter("name"), call.filter("course_name"));
    let day = |name: &str| call.filter(name).and_then(|text| parse_moment(&text));
    let (from, to) = (
        day("start_updated_date"),
        day("end_updated_date").map(|at| at + DAY),
    );
    let meta_data = call.body.get("meta_data").and_then(Value::as_object);
    let has = |text: &str, part: &Option<String>| {
        part.as_ref()
            .is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
    };
    let shows_archived = call.state.quirks.archived_mode == ArchivedMode::Flag;
    let is_kept = |group: &&Group| {
        (group.state == GroupState::Active || shows_archived)
            && ids.as_ref().is_none_or(|ids| ids.contains(&group.id))
            && has(&group.name, &name)
            && has(&group.course_name, &course_name)
            && from.is_none_or(|from| group.updated_at.is_some_and(|at| at.0 >= from))
            && to.is_none_or(|to| group.updated_at.is_some_and(|at| at.0 < to))
            && meta_data.is_none_or(|wanted| contains(&group.meta_data, wanted))
    };
    let seen = call.state.groups.keys();
    let seen = seen.filter_map(|id| call.state.group(*id, call.department));
    let found: Vec<&Group> = seen.filter(is_kept).collect();
    let (rows, meta) = page(&found, number, size);
    let groups: Vec<Value> = rows.iter().map(|group| show(call.state, group)).collect();
    ok(json!({ "groups": groups, "meta": meta }))
}

/// `GET /v1/issuer/groups/{id}`.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let group = find(call)?;
    ok(json!({ "group": show(call.state, &group) }))
}

/// `POST /v1/issuer/groups`.
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let blank = Group {
        id: 0,
        name: String::new(),
        course_name: String::new(),
        course_description: String::new(),
        state: GroupState::Active,
        allow_duplicate_credentials: false,
        department_id: call.department,
        auto_expiry: None,
        meta_data: Map::new(),
        details: Map::new(),
        created_at: None,
        updated_at: None,
    };
    let group = read(call, blank)?;
    let id = call.state.put_group(group, call.now);
    shown(call.state, id)
}

/// `PUT /v1/issuer/groups/{id}`.
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let old = find(call)?;
    let mut group = read(call, old)?;
    group.updated_at = Some(Moment(call.now));
    let id = call.state.put_group(group, call.now);
    shown(call.state, id)
}

/// `DELETE /v1/issuer/groups/{id}`: answers with the group that is gone.
pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let mut group = find(call)?;
    let body = json!({ "group": show(call.state, &group) });
    group.state = GroupState::Deleted;
    call.state.put_group(group, call.now);
    ok(body)
}

fn shown(state: &State, id: i64) -> Answer {
    ok(json!({ "group": state.groups.get(&id).map(|group| show(state, group)) }))
}

fn find(call: &mut Call<'_>) -> Result<Group, Refusal> {
    let id = call.id().parse().unwrap_or(0);
    match call.state.group(id, call.department) {
        Some(group) => Ok(group.clone()),
        None => Err(Refusal::missing(call.state, "Group does not exist")),
    }
}

/// Takes what the body names into the group; the three texts must not be blank afterwards.
fn read(call: &Call<'_>, mut group: Group) -> Result<Group, Refusal> {
    let body = call.body.get("group").and_then(Value::as_object);
    let body =
        body.ok_or_else(|| Refusal::invalid("param is missing or the value is empty: group"))?;
    let text = |name: &str, old: String| match body.get(name) {
        Some(value) => value.as_str().unwrap_or_default().trim().to_owned(),
        None => old,
    };
    group.name = text("name", group.name);
    group.course_name = text("course_name", group.course_name);
    group.course_description = text("course_description", group.course_description);
    let texts = [
        ("name", &group.name),
        ("course_name", &group.course_name),
        ("course_description", &group.course_description),
    ];
    let blank = texts.into_iter().filter(|(_, text)| text.is_empty());
    let errors: Map<String, Value> = blank
        .map(|(name, _)| (name.to_owned(), json!(["can't be blank"])))
        .collect();
    if !errors.is_empty() {
        return Err(Refusal::fields(Value::Object(errors)));
    }
    let flag = body
        .get("allow_duplicate_credentials")
        .and_then(Value::as_bool);
    group.allow_duplicate_credentials = flag.unwrap_or(group.allow_duplicate_credentials);
    if let Some(value) = body.get("auto_expiry") {
        group.auto_expiry = int(value);
    }
    if let Some(value) = body
        .get("department_id")
        .filter(|_| call.department.is_none())
    {
        group.department_id = int(value);
    }
    if let Some(Value::Object(meta_data)) = body.get("meta_data") {
        group.meta_data = meta_data.clone();
    }
    for name in DETAILS {
        if let Some(value) = body.get(name) {
            group.details.insert(name.to_owned(), value.clone());
        }
    }
    Ok(group)
}

pub(crate) fn show(state: &State, group: &Group) -> Value {
    let meta_data = if group.meta_data.is_empty() {
        Value::Null
    } else {
        json!(group.meta_data)
    };
    let mut shown = json!({
        "id": group.id,
        "name": group.name,
        "course_name": group.course_name,
        "course_description": group.course_description,
        "department_id": group.department_id,
        "meta_data": meta_data,
        "auto_expiry": group.auto_expiry,
        "created_at": timestamp(group.created_at),
        "updated_at": timestamp(group.updated_at),
    });
    for name in DETAILS {
        shown[name] = group.details.get(name).cloned().unwrap_or_default();
    }
    if state.quirks.archived_mode == ArchivedMode::Flag {
        shown["archived"] = json!(group.state == GroupState::Archived);
    }
    shown
}

/// Whether an object holds every pair that is wanted.
pub(crate) fn contains(held: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    wanted
        .iter()
        .all(|(name, value)| held.get(name) == Some(value))
}
