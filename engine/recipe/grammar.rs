//! The grammar of a recipe's top level and of its triggers.
//!
//! Always true: this is the only place that names these keys.

use super::steps::STEP;
use crate::form::{Form, Key, Kind, Variant};

/// A recipe file.
pub static RECIPE: Form = Form {
    name: "recipe",
    doc: "A recipe: what sets it off and what it does then.",
    keys: &[
        Key::required("title", Kind::Text, "The title that people know it by."),
        Key::new(
            "description",
            Kind::Text,
            "What it does, in a few sentences.",
        ),
        Key::new(
            "activation",
            Kind::Word(&["required", "recommended", "optional", "manual_only"]),
            "Advice that a published project gives; leave it out of your own recipes.",
        ),
        Key::required(
            "trigger",
            Kind::Form(&TRIGGER),
            "What sets it off: exactly one.",
        ),
        Key::required(
            "steps",
            Kind::List(&Kind::Form(&STEP)),
            "What it does, in this order.",
        ),
        Key::new(
            "timezone",
            Kind::Text,
            "The zone of its dates, such as America/Los_Angeles; UTC unless said otherwise.",
        ),
        Key::new(
            "concurrency",
            Kind::Form(&CONCURRENCY),
            "How many of its jobs or frames may run at once.",
        ),
        Key::new(
            "timeout",
            Kind::Period,
            "The longest that the recipe may take, from when it has its key and slot.",
        ),
        Key::new(
            "on_failure",
            Kind::Form(&ON_FAILURE),
            "What is called, once, when a job of it ends failed.",
        ),
        Key::new(
            "retention",
            Kind::Either(&[Kind::Period, Kind::Form(&RETENTION)]),
            "How long the history of its jobs is kept after their end, or how much of it.",
        ),
    ],
    variants: &[],
};

static RETENTION: Form = Form {
    name: "retention",
    doc: "How much history of a recipe's jobs is kept; what is not said follows the settings.",
    keys: &[
        Key::new("age", Kind::Period, "How long after the end of a job."),
        Key::new(
            "size_mib",
            Kind::Whole {
                min: 1,
                max: 1 << 20,
            },
            "How many MiB the history of all its jobs may take; then the oldest goes.",
        ),
    ],
    variants: &[],
};

/// What sets a recipe off.
pub(super) static TRIGGER: Form = Form {
    name: "trigger",
    doc: "What sets a recipe off: exactly one.",
    keys: &[],
    variants: &[
        Variant::new(Key::new(
            "function",
            Kind::FormOrNothing(&FUNCTION),
            "Called by other recipes or by hand; needs no start.",
        )),
        Variant::new(Key::new(
            "manual",
            Kind::FormOrNothing(&MANUAL),
            "Only by hand.",
        )),
        Variant::new(Key::new("schedule", Kind::Form(&SCHEDULE), "The clock.")),
        Variant::new(Key::new(
            "webhook",
            Kind::Form(&WEBHOOK),
            "A request from outside.",
        )),
        Variant::new(Key::new(
            "poll",
            Kind::Form(&POLL),
            "A connector's listing, asked now and then.",
        )),
    ],
};

static FUNCTION: Form = Form {
    name: "function",
    doc: "What a function takes and gives back.",
    keys: &[
        Key::new("input", Kind::Fields, "What it takes: names and types."),
        Key::new(
            "output",
            Kind::Fields,
            "What it gives back: names and types.",
        ),
    ],
    variants: &[],
};

static MANUAL: Form = Form {
    name: "manual",
    doc: "What a person is asked for.",
    keys: &[Key::new(
        "input",
        Kind::Fields,
        "What it takes: names and types.",
    )],
    variants: &[],
};

static SCHEDULE: Form = Form {
    name: "schedule",
    doc: "When it fires: `every`, or `at` with `days`, or `cron`.",
    keys: &[
        Key::new(
            "timezone",
            Kind::Text,
            "The zone of `at` and `cron`, such as America/Los_Angeles; required for these two.",
        ),
        Key::new(
            "if_missed",
            Kind::Word(&["run_once", "skip"]),
            "Whether a fire missed while the engine was down is made up for once (the default).",
        ),
        Key::new(
            "if_still_running",
            Kind::Word(&["skip", "queue", "allow"]),
            "What a fire does while the job of the last one still runs; skip is the default.",
        ),
        Key::new(
            "first_from",
            Kind::Value,
            "What `job.covers.from` is on the first run.",
        ),
    ],
    variants: &[
        Variant::new(Key::new(
            "every",
            Kind::Period,
            "The time between two fires.",
        )),
        Variant::with(
            Key::new("at", Kind::Text, "The time of day, such as \"07:30\"."),
            &[Key::new(
                "days",
                Kind::Either(&[
                    Kind::Word(&["daily", "weekdays"]),
                    Kind::List(&Kind::Either(&[
                        Kind::Word(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
                        Kind::Whole { min: 1, max: 31 },
                    ])),
                ]),
                "daily (the default), weekdays, [mon, thu] or days of the month [1, 15].",
            )],
        ),
        Variant::new(Key::new("cron", Kind::Text, "A cron line of five fields.")),
    ],
};

static WEBHOOK: Form = Form {
    name: "webhook",
    doc: "How requests are taken in and turned into jobs.",
    keys: &[
        Key::required(
            "auth",
            Kind::Either(&[Kind::Word(&["none"]), Kind::Form(&AUTH)]),
            "How the sender signs in: basic, token or hmac with a connection; write `auth: none` if \
             nobody need sign in.",
        ),
        Key::new(
            "split",
            Kind::List(&Kind::Text),
            "Paths into the body; one job per element of the first path that matches.",
        ),
        Key::new(
            "dedupe",
            Kind::Form(&DEDUPE),
            "Which deliveries are the same.",
        ),
        Key::new(
            "while_stopped",
            Kind::Word(&["queue", "reject", "drop"]),
            "What happens to deliveries while the recipe is stopped; queue is the default.",
        ),
        Key::new(
            "respond",
            Kind::Word(&["accepted", "result"]),
            "Whether the answer waits for the job's result; accepted (at once) is the default.",
        ),
    ],
    variants: &[],
};

static AUTH: Form = Form {
    name: "webhook auth",
    doc: "How the sender of a webhook signs in.",
    keys: &[],
    variants: &[
        Variant::new(Key::new(
            "basic",
            Kind::Name,
            "User name and password of this connection.",
        )),
        Variant::new(Key::new(
            "token",
            Kind::Name,
            "The bearer token of this connection.",
        )),
        Variant::new(Key::new(
            "hmac",
            Kind::Name,
            "A signature over the raw body with this connection's key.",
        )),
    ],
};

static DEDUPE: Form = Form {
    name: "dedupe",
    doc: "Events with the same key within the window are one.",
    keys: &[
        Key::required("key", Kind::Value, "What tells events apart."),
        Key::required("window", Kind::Period, "How long a key is remembered."),
    ],
    variants: &[],
};

static POLL: Form = Form {
    name: "poll",
    doc: "A listing that is asked now and then; each new item becomes a job.",
    keys: &[
        Key::required("action", Kind::Text, "The listing: connector.action."),
        Key::new("with", Kind::Value, "Its arguments."),
        Key::required("every", Kind::Period, "How often it is asked."),
        Key::new(
            "cursor",
            Kind::Form(&CURSOR),
            "How far the last question got.",
        ),
        Key::new("dedupe", Kind::Form(&DEDUPE), "Which items are the same."),
        Key::new("batch", Kind::Flag, "Whether one job takes all new items."),
    ],
    variants: &[],
};

static CURSOR: Form = Form {
    name: "cursor",
    doc: "What is remembered from one question to the next.",
    keys: &[
        Key::required("from", Kind::Value, "Where it is found in an item."),
        Key::required("send", Kind::Id, "The argument that takes it."),
        Key::new("start", Kind::Value, "What is sent the first time."),
    ],
    variants: &[],
};

static CONCURRENCY: Form = Form {
    name: "concurrency",
    doc: "With a key, one job per key at a time, first in first out; `limit` bounds all together.",
    keys: &[
        Key::new(
            "limit",
            Kind::Whole {
                min: 1,
                max: 10_000,
            },
            "The most that run at once, over all keys.",
        ),
        Key::new("key", Kind::Value, "One at a time for each value of this."),
    ],
    variants: &[],
};

static ON_FAILURE: Form = Form {
    name: "on_failure",
    doc: "A recipe that is called when a job ends failed; `with` may read `error`.",
    keys: &[
        Key::required("call", Kind::Text, "The recipe."),
        Key::new("with", Kind::Value, "Its arguments."),
    ],
    variants: &[],
};
