//! A recipe that is ready to run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::connector::{Effect, Retry, Verify};
use crate::diagnostic::Place;
use crate::expression::{Condition, Expression};
use crate::names::{ConnectionName, ConnectorName, RecipeName, TableName};
use crate::shape::{Field, Shape};
use crate::table::{MaxRemoved, Sort};

/// A recipe and everything it reaches by calls: what one job runs.
#[derive(Debug)]
pub struct Program {
    /// The recipe that jobs are made of.
    pub root: RecipeName,
    /// The root and every recipe reachable from it.
    pub recipes: BTreeMap<RecipeName, Arc<Recipe>>,
    /// The SHA-256 over names and sources of all of them: what a job pins.
    pub hash: String,
}

impl Program {
    /// The recipe that jobs are made of.
    pub fn root(&self) -> &Arc<Recipe> {
        &self.recipes[&self.root]
    }
}

/// A recipe that is ready to run.
#[derive(Debug)]
pub struct Recipe {
    /// Its identity.
    pub name: RecipeName,
    /// Its title, for people.
    pub title: String,
    /// What it does, for people.
    pub description: String,
    /// The SHA-256 of its file.
    pub hash: String,
    /// The zone of its dates and schedule: an IANA name.
    pub timezone: String,
    /// Advice on starting it.
    pub activation: Option<Activation>,
    /// What sets it off.
    pub trigger: Trigger,
    /// What it takes: declared fields (of `function` and `manual`; others take nothing).
    pub input: Shape,
    /// What it gives back: declared fields; none if it returns nothing.
    pub output: Shape,
    /// What it does.
    pub steps: Block,
    /// How many jobs or frames may run at once.
    pub concurrency: Option<Concurrency>,
    /// The longest one job may take.
    pub timeout: Option<Duration>,
    /// What is called when a job fails.
    pub on_failure: Option<(RecipeName, Expression)>,
    /// How long the history of its jobs is kept.
    pub retention: Option<Duration>,
    /// What it uses that this version of the engine does not run yet.
    pub not_available_yet: Vec<(Place, String)>,
}

/// Advice on starting a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The integration does not work without it.
    Required,
    /// Most want it.
    Recommended,
    /// As you like.
    Optional,
    /// Never started; run by hand.
    ManualOnly,
}

/// What sets a recipe off.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Other recipes, or a person.
    Function,
    /// A person.
    Manual,
    /// The clock.
    Schedule(Schedule),
    /// A request from outside.
    Webhook(Webhook),
    /// A connector's listing that is asked now and then.
    Poll(Poll),
}

/// A schedule as written, checked.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// When it fires.
    pub rule: ScheduleRule,
    /// The zone of `at` and `cron`: an IANA name.
    pub timezone: Option<String>,
    /// Whether a missed fire is made up for once.
    pub run_missed_once: bool,
    /// What happens if the last job still runs.
    pub if_still_running: IfStillRunning,
}

/// When a schedule fires.
#[derive(Clone, Debug)]
pub enum ScheduleRule {
    /// At every interval of this length.
    Every(Duration),
    /// By a cron line of five fields (`at` and `days` are turned into one).
    Cron(String),
}

/// What a fire does while the job of the last one still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfStillRunning {
    /// Nothing.
    Skip,
    /// Waits its turn.
    Queue,
    /// Runs beside it.
    Allow,
}

/// A webhook as written, checked.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// How the sender signs in; `None`: anybody may send.
    pub auth: Option<WebhookAuth>,
    /// Where in the body the elements stand that become a job each; the first path that matches.
    pub split: Vec<Expression>,
    /// Which deliveries are the same.
    pub dedupe: Option<Dedupe>,
    /// What happens to deliveries while the recipe is stopped.
    pub while_stopped: WhileStopped,
    /// Whether the answer waits for the job's result.
    pub respond_with_result: bool,
}

/// How the sender of a webhook signs in, with the connection that holds the secret.
#[derive(Clone, Debug)]
pub enum WebhookAuth {
    /// HTTP Basic.
    Basic(ConnectionName),
    /// A bearer token.
    Token(ConnectionName),
    /// A signature over the raw body.
    Hmac(ConnectionName),
}

/// Which events are the same event.
#[derive(Clone, Debug)]
pub struct Dedupe {
    /// The key; events with the same key within the window are one.
    pub key: Expression,
    /// How long a key is remembered.
    pub window: Duration,
}

/// What happens to deliveries while a recipe is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhileStopped {
    /// They wait until it is started.
    Queue,
    /// The sender is told to come back.
    Reject,
    /// They are accepted and forgotten.
    Drop,
}

/// A poll trigger as written, checked.
#[derive(Clone, Debug)]
pub struct Poll {
    /// The listing that is asked.
    pub action: ActionRef,
    /// Its arguments.
    pub with: Expression,
    /// How often.
    pub every: Duration,
    /// Which events are the same.
    pub dedupe: Option<Dedupe>,
    /// Whether one job takes all new items.
    pub batch: bool,
}

/// How many jobs or frames of a recipe may run at once.
#[derive(Clone, Debug)]
pub struct Concurrency {
    /// The most that run at once, over all keys.
    pub limit: Option<u32>,
    /// One at a time for each value of this.
    pub key: Option<Expression>,
}

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

/// A table operation whose values are still expressions. The root `row` is open in conditions,
/// `sort_by` and `set`.
#[derive(Debug)]
pub enum TableOperation {
    /// See [`crate::table::Operation::Get`].
    Get(Expression),
    /// See [`crate::table::Operation::Find`].
    Find {
        /// Which rows.
        filter: Option<Condition>,
        /// In which order.
        sort_by: Vec<Sort>,
        /// How many at most.
        limit: Option<Expression>,
    },
    /// See [`crate::table::Operation::Count`].
    Count(Option<Condition>),
    /// See [`crate::table::Operation::Insert`]: an object or a list of them.
    Insert(Expression),
    /// See [`crate::table::Operation::Upsert`]: an object or a list of them.
    Upsert(Expression),
    /// See [`crate::table::Operation::Update`].
    Update {
        /// Which rows.
        filter: Option<Condition>,
        /// New values.
        set: Expression,
        /// How many rows must be met.
        expect: Option<Expression>,
    },
    /// See [`crate::table::Operation::Delete`].
    Delete {
        /// Which rows.
        filter: Option<Condition>,
        /// How many rows must be met.
        expect: Option<Expression>,
    },
    /// See [`crate::table::Operation::Truncate`].
    Truncate,
    /// See [`crate::table::Operation::Sync`].
    Sync {
        /// A list of objects.
        rows: Expression,
        /// The most rows that may go.
        max_removed: MaxRemoved,
    },
}

/// Pure list work; the parts run in the order of the fields. The roots `item` and `index` are open.
#[derive(Debug)]
pub struct Transform {
    /// The list.
    pub from: Expression,
    /// Keeps elements for which it holds.
    pub filter: Option<Condition>,
    /// Turns each element into something else.
    pub select: Option<Expression>,
    /// Keeps the first element of each value.
    pub distinct_by: Option<Expression>,
    /// Sorts.
    pub sort_by: Vec<Sort>,
    /// Keeps this many at most.
    pub limit: Option<Expression>,
    /// Turns the list into an object or into groups.
    pub into: Option<Into>,
}

/// What a `transform` makes of its list.
#[derive(Debug)]
pub enum Into {
    /// A list of `{ key, items }`, in the order of first appearance.
    Groups(Expression),
    /// An object from key to element; the same key twice is an error.
    Index(Expression),
    /// An object from key to value; the same key twice is an error.
    Object {
        /// The key.
        key: Expression,
        /// The value.
        value: Expression,
    },
}

/// A loop over elements.
#[derive(Debug)]
pub struct Foreach {
    /// Where the elements come from.
    pub source: ForeachSource,
    /// The name of one element, or of a list of them with `batch`.
    pub alias: String,
    /// The steps for each.
    pub steps: Block,
    /// How many run at once.
    pub at_once: u32,
    /// Whether `at_once` was written, so that results leave only by `collect` and `tally`.
    pub is_parallel: bool,
    /// How many elements make one iteration.
    pub batch: Option<u32>,
    /// What each iteration adds to `items`.
    pub collect: Option<Expression>,
    /// What is counted in `tally`.
    pub tally: Option<Expression>,
    /// Whether the loop goes on when an element fails.
    pub continue_on_error: bool,
}

/// Where a loop's elements come from.
#[derive(Debug)]
pub enum ForeachSource {
    /// A list.
    List(Expression),
    /// A listing, one page at a time.
    Action {
        /// Which.
        action: ActionRef,
        /// Its arguments.
        with: Expression,
    },
}

/// A project: title, version and how its names are wired.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder's name.
    pub name: String,
    /// Its title, for people.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Which connection plays which connector; by default the one of that name.
    pub connections: IndexMap<String, ConnectionName>,
    /// Which table plays which table name; by default the one of that name.
    pub tables: IndexMap<String, TableName>,
    /// The settings keys it declares, by integration.
    pub settings: IndexMap<String, IndexMap<String, Field>>,
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

impl TableOperation {
    /// The operation's name as it is written in files.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Get(_) => "get",
            Self::Find { .. } => "find",
            Self::Count(_) => "count",
            Self::Insert(_) => "insert",
            Self::Upsert(_) => "upsert",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
            Self::Truncate => "truncate",
            Self::Sync { .. } => "sync",
        }
    }
}
