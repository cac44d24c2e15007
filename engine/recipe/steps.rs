//! The grammar of steps.
//!
//! Always true: this is the only place that names these keys.

use super::parts::{
    CASE, CATCH, COUNT, DELETE, ELSE_IF, FIND, RETRY, STOP_FORM, SYNC, TRANSFORM, UNTIL, UPDATE,
};
use crate::form::{Form, Key, Kind, Variant};

/// A step of a block.
pub(super) static ONE_STEP: Kind = Kind::Form(&STEP);
/// A further condition.
static ONE_ELSE_IF: Kind = Kind::Form(&ELSE_IF);
/// A length of time or a moment.
const WAITS: Kind = Kind::Either(&[Kind::Period, Kind::Form(&UNTIL)]);
/// A case.
static ONE_CASE: Kind = Kind::Form(&CASE);

/// One step: common keys and exactly one kind.
pub static STEP: Form = Form {
    name: "step",
    doc: "A step: exactly one of the keys that say what it does.",
    keys: &[
        Key::new(
            "id",
            Kind::Id,
            "The name by which later steps read its result.",
        ),
        Key::new("title", Kind::Text, "What it does, for people."),
        Key::new(
            "when",
            Kind::Condition,
            "The step is skipped unless this holds.",
        ),
        Key::new("retry", Kind::Form(&RETRY), "How it is tried again."),
        Key::new("timeout", Kind::Period, "The longest one try may take."),
        Key::new(
            "on_error",
            Kind::Word(&["fail", "continue"]),
            "Whether the recipe goes on when the step fails; fail is the default.",
        ),
    ],
    variants: &KINDS,
};

/// What a step can do.
static KINDS: [Variant; 16] = [
    Variant::with(
        Key::new(
            "action",
            Kind::Text,
            "Performs a connector's action: connector.action.",
        ),
        &[
            WITH,
            Key::new(
                "connection",
                Kind::Name,
                "The account, if not the project's usual one.",
            ),
            Key::new(
                "also_send",
                Kind::Value,
                "Body fields that the action does not declare.",
            ),
        ],
    ),
    Variant::with(
        Key::new(
            "call",
            Kind::Text,
            "Runs another recipe: a bare name is one of the same project, `project/name` another's.",
        ),
        &[WITH],
    ),
    Variant::with(
        Key::new(
            "start",
            Kind::Text,
            "Starts a job of its own of another recipe.",
        ),
        &[WITH],
    ),
    Variant::new(Key::new(
        "await",
        Kind::Value,
        "Waits for started jobs: a list of their ids.",
    )),
    Variant {
        key: Key::new("table", Kind::Name, "Reads or changes a lookup table."),
        with: &[],
        one_of: &[
            Key::new(
                "get",
                Kind::Value,
                "The row with this key: gives found and row.",
            ),
            Key::new(
                "find",
                Kind::FormOrNothing(&FIND),
                "Rows by condition: gives items, count.",
            ),
            Key::new(
                "count",
                Kind::FormOrNothing(&COUNT),
                "How many rows: gives count.",
            ),
            Key::new(
                "insert",
                Kind::Value,
                "New rows; fails if a key exists. A row or a list.",
            ),
            Key::new(
                "upsert",
                Kind::Value,
                "New or changed rows. A row or a list.",
            ),
            Key::new(
                "update",
                Kind::Form(&UPDATE),
                "Changes rows: gives changed.",
            ),
            Key::new(
                "delete",
                Kind::Form(&DELETE),
                "Removes rows: gives removed.",
            ),
            Key::new("truncate", Kind::Flag, "Removes all rows: write true."),
            Key::new(
                "sync",
                Kind::Form(&SYNC),
                "Makes the table hold exactly these rows.",
            ),
        ],
    },
    Variant::new(Key::new(
        "set",
        Kind::Map(crate::form::Naming::Id, &Kind::Value),
        "Gives variables values, which `vars.name` reads.",
    )),
    Variant::new(Key::new(
        "transform",
        Kind::Form(&TRANSFORM),
        "Pure list work: gives items (or object) and count.",
    )),
    Variant::with(
        Key::new("if", Kind::Condition, "Runs `then` if it holds."),
        &IF_KEYS,
    ),
    Variant::with(
        Key::new(
            "switch",
            Kind::Value,
            "Takes the first case that the value meets.",
        ),
        &SWITCH_KEYS,
    ),
    Variant::with(
        Key::new(
            "foreach",
            Kind::Value,
            "Runs `do` for each element of a list, or of a listing: { action, with }.",
        ),
        &FOREACH_KEYS,
    ),
    Variant::with(
        Key::new(
            "repeat",
            Kind::List(&ONE_STEP),
            "Runs steps until a condition holds.",
        ),
        &REPEAT_KEYS,
    ),
    Variant::with(
        Key::new("try", Kind::List(&ONE_STEP), "Steps that may fail."),
        &TRY_KEYS,
    ),
    Variant::new(Key::new(
        "wait",
        WAITS,
        "Waits: 15m, or { until: datetime }.",
    )),
    Variant::new(Key::new(
        "return",
        Kind::Value,
        "Ends the recipe with its result.",
    )),
    Variant::new(Key::new("stop", Kind::Form(&STOP_FORM), "Ends the job.")),
    Variant::with(
        Key::new("log", Kind::Value, "Writes a line into the job's log."),
        &[
            Key::new(
                "level",
                Kind::Word(&["debug", "info", "warn", "error"]),
                "How grave it is; info is the default.",
            ),
            Key::new("data", Kind::Value, "Data beside it."),
        ],
    ),
];

const WITH: Key = Key::new("with", Kind::Value, "The arguments.");

static IF_KEYS: [Key; 3] = [
    Key::required("then", Kind::List(&ONE_STEP), "What runs if it holds."),
    Key::new(
        "else_if",
        Kind::List(&ONE_ELSE_IF),
        "Further conditions, in order.",
    ),
    Key::new("else", Kind::List(&ONE_STEP), "What runs if none holds."),
];

static SWITCH_KEYS: [Key; 2] = [
    Key::required("cases", Kind::List(&ONE_CASE), "The cases."),
    Key::new(
        "else",
        Kind::List(&ONE_STEP),
        "What runs if no case is met.",
    ),
];

static FOREACH_KEYS: [Key; 8] = [
    Key::required(
        "as",
        Kind::Id,
        "The name of one element (with `batch`, of a list).",
    ),
    Key::required("do", Kind::List(&ONE_STEP), "What runs for each."),
    Key::new(
        "at_once",
        Kind::Whole { min: 1, max: 100 },
        "How many run at once.",
    ),
    Key::new(
        "batch",
        Kind::Whole {
            min: 1,
            max: 10_000,
        },
        "How many elements make one iteration.",
    ),
    Key::new("collect", Kind::Value, "What each iteration adds to items."),
    Key::new("tally", Kind::Value, "What is counted, value by value."),
    Key::new(
        "on_item_error",
        Kind::Word(&["fail", "continue"]),
        "Whether the loop goes on when an element fails; fail is the default.",
    ),
    Key::new("connection", Kind::Name, "The account of a listing."),
];

static REPEAT_KEYS: [Key; 3] = [
    Key::required("until", Kind::Condition, "Tested after each round."),
    Key::new("every", Kind::Period, "The wait between rounds."),
    Key::required(
        "max",
        Kind::Whole {
            min: 1,
            max: 10_000,
        },
        "The most rounds.",
    ),
];

static TRY_KEYS: [Key; 2] = [
    Key::new("catch", Kind::Form(&CATCH), "What runs if they do."),
    Key::new("finally", Kind::List(&ONE_STEP), "What runs in any case."),
];
