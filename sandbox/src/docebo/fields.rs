//! Additional fields of courses, sessions and learning plans. In: field definitions and their
//! dropdown options. Out: the same, and the values that courses and plans hold. Always true: an
//! option that is deleted takes its values with it, so a course falls back to "no value".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Call, int};
use super::paging;
use super::quirks::DropdownValue;
use super::reply::{Answer, Refusal};
use super::rows::{Field, FieldOption, label};
use super::state::{Key, State};
use crate::wire::params::Params;

/// Additional fields exist for these.
const ASSOCIATIONS: [&str; 4] = ["course", "ilt", "webinar", "coursepath"];

/// `GET /learn/v1/courses/field`.
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    paging::list(call, 20, matching, |state, (id, _)| {
        let field = state.fields.get(&id)?;
        Some(json!({ "id": id, "type": field.kind, "name": name(field) }))
    })
}

fn matching(call: &Call<'_>) -> Result<Vec<Key>, Refusal> {
    let wanted = call.params.one("association").unwrap_or("course");
    if !ASSOCIATIONS.contains(&wanted) {
        return Err(Refusal::bad_request(format!(
            "Invalid association: {wanted}"
        )));
    }
    let fields = call
        .state
        .fields
        .values()
        .filter(|field| field.association == wanted);
    Ok(fields.map(|field| (field.id, 0)).collect())
}

/// `GET /learn/v1/courses/field/{id}`.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let field = find(call)?;
    let options = field.options.iter();
    let options = options.map(|o| json!({ "id": o.id, "translations": o.translations }));
    Ok(json!({
        "id": field.id,
        "type": field.kind,
        "association": field.association,
        "name": name(field),
        "dropdown_options": options.collect::<Vec<_>>(),
    }))
}

/// `POST /learn/v1/courses/field`.
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let association = call.body_text("association").unwrap_or("").to_owned();
    if !ASSOCIATIONS.contains(&association.as_str()) {
        return Err(Refusal::bad_request(format!(
            "Invalid association: {association}"
        )));
    }
    let translations = read_translations(call.body.get("translations"))?;
    let is_taken =
        |field: &Field| field.association == association && field.title() == label(&translations);
    if call.state.fields.values().any(is_taken) {
        let title = label(&translations);
        return Err(Refusal::bad_request(format!(
            "A field named {title} already exists"
        )));
    }
    let rows = call.body.get("dropdown_options").and_then(Value::as_array);
    let options = new_options(call.state, rows.into_iter().flatten())?;
    let id = call.state.fields.keys().next_back().unwrap_or(&0) + 1;
    let kind = call.body_text("type").unwrap_or("dropdown").to_owned();
    call.state.put_field(Field {
        id,
        association,
        kind,
        translations,
        options,
    });
    Ok(json!({ "id": id }))
}

/// `PUT /learn/v1/courses/field/{id}`: names, and options that are new, changed or gone.
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let mut field = find(call)?.clone();
    if let Some(translations) = call.body.get("translations") {
        field.translations = read_translations(Some(translations))?;
    }
    let changes = call
        .body
        .get("dropdown_options")
        .cloned()
        .unwrap_or_default();
    let rows = |name: &str| {
        changes
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let option_id = |row: &Value| row.get("id_option").and_then(int).or_else(|| int(row));
    for row in rows("updated") {
        let id = option_id(&row);
        let found = field
            .options
            .iter_mut()
            .find(|option| Some(option.id) == id);
        let option = found.ok_or_else(|| Refusal::bad_request(format!("Invalid option: {row}")))?;
        option.translations = read_translations(row.get("translations"))?;
    }
    let mut gone = Vec::new();
    for row in rows("deleted") {
        let id = option_id(&row).filter(|id| field.options.iter().any(|option| option.id == *id));
        gone.push(id.ok_or_else(|| Refusal::bad_request(format!("Invalid option: {row}")))?);
    }
    field
        .options
        .extend(new_options(call.state, rows("new").iter())?);
    field.options.retain(|option| !gone.contains(&option.id));
    for id in gone {
        forget_option(call.state, &field, id);
    }
    let options = field.options.iter();
    let options = options.map(|o| json!({ "id": o.id, "label": label(&o.translations) }));
    let data = json!({ "id": field.id, "dropdown_options": options.collect::<Vec<_>>() });
    call.state.put_field(field);
    Ok(data)
}

/// The values that a course, session or plan holds, one entry for each field of its kind.
pub(crate) fn values(state: &State, association: &str, held: &BTreeMap<i64, Value>) -> Vec<Value> {
    let fields = state
        .fields
        .values()
        .filter(|field| field.association == association);
    let show = |field: &Field| {
        let value = held.get(&field.id).cloned().unwrap_or_default();
        let option = int(&value).and_then(|id| field.options.iter().find(|o| o.id == id));
        let shown = match (state.quirks.dropdown_value, option) {
            (DropdownValue::Label, Some(option)) => json!(label(&option.translations)),
            _ => value,
        };
        json!({
            "id": field.id,
            "title": field.title(),
            "type": field.kind,
            "visible_to_user": true,
            "settings": {},
            "value": shown,
        })
    };
    fields.map(show).collect()
}

/// Takes `additional_fields: [{id, value}]` of a body into the values held.
pub(crate) fn write(
    call: &Call<'_>,
    association: &str,
    held: &mut BTreeMap<i64, Value>,
) -> Result<(), Refusal> {
    let rows = call.body.get("additional_fields").and_then(Value::as_array);
    for row in rows.into_iter().flatten() {
        let id = row.get("id").and_then(int).unwrap_or(0);
        let value = row.get("value").cloned().unwrap_or_default();
        let field = call
            .state
            .fields
            .get(&id)
            .filter(|f| f.association == association);
        let field = field.ok_or_else(|| Refusal::bad_request(format!("Invalid field: {id}")))?;
        if value.is_null() || value == "" {
            held.remove(&id);
            continue;
        }
        let is_option = int(&value).is_some_and(|id| field.options.iter().any(|o| o.id == id));
        if field.kind == "dropdown" && !is_option {
            return Err(Refusal::bad_request(format!(
                "Invalid value of field {id}: {value}"
            )));
        }
        held.insert(id, value);
    }
    Ok(())
}

/// The `field_{id}=value` filters of a list.
pub(crate) fn filters(params: &Params) -> Vec<(i64, String)> {
    let read = |name: &str| {
        let id = name.strip_prefix("field_")?.parse().ok()?;
        Some((id, params.one(name)?.to_owned()))
    };
    params.names().filter_map(read).collect()
}

/// Whether the values held are those that the filters want.
pub(crate) fn holds(held: &BTreeMap<i64, Value>, wanted: &[(i64, String)]) -> bool {
    wanted
        .iter()
        .all(|(id, text)| held.get(id).is_some_and(|value| text_of(value) == *text))
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Field, Refusal> {
    let id = call.id("id")?;
    call.state
        .fields
        .get(&id)
        .ok_or_else(|| Refusal::not_found("Field", id))
}

fn name(field: &Field) -> Value {
    json!({ "value": field.translations.get("english"), "values": field.translations })
}

fn read_translations(value: Option<&Value>) -> Result<BTreeMap<String, String>, Refusal> {
    let read = value
        .cloned()
        .map(serde_json::from_value::<BTreeMap<String, String>>);
    let translations = read
        .and_then(Result::ok)
        .filter(|t| t.values().any(|text| !text.is_empty()));
    translations.ok_or_else(|| Refusal::bad_request("translations cannot be blank"))
}

/// Options are numbered through all fields and never again, so that ids do not agree by luck.
fn new_options<'a>(
    state: &State,
    rows: impl Iterator<Item = &'a Value>,
) -> Result<Vec<FieldOption>, Refusal> {
    let read = |(id, row): (i64, &Value)| {
        let translations = read_translations(row.get("translations"))?;
        Ok(FieldOption { id, translations })
    };
    (state.last_option + 1..).zip(rows).map(read).collect()
}

fn forget_option(state: &mut State, field: &Field, option: i64) {
    let held = match field.association.as_str() {
        "course" => state
            .courses
            .values_mut()
            .map(|row| &mut row.fields)
            .collect::<Vec<_>>(),
        "coursepath" => state
            .plans
            .values_mut()
            .map(|row| &mut row.fields)
            .collect(),
        _ => state
            .sessions
            .values_mut()
            .map(|row| &mut row.fields)
            .collect(),
    };
    for values in held {
        if values.get(&field.id).and_then(int) == Some(option) {
            values.remove(&field.id);
        }
    }
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
