//! Vendors, tables and persons of a job, whose answers hang on the place that asks.
//!
//! In: effects. Out: answers.
//! Always true: the same place gets the same answer, so that a resumed job can be compared; what
//! happened is counted, and whoever is asked whether it happened tells the truth or does not know.

use std::collections::BTreeMap;
use std::time::Duration;

use recipe_engine::clock::Moment;
use recipe_engine::connector;
use recipe_engine::data::Value;
use recipe_engine::interpret::{Answer, Call, Called, Effect, EffectKind, Verified};
use recipe_engine::journal::{Decision, Ending, Entry, EntryKey, EntryKind, Failure, JobStatus};
use recipe_engine::store::Awaited;
use recipe_engine::table::{Performed, Refused};
use serde_json::json;

/// The world outside of a job.
#[derive(Clone)]
pub(crate) struct Vendors {
    seed: u64,
    /// What happened that must not happen twice, by call: how often, and what came of it.
    done: BTreeMap<String, (u32, Value)>,
    /// The calls behind places.
    calls: BTreeMap<EntryKey, String>,
    /// What was asked for, by place.
    requests: BTreeMap<EntryKey, Value>,
}

impl Vendors {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            done: BTreeMap::new(),
            calls: BTreeMap::new(),
            requests: BTreeMap::new(),
        }
    }

    /// From when on the job folds its loops, and how many iterations it keeps; none: as it likes.
    pub(crate) fn folding(&self) -> Option<(u64, u64)> {
        let (after, kept) = (self.seed / 3 % 4, self.seed / 12 % 3 + 1);
        (!self.seed.is_multiple_of(3)).then_some((after, kept))
    }

    /// Answers an effect that is no timer; what a table did is recorded by the store.
    pub(crate) fn answer(&mut self, effect: &Effect, at: Moment) -> (Answer, Option<Entry>) {
        let key = &effect.key;
        let answer = match &effect.kind {
            EffectKind::Call(call) => Answer::Called(self.call(key, call)),
            EffectKind::Verify(call) => Answer::Verified(self.verify(key, call)),
            EffectKind::Read { .. } => Answer::Performed(self.perform(key)),
            EffectKind::Change { .. } => {
                let performed = self.perform(key);
                let kind = match performed.clone() {
                    Ok(output) => EntryKind::StepSucceeded { output },
                    Err(refused) => EntryKind::StepFailed {
                        failure: Failure::new(refused.code, refused.message),
                        next_try_at: None,
                    },
                };
                let key = key.clone();
                let entry = Entry { key, at, kind };
                return (Answer::Performed(performed), Some(entry));
            }
            EffectKind::Hold(_) => Answer::Granted,
            EffectKind::Decision => self.decide(key),
            EffectKind::Await(jobs) => {
                let ended = |_| {
                    Awaited::Ended(Ending {
                        status: JobStatus::Succeeded,
                        output: None,
                        failure: None,
                    })
                };
                Answer::Awaited(jobs.iter().map(ended).collect())
            }
            EffectKind::Timer { .. } => Answer::Fired,
        };
        (answer, None)
    }

    /// Nothing that must not happen twice did.
    pub(crate) fn check(&self) {
        for (call, (count, output)) in &self.done {
            assert!(*count <= 1, "{call} happened {count} times: {output}");
        }
    }

    /// The same places asked for the same things, and the same things happened.
    pub(crate) fn compare(&self, other: &Self, told: &str) {
        assert_eq!(self.requests, other.requests, "{told}");
        assert_eq!(self.done, other.done, "{told}");
    }

    fn call(&mut self, key: &EntryKey, call: &Call) -> Called {
        let before = self.requests.insert(key.clone(), call.input.clone());
        if let Some(before) = before {
            assert_eq!(before, call.input, "{key} asks for something else");
        }
        self.calls.insert(key.clone(), call.call_key.clone());
        let refused = |retry| Called::Failed {
            failure: Failure::new("refused", "no"),
            retry,
        };
        let chance = self.chance(key, 16);
        match chance {
            0 | 1 => return refused(None),
            2 | 3 => return refused(Some(Duration::ZERO)),
            _ => {}
        }
        let output = self.output(key, call);
        if call.action.effect != connector::Effect::Once {
            return Called::Done { output };
        }
        let doubt = || Called::Doubtful {
            failure: Failure::new("reset", "the connection was reset"),
        };
        if chance == 4 || chance == 5 {
            return doubt();
        }
        let done = self
            .done
            .entry(call.call_key.clone())
            .or_insert((0, output.clone()));
        done.0 += 1;
        if chance == 6 || chance == 7 {
            doubt()
        } else {
            Called::Done { output }
        }
    }

    fn output(&self, key: &EntryKey, call: &Call) -> Value {
        let number = self.chance(key, 100);
        match &*call.action.action {
            "read_thing" if number < 30 => json!({ "found": false }),
            "read_thing" => json!({ "found": true, "id": number, "name": format!("n{number}") }),
            "list_things" => {
                let page = call.cursor.as_ref().and_then(Value::as_u64).unwrap_or(1);
                let items: Vec<Value> = (0..number % 4)
                    .map(|item| json!({ "id": item, "name": format!("i{page}.{item}") }))
                    .collect();
                let next = (page < 3 && number < 60).then(|| page + 1);
                json!({ "items": items, "next": next })
            }
            _ => json!({ "id": number }),
        }
    }

    fn verify(&self, key: &EntryKey, call: &Call) -> Verified {
        if self.chance(key, 4) == 0 {
            return Verified::Unknown(Failure::new("down", "no answer"));
        }
        match self.done.get(&call.call_key) {
            Some((_, output)) => Verified::Applied(output.clone()),
            None => Verified::NotApplied,
        }
    }

    /// A person looks into the vendor's own pages and knows.
    fn decide(&self, key: &EntryKey) -> Answer {
        let happened = self.calls.get(key).and_then(|call| self.done.get(call));
        let decision = match (happened, self.chance(key, 3)) {
            (_, 0) => Decision::Fail,
            (Some((_, output)), _) => Decision::Happened {
                output: output.clone(),
            },
            (None, _) => Decision::Again,
        };
        Answer::Decided {
            decision,
            by: "person:ada".to_owned(),
        }
    }

    fn perform(&self, key: &EntryKey) -> Performed {
        match self.chance(key, 6) {
            0 => Err(Refused::new("expectation_failed", "no")),
            _ => Ok(json!({ "found": false, "added": 1, "changed": 0, "unchanged": 0 })),
        }
    }

    /// A number below `sides` that hangs on the place alone.
    fn chance(&self, key: &EntryKey, sides: u64) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in key.0.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        (hash ^ (hash >> 29)) % sides
    }
}
