//! Lists. In: the keys of a list, in order, and how to show one. Out: one page in the vendor's
//! envelope. Always true: no page is longer than 200, and a cursor pages through the list as it
//! was when the cursor was made; a cursor that belongs to another list is refused.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::call::Call;
use super::reply::{Answer, Refusal};
use super::state::{Key, State};

/// The documented end of `page_size`; more is not refused but clamped.
const PAGE_SIZE_MAX: usize = 200;

/// Parameters that choose the page, not the list.
const PAGE_PARAMS: [&str; 5] = [
    "page",
    "page_size",
    "cursor",
    "get_cursor",
    "get_total_count",
];

/// The lists that cursors point into.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    by_cursor: HashMap<String, Snapshot>,
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Snapshot {
    list: String,
    keys: Arc<Vec<Key>>,
}

/// Answers one page of a list.
pub(crate) fn list(
    call: &mut Call<'_>,
    page_size_default: usize,
    keys: impl FnOnce(&Call<'_>) -> Result<Vec<Key>, Refusal>,
    show: impl Fn(&State, Key) -> Option<Value>,
) -> Answer {
    let number = |name: &str| {
        call.params
            .one(name)
            .and_then(|text| text.parse::<usize>().ok())
    };
    // Some clients count from 0; the vendor takes that for the first page.
    let page = number("page").unwrap_or(1).max(1);
    let wanted = number("page_size")
        .filter(|size| *size > 0)
        .unwrap_or(page_size_default);
    let (keys, cursor) = snapshot(call, keys)?;
    let is_whole = call.params.is_on("no_pagination");
    let page_size = if is_whole {
        keys.len().max(1)
    } else {
        wanted.min(PAGE_SIZE_MAX)
    };
    let start = (page - 1).saturating_mul(page_size).min(keys.len());
    let end = (start + page_size).min(keys.len());
    let items: Vec<Value> = keys[start..end]
        .iter()
        .filter_map(|key| show(call.state, *key))
        .collect();
    let mut data = json!({
        "count": items.len(),
        "items": items,
        "has_more_data": end < keys.len(),
        "cursor": cursor,
        "current_page": page,
        "current_page_size": page_size,
        "sort": [],
    });
    if call.params.is_on("get_total_count") {
        data["total_count"] = json!(keys.len());
        data["total_page_count"] = json!(keys.len().div_ceil(page_size));
    }
    Ok(data)
}

fn snapshot(
    call: &mut Call<'_>,
    keys: impl FnOnce(&Call<'_>) -> Result<Vec<Key>, Refusal>,
) -> Result<(Arc<Vec<Key>>, Option<String>), Refusal> {
    let list = format!(
        "{}?{}",
        call.uri_path,
        call.params.fingerprint(&PAGE_PARAMS)
    );
    if let Some(cursor) = call.params.one("cursor") {
        let found = call.state.snapshots.by_cursor.get(cursor);
        let found = found.filter(|snapshot| snapshot.list == list);
        let snapshot = found.ok_or_else(|| Refusal::bad_request("Invalid cursor"))?;
        return Ok((Arc::clone(&snapshot.keys), Some(cursor.to_owned())));
    }
    let keys = Arc::new(keys(call)?);
    if !call.params.is_on("get_cursor") {
        return Ok((keys, None));
    }
    let cursor = call.state.chance.token();
    let kept = call.state.quirks.cursors_kept.max(1);
    let snapshots = &mut call.state.snapshots;
    while snapshots.order.len() >= kept
        && let Some(oldest) = snapshots.order.pop_front()
    {
        snapshots.by_cursor.remove(&oldest);
    }
    snapshots.order.push_back(cursor.clone());
    snapshots.by_cursor.insert(
        cursor.clone(),
        Snapshot {
            list,
            keys: Arc::clone(&keys),
        },
    );
    Ok((keys, Some(cursor)))
}
