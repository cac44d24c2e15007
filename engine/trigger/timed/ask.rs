//! Asking a listing for all that is new.
//!
//! In: the trigger and where it stands. Out: the new items and where it stands then, or why not.
//! Always true: all pages or nothing; whatever fails has a message that an admin can act on.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::Timekeeper;
use super::cursor::{Stand, mark};
use super::poll::Trouble;
use crate::compile::{Poll, Program};
use crate::data::{Object, Value};
use crate::expression::Expression;
use crate::interpret::{Call, Called, LISTED_ITEMS_MAX};
use crate::journal::{EntryKey, Failure};
use crate::mask::{Hidden, Marked};
use crate::shape::Shape;
use crate::step::Performed;
use crate::store::{PolledItem, StoreError};
use crate::trigger::scope::TriggerScope;
use crate::trigger::split::key_of;

/// A question to a listing.
pub(super) struct Asked<'a> {
    pub(super) program: &'a Program,
    pub(super) poll: &'a Poll,
    /// How far the last good poll got.
    pub(super) stand: Option<Stand>,
    pub(super) version: i64,
}

/// What a listing answered.
pub(super) struct Found {
    /// What is new by the cursor.
    pub(super) items: Vec<PolledItem>,
    /// Where the next poll begins.
    pub(super) stand: Option<Stand>,
    /// How many items there were.
    pub(super) seen: u64,
}

type Answer<T> = Result<T, Box<Trouble>>;

impl Timekeeper {
    /// Fetches all pages and picks what is new.
    pub(super) async fn ask(&self, asked: &Asked<'_>) -> Result<Answer<Found>, StoreError> {
        let intake = &self.intake;
        let declared = intake.shelf.settings_of(asked.program);
        let settings = match intake.store.settings(&declared).await? {
            Ok(settings) => settings,
            Err(why) => return Ok(Err(Trouble::failed(Failure::new("wrong_settings", why)))),
        };
        let recipe = asked.program.root();
        let scope = TriggerScope {
            trigger: None,
            settings: settings.get(recipe.name.project()).cloned(),
            now: intake.clock.now(),
            zone: &recipe.timezone,
        };
        Ok(self.ask_within(asked, &scope).await)
    }

    async fn ask_within(&self, asked: &Asked<'_>, scope: &TriggerScope<'_>) -> Answer<Found> {
        let mut input = match evaluated(&asked.poll.with, scope)? {
            Some(Value::Object(input)) => input,
            _ => Object::new(),
        };
        let mut stand = asked.stand.clone();
        if let Some(cursor) = &asked.poll.cursor {
            if let (None, Some(start)) = (&stand, &cursor.start) {
                stand = evaluated(start, scope)?.map(Stand::new);
            }
            if let Some(at) = stand.as_ref().and_then(|stand| stand.at.as_ref()) {
                input.insert(cursor.send.clone(), at.clone());
            }
        }
        let listed = self.fetch(asked, Value::Object(input)).await?;
        let action = &asked.poll.action;
        let connector = self.intake.shelf.connector(&action.connector);
        let action = connector
            .as_ref()
            .and_then(|c| c.actions.get(&action.action));
        let output = action.map_or(&Shape::Any, |action| &action.output);
        pick(asked.poll, listed, stand, (scope, output))
    }

    /// All items of all pages.
    async fn fetch(&self, asked: &Asked<'_>, input: Value) -> Answer<Vec<Value>> {
        let action = &asked.poll.action;
        let mut call = Call {
            action: action.clone(),
            input,
            also_send: None,
            cursor: None,
            timeout: None,
            // The same for each try of a poll, so that it keeps its place in line for room.
            call_key: format!("poll of {}", asked.program.root),
            place: EntryKey(Arc::from("")),
        };
        let mut items = Vec::new();
        for page in 1.. {
            call.place = EntryKey(format!("poll[{}]/page[{page}]", asked.version).into());
            let mut output = self.page(&call, page).await?;
            let Some(Value::Array(more)) = output.get_mut("items").map(Value::take) else {
                let why = Failure::new("unexpected_reply", "a page without `items`");
                return Err(Trouble::failed(why));
            };
            items.extend(more);
            if items.len() > LISTED_ITEMS_MAX {
                return Err(Trouble::failed(Failure::new(
                    "too_many_items",
                    format!(
                        "`{}.{}` lists more than {LISTED_ITEMS_MAX} items at once, so nothing was \
                         taken; narrow it with `with`, or begin later with `cursor.start`",
                        action.connector, action.action
                    ),
                )));
            }
            call.cursor = output
                .get_mut("next")
                .map(Value::take)
                .filter(|next| !next.is_null());
            if call.cursor.is_none() {
                break;
            }
        }
        Ok(items)
    }

    async fn page(&self, call: &Call, number: u64) -> Answer<Value> {
        loop {
            match self.calls.call(call).await {
                // Before the first page nothing is lost by coming back later.
                Performed::Later(until) if number == 1 => {
                    let message = "the connection's budget leaves no room at the moment";
                    return Err(Box::new(Trouble {
                        failure: Failure::new("no_room", message),
                        was_sent: false,
                        not_before: Some(until),
                    }));
                }
                Performed::Later(until) => self.intake.clock.sleep_until(until).await,
                Performed::Ended(Called::Done { output }) => return Ok(output),
                Performed::Ended(Called::Failed { failure, retry }) => {
                    let mut trouble = Trouble::failed(failure);
                    trouble.not_before = retry.map(|retry| self.intake.clock.now().after(retry));
                    return Err(trouble);
                }
                Performed::Ended(Called::Doubtful { failure }) => {
                    return Err(Trouble::failed(failure));
                }
            }
        }
    }
}

/// Picks what is new.
fn pick(
    poll: &Poll,
    listed: Vec<Value>,
    begun_at: Option<Stand>,
    (scope, output): (&TriggerScope<'_>, &Shape),
) -> Answer<Found> {
    let seen = listed.len() as u64;
    let mut stand = begun_at.clone();
    let mut items = Vec::new();
    let mut without_place = BTreeSet::new();
    for (index, item) in listed.into_iter().enumerate() {
        let of_item = TriggerScope {
            trigger: Some(Arc::new(json!({ "item": item, "index": index }))),
            settings: None,
            ..*scope
        };
        let told = |trouble| without_item(trouble, &item, output);
        let failed = |why: Box<Failure>| Trouble::failed(*why);
        if let Some(cursor) = &poll.cursor {
            let at = evaluated(&cursor.from, &of_item)
                .map_err(|trouble| no_place(told(trouble), index))?
                .filter(|at| !at.is_null());
            let is_new = match (&at, &begun_at) {
                (None, begun_at) => {
                    let mark = mark(&item);
                    let is_known = begun_at.as_ref().is_some_and(|known| known.knows(&mark));
                    without_place.insert(mark);
                    !is_known
                }
                (Some(at), Some(begun_at)) => begun_at.is_new(at, &item).map_err(failed)?,
                (Some(_), None) => true,
            };
            if let Some(at) = at {
                stand = Some(Stand::past(stand, &at, &item).map_err(failed)?);
            }
            if !is_new {
                continue;
            }
        }
        let dedupe = poll.dedupe.as_ref().and_then(|dedupe| {
            let key = key_of(&dedupe.key, &of_item)?;
            Some((key, scope.now.after(dedupe.window)))
        });
        items.push(PolledItem { item, dedupe });
    }
    if !without_place.is_empty() {
        stand = Some(stand.unwrap_or_default().with_unplaced(without_place));
    }
    Ok(Found { items, stand, seen })
}

/// Says which item has no cursor value, and what can be done about it.
fn no_place(mut trouble: Box<Trouble>, index: usize) -> Box<Trouble> {
    trouble.failure.message = format!(
        "item {} of the listing: {}; if items may lack it, end the path with `?`: such an item is \
         new once, and again when it changes",
        index + 1,
        trouble.failure.message
    );
    trouble
}

/// What went wrong with an item, without what it says of people: the message is kept and shown.
fn without_item(mut trouble: Box<Trouble>, item: &Value, output: &Shape) -> Box<Trouble> {
    let mut hidden = Hidden::default();
    hidden.take_unknown(item, &|_| false);
    let listed = json!({ "items": [item] });
    hidden.gather(output, &listed, Marked::SecretOrPersonal);
    let message = hidden
        .masker()
        .and_mails()
        .text(&trouble.failure.message)
        .into_owned();
    trouble.failure.message = message;
    trouble
}

fn evaluated(expression: &Expression, scope: &TriggerScope<'_>) -> Answer<Option<Value>> {
    expression.evaluate(scope).map_err(|error| {
        let message = format!("`{}`: {}", error.expression, error.message);
        Trouble::failed(Failure::new("no_value", message))
    })
}
