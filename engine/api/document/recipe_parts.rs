//! The forms of recipes, of what sets them off and of what became of them.

use super::schema::{
    all_of, any, count, flag, list, map, moment, named, number, object, or_null, text, word,
};
use crate::data::Value;

/// The forms by name.
pub(super) fn schemas() -> [(&'static str, Value); 5] {
    [
        ("RecipeCard", card()),
        ("Recipe", recipe()),
        ("Version", version()),
        ("Saved", saved()),
        ("Fire", fire()),
    ]
}

fn card() -> Value {
    let triggers = ["function", "manual", "schedule", "webhook", "poll"];
    let activations = ["required", "recommended", "optional", "manual_only"];
    object(&[
        ("name", text()),
        ("title", text()),
        (
            "status",
            word(&["broken", "started", "ready", "stopped", "gone"]),
        ),
        ("runs_on?", text()),
        ("trigger?", word(&triggers)),
        ("activation?", word(&activations)),
        ("changed_by?", text()),
        ("changed_at?", moment()),
        ("origin", or_null(origin())),
        ("problems", list(named("Diagnostic"))),
    ])
}

/// Where a recipe's file comes from; a copy names the recipe that it is of.
fn origin() -> Value {
    object(&[
        ("kind", word(&["bundled", "own", "customised", "copy"])),
        ("of?", text()),
        ("version?", or_null(text())),
        ("is_as_the_original?", flag()),
    ])
}

fn recipe() -> Value {
    let more = object(&[
        ("description?", text()),
        ("hash?", text()),
        ("version?", count()),
        ("timezone?", text()),
        ("input?", map(any())),
        ("output?", map(any())),
        ("calls?", list(text())),
        ("webhook?", webhook()),
        ("schedule?", schedule()),
        ("poll?", poll()),
        ("file", text()),
        ("is_bundled", flag()),
        ("source", text()),
        ("not_editable_because?", text()),
    ]);
    all_of(&[named("RecipeCard"), more])
}

fn webhook() -> Value {
    let sign_in = object(&[
        ("kind", word(&["none", "basic", "token", "hmac"])),
        ("connection?", text()),
        ("fields?", map(any())),
    ]);
    let refused = object(&[
        ("count", count()),
        ("last_at", moment()),
        ("last_why", text()),
    ]);
    object(&[
        ("method", word(&["POST"])),
        ("address", text()),
        ("sign_in", sign_in),
        ("events", list(text())),
        ("not_kept", list(named("Unkept"))),
        ("refused", or_null(refused)),
    ])
}

fn rule() -> Value {
    object(&[("every_s?", number()), ("cron?", text())])
}

fn schedule() -> Value {
    let next = object(&[("at", moment()), ("local", text())]);
    object(&[
        ("rule", rule()),
        ("timezone", or_null(text())),
        ("if_missed", word(&["run_once", "skip"])),
        ("if_still_running", word(&["skip", "queue", "allow"])),
        ("next", list(next)),
        ("last", list(named("Fire"))),
        ("last_good?", moment()),
    ])
}

fn poll() -> Value {
    let last = object(&[
        ("at", moment()),
        ("is_good", flag()),
        ("failures", count()),
        ("failure?", named("Failure")),
    ]);
    let good = object(&[("at", moment()), ("items", count()), ("jobs", count())]);
    object(&[
        ("action", text()),
        ("connection", text()),
        ("rule", rule()),
        ("next?", moment()),
        ("last?", last),
        ("last_good?", good),
        ("cursor?", any()),
    ])
}

fn version() -> Value {
    object(&[
        ("number", count()),
        ("hash", text()),
        ("at", moment()),
        ("from", word(&["bundled", "file", "api", "restored"])),
        ("restored?", count()),
        ("by?", text()),
        ("is_live", flag()),
        ("source?", text()),
    ])
}

fn saved() -> Value {
    object(&[
        ("name", text()),
        ("hash", text()),
        ("version?", count()),
        ("problems", list(named("Diagnostic"))),
        ("broken", list(named("Diagnostic"))),
    ])
}

fn fire() -> Value {
    object(&[
        ("at", moment()),
        ("outcome", text()),
        ("first?", moment()),
        ("times?", count()),
        ("reason?", text()),
        ("job?", text()),
        ("taken_at", moment()),
    ])
}
