//! From one page of a listing to the next.
//!
//! In: the page that was asked for and its reply. Out: the next page to ask for, or the end.
//! Always true: a listing that stops short of its total, comes back to a cursor, or passes its cap
//! is an error; it is never silently shorter.

use serde::{Deserialize, Serialize};

use super::convert;
use super::output::{evaluate, flag};
use super::paging::{PageKind, Pages, Target};
use super::roots::Values;
use super::trouble::Trouble;
use crate::data::{Value, same};

/// A page to ask for; what a journal keeps between two pages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// How many pages came before.
    pub index: u64,
    /// How many items came before.
    pub seen: u64,
    /// Its number, offset, cursor or URL; none for a first page that needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Value>,
    /// What earlier replies asked to be sent along, in the order of the connector's `carry`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Option<Value>>,
    /// An earlier page's place: coming back to it is a circle. It moves on at every power of two,
    /// so that circles of any length are found without keeping every cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Value>,
}

/// What a page said of the listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The next page; none at the end.
    pub next: Option<Page>,
    /// How many items there are in all, if the vendor says.
    pub total: Option<u64>,
}

/// The page after this one. `values` has the root `reply`; `count` is the number of its items.
pub fn turn(pages: &Pages, page: &Page, count: u64, values: &Values) -> Result<Turn, Trouble> {
    let unexpected = |why: String| Trouble::new("unexpected_reply", why);
    let total = total(pages, values).map_err(unexpected)?;
    let seen = page.seen + count;
    let next = if is_last(pages, count) {
        None
    } else {
        next_place(pages, page, count, values).map_err(unexpected)?
    };
    let Some(at) = next else {
        return end(seen, total);
    };
    let current = place_of(pages, page);
    if current.as_ref().is_some_and(|current| same(current, &at)) {
        // More than there is was read twice: the cursor stood still while its page came again.
        if pages.ends.same_cursor && total.is_none_or(|total| seen <= total) {
            return end(seen, total);
        }
        return Err(circle(&at));
    }
    if page.mark.as_ref().is_some_and(|mark| same(mark, &at)) {
        return Err(circle(&at));
    }
    let index = page.index + 1;
    if index >= pages.cap {
        return Err(Trouble::new(
            "too_many_pages",
            format!(
                "the listing has more than {} pages, which is its cap",
                pages.cap
            ),
        ));
    }
    let mark = if index.is_power_of_two() {
        current
    } else {
        page.mark.clone()
    };
    Ok(Turn {
        next: Some(Page {
            index,
            seen,
            at: Some(at),
            carried: carried(pages, page, values).map_err(unexpected)?,
            mark,
        }),
        total,
    })
}

/// What is put into the request for this page.
pub(super) fn sent_with(pages: &Pages, page: &Page) -> Vec<(Target, Value)> {
    let mut sent = Vec::new();
    if let Some((target, size)) = &pages.size {
        sent.push((target.clone(), Value::from(*size)));
    }
    if let (Some(target), Some(at)) = (&pages.send, place_of(pages, page)) {
        sent.push((target.clone(), at));
    }
    for ((target, _), value) in pages.carry.iter().zip(&page.carried) {
        if let Some(value) = value {
            sent.push((target.clone(), value.clone()));
        }
    }
    sent
}

fn is_last(pages: &Pages, count: u64) -> bool {
    let is_short = pages.size.as_ref().is_some_and(|(_, size)| count < *size);
    (pages.ends.empty_page && count == 0) || (pages.ends.short_page && is_short)
}

fn end(seen: u64, total: Option<u64>) -> Result<Turn, Trouble> {
    match total {
        Some(total) if seen < total => Err(Trouble::new(
            "incomplete_listing",
            format!("the listing ended after {seen} of {total} items"),
        )),
        _ => Ok(Turn { next: None, total }),
    }
}

fn circle(at: &Value) -> Trouble {
    Trouble::new(
        "repeated_cursor",
        format!("the listing goes in a circle: `{at}` comes a second time"),
    )
}

/// The number, offset or cursor of a page.
fn place_of(pages: &Pages, page: &Page) -> Option<Value> {
    match pages.by {
        PageKind::PageNumber | PageKind::Offset => {
            Some(page.at.clone().unwrap_or_else(|| pages.first.into()))
        }
        _ => page.at.clone(),
    }
}

fn next_place(
    pages: &Pages,
    page: &Page,
    count: u64,
    values: &Values,
) -> Result<Option<Value>, String> {
    let next = match &pages.next {
        Some(next) => evaluate(next, values)?.filter(|value| !is_none(value)),
        None => None,
    };
    let more = match &pages.more {
        Some(more) => Some(flag(more, values)?),
        None => None,
    };
    if more == Some(false) {
        return Ok(None);
    }
    match pages.by {
        PageKind::PageNumber if pages.next.is_some() => match next {
            None => Ok(None),
            Some(next) => convert::integer(&next)
                .map(Some)
                .ok_or_else(|| format!("expected the number of the next page, not {next}")),
        },
        PageKind::PageNumber | PageKind::Offset => {
            let is_short = pages.size.as_ref().is_some_and(|(_, size)| count < *size);
            if more.is_none() && (count == 0 || is_short) {
                return Ok(None);
            }
            if more.is_some() && count == 0 && pages.by == PageKind::Offset {
                return Err("the reply says that there is more, but gives no items".to_owned());
            }
            let current = place_of(pages, page)
                .and_then(|at| at.as_i64())
                .unwrap_or(0);
            let by = match pages.by {
                PageKind::Offset => i64::try_from(count).unwrap_or(i64::MAX),
                _ => 1,
            };
            Ok(Some(current.saturating_add(by).into()))
        }
        PageKind::Relay if next.is_none() && more == Some(true) => {
            Err("the reply says that there is more, but gives no cursor".to_owned())
        }
        _ => Ok(next),
    }
}

fn is_none(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn total(pages: &Pages, values: &Values) -> Result<Option<u64>, String> {
    let Some(total) = &pages.total else {
        return Ok(None);
    };
    match evaluate(total, values)? {
        None | Some(Value::Null) => Ok(None),
        Some(value) => convert::integer(&value)
            .and_then(|whole| whole.as_u64())
            .map(Some)
            .ok_or_else(|| format!("expected the number of all items, not {value}")),
    }
}

fn carried(pages: &Pages, page: &Page, values: &Values) -> Result<Vec<Option<Value>>, String> {
    pages
        .carry
        .iter()
        .enumerate()
        .map(|(index, (_, taken))| {
            let taken = evaluate(taken, values)?.filter(|value| !is_none(value));
            Ok(taken.or_else(|| page.carried.get(index).cloned().flatten()))
        })
        .collect()
}
