//! Connector files as data: sign-in, actions, paging, reply rules, probe; and connections.
//!
//! In: `connectors/<name>.yaml` and `connections.yaml`. Out: [`Connector`]s and [`Connections`],
//! and the pure half of a call: the request to send, what a reply means, which page is next.
//! Always true: no vendor is known to the engine but through these files; nothing here sends.

mod allowance;
mod body;
pub mod builtin;
pub mod codes;
mod connections;
mod field_source;
mod convert;
mod grammar;
mod judge;
mod message;
mod output;
mod page;
mod paging;
mod plan;
mod read;
mod reply;
mod request;
mod resolve;
mod roots;
mod rows;
mod sign_in;
mod trouble;
mod verify;

pub use allowance::{Allowance, AllowanceRule};
pub use connections::{Connection, Connections};
pub use field_source::{FieldSource, References};
pub use grammar::CONNECTOR;
pub use judge::{Facts, Verdict, judge};
pub use message::Place;
pub use output::{Mapping, OutputField, Source};
pub use page::{Page, Turn, turn};
pub use paging::{Ends, PageKind, Pages, Target};
pub use plan::{Arguments, PlannedBody, RequestPlan, plan};
pub use read::{check_shipped, read};
pub use reply::{Reply, ReplyRule, StatusTest, VerdictWord};
pub use request::{Body, HttpRequest, More, Path, PathPart, Request, Tree};
pub use resolve::{Lack, Resolved};
pub use roots::{Shapes, Values};
pub use rows::Rows;
pub use sign_in::{ClientSecretIn, Grant, OAuth2, SignIn, Token, read_token};
pub use trouble::Trouble;
pub use verify::{Verification, verification_input, verified};

use std::time::Duration;

use indexmap::IndexMap;

use crate::data::Value;
use crate::expression::Expression;
use crate::names::ConnectorName;
use crate::shape::{Field, Shape};

/// A vendor's API as described.
#[derive(Clone, Debug)]
pub struct Connector {
    /// Its name, which is its file's.
    pub name: ConnectorName,
    /// Its title, for people.
    pub title: String,
    /// What it is, for people.
    pub description: String,
    /// The SHA-256 of its file.
    pub hash: String,
    /// What an admin supplies to connect.
    pub connection: IndexMap<String, Field>,
    /// The operations it offers.
    pub actions: IndexMap<String, Action>,
    /// Where its paths begin; none if it sends no HTTP.
    pub base_url: Option<Expression>,
    /// Headers sent with every request.
    pub headers: Vec<(String, Expression)>,
    /// How a request is signed.
    pub sign_in: SignIn,
    /// The action behind "check connection".
    pub probe: Option<String>,
    /// How many calls a connection may make.
    pub budget: Vec<Budget>,
    /// Where replies say how many calls are left.
    pub allowance: Option<AllowanceRule>,
    /// Where a message is found in a reply, best place first.
    pub message: Vec<Place>,
}

/// One operation of a vendor's API.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its title, for people.
    pub title: String,
    /// What it does, for people.
    pub description: String,
    /// Whether it may be repeated.
    pub effect: Effect,
    /// How well its contract is known.
    pub provenance: Provenance,
    /// What it takes: declared fields.
    pub input: Shape,
    /// What it gives: declared fields; of a listing, the one field `items`, a list of such.
    pub output: Shape,
    /// Whether it gives pages of items.
    pub is_listing: bool,
    /// How a doubtful end is cleared up.
    pub verify: Option<Verify>,
    /// How it is tried again unless the step says otherwise.
    pub retry: Retry,
    /// The longest one try may take unless the step says otherwise.
    pub timeout: Duration,
    /// What is sent.
    pub request: Request,
    /// How its pages follow one another, if it is a listing.
    pub pages: Option<Pages>,
    /// Where the items of a page stand, if it is a listing.
    pub items: Option<Expression>,
    /// The object that the output is read from; the whole body if left out.
    pub item: Option<Expression>,
    /// How the output is made of a reply.
    pub mapping: Mapping,
    /// Results per row, if the reply has them.
    pub rows: Option<Rows>,
    /// The rules for replies: its own, then the connector's.
    pub replies: Vec<ReplyRule>,
    /// The groups of which no two calls may be in flight on one connection.
    pub exclusive: Vec<String>,
    /// How many calls of this action a connection may make, beside the connector's budget.
    pub budget: Vec<Budget>,
}

/// Whether an action may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing: repeat freely.
    Read,
    /// Repeat freely with the same key.
    Repeatable,
    /// Must not happen twice.
    Once,
}

/// How well an action's contract is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Read in the vendor's documentation.
    Documented,
    /// Seen in public clients or on a tenant.
    Observed,
    /// A plausible guess, to be checked on one's own tenant.
    Assumed,
}

/// When, how often and how a doubtful end is asked about.
#[derive(Clone, Debug)]
pub struct Verify {
    /// The wait before each question.
    pub settle: Duration,
    /// How many questions at most.
    pub tries: u32,
    /// The question.
    pub question: Verification,
}

/// How something is tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Tries in all, the first included.
    pub tries: u32,
    /// The longest time from the first failure to the start of the last try.
    pub within: Option<Duration>,
    /// The wait before the second try.
    pub delay: Duration,
    /// The factor by which each further wait grows.
    pub backoff: f64,
    /// The longest wait.
    pub max_delay: Duration,
}

/// A limit on calls: never more than so many in any window of this length.
#[derive(Clone, Debug)]
pub struct Budget {
    /// How many: a number, or a value from the connection; no limit if that is absent.
    pub calls: Expression,
    /// The length of the window.
    pub per: Duration,
}

impl Retry {
    /// How calls are tried again where neither connector nor action says anything.
    pub const DEFAULT: Self = Self {
        tries: 4,
        within: None,
        delay: Duration::from_secs(2),
        backoff: 2.0,
        max_delay: Duration::from_secs(120),
    };
}

impl Connector {
    /// The action of this name.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(name)
    }
}

impl Action {
    /// The shape of one element of a listing; of any other action, its output.
    pub fn element(&self) -> &Shape {
        let items = match &self.output {
            Shape::Fields(fields) if self.is_listing => fields.get("items"),
            _ => None,
        };
        items
            .and_then(|items| items.shape.element())
            .unwrap_or(&self.output)
    }
}

/// The value with every field that is declared personal or secret replaced by `***`.
pub fn mask(shape: &Shape, value: &Value) -> Value {
    match (shape, value) {
        (Shape::Fields(fields), Value::Object(object)) => Value::Object(
            object
                .iter()
                .map(|(name, value)| {
                    let shown = match fields.get(name) {
                        Some(field) if field.personal || field.secret => Value::from("***"),
                        Some(field) => mask(&field.shape, value),
                        // What is not declared may be anything, so it is not shown.
                        None => Value::from("***"),
                    };
                    (name.clone(), shown)
                })
                .collect(),
        ),
        (Shape::List(element), Value::Array(list)) => {
            list.iter().map(|value| mask(element, value)).collect()
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests;
