//! Steps that are ready to run.
//!
//! Always true: what they name exists, and ids are unique within their recipe.

use std::sync::Arc;
use std::time::Duration;

use super::loops::Foreach;
use super::operation::TableOperation;
use super::transform::Transform;
use crate::connector::{Effect, Retry, Verify};
use crate::diagnostic::Place;
use crate::expression::{Condition, Expression};
use crate::names::{ConnectionName, ConnectorName, RecipeName, TableName};

/// Steps that run one after another.
pub type Block = Vec<Step>;

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Its written id, or one made of kind, target and place. Unique within its recipe.
    pub id: Arc<str>,
    /// Whether the id was written, so that other steps may name it.
    pub has_written_id: bool,
    /// Its title, for people.
    pub title: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// It is skipped unless this holds.
    pub when: Option<Condition>,
    /// What its own words say about trying again.
    pub retry: Option<RetryRule>,
    /// The longest one try may take.
    pub timeout: Option<Duration>,
    /// Whether the recipe goes on when it fails.
    pub continue_on_error: bool,
    /// What it does.
    pub kind: StepKind,
}

/// What a step's own words say about trying again; the rest comes from the action's default.
#[derive(Clone, Debug)]
pub struct RetryRule {
    /// Default and own words together.
    pub retry: Retry,
    /// Only errors for which this holds are tried again; by default those worth it.
    pub when: Option<Condition>,
}

/// A connector's action as a recipe names it.
#[derive(Clone, Debug)]
pub struct ActionRef {
    /// The connector.
    pub connector: ConnectorName,
    /// The action's name.
    pub action: String,
    /// Whose account.
    pub connection: ConnectionName,
    /// Whether it may be repeated.
    pub effect: Effect,
    /// Whether it gives pages of items.
    pub is_listing: bool,
    /// How a doubtful end is cleared up.
    pub verify: Option<Verify>,
    /// How it is tried again.
    pub retry: Retry,
    /// Whether the recipe reads `raw` of its output.
    pub keeps_raw: bool,
}

/// What a step does.
#[derive(Debug)]
pub enum StepKind {
    /// Performs a connector's action.
    Action {
        /// Which.
        action: ActionRef,
        /// Its arguments.
        with: Expression,
        /// Body fields that the action does not declare.
        also_send: Option<Expression>,
    },
    /// Runs another recipe as a frame of the same job.
    Call {
        /// Which.
        recipe: RecipeName,
        /// Its arguments.
        with: Expression,
    },
    /// Starts a job of its own.
    Start {
        /// Of which recipe.
        recipe: RecipeName,
        /// Its arguments.
        with: Expression,
    },
    /// Waits for started jobs.
    Await {
        /// Their ids.
        jobs: Expression,
    },
    /// Reads or changes a lookup table.
    Table {
        /// Which.
        table: TableName,
        /// How.
        operation: TableOperation,
    },
    /// Gives variables values.
    Set(Vec<(String, Expression)>),
    /// Pure list work.
    Transform(Transform),
    /// Takes the first branch whose condition holds.
    If {
        /// Conditions and their steps.
        branches: Vec<(Condition, Block)>,
        /// What runs if none holds.
        otherwise: Block,
    },
    /// Takes the first case that the value meets.
    Switch {
        /// The value.
        value: Expression,
        /// The cases: the value must equal one of the list.
        cases: Vec<(Vec<Expression>, Block)>,
        /// What runs if no case is met.
        otherwise: Block,
    },
    /// Runs steps for each element.
    Foreach(Foreach),
    /// Runs steps until a condition holds.
    Repeat {
        /// The steps.
        steps: Block,
        /// Tested after each round.
        until: Condition,
        /// The wait between rounds.
        every: Option<Duration>,
        /// The most rounds.
        max: u32,
    },
    /// Catches failures.
    Try {
        /// The steps that may fail.
        steps: Block,
        /// Which failures are caught (all but doubtful ends if left out), and what runs then.
        catch: Option<(Option<Condition>, Block)>,
        /// Whether `catch` names the code `outcome_unknown`.
        catches_unknown: bool,
        /// What runs in any case.
        finally: Block,
    },
    /// Waits.
    Wait(Wait),
    /// Ends the recipe with its result.
    Return(Expression),
    /// Ends the job.
    Stop {
        /// Whether the job succeeded.
        is_success: bool,
        /// Why, for people.
        reason: Expression,
    },
    /// Writes a line into the job's log.
    Log {
        /// The line.
        text: Expression,
        /// How grave.
        level: LogLevel,
        /// Data beside it.
        data: Option<Expression>,
    },
}

/// How a step waits.
#[derive(Debug)]
pub enum Wait {
    /// This long.
    For(Duration),
    /// Until this moment: a `datetime`.
    Until(Expression),
}

/// How grave a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// For finding mistakes.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth a look.
    Warn,
    /// Something went wrong.
    Error,
}

impl StepKind {
    /// The kind and its target in a few words, such as `call integration-master-flow-check`.
    pub fn describe(&self) -> String {
        match self {
            Self::Action { action, .. } => format!("action {}.{}", action.connector, action.action),
            Self::Call { recipe, .. } => format!("call {recipe}"),
            Self::Start { recipe, .. } => format!("start {recipe}"),
            Self::Await { .. } => "await".into(),
            Self::Table { table, operation } => format!("table {table} {}", operation.word()),
            Self::Set(values) => {
                let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
                format!("set {}", names.join(", "))
            }
            Self::Transform(_) => "transform".into(),
            Self::If { .. } => "if".into(),
            Self::Switch { .. } => "switch".into(),
            Self::Foreach(foreach) => format!("foreach {}", foreach.alias),
            Self::Repeat { .. } => "repeat".into(),
            Self::Try { .. } => "try".into(),
            Self::Wait(_) => "wait".into(),
            Self::Return(_) => "return".into(),
            Self::Stop { .. } => "stop".into(),
            Self::Log { .. } => "log".into(),
        }
    }
}
