//! `POST /v2/credentials/search`. In: `{"query": {"field[op]": value}, "sort": .., "page": ..}`.
//! Out: flat credentials by offset or by cursor. Always true: an unknown field, operator or sort is
//! a 400, offsets end at 10,000, and a cursor goes on after the row it names, whatever was added.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::groups::contains;
use super::quirks::CursorEnd;
use super::reply::{Answer, Refusal, ok};
use super::rows::Credential;
use super::state::{State, timestamp};
use crate::moment::format_moment;

/// `from + size` reaches no further than this.
const OFFSET_WALL: usize = 10_000;
const PAGE_SIZE: usize = 50;

const TEXTS: [&str; 6] = [
    "uuid",
    "group.id",
    "recipient_name",
    "recipient_email",
    "recipient_id",
    "license_id",
];
const DATES: [&str; 4] = ["issued_on", "expired_on", "updated_at", "created_at"];
const OBJECTS: [&str; 3] = ["recipient_meta_data", "meta_data", "custom_attributes"];
const SORTS: [&str; 5] = [
    "id",
    "recipient_name",
    "group.name",
    "issued_on",
    "expired_on",
];

/// One condition of a query, checked.
#[derive(Debug)]
struct Condition {
    field: String,
    op: Op,
    values: Vec<String>,
    object: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    In,
    Lt,
    Lte,
    Gt,
    Gte,
    Contains,
}

/// Where a row stands in the sorted list: its sort value, then its number.
type Place = (String, i64);

pub(crate) fn search(call: &mut Call<'_>) -> Answer {
    let query = call.body.get("query").and_then(Value::as_object);
    let query = query.ok_or_else(|| Refusal::search("Query is required"))?;
    let conditions = query
        .iter()
        .map(|(key, value)| read_condition(key, value))
        .collect::<Result<Vec<_>, _>>()?;
    let (sort, is_descending) = read_sort(call.body.get("sort"))?;
    let page = read_page(call.body.get("page"))?;
    let state = &*call.state;
    let mut found: Vec<(Place, &Credential)> = candidates(state, &conditions)
        .into_iter()
        .filter_map(|id| state.credentials.get(&id))
        .filter(|row| state.sees(call.department, row))
        .filter(|row| {
            conditions
                .iter()
                .all(|condition| condition.holds(state, row))
        })
        .map(|row| ((sort_value(state, row, &sort), row.id), row))
        .collect();
    found.sort_by(|(a, _), (b, _)| if is_descending { b.cmp(a) } else { a.cmp(b) });
    let start = match &page.after {
        Some(after) => found.partition_point(|(place, _)| {
            if is_descending {
                place >= after
            } else {
                place <= after
            }
        }),
        None => page.from.min(found.len()),
    };
    let end = (start + page.size).min(found.len());
    let cursor = found[start..end]
        .last()
        .filter(|_| end < found.len())
        .map(|(place, _)| encode(place));
    let credentials: Vec<Value> = found[start..end]
        .iter()
        .map(|(_, row)| show(state, row))
        .collect();
    let mut meta = json!({
        "count": found.len(), "from": page.from, "size": page.size, "cursor": cursor,
    });
    if cursor.is_none() {
        match state.quirks.cursor_end {
            CursorEnd::Null => {}
            CursorEnd::Absent => drop(meta.as_object_mut().map(|meta| meta.shift_remove("cursor"))),
            CursorEnd::Unchanged => meta["cursor"] = json!(page.cursor),
        }
    }
    ok(json!({ "credentials": credentials, "meta": meta }))
}

fn read_condition(key: &str, value: &Value) -> Result<Condition, Refusal> {
    let (field, op) = match key.split_once('[') {
        Some((field, op)) => (field, op.strip_suffix(']').unwrap_or(op)),
        None => (key, "eq"),
    };
    let is_date = DATES.contains(&field);
    if OBJECTS.contains(&field) && op == "eq" {
        let object = value.as_object().cloned();
        let object =
            object.ok_or_else(|| Refusal::search(&format!("{field} must be an object")))?;
        let (field, values) = (field.to_owned(), Vec::new());
        return Ok(Condition {
            field,
            op: Op::Contains,
            values,
            object,
        });
    }
    if !is_date && !TEXTS.contains(&field) && field != "approve" {
        return Err(Refusal::search(&format!(
            "Query field {field} is not supported"
        )));
    }
    let op_of = |op: &str| match op {
        "eq" => Some(Op::In),
        "in" if field != "approve" => Some(Op::In),
        "lt" if is_date => Some(Op::Lt),
        "lte" if is_date => Some(Op::Lte),
        "gt" if is_date => Some(Op::Gt),
        "gte" if is_date => Some(Op::Gte),
        _ => None,
    };
    let wrong_op = || Refusal::search(&format!("Operation {op} is not supported for {field}"));
    let read_op = op_of(op).ok_or_else(wrong_op)?;
    let values = match value {
        Value::Array(items) if op == "in" => items.iter().map(text_of).collect(),
        Value::Array(_) | Value::Object(_) => return Err(wrong_op()),
        _ if op == "in" => return Err(Refusal::search(&format!("{field}[in] must be an array"))),
        scalar => vec![text_of(scalar)],
    };
    Ok(Condition {
        field: field.to_owned(),
        op: read_op,
        values,
        object: Map::new(),
    })
}

fn read_sort(sort: Option<&Value>) -> Result<(String, bool), Refusal> {
    let sort = sort
        .and_then(Value::as_object)
        .and_then(|sort| sort.iter().next());
    let Some((field, order)) = sort else {
        return Ok(("id".to_owned(), false));
    };
    if !SORTS.contains(&field.as_str()) {
        return Err(Refusal::search(&format!(
            "Sort field {field} is not supported"
        )));
    }
    match order.as_str().unwrap_or_default() {
        "asc" => Ok((field.clone(), false)),
        "desc" => Ok((field.clone(), true)),
        other => Err(Refusal::search(&format!(
            "Sort order {other} is not supported"
        ))),
    }
}

/// The part of the list that is asked for.
#[derive(Debug)]
struct Page {
    from: usize,
    size: usize,
    cursor: Option<String>,
    after: Option<Place>,
}

fn read_page(page: Option<&Value>) -> Result<Page, Refusal> {
    let number = |name: &str| page?.get(name)?.as_u64().map(|number| number as usize);
    let size = number("size").unwrap_or(PAGE_SIZE);
    let cursor = page
        .and_then(|page| page.get("cursor"))
        .and_then(Value::as_str);
    if cursor.is_some() && number("from").is_some() {
        return Err(Refusal::search("Cursor and from can not be used together"));
    }
    let from = number("from").unwrap_or(0);
    if from.saturating_add(size) > OFFSET_WALL {
        let message = format!("From and size must not exceed {OFFSET_WALL} together");
        return Err(Refusal::search(&message));
    }
    let bad_cursor = || Refusal::search("Cursor is invalid");
    let after = cursor
        .map(|cursor| decode(cursor).ok_or_else(bad_cursor))
        .transpose()?;
    Ok(Page {
        from,
        size,
        cursor: cursor.map(str::to_owned),
        after,
    })
}

/// The rows that could match, by the shortest index that a condition offers.
fn candidates(state: &State, conditions: &[Condition]) -> Vec<i64> {
    let exact = |field: &str| {
        conditions
            .iter()
            .find(|c| c.field == field && c.op == Op::In)
    };
    let collect = |condition: &Condition, find: &dyn Fn(&str) -> Vec<i64>| {
        let mut ids: Vec<i64> = condition
            .values
            .iter()
            .flat_map(|value| find(value))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    if let Some(condition) = exact("license_id") {
        return collect(condition, &|v| {
            state.by_license.get(v).copied().into_iter().collect()
        });
    }
    if let Some(condition) = exact("uuid") {
        return collect(condition, &|v| {
            state.by_public_id.get(v).copied().into_iter().collect()
        });
    }
    if let Some(condition) = exact("recipient_email") {
        let by_email = |value: &str| state.by_email.get(&value.to_lowercase());
        return collect(condition, &|v| {
            by_email(v).into_iter().flatten().copied().collect()
        });
    }
    if let Some(condition) = exact("group.id") {
        let by_group = |value: &str| state.by_group.get(&value.parse().ok()?);
        return collect(condition, &|v| {
            by_group(v).into_iter().flatten().copied().collect()
        });
    }
    state.credentials.keys().copied().collect()
}

impl Condition {
    fn holds(&self, state: &State, row: &Credential) -> bool {
        if self.op == Op::Contains {
            return contains(self.object_of(row), &self.object);
        }
        let Some(held) = self.value_of(row) else {
            return false;
        };
        let is_email = self.field == "recipient_email";
        self.values.iter().any(|wanted| match self.op {
            Op::In if is_email => state.same_email(&held, wanted),
            Op::In | Op::Contains => held == *wanted,
            Op::Lt => held < *wanted,
            Op::Lte => held <= *wanted,
            Op::Gt => held > *wanted,
            Op::Gte => held >= *wanted,
        })
    }

    /// The row's value of the field as text; days compare as text, too.
    fn value_of(&self, row: &Credential) -> Option<String> {
        let day = |moment: Option<crate::moment::Moment>| {
            moment.map(|at| format_moment(at.0, "%Y-%m-%d"))
        };
        match self.field.as_str() {
            "uuid" => Some(row.uuid.clone()),
            "group.id" => Some(row.group_id.to_string()),
            "recipient_name" => Some(row.recipient.name.clone()),
            "recipient_email" => Some(row.recipient.email.clone()),
            "recipient_id" => row.recipient.id.clone(),
            "license_id" => row.license_id.clone(),
            "approve" => Some(row.approve.to_string()),
            "issued_on" => Some(row.issued_on.clone()),
            "expired_on" => row.expired_on.clone(),
            "updated_at" => day(row.updated_at),
            _ => day(row.created_at),
        }
    }

    fn object_of<'a>(&self, row: &'a Credential) -> &'a Map<String, Value> {
        match self.field.as_str() {
            "recipient_meta_data" => &row.recipient.meta_data,
            "meta_data" => &row.meta_data,
            _ => &row.custom_attributes,
        }
    }
}

fn sort_value(state: &State, row: &Credential, sort: &str) -> String {
    match sort {
        "recipient_name" => row.recipient.name.to_lowercase(),
        "group.name" => state
            .groups
            .get(&row.group_id)
            .map(|g| g.name.clone())
            .unwrap_or_default(),
        "issued_on" => row.issued_on.clone(),
        "expired_on" => row.expired_on.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

fn encode((value, id): &Place) -> String {
    STANDARD.encode(json!([id, value]).to_string())
}

fn decode(cursor: &str) -> Option<Place> {
    let (id, value): (i64, String) = serde_json::from_slice(&STANDARD.decode(cursor).ok()?).ok()?;
    Some((value, id))
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The flat form of `v2`: numeric id beside the uuid, no address.
fn show(state: &State, row: &Credential) -> Value {
    let group = state.groups.get(&row.group_id);
    json!({
        "id": row.id,
        "uuid": row.uuid,
        "encoded_id": row.encoded_id,
        "license_id": row.license_id,
        "name": row.name.as_ref().or(group.map(|group| &group.course_name)),
        "group": {
            "id": row.group_id,
            "name": group.map(|group| &group.name),
            "course_name": group.map(|group| &group.course_name),
            "certificate_design_id": group.and_then(|g| g.details.get("certificate_design_id")),
            "badge_design_id": group.and_then(|g| g.details.get("badge_design_id")),
        },
        "recipient_name": row.recipient.name,
        "recipient_email": row.recipient.email,
        "recipient_id": row.recipient.id,
        "recipient_meta_data": row.recipient.meta_data,
        "meta_data": row.meta_data,
        "custom_attributes": row.custom_attributes,
        "issued_on": row.issued_on,
        "expired_on": row.expired_on,
        "published_on": timestamp(row.published_at),
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
        "approve": row.approve,
        "private": row.private,
        "grade": Value::Null,
        "recipient_opened": false,
        "recipient_engaged": false,
        "seo_image": Value::Null,
        "issuer_id": state.issuer.id,
    })
}
