//! Why jobs failed, in words that name no person: for lists and results.
//!
//! In: records of jobs that ended. Out: their failures' messages, masked.
//! Always true: a message is shown only after its job was looked through for personal values; what
//! was found counts for the end that the job came to, and a released job may come to another.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::clock::Moment;
use crate::data::Value;
use crate::mask::Masker;
use crate::names::JobId;
use crate::store::JobRecord;

use super::job::{Purpose, Seen};
use super::{Problem, Rooms};

/// So many messages are remembered.
const MESSAGES_MAX: usize = 5_000;

/// One end of a job.
type End = (JobId, Option<Moment>);

/// Messages that were masked already, oldest first.
#[derive(Debug, Default)]
pub struct Messages(Mutex<(BTreeMap<End, String>, VecDeque<End>)>);

impl Messages {
    fn get(&self, end: &End) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.0.get(end).cloned()
    }

    fn put(&self, end: End, message: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (messages, order) = &mut *known;
        if messages.insert(end.clone(), message.to_owned()).is_none() {
            order.push_back(end);
        }
        if order.len() > MESSAGES_MAX
            && let Some(oldest) = order.pop_front()
        {
            messages.remove(&oldest);
        }
    }
}

async fn seen(rooms: &Rooms, record: &JobRecord) -> Result<(Seen, Masker), Problem> {
    let seen = Seen::of(rooms, &record.id, Purpose::Record).await?;
    seen.with_masker().await
}

/// Masks the message of a job's failure in what is shown of it.
pub(super) async fn mask(rooms: &Rooms, record: &JobRecord, wire: &mut Value) {
    let ending = record.ending.as_ref();
    let Some(failure) = ending.and_then(|ending| ending.failure.as_ref()) else {
        return;
    };
    let end = (record.id.clone(), record.ended_at);
    let message = match rooms.messages.get(&end) {
        Some(message) => message,
        // Nobody can tell any more what in it is personal.
        None if record.pruned.is_some() => "its history was removed".to_owned(),
        None => match seen(rooms, record).await {
            Ok((seen, masker)) => {
                let mut message = masker.text(&failure.message).into_owned();
                if seen.reaction_failed() {
                    message.push_str(" (what `on_failure` calls failed, too)");
                }
                rooms.messages.put(end, &message);
                message
            }
            // Nobody can tell at the moment what in it is personal.
            Err(_) => "its reason cannot be shown at the moment; ask again".to_owned(),
        },
    };
    wire["failure"]["message"] = message.into();
}
