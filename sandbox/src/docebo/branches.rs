//! The org chart, `manage/v1/orgchart`. In: rows that create or rename branches, and questions. Out:
//! one result per row, with status 200 even when every row failed; lists of branches. Always true: a
//! bad row spoils only itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, flag};
use super::paging;
use super::reply::{Answer, Refusal};
use super::rows::label;
use super::state::{Key, State};

/// A branch of the org chart.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Branch {
    #[serde(default)]
    pub(crate) id: i64,
    pub(crate) code: String,
    /// The branch above it; absent below the root.
    #[serde(default)]
    pub(crate) parent: Option<i64>,
    /// The name by language.
    #[serde(default)]
    pub(crate) translations: BTreeMap<String, String>,
}

/// `GET /manage/v1/orgchart`: search and list.
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    paging::list(call, 200, |call| Ok(matching(call)), show)
}

fn matching(call: &Call<'_>) -> Vec<Key> {
    let branches = call.state.branches.values();
    let search = call.params.one("search_text").map(str::to_lowercase);
    let parent = call.params.one("node_id").and_then(|id| id.parse().ok());
    let is_flat = call.params.one("flattened") == Some("true");
    let found = branches.filter(|branch| match (&search, parent) {
        (Some(text), _) => {
            branch.code.to_lowercase().contains(text)
                || label(&branch.translations).to_lowercase().contains(text)
        }
        (None, Some(0) | None) => is_flat || branch.parent.is_none(),
        (None, parent) => branch.parent == parent,
    });
    found.map(|branch| (branch.id, 0)).collect()
}

fn show(state: &State, (id, _): Key) -> Option<Value> {
    let branch = state.branches.get(&id)?;
    let has_children = state.branches.values().any(|row| row.parent == Some(id));
    Some(json!({
        "id": id,
        "title": label(&branch.translations),
        "code": branch.code,
        "has_children": has_children,
        "selectable": true,
    }))
}

/// `POST /manage/v1/orgchart/batch`: creates branches and, with the option `update`, renames them.
pub(crate) fn write(call: &mut Call<'_>) -> Answer {
    let items = call.body.get("items").and_then(Value::as_array).cloned();
    let items = items.ok_or_else(|| Refusal::bad_request("items cannot be blank"))?;
    let may_update = call
        .body
        .get("options")
        .and_then(|options| options.get("update"))
        .and_then(flag)
        .unwrap_or(true);
    let results = items.iter().map(|item| {
        let done = write_row(call.state, item, may_update);
        json!({ "success": done.is_ok(), "message": done.err().unwrap_or_default() })
    });
    Ok(Value::Array(results.collect()))
}

fn write_row(state: &mut State, item: &Value, may_update: bool) -> Result<(), String> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let code = text("code").filter(|code| !code.is_empty());
    let code = code.ok_or("code is required")?;
    let parent = match text("parent_code").filter(|code| !code.is_empty()) {
        None => None,
        Some(code) => Some(coded(state, code).ok_or_else(|| format!("Branch {code} not found"))?),
    };
    let translations: BTreeMap<String, String> = item
        .get("translations")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(language, name)| Some((language.clone(), name.as_str()?.to_owned())))
        .collect();
    let id = coded(state, code);
    if id.is_some() && !may_update {
        return Err(format!("Branch {code} already exists"));
    }
    state.put_branch(Branch {
        id: id.unwrap_or(0),
        code: code.to_owned(),
        parent,
        translations,
    })?;
    Ok(())
}

/// The branch with this code.
pub(crate) fn coded(state: &State, code: &str) -> Option<i64> {
    let branch = state.branches.values().find(|branch| branch.code == code);
    branch.map(|branch| branch.id)
}
