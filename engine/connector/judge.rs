//! What a reply means.
//!
//! In: a reply, the action and its input. Out: a [`Verdict`].
//! Always true: the first rule that matches decides, then the defaults; for an action that must not
//! happen twice, a reply that does not say whether it happened is doubtful, never a failure.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::message::{message, said};
use super::output::{Source, evaluate};
use super::page::{Page, turn};
use super::reply::{RETRY_AFTER_MAX, Reply, ReplyRule, VerdictWord};
use super::roots::Values;
use super::trouble::Trouble;
use super::{Action, Connector, Effect};
use crate::clock::Moment;
use crate::data::{Object, Value, beginning, kind_of};
use crate::shape::{Shape, convert};

/// What is known when a reply is judged.
pub struct Facts<'a> {
    /// The connector.
    pub connector: &'a Connector,
    /// The action.
    pub action: &'a Action,
    /// Its input.
    pub input: &'a Arc<Value>,
    /// The page that was asked for, of a listing.
    pub page: &'a Page,
    /// The idempotency key.
    pub key: &'a str,
    /// Whether the reply is kept as `raw`.
    pub keep_raw: bool,
    /// The present moment.
    pub now: Moment,
}

/// What a reply means.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It worked, or the thing is absent and that is an answer.
    Success(Value),
    /// It worked and gave a page.
    Page {
        /// The items.
        items: Vec<Value>,
        /// The next page.
        next: Option<Page>,
        /// How many there are in all.
        total: Option<u64>,
    },
    /// Try again.
    Retry(Trouble),
    /// Try again when the vendor says.
    RetryLater(Trouble, Option<Duration>),
    /// Sign in again and send it once more.
    SignInAgainOnce(Trouble),
    /// It did not work.
    Fail(Trouble),
    /// It may or may not have been done.
    Doubtful(Trouble),
}

/// Judges a reply.
pub fn judge(facts: &Facts<'_>, reply: &Reply) -> Verdict {
    let root = reply.root();
    let values = Values::new(facts.now, facts.key)
        .with("input", facts.input.clone())
        .with("reply", root.clone())
        .with("item", root);
    let rule = facts
        .action
        .replies
        .iter()
        .find(|rule| matches(rule, reply.status, &values));
    let word = rule.map_or_else(|| usual(reply.status), |rule| rule.verdict);
    let is_proof = rule.is_some_and(|rule| rule.not_applied) || matches!(reply.status, 425 | 429);
    match word {
        VerdictWord::Success => success(facts, reply, &values),
        VerdictWord::Absent => absent(facts, reply),
        VerdictWord::SignInAgainOnce => {
            Verdict::SignInAgainOnce(trouble(facts, reply, rule, &values, "sign_in_failed"))
        }
        VerdictWord::Fail => {
            let trouble = trouble(facts, reply, rule, &values, usual_code(reply.status));
            if reply.status >= 500 && !is_proof {
                return doubtful_or(facts, trouble, Verdict::Fail);
            }
            Verdict::Fail(trouble)
        }
        VerdictWord::Retry | VerdictWord::RetryLater => {
            let trouble = trouble(facts, reply, rule, &values, usual_code(reply.status));
            let is_refusal = (400..500).contains(&reply.status) && reply.status != 408;
            if !is_proof && !is_refusal && facts.action.effect == Effect::Once {
                return Verdict::Doubtful(trouble);
            }
            let after = after(rule, &values).or_else(|| reply.retry_after(facts.now));
            // A vendor that is overloaded may say when to come back, too.
            if word == VerdictWord::Retry && after.is_none() {
                return Verdict::Retry(trouble);
            }
            Verdict::RetryLater(trouble, after)
        }
    }
}

/// What a reply means if no rule speaks of it.
fn usual(status: u16) -> VerdictWord {
    match status {
        200..=299 => VerdictWord::Success,
        401 => VerdictWord::SignInAgainOnce,
        408 | 425 | 429 => VerdictWord::RetryLater,
        500..=599 => VerdictWord::Retry,
        _ => VerdictWord::Fail,
    }
}

fn usual_code(status: u16) -> &'static str {
    match status {
        400 => "bad_request",
        401 => "sign_in_failed",
        403 => "forbidden",
        404 => "not_found",
        408 | 504 => "timed_out",
        409 => "conflict",
        422 => "invalid",
        425 | 429 => "too_many_requests",
        500..=599 => "vendor_error",
        _ => "refused",
    }
}

fn matches(rule: &ReplyRule, status: u16, values: &Values) -> bool {
    let is_status = rule.status.is_empty() || rule.status.iter().any(|test| test.holds(status));
    // A path that leads nowhere, or through a value of another type, does not match.
    is_status
        && rule
            .when
            .as_ref()
            .is_none_or(|when| when.holds(values).unwrap_or(false))
}

fn success(facts: &Facts<'_>, reply: &Reply, values: &Values) -> Verdict {
    // A page of HTML where JSON was asked for is the word of somebody on the way, or of a fault.
    if !reply.is_readable || (!reply.is_json && asks_for_json(facts.connector, values)) {
        let why = "its body is cut short or not the JSON it should be".to_owned();
        return match unfit(facts, reply, why) {
            Verdict::Fail(trouble) => Verdict::Retry(trouble),
            doubtful => doubtful,
        };
    }
    if facts.action.is_listing {
        return page(facts, reply, values);
    }
    match output(facts, values) {
        Ok(mut output) => {
            if facts.keep_raw {
                output.insert("raw".to_owned(), reply.body().clone());
            }
            Verdict::Success(Value::Object(output))
        }
        Err(why) => unfit(facts, reply, why),
    }
}

/// Whether every request of the connector asks for JSON.
fn asks_for_json(connector: &Connector, values: &Values) -> bool {
    let mut accepts = connector
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("accept"))
        .filter_map(|(_, value)| evaluate(value, values).ok()?);
    accepts.any(|value| value.as_str().is_some_and(|text| text.contains("json")))
}

fn output(facts: &Facts<'_>, values: &Values) -> Result<Object, String> {
    let action = facts.action;
    let mut output = Object::new();
    if declares_found(action) {
        output.insert("found".to_owned(), true.into());
    }
    if !action.mapping.fields.is_empty() {
        let item = item(facts, values)?;
        output.extend(action.mapping.apply(values, &item)?);
    }
    if let Some(rows) = &action.rows {
        output.extend(rows.apply(values)?);
    }
    Ok(output)
}

/// The object that the output is read from.
fn item(facts: &Facts<'_>, values: &Values) -> Result<Arc<Value>, String> {
    let item = match &facts.action.item {
        Some(item) => evaluate(item, values)?.unwrap_or(Value::Null),
        None => values
            .reply_body()
            .ok_or_else(|| "there is no body".to_owned())?,
    };
    let reads_members = facts
        .action
        .mapping
        .fields
        .iter()
        .any(|field| matches!(&field.source, Source::Value { from: None, .. }));
    if reads_members && !item.is_object() {
        return Err(format!("expected an object, not {}", kind_of(&item)));
    }
    Ok(Arc::new(item))
}

fn page(facts: &Facts<'_>, reply: &Reply, values: &Values) -> Verdict {
    let (Some(pages), Some(items)) = (&facts.action.pages, &facts.action.items) else {
        return unfit(facts, reply, "the listing has no `items`".to_owned());
    };
    let elements = match evaluate(items, values) {
        Ok(Some(Value::Array(elements))) => elements,
        Ok(other) => {
            let there = other.as_ref().map_or("nothing", kind_of);
            return unfit(
                facts,
                reply,
                format!("expected a list of items, not {there}"),
            );
        }
        Err(why) => return unfit(facts, reply, why),
    };
    let count = elements.len() as u64;
    let mut items = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        let element = Arc::new(element);
        match facts.action.mapping.apply(values, &element) {
            Ok(mut item) => {
                if facts.keep_raw {
                    item.insert("raw".to_owned(), (*element).clone());
                }
                items.push(Value::Object(item));
            }
            Err(why) => return unfit(facts, reply, format!("item {index}: {why}")),
        }
    }
    match turn(pages, facts.page, count, values) {
        Ok(turn) => Verdict::Page {
            items,
            next: turn.next,
            total: turn.total,
        },
        Err(trouble) => Verdict::Fail(Trouble {
            message: format!("{}: {}", facts.connector.title, trouble.message),
            status: Some(reply.status),
            ..trouble
        }),
    }
}

fn absent(facts: &Facts<'_>, reply: &Reply) -> Verdict {
    if facts.action.is_listing {
        return Verdict::Page {
            items: Vec::new(),
            next: None,
            total: None,
        };
    }
    let mut output = Object::new();
    output.insert("found".to_owned(), false.into());
    if facts.keep_raw {
        output.insert("raw".to_owned(), reply.body().clone());
    }
    Verdict::Success(Value::Object(output))
}

fn declares_found(action: &Action) -> bool {
    matches!(&action.output, Shape::Fields(fields) if fields.contains_key("found"))
        && !action
            .mapping
            .fields
            .iter()
            .any(|field| field.name == "found")
}

/// A good status with a reply that does not fit what the connector declares.
fn unfit(facts: &Facts<'_>, reply: &Reply, why: String) -> Verdict {
    let trouble = Trouble {
        code: "unexpected_reply".to_owned(),
        message: format!(
            "{} answered {}, but the reply is not as described: {why}",
            facts.connector.title, reply.status
        ),
        status: Some(reply.status),
        body: Some(Box::new(short(reply.body()))),
    };
    doubtful_or(facts, trouble, Verdict::Fail)
}

fn doubtful_or(
    facts: &Facts<'_>,
    trouble: Trouble,
    otherwise: impl FnOnce(Trouble) -> Verdict,
) -> Verdict {
    if facts.action.effect == Effect::Once {
        return Verdict::Doubtful(trouble);
    }
    otherwise(trouble)
}

fn trouble(
    facts: &Facts<'_>,
    reply: &Reply,
    rule: Option<&ReplyRule>,
    values: &Values,
    usual_code: &str,
) -> Trouble {
    let words = rule
        .and_then(|rule| rule.message.as_ref())
        .and_then(|message| said(&evaluate(message, values).ok()??))
        .or_else(|| message(&facts.connector.message, values, reply.body()));
    let words = words.map_or(String::new(), |words| format!(": {words}"));
    Trouble {
        code: rule
            .and_then(|rule| rule.code.clone())
            .unwrap_or_else(|| usual_code.to_owned()),
        message: format!("{} answered {}{words}", facts.connector.title, reply.status),
        status: Some(reply.status),
        body: Some(Box::new(short(reply.body()))),
    }
}

/// How long a rule says to wait: a length of time, or a number of seconds.
fn after(rule: Option<&ReplyRule>, values: &Values) -> Option<Duration> {
    let value = evaluate(rule?.after.as_ref()?, values).ok()??;
    if let Some(period) = value
        .as_str()
        .and_then(|text| crate::clock::parse_period(text).ok())
    {
        return Some(period.min(RETRY_AFTER_MAX));
    }
    let seconds = convert(&Shape::Number, value).ok()??.as_f64()?;
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(RETRY_AFTER_MAX.as_secs_f64())))
}

/// The longest body kept of a reply that failed, in characters of JSON.
const FAILED_BODY_MAX: usize = 16 * 1024;

fn short(body: &Value) -> Value {
    if let Value::String(text) = body {
        return beginning(text, FAILED_BODY_MAX).into();
    }
    let text = body.to_string();
    match beginning(&text, FAILED_BODY_MAX) {
        Cow::Borrowed(_) => body.clone(),
        Cow::Owned(short) => short.into(),
    }
}
