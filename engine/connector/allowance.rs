//! What a vendor says in its replies of how many calls it still allows.
//!
//! In: a reply. Out: an [`Allowance`], if the connector says where it stands and it is sound.
//! Always true: nonsense is passed over; nobody is waited for longer than a day because of it.

use crate::clock::Moment;
use crate::data::Value;
use crate::expression::Expression;

use super::output::evaluate;
use super::reply::{RETRY_AFTER_MAX, Reply};
use super::roots::Values;

/// Where a reply says how many calls are left, and when the count begins anew.
#[derive(Clone, Debug)]
pub struct AllowanceRule {
    /// How many calls are left.
    pub remaining: Expression,
    /// When there are more: seconds from now, a time, or seconds since 1970.
    pub resets: Expression,
}

/// How many calls a vendor still allows, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many.
    pub left: u32,
    /// When there are more.
    pub until: Moment,
}

/// Numbers from here on are seconds since 1970 and no seconds from now.
const SINCE_1970: f64 = 1e9;

impl AllowanceRule {
    /// What a reply says, by the roots `connection` and `reply`.
    pub fn read(&self, values: &Values, reply: &Reply, now: Moment) -> Option<Allowance> {
        let values = values.with("reply", reply.root());
        let left = number(&evaluate(&self.remaining, &values).ok()??)?;
        let resets = evaluate(&self.resets, &values).ok()??;
        let until = match number(&resets) {
            Some(seconds) if seconds >= SINCE_1970 => Moment(micros(seconds)),
            Some(seconds) => Moment(now.0.saturating_add(micros(seconds))),
            None => moment(resets.as_str()?)?,
        };
        let last = now.after(RETRY_AFTER_MAX);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be no less than 0; more than fits is as good as without end"
        )]
        let left = left as u32;
        Some(Allowance {
            left,
            until: until.min(last),
        })
    }
}

/// A number that is no less than 0, also if it is written as text.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast of floats saturates, which is what is wanted"
)]
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6) as i64
}

fn moment(text: &str) -> Option<Moment> {
    if let Ok(moment) = Moment::parse(text) {
        return Some(moment);
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Moment(date.timestamp().as_microsecond()))
}
