//! What jobs leave in the database, without a secret in it.
//!
//! In: arrivals, advances and requests as they are; records and entries as they are stored. Out:
//! the same with every secret sealed, or opened again.
//! Always true: a secret that this process knows is sealed by value before it is written, in
//! whatever form it stands there; what is read back is what was given; a process learns the secrets
//! of earlier ones as it opens what they sealed. What holds no secret costs one look through it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::corrupt;
use super::seal::{Sealer, is_sealed};
use crate::data::{Object, Value, digest};
use crate::journal::{Ending, Entry};
use crate::mask::{Masker, learned_secrets};
use crate::store::{
    Advance, Arrival, Claimed, JobRecord, JobRequest, NewJob, Next, Payload, Pinned, RequestKind,
    Rerun, StoreError,
};

/// Seals with the secrets that are known now.
pub(super) struct Veil<'a> {
    sealer: &'a Sealer,
    secrets: std::sync::Arc<Masker>,
}

impl<'a> Veil<'a> {
    pub(super) fn of(sealer: &'a Sealer) -> Self {
        Self {
            sealer,
            secrets: learned_secrets(),
        }
    }

    pub(super) fn arrival(&self, mut arrival: Arrival) -> Result<Arrival, StoreError> {
        if self.secrets.is_empty() {
            return Ok(arrival);
        }
        arrival.jobs = self.jobs(arrival.jobs)?;
        if let Some(payload) = &mut arrival.payload {
            payload.headers = self.value(std::mem::take(&mut payload.headers))?;
            payload.query = self.value(std::mem::take(&mut payload.query))?;
            if let Ok(text) = std::str::from_utf8(&payload.body)
                && self.secrets.finds(text)
            {
                let sealed = self.sealer.sealed_text(&self.secrets, text)?.into_owned();
                payload.body = sealed.into_bytes();
            }
        }
        Ok(arrival)
    }

    pub(super) fn advance(&self, mut advance: Advance) -> Result<Advance, StoreError> {
        if self.secrets.is_empty() {
            return Ok(advance);
        }
        advance.entries = self.any(advance.entries)?;
        advance.children = self.jobs(advance.children)?;
        advance.pinned = self.pinned(advance.pinned)?;
        for hold in &mut advance.holds {
            hold.value = hold.value.take().map(|value| self.name(value));
        }
        if let Next::Ended(ending) = advance.next {
            advance.next = Next::Ended(self.any(ending)?);
        }
        Ok(advance)
    }

    /// A rerun, what it pins and keeps among it.
    pub(super) fn rerun(&self, mut rerun: Rerun) -> Result<Rerun, StoreError> {
        if self.secrets.is_empty() {
            return Ok(rerun);
        }
        rerun.job = self.job(rerun.job)?;
        rerun.entries = self.any(rerun.entries)?;
        rerun.pinned = self.pinned(rerun.pinned)?;
        Ok(rerun)
    }

    pub(super) fn request(&self, kind: RequestKind) -> Result<RequestKind, StoreError> {
        self.any(kind)
    }

    /// The value with its secrets sealed.
    pub(super) fn value(&self, value: Value) -> Result<Value, StoreError> {
        if self.secrets.is_empty() {
            return Ok(value);
        }
        sealed(self.sealer, &self.secrets, value)
    }

    /// Members of an object, with their secrets sealed.
    pub(super) fn members(&self, members: Object) -> Result<Object, StoreError> {
        match self.value(Value::Object(members))? {
            Value::Object(members) => Ok(members),
            _ => Ok(Object::new()),
        }
    }

    fn jobs(&self, jobs: Vec<NewJob>) -> Result<Vec<NewJob>, StoreError> {
        jobs.into_iter().map(|job| self.job(job)).collect()
    }

    fn job(&self, job: NewJob) -> Result<NewJob, StoreError> {
        Ok(NewJob {
            event: self.value(job.event)?,
            input: self.value(job.input)?,
            dedupe: job.dedupe.map(|(key, until)| (self.name(key), until)),
            ..job
        })
    }

    fn pinned(&self, pinned: Option<Pinned>) -> Result<Option<Pinned>, StoreError> {
        let Some(pinned) = pinned else {
            return Ok(None);
        };
        Ok(Some(Pinned {
            settings: self.value(pinned.settings)?,
            ..pinned
        }))
    }

    /// A text that is compared and never read: with a secret in it, its hash does as well.
    pub(super) fn name(&self, text: String) -> String {
        if self.secrets.finds(&text) {
            return digest(text.as_bytes());
        }
        text
    }

    fn any<T: Serialize + DeserializeOwned>(&self, thing: T) -> Result<T, StoreError> {
        if self.secrets.is_empty() {
            return Ok(thing);
        }
        let text = serde_json::to_string(&thing).map_err(|e| corrupt("a value", &e))?;
        if !self.secrets.finds(&text) {
            return Ok(thing);
        }
        let value = serde_json::from_str(&text).map_err(|e| corrupt("a value", &e))?;
        let value = sealed(self.sealer, &self.secrets, value)?;
        serde_json::from_value(value).map_err(|e| corrupt("a value", &e))
    }
}

/// A claimed job, opened.
pub(super) fn opened_claimed(sealer: &Sealer, mut claimed: Claimed) -> Result<Claimed, StoreError> {
    claimed.job = opened_record(sealer, claimed.job)?;
    claimed.entries = opened_entries(sealer, claimed.entries)?;
    claimed.requests = opened_requests(sealer, claimed.requests)?;
    claimed.pinned = claimed.pinned.map(|pinned| opened_pinned(sealer, pinned));
    Ok(claimed)
}

pub(super) fn opened_record(
    sealer: &Sealer,
    mut record: JobRecord,
) -> Result<JobRecord, StoreError> {
    record.event = opened(sealer, record.event);
    record.input = opened(sealer, record.input);
    if let Some(ending) = record.ending {
        record.ending = Some(opened_any::<Ending>(sealer, ending)?);
    }
    Ok(record)
}

pub(super) fn opened_entries(
    sealer: &Sealer,
    entries: Vec<Entry>,
) -> Result<Vec<Entry>, StoreError> {
    entries
        .into_iter()
        .map(|entry| opened_any(sealer, entry))
        .collect()
}

pub(super) fn opened_requests(
    sealer: &Sealer,
    requests: Vec<JobRequest>,
) -> Result<Vec<JobRequest>, StoreError> {
    let one = |request: JobRequest| {
        Ok(JobRequest {
            kind: opened_any(sealer, request.kind)?,
            ..request
        })
    };
    requests.into_iter().map(one).collect()
}

pub(super) fn opened_pinned(sealer: &Sealer, pinned: Pinned) -> Pinned {
    Pinned {
        settings: opened(sealer, pinned.settings),
        ..pinned
    }
}

pub(super) fn opened_payload(sealer: &Sealer, payload: Payload) -> Payload {
    let body = match std::str::from_utf8(&payload.body) {
        Ok(text) if is_sealed(text) => sealer.opened_text(text).into_owned().into_bytes(),
        _ => payload.body,
    };
    Payload {
        headers: opened(sealer, payload.headers),
        query: opened(sealer, payload.query),
        body,
    }
}

fn sealed(sealer: &Sealer, secrets: &Masker, value: Value) -> Result<Value, StoreError> {
    Ok(match value {
        Value::String(text) => sealer.sealed_text(secrets, &text)?.into_owned().into(),
        Value::Array(list) => {
            let list = list.into_iter().map(|value| sealed(sealer, secrets, value));
            Value::Array(list.collect::<Result<_, _>>()?)
        }
        Value::Object(object) => {
            let mut members = Object::new();
            for (name, value) in object {
                let name = sealer.sealed_text(secrets, &name)?.into_owned();
                members.insert(name, sealed(sealer, secrets, value)?);
            }
            Value::Object(members)
        }
        other => other,
    })
}

/// A value whose sealed pieces are opened.
pub(super) fn opened(sealer: &Sealer, value: Value) -> Value {
    match value {
        Value::String(text) if is_sealed(&text) => sealer.opened_text(&text).into_owned().into(),
        Value::Array(list) => list
            .into_iter()
            .map(|value| opened(sealer, value))
            .collect(),
        Value::Object(object) => object
            .into_iter()
            .map(|(name, value)| {
                (
                    sealer.opened_text(&name).into_owned(),
                    opened(sealer, value),
                )
            })
            .collect::<Object>()
            .into(),
        other => other,
    }
}

fn opened_any<T: Serialize + DeserializeOwned>(sealer: &Sealer, thing: T) -> Result<T, StoreError> {
    let value = serde_json::to_value(&thing).map_err(|e| corrupt("a value", &e))?;
    if !holds_sealed(&value) {
        return Ok(thing);
    }
    serde_json::from_value(opened(sealer, value)).map_err(|e| corrupt("a value", &e))
}

fn holds_sealed(value: &Value) -> bool {
    match value {
        Value::String(text) => is_sealed(text),
        Value::Array(list) => list.iter().any(holds_sealed),
        Value::Object(object) => object
            .iter()
            .any(|(name, value)| is_sealed(name) || holds_sealed(value)),
        _ => false,
    }
}
