//! Why jobs failed, in words that name no person: for lists and results.
//!
//! In: records of jobs that ended. Out: their failures' messages, masked.
//! Always true: a message is shown only after its job was looked through for personal values; jobs
//! that ended do not change, so each is looked through once in a while of the server.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::data::Value;
use crate::mask::learned_secrets;
use crate::names::JobId;
use crate::store::JobRecord;

use super::Rooms;
use super::job::{Purpose, Seen};

/// So many messages are remembered.
const MESSAGES_MAX: usize = 5_000;

/// Messages that were masked already, oldest first.
#[derive(Debug, Default)]
pub struct Messages(Mutex<(BTreeMap<JobId, String>, VecDeque<JobId>)>);

impl Messages {
    fn get(&self, id: &JobId) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.0.get(id).cloned()
    }

    fn put(&self, id: &JobId, message: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (messages, order) = &mut *known;
        if messages.insert(id.clone(), message.to_owned()).is_none() {
            order.push_back(id.clone());
        }
        if order.len() > MESSAGES_MAX
            && let Some(oldest) = order.pop_front()
        {
            messages.remove(&oldest);
        }
    }
}

/// Masks the message of a job's failure in what is shown of it.
pub(super) async fn mask(rooms: &Rooms, record: &JobRecord, wire: &mut Value) {
    let ending = record.ending.as_ref();
    let Some(failure) = ending.and_then(|ending| ending.failure.as_ref()) else {
        return;
    };
    let message = match rooms.messages.get(&record.id) {
        Some(message) => message,
        // Nobody can tell any more what in it is personal.
        None if record.pruned.is_some() => "its history was removed".to_owned(),
        None => {
            // A job that cannot be read says so in words of our own.
            let masker = match Seen::of(rooms, &record.id, Purpose::Record).await {
                Ok(seen) => seen.masker(),
                Err(_) => (*learned_secrets()).clone().and_mails(),
            };
            let message = masker.text(&failure.message).into_owned();
            rooms.messages.put(&record.id, &message);
            message
        }
    };
    wire["failure"]["message"] = message.into();
}
