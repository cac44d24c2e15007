//! Where jobs, recipes' states, lookup tables and budgets are kept.
//!
//! In: arrivals, claims and advances. Out: what is durable.
//! Always true: [`Jobs::commit`] is the only way a job changes; it is one short transaction,
//! refused if the lease is stale; what was acknowledged survives a crash; no transaction is open
//! while a step talks to the outside.

mod awaiting;
mod contract;
pub mod sqlite;
mod tokens;

pub use awaiting::{AwaitRequest, Awaited};
pub use contract::*;
pub use sqlite::{
    Answer, AuditEntry, CommitLimits, Counts, EventDetail, EventFilter, EventReplayed, Fire,
    FireOutcome, FireRow, Fired, Fires, Found, IfDoneAgain, Import, JobMark, KeptJob, KeptSecret,
    Known, Lately, Lineage, Named, NewVersion, NotQueued, NoticeClaim, PassedOver, Place, Poll,
    PollEnd, PollKept, Polled, PolledItem, Queue, Reach, RecipeState, Release, Replay, Rerun,
    RowBefore, RowFilter, RowNamed, RuleKept, Saving, SavingEnded, SecretRecord, Since, Space,
    SpentBlock, Standing, Step as HistoryStep, StoredEvent, TableRow, TakenGroup, Tried,
    UNKEPT_DROPPED, UNKEPT_REJECTED, UNKEPT_REPEATED, UnfinishedVersion, Unkept, Vault, Version,
    VersionOrigin, check_integrity, commit_limits, forget_key, key_beside,
};

pub use tokens::{NewToken, TOKENS_MAX, TokenRecord, Tokens};

/// The store that this program runs on.
pub type Store = sqlite::Sqlite;
