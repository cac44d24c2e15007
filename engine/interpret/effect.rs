//! What a job asks of the world, and what the world answers.

use std::time::Duration;

use crate::clock::Moment;
use crate::compile::ActionRef;
use crate::data::Value;
use crate::journal::{Decision, EntryKey, Failure};
use crate::names::{JobId, TableName};
use crate::store::{Awaited, HoldRequest};
use crate::table::{Operation, Performed};

/// Something that only the world can do. The driver performs it and feeds the answer back under
/// its number.
#[derive(Clone, Debug)]
pub struct Effect {
    /// Its number, unique while the machine lives.
    pub number: u64,
    /// The place that asks.
    pub key: EntryKey,
    /// What is asked.
    pub kind: EffectKind,
    /// Whether it cleans up, which goes on even if the job is cancelled.
    pub is_cleaning: bool,
}

/// The kinds of effects.
#[derive(Clone, Debug)]
pub enum EffectKind {
    /// Perform a connector's action; answered by [`Answer::Called`].
    Call(Box<Call>),
    /// Ask whether such a call was applied; answered by [`Answer::Verified`].
    Verify(Box<Call>),
    /// Read a table; answered by [`Answer::Performed`].
    Read {
        /// The table.
        table: TableName,
        /// The operation, which changes nothing.
        operation: Operation,
    },
    /// Change a table as part of a commit; answered by [`Answer::Performed`]. The store writes
    /// the entry.
    Change {
        /// The table.
        table: TableName,
        /// The operation.
        operation: Operation,
    },
    /// Wait until a moment; answered by [`Answer::Fired`].
    Timer {
        /// The moment.
        until: Moment,
    },
    /// Take a concurrency key and slot as part of a commit; answered by [`Answer::Granted`].
    Hold(HoldRequest),
    /// Wait for the ends of jobs; answered by [`Answer::Awaited`].
    Await(Vec<JobId>),
    /// Wait for a person; answered by [`Answer::Decided`].
    Decision,
}

/// A call of a connector's action.
#[derive(Clone, Debug)]
pub struct Call {
    /// The action.
    pub action: ActionRef,
    /// Its arguments.
    pub input: Value,
    /// Body fields that the action does not declare.
    pub also_send: Option<Value>,
    /// Where a listing goes on; `None` for the first page.
    pub cursor: Option<Value>,
    /// The longest it may take; the action's own limit if left out.
    pub timeout: Option<Duration>,
    /// The same for every try of this call: the idempotency key.
    pub call_key: String,
    /// The place of this try in the job.
    pub place: EntryKey,
}

/// What the world answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A call ended.
    Called(Called),
    /// A question about a doubtful call was answered.
    Verified(Verified),
    /// A table operation was performed or refused.
    Performed(Performed),
    /// The moment has come.
    Fired,
    /// The key and slot are held now.
    Granted,
    /// All awaited jobs ended, in the order asked, or one of them never will.
    Awaited(Vec<Awaited>),
    /// A person decided.
    Decided {
        /// What.
        decision: Decision,
        /// Who.
        by: String,
    },
}

/// How a call ended.
#[derive(Clone, Debug)]
pub enum Called {
    /// Well; a listing's page is `{ items, next? }`.
    Done {
        /// What it gave.
        output: Value,
    },
    /// It failed and was certainly not applied.
    Failed {
        /// Why.
        failure: Failure,
        /// Whether trying again may help, and how soon at the earliest.
        retry: Option<Duration>,
    },
    /// It may or may not have been applied.
    Doubtful {
        /// What is known.
        failure: Failure,
    },
}

/// Whether a doubtful call was applied.
#[derive(Clone, Debug)]
pub enum Verified {
    /// It was, and gave this.
    Applied(Value),
    /// It was not.
    NotApplied,
    /// The question itself failed.
    Unknown(Failure),
}

impl EffectKind {
    /// Whether the effect changes nothing outside, so that it need not wait for a commit.
    pub fn is_read(&self) -> bool {
        match self {
            Self::Call(call) => call.action.effect == crate::connector::Effect::Read,
            Self::Verify(_)
            | Self::Read { .. }
            | Self::Timer { .. }
            | Self::Await(_)
            | Self::Decision => true,
            Self::Change { .. } | Self::Hold(_) => false,
        }
    }
}
