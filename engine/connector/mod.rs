//! Connector files as data: sign-in, actions, paging, reply rules, probe.
//!
//! In: `connectors/<name>.yaml`. Out: [`Connector`]s.
//! Always true: no vendor is known to the engine but through these files.

use std::time::Duration;

use indexmap::IndexMap;

use crate::names::ConnectorName;
use crate::shape::{Field, Shape};

/// A vendor's API as described.
#[derive(Clone, Debug)]
pub struct Connector {
    /// Its name, which is its file's.
    pub name: ConnectorName,
    /// Its title, for people.
    pub title: String,
    /// The SHA-256 of its file.
    pub hash: String,
    /// What an admin supplies to connect.
    pub connection: IndexMap<String, Field>,
    /// The operations it offers.
    pub actions: IndexMap<String, Action>,
}

/// One operation of a vendor's API.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its title, for people.
    pub title: String,
    /// Whether it may be repeated.
    pub effect: Effect,
    /// How well its contract is known.
    pub provenance: Provenance,
    /// What it takes: declared fields.
    pub input: Shape,
    /// What it gives: declared fields; a listing gives `items`, a list of such.
    pub output: Shape,
    /// Whether it gives pages of items.
    pub is_listing: bool,
    /// How a doubtful end is cleared up.
    pub verify: Option<Verify>,
    /// How it is tried again unless the step says otherwise.
    pub retry: Retry,
    /// The longest one try may take unless the step says otherwise.
    pub timeout: Duration,
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

/// When and how often a doubtful end is asked about.
#[derive(Clone, Debug)]
pub struct Verify {
    /// The wait before each question.
    pub settle: Duration,
    /// How many questions at most.
    pub tries: u32,
}

/// How something is tried again.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Tries in all, the first included.
    pub tries: u32,
    /// The longest time from the first try to the start of the last.
    pub within: Option<Duration>,
    /// The wait before the second try.
    pub delay: Duration,
    /// The factor by which each further wait grows.
    pub backoff: f64,
    /// The longest wait.
    pub max_delay: Duration,
}
