//! The forms that several answers share.

use super::recipe_parts;
use super::schema::{
    all_of, any, count, either, flag, list, map, moment, named, object, text, word,
};
use crate::data::{Object, Value};
use crate::journal::JobStatus;

/// All shared forms, by name.
pub(super) fn schemas() -> Object {
    let statuses = JobStatus::ALL.map(JobStatus::as_str);
    let mut schemas = Object::new();
    let mut add = |name: &str, schema: Value| schemas.insert(name.to_owned(), schema);
    for (name, schema) in recipe_parts::schemas() {
        add(name, schema);
    }
    add("JobStatus", word(&statuses));
    add("Problem", problem());
    add("Diagnostic", diagnostic());
    add("Failure", failure());
    add("JobCard", job_card());
    add("Job", job());
    add("Step", step());
    add("Loop", progress());
    add("JobFollowed", job_followed());
    add("Rerun", rerun());
    add("Decision", decision());
    add("Preview", preview());
    add("Event", event());
    add("Unkept", unkept());
    add("AuditEntry", audit_entry());
    add("Examination", examination());
    add("Connection", connection());
    add("Token", token());
    schemas
}

fn problem() -> Value {
    object(&[
        ("type", text()),
        ("title", text()),
        ("status", count()),
        ("code", text()),
        ("detail?", text()),
        ("errors?", list(object(&[("message?", text())]))),
    ])
}

fn diagnostic() -> Value {
    object(&[
        ("code", text()),
        ("severity", word(&["error", "warning", "advice"])),
        ("message", text()),
        ("place", text()),
        ("file", text()),
        ("line", count()),
        ("column", count()),
        ("help?", text()),
    ])
}

fn failure() -> Value {
    object(&[
        ("code", text()),
        ("message", text()),
        ("status?", count()),
        ("body?", any()),
        ("step?", text()),
        ("place?", text()),
    ])
}

fn job_card() -> Value {
    let removed = object(&[("at", moment()), ("rule", text())]);
    object(&[
        ("id", text()),
        ("recipe", text()),
        ("status", named("JobStatus")),
        ("started_by", text()),
        ("created_at", moment()),
        ("started_at?", moment()),
        ("ended_at?", moment()),
        ("wake_at?", moment()),
        ("waits_for?", text()),
        ("is_cancelling?", flag()),
        ("done_again?", rerun_of()),
        ("history_removed?", removed),
        ("failure?", named("Failure")),
    ])
}

/// A job that did another one again.
fn rerun_of() -> Value {
    object(&[("job", text()), ("status", named("JobStatus"))])
}

fn job() -> Value {
    let origin = object(&[("job", text()), ("from", any()), ("version", text())]);
    let stage = object(&[("step", count()), ("of", count()), ("id", text())]);
    let changed = object(&[("recipe", flag()), ("settings", list(any()))]);
    let line = object(&[
        ("at", moment()),
        ("key", text()),
        ("level", text()),
        ("message", text()),
        ("data?", any()),
    ]);
    let more = object(&[
        ("trigger?", any()),
        ("input?", any()),
        ("output?", any()),
        ("recoveries?", count()),
        ("journal_bytes", count()),
        ("steps", list(named("Step"))),
        ("log", list(line)),
        ("steps_missing_because?", text()),
        ("decisions?", list(named("Decision"))),
        ("progress?", list(named("Loop"))),
        ("last_activity_at?", moment()),
        ("cancel?", object(&[("by", text()), ("at", moment())])),
        ("stage?", stage),
        ("changed_since?", changed),
        ("event?", text()),
        ("origin?", origin),
        ("reruns?", list(rerun_of())),
    ]);
    all_of(&[named("JobCard"), more])
}

fn step() -> Value {
    let states = ["began", "succeeded", "failed", "skipped", "not_run"];
    object(&[
        ("key", text()),
        ("recipe?", text()),
        ("id", text()),
        ("title?", text()),
        ("kind?", text()),
        ("state", word(&states)),
        ("began_at?", moment()),
        ("ended_at?", moment()),
        ("input?", any()),
        ("output?", any()),
        ("note?", text()),
        ("failure?", named("Failure")),
        ("waits_until?", moment()),
        ("next_try_at?", moment()),
        ("next_try?", count()),
        ("tries?", count()),
        ("folded?", map(any())),
        ("errors?", list(any())),
        ("steps?", list(named("Step"))),
    ])
}

fn progress() -> Value {
    object(&[
        ("key", text()),
        ("id", text()),
        ("done", count()),
        ("failed", count()),
        ("total?", count()),
    ])
}

fn job_followed() -> Value {
    let more = object(&[
        ("progress?", list(named("Loop"))),
        ("last_activity_at?", moment()),
    ]);
    all_of(&[named("JobCard"), more])
}

fn rerun() -> Value {
    object(&[
        ("origin", text()),
        ("recipe", text()),
        ("from", list(text())),
        ("version", text()),
        ("keeps", any()),
        ("keeps_count", count()),
        ("recipe_has_changed", flag()),
        ("settings_that_changed?", list(any())),
        ("rows_kept_of?", list(text())),
        ("elements?", count()),
        ("made_again_though_unknown?", list(any())),
        ("job?", text()),
        ("not_before?", moment()),
    ])
}

fn decision() -> Value {
    object(&[
        ("key", text()),
        ("asked_at", moment()),
        ("failure", named("Failure")),
        ("sent_at?", moment()),
        ("action?", text()),
        ("input?", any()),
        ("connection?", text()),
        ("request?", text()),
        ("output_example?", any()),
        ("choices", list(word(&["happened", "again", "fail"]))),
    ])
}

fn preview() -> Value {
    let call = object(&[
        ("step", text()),
        ("action", text()),
        ("with", any()),
        ("also_send?", any()),
    ]);
    let row = object(&[
        ("table", text()),
        ("change", word(&["add", "remove", "change"])),
        ("before?", any()),
        ("after?", any()),
    ]);
    object(&[
        ("preview", flag()),
        ("is_cut_short", flag()),
        ("cut_short_because?", text()),
        ("would_send", list(call.clone())),
        ("not_asked", list(call)),
        ("would_write", list(row)),
        ("jobs", list(named("Job"))),
    ])
}

fn event() -> Value {
    let replay = object(&[("at", moment()), ("by", text()), ("jobs", list(text()))]);
    object(&[
        ("id", text()),
        ("recipe", text()),
        ("received_at", moment()),
        ("bytes", count()),
        ("job_count", count()),
        ("jobs?", list(text())),
        ("replays?", list(replay)),
        ("headers?", map(any())),
        ("query?", map(any())),
        ("body?", any()),
        ("body_missing_because?", text()),
    ])
}

fn unkept() -> Value {
    object(&[
        ("recipe", text()),
        ("fate", text()),
        ("count", count()),
        ("last_at", moment()),
    ])
}

fn audit_entry() -> Value {
    object(&[
        ("at", moment()),
        ("by", text()),
        ("action", text()),
        ("subject", text()),
        (
            "detail",
            either(&[map(any()), serde_json::json!({ "type": "null" })]),
        ),
    ])
}

fn examination() -> Value {
    let finding = object(&[("level", text()), ("text", text()), ("help?", text())]);
    let section = object(&[
        ("topic", text()),
        ("title", text()),
        ("findings", list(finding)),
        ("remark?", text()),
    ]);
    object(&[
        ("project", text()),
        ("title", text()),
        ("version", text()),
        ("is_well", flag()),
        ("sections", list(section)),
    ])
}

fn connection() -> Value {
    let from = ["default", "environment", "file", "secret", "text"];
    let field = object(&[
        ("is_secret", flag()),
        ("is_needed", flag()),
        ("from", word(&from)),
        ("variable?", text()),
        ("file?", text()),
        ("value?", any()),
    ]);
    object(&[
        ("name", text()),
        ("connector?", text()),
        ("allow_private", flag()),
        ("state", word(&["complete", "incomplete"])),
        ("lacks", list(text())),
        ("fields", map(field)),
    ])
}

fn token() -> Value {
    object(&[
        ("name", text()),
        ("role", text()),
        ("status", word(&["active", "expired", "revoked"])),
        ("created_at", moment()),
        ("created_by", text()),
        ("expires_at?", moment()),
        ("used_at?", moment()),
        ("revoked_at?", moment()),
        ("revoked_by?", text()),
        ("token?", text()),
    ])
}

/// A job that ended, with its result.
pub(super) fn ended() -> Value {
    all_of(&[named("JobCard"), object(&[("output?", any())])])
}
