//! Vendors that answer what a test says.
//!
//! Always true: nothing leaves the machine; every request is kept; an answer is used once unless
//! it says otherwise.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt};

use crate::clock::Clock;
use crate::compile::ActionRef;
use crate::connector::{
    Action, Connector, Effect, Facts, Page, Reply as HttpReply, Trouble, Values, judge,
    verification_input, verified,
};
use crate::data::{Object, Value};
use crate::interpret::{Call, Called, Verified};
use crate::journal::{EntryKey, Failure};
use crate::names::ConnectorName;
use crate::step::{Asked, Calls, Performed, broken, called, refused};

use super::suite::{Reply, ReplyKind};

/// A pretend world of vendors.
pub(super) struct Pretend {
    connectors: BTreeMap<ConnectorName, Arc<Connector>>,
    clock: Clock,
    /// What each place is answered, if that is known of a job that ran before.
    told: Option<Told>,
    state: Mutex<State>,
}

/// What calls were answered, by their places in a job.
pub(super) type Told = BTreeMap<EntryKey, ReplyKind>;

#[derive(Default)]
struct State {
    replies: HashMap<String, VecDeque<Reply>>,
    requests: Vec<(String, Value)>,
    troubles: Vec<String>,
    /// What each place of each job was answered, so that it gets the same answer after a crash.
    answered: HashMap<(String, EntryKey), Called>,
    /// What became of calls that must not happen twice, by idempotency key.
    done: HashMap<String, Option<Value>>,
    /// Of what places are answered, what was asked for, in order.
    given: Vec<(String, ReplyKind)>,
}

impl Pretend {
    pub(super) fn new(
        connectors: BTreeMap<ConnectorName, Arc<Connector>>,
        clock: Clock,
        replies: &[(String, Vec<Reply>)],
    ) -> Self {
        let replies = replies
            .iter()
            .map(|(name, list)| (name.clone(), list.iter().cloned().collect()));
        let state = Mutex::new(State {
            replies: replies.collect(),
            ..State::default()
        });
        Self {
            connectors,
            clock,
            told: None,
            state,
        }
    }

    /// Answers each place as it was answered in a job that ran before.
    #[must_use]
    pub(super) fn telling(mut self, told: Option<Told>) -> Self {
        self.told = told;
        self
    }

    /// Of what places were told, the answers in the order in which they were given.
    pub(super) fn given(&self) -> Vec<(String, ReplyKind)> {
        self.state().given.clone()
    }

    /// Every request that was sent, in order.
    pub(super) fn requests(&self) -> Vec<(String, Value)> {
        self.state().requests.clone()
    }

    /// What the test itself lacks: requests without an answer, answers of a wrong form.
    pub(super) fn troubles(&self) -> Vec<String> {
        self.state().troubles.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn action(&self, call: &Call) -> Option<(&Arc<Connector>, &Action)> {
        let connector = self.connectors.get(&call.action.connector)?;
        Some((connector, connector.actions.get(&call.action.action)?))
    }

    fn next_reply(&self, name: &str) -> Option<Reply> {
        let mut state = self.state();
        let list = state.replies.get_mut(name)?;
        if list.front()?.is_repeated {
            list.front().cloned()
        } else {
            list.pop_front()
        }
    }

    fn answer(&self, call: &Call) -> Called {
        let name = name_of(call);
        let place = (call.call_key.clone(), call.place.clone());
        let before = self.state().answered.get(&place).cloned();
        let is_once = call.action.effect == Effect::Once;
        if let Some(before) = before {
            if is_once {
                self.trouble(format!("`{name}` was sent twice at {}", call.place));
            }
            return before;
        }
        self.state().requests.push((name.clone(), sent(call)));
        let reply = match &self.told {
            Some(told) => told.get(&call.place).cloned(),
            None => self.next_reply(&name).map(|reply| reply.kind),
        };
        let called = match reply {
            Some(kind) => {
                if self.told.is_some() {
                    self.state().given.push((name.clone(), kind.clone()));
                }
                self.said(call, &name, kind)
            }
            None if self.told.is_some() => self.no_reply(format!(
                "no answer of `{name}` is recorded at {}",
                call.place
            )),
            None => self.no_reply(format!("the test has no reply left for `{name}`")),
        };
        let mut state = self.state();
        if is_once {
            let became = match &called {
                Called::Done { output } => Some(Some(output.clone())),
                Called::Doubtful { .. } => Some(None),
                Called::Failed { .. } => None,
            };
            state
                .done
                .extend(became.map(|became| (call.call_key.clone(), became)));
        }
        state.answered.insert(place, called.clone());
        called
    }

    fn said(&self, call: &Call, name: &str, reply: ReplyKind) -> Called {
        match reply {
            ReplyKind::Output(output) => {
                if let Some((_, action)) = self.action(call) {
                    let told = own_output(call, &output);
                    for misfit in action.output.check(&told, "output") {
                        self.trouble(format!("a reply to `{name}` is wrong: {misfit}"));
                    }
                }
                Called::Done { output }
            }
            ReplyKind::Error(failure) => refused(failure),
            ReplyKind::Unknown(doubt) => {
                broken(call.action.effect, Trouble::new("interrupted", doubt))
            }
            ReplyKind::Applied(_) => {
                self.no_reply(format!("`applied` answers `{name}/verify` only"))
            }
            ReplyKind::Http {
                status,
                headers,
                body,
            } => self.judged(call, status, headers, body),
        }
    }

    fn trouble(&self, trouble: String) {
        self.state().troubles.push(trouble);
    }

    fn no_reply(&self, why: String) -> Called {
        self.trouble(why.clone());
        refused(Failure::new("no_reply", why))
    }

    /// Runs a raw answer through the connector's reply rules.
    fn judged(&self, call: &Call, status: u16, headers: Object, body: Value) -> Called {
        let Some((connector, action)) = self.action(call) else {
            let message = format!("connector `{}` not found", call.action.connector);
            return refused(Failure::new("unknown_action", message));
        };
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        let body = match body {
            Value::String(text) => text,
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let reply = HttpReply::new(status, headers, body.as_bytes());
        let page = page_of(call);
        let input = Arc::new(call.input.clone());
        let facts = Facts {
            connector,
            action,
            input: &input,
            page: &page,
            key: &call.call_key,
            keep_raw: call.action.keeps_raw,
            now: self.clock.now(),
        };
        called(judge(&facts, &reply))
    }

    /// What the vendor says of a doubtful call: as the test says; else the truth of this pretend
    /// world; and where the test left the truth open, what the connector's own question finds.
    fn answer_question(&self, call: &Call) -> Verified {
        let unknown = |why: String| Verified::Unknown(Failure::new("no_reply", why));
        match self
            .next_reply(&format!("{}/verify", name_of(call)))
            .map(|reply| reply.kind)
        {
            Some(ReplyKind::Output(output)) => Verified::Applied(output),
            Some(ReplyKind::Applied(false)) => Verified::NotApplied,
            Some(ReplyKind::Applied(true)) => Verified::Applied(Value::Object(Object::new())),
            Some(ReplyKind::Error(failure)) => Verified::Unknown(failure),
            Some(ReplyKind::Unknown(doubt)) => unknown(doubt),
            Some(ReplyKind::Http { status, .. }) => unknown(format!("the answer was {status}")),
            None => {
                let became = self.state().done.get(&call.call_key).cloned();
                match became {
                    None => Verified::NotApplied,
                    Some(Some(output)) => Verified::Applied(output),
                    Some(None) => self.ask(call).unwrap_or_else(unknown),
                }
            }
        }
    }

    /// Asks the connector's own question, which the test answers like any other request.
    fn ask(&self, call: &Call) -> Result<Verified, String> {
        let (connector, action) = self.action(call).ok_or("the action is gone")?;
        let verify = action.verify.as_ref().ok_or("the action has no question")?;
        let input = Arc::new(call.input.clone());
        let values = Values::new(self.clock.now(), &call.call_key).with("input", input);
        let with = verification_input(&verify.question, &values).map_err(|why| why.message)?;
        let asked = connector
            .action(&verify.question.action)
            .ok_or("the question is gone")?;
        let question = ActionRef {
            action: verify.question.action.clone(),
            effect: asked.effect,
            is_listing: asked.is_listing,
            ..call.action.clone()
        };
        let number = self.state().requests.len();
        let place = EntryKey(format!("{}/question[{number}]", call.place).into());
        let question = Call {
            action: question,
            input: with,
            place,
            ..call.clone()
        };
        match self.answer(&question) {
            Called::Done { output } => {
                let found = verified(action, &verify.question, &values, output);
                let found = found.map_err(|why| why.message)?;
                Ok(found.map_or(Verified::NotApplied, Verified::Applied))
            }
            Called::Failed { failure, .. } | Called::Doubtful { failure } => {
                Ok(Verified::Unknown(failure))
            }
        }
    }
}

impl Calls for Pretend {
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Performed> {
        std::future::ready(Performed::Ended(self.answer(call))).boxed()
    }

    fn verify<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Asked> {
        std::future::ready(Asked::Answered(self.answer_question(call))).boxed()
    }
}

/// Of a page its items: whether another one follows, and how many items there are in all, is said
/// beside what the action declares.
fn own_output<'a>(call: &Call, output: &'a Value) -> Cow<'a, Value> {
    match output {
        Value::Object(page) if call.action.is_listing => {
            let mut own = page.clone();
            own.retain(|name, _| !["next", "total"].contains(&name.as_str()));
            Cow::Owned(own.into())
        }
        output => Cow::Borrowed(output),
    }
}

fn name_of(call: &Call) -> String {
    format!("{}.{}", call.action.connector, call.action.action)
}

/// What a request carries: the arguments and the fields sent beside them.
fn sent(call: &Call) -> Value {
    match (&call.input, &call.also_send) {
        (Value::Object(input), Some(Value::Object(more))) => {
            let mut all = input.clone();
            all.extend(more.clone());
            Value::Object(all)
        }
        (input, _) => input.clone(),
    }
}

/// Where a listing goes on.
fn page_of(call: &Call) -> Page {
    let cursor = call.cursor.clone();
    cursor
        .and_then(|cursor| serde_json::from_value(cursor).ok())
        .unwrap_or_default()
}
