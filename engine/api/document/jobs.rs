//! The doors of jobs, and of the deliveries that jobs were made of.

use serde_json::json;

use super::door::{Door, get, post};
use super::schema::{
    any, count, either, exactly, flag, list, map, moment, named, object, period, text, word,
};
use crate::api::{cancel, decide, follow, follow_all, inbox, job, jobs, record, rerun, webhooks};
use crate::data::Value;
use crate::names::Role;

pub(super) fn doors() -> Vec<Door> {
    let mut doors = known();
    doors.extend(changed());
    doors.extend(again());
    doors.push(recorded());
    doors.extend(delivered());
    doors
}

fn known() -> Vec<Door> {
    let page = object(&[("jobs", list(named("JobCard"))), ("next?", text())]);
    let found = object(&[
        ("jobs", list(named("JobCard"))),
        ("looked_at", count()),
        ("before?", text()),
    ]);
    vec![
        get(
            "/api/jobs",
            jobs::list,
            "list_jobs",
            "Lists jobs, newest first, without what they were given.",
        )
        .asks("status", text(), "Only in these statuses, with commas between them.")
        .asks("recipe", text(), "Only of this recipe, as root or called.")
        .asks("id", text(), "Only with an id that begins so.")
        .asks("from", moment(), "Only queued at or after this moment.")
        .asks("to", moment(), "Only queued before this moment.")
        .asks("before", text(), "Only older than this job: the last of the page before.")
        .asks("limit", count(), "How many, 500 at most.")
        .gives(200, "A page of jobs; `next` is the address of the next one.", page),
        post(
            "/api/jobs/search",
            jobs::search,
            "search_jobs",
            "Looks for jobs that hold a value, such as an e-mail address or an id.",
        )
        .more(
            "The value is found where it stands whole, in capitals or not, in what a job was given, \
             did or gave; what is found is shown masked. One search runs at a time and looks at 20,000 \
             jobs at most: `before` in the answer is what to send to look further back.",
        )
        .needs(Role::Operator)
        .takes(exactly(&[
            ("value", json!({ "type": "string", "minLength": 3, "maxLength": 1000 })),
            ("recipe?", text()),
            ("status?", text()),
            ("from?", moment()),
            ("to?", moment()),
            ("before?", text()),
            ("limit?", count()),
        ]))
        .gives(200, "The jobs that hold it.", found)
        .refuses(&[429]),
        get(
            "/api/jobs/{id}",
            job::show,
            "get_job",
            "Shows a job: what it was given, each step with input and output, what it waits for.",
        )
        .asks("wait", period(), "How long to wait until it ended or needs a person.")
        .asks(
            "reveal",
            word(&["personal"]),
            "Show personal values too, which is noted in the audit.",
        )
        .gives(200, "The job.", named("Job")),
        get(
            "/api/jobs/{id}/stream",
            follow::follow,
            "follow_job",
            "Follows a job: server-sent events, one whenever something of it changed.",
        )
        .more(
            "Each event is called `job`, the last one `ended`; its data is a `JobFollowed` as JSON. \
             The stream ends with the job.",
        )
        .gives_as(200, "Events.", &[("text/event-stream", text())]),
        followed(),
    ]
}

fn followed() -> Door {
    get(
        "/api/jobs/stream",
        follow_all::follow,
        "follow_jobs",
        "Follows all jobs: server-sent events, one whenever something of a job changed.",
    )
    .more(
        "Each event is called `job`, or `ended` where the job ended; its data is a `JobCard` as JSON, \
         the job as it is then. Several changes of a job in a row may come as one event. It begins \
         with what changes next; after a header `Last-Event-ID`, with what changed since that event. \
         Who reads too slowly, was away for too long, or comes from another server gets an event \
         `left_out` with a `message`, and goes on from there: `GET /api/jobs` tells how the jobs are.",
    )
    .asks("recipe", text(), "Only jobs of this recipe.")
    .heeds("Last-Event-ID", "The id of the last event that was seen.")
    .gives_as(200, "Events.", &[("text/event-stream", text())])
}

fn changed() -> Vec<Door> {
    let decided = object(&[("id", text()), ("key", text()), ("choice", text())]);
    let cancelled = object(&[
        ("id", text()),
        ("status", text()),
        ("cancelled", list(text())),
    ]);
    let released = object(&[("id", text()), ("status", text())]);
    vec![
        post(
            "/api/jobs/{id}/decide",
            decide::decide,
            "decide",
            "Decides about a call whose end is unknown.",
        )
        .needs(Role::Operator)
        .takes(exactly(&[
            ("key?", text()),
            ("choice", word(&["happened", "again", "fail"])),
            ("output?", any()),
        ]))
        .gives(202, "The job goes on with it.", decided)
        .refuses(&[409]),
        post(
            "/api/jobs/{id}/cancel",
            cancel::cancel,
            "cancel_job",
            "Ends a job early: calls under way finish, `finally` runs, nothing new starts.",
        )
        .needs(Role::Operator)
        .takes(exactly(&[("children?", flag())]))
        .gives(202, "It is being cancelled.", cancelled)
        .refuses(&[409]),
        post(
            "/api/jobs/{id}/release",
            cancel::release,
            "release_job",
            "Lets a quarantined job go on.",
        )
        .needs(Role::Operator)
        .takes(exactly(&[("though_done_again?", flag())]))
        .gives(202, "It goes on.", released)
        .refuses(&[409]),
    ]
}

/// What may be said of any rerun.
fn wish() -> Vec<(&'static str, Value)> {
    vec![
        ("from?", text()),
        ("version?", word(&["ran", "current"])),
        ("elements?", word(&["all", "failed"])),
        ("unknown?", word(&["refuse", "again"])),
        ("plan?", flag()),
    ]
}

/// Which recipe and settings a rerun takes.
const RERUN_VERSION: &str = "`version` says whether the recipe and settings of then count (`ran`) or \
    those of now (`current`). It may be left out as long as neither has changed since; if one has, \
    the answer is 409 with the code `version_not_said`, and nothing is done. A `plan` needs no word.";

fn again() -> Vec<Door> {
    let mut one = wish();
    one.push(("outputs?", map(any())));
    one.push(("though_done_again?", flag()));
    let mut many = wish();
    many.extend([
        ("recipe?", text()),
        ("status?", list(named("JobStatus"))),
        ("since?", moment()),
        ("until?", moment()),
        (
            "per_minute?",
            json!({ "type": "integer", "minimum": 1, "maximum": 4_294_967_295_u32 }),
        ),
        ("all?", flag()),
    ]);
    let passed = object(&[("job", text()), ("why", text())]);
    let found = object(&[
        ("reruns", list(named("Rerun"))),
        ("passed_over", list(passed)),
    ]);
    vec![
        post(
            "/api/jobs/{id}/rerun",
            rerun::one,
            "rerun_job",
            "Does a job again: from the start, from where it failed, or from any step with an id.",
        )
        .more(RERUN_VERSION)
        .needs(Role::Operator)
        .takes(exactly(&one))
        .gives(200, "What would be done (`plan`).", named("Rerun"))
        .gives(202, "It is in line.", named("Rerun"))
        .refuses(&[409, 429]),
        post(
            "/api/jobs/rerun",
            rerun::many,
            "rerun_jobs",
            "Does all jobs again that match, at a pace.",
        )
        .more(RERUN_VERSION)
        .needs(Role::Operator)
        .takes(exactly(&many))
        .gives(200, "What would be done (`plan`).", found.clone())
        .gives(202, "They are in line.", found)
        .refuses(&[409, 429]),
    ]
}

fn recorded() -> Door {
    get(
        "/api/jobs/{id}/record",
        record::record,
        "record_job",
        "Turns a job into a test that holds, with stand-ins for secrets and what is about people.",
    )
    .more(
        "`test` is the text of a file `recipes/PROJECT/tests/NAME.test.yaml`. What cannot become a \
         test is refused with the reason.",
    )
    .needs(Role::Operator)
    .gives(
        200,
        "The test.",
        object(&[("recipe", text()), ("test", text())]),
    )
    .refuses(&[409])
}

fn delivered() -> Vec<Door> {
    let page = object(&[
        ("events", list(named("Event"))),
        ("not_kept", list(named("Unkept"))),
        ("next?", text()),
    ]);
    let replayed = object(&[
        ("event", text()),
        ("recipe", text()),
        ("is_started", flag()),
        ("jobs", list(text())),
    ]);
    let accepted = object(&[("accepted", list(text())), ("already_known", count())]);
    let pending = object(&[("id", text()), ("status", text())]);
    vec![
        get(
            "/api/events",
            inbox::list,
            "list_events",
            "Lists webhook deliveries as they were stored, newest first.",
        )
        .asks("recipe", text(), "Only for this recipe.")
        .asks("from", moment(), "Only received at or after this moment.")
        .asks("to", moment(), "Only received before this moment.")
        .asks(
            "before",
            text(),
            "Only older than this event: the last of the page before.",
        )
        .asks("limit", count(), "How many, 500 at most.")
        .gives(200, "A page of events.", page),
        get(
            "/api/events/{id}",
            inbox::show,
            "get_event",
            "Shows a stored delivery: headers, body, and the jobs that were made of it.",
        )
        .gives(200, "The event.", named("Event")),
        post(
            "/api/events/{id}/replay",
            inbox::replay,
            "replay_event",
            "Has a stored delivery taken in again.",
        )
        .needs(Role::Operator)
        .gives(202, "Its jobs are in line.", replayed)
        .refuses(&[409, 422, 429]),
        post(
            "/webhooks/{project}/{name}",
            webhooks::deliver,
            "deliver",
            "Takes a delivery from outside in, for a recipe with a webhook.",
        )
        .more("Who sends signs in as the recipe says; the answer comes once the delivery is kept.")
        .open()
        .takes_as("*/*", any())
        .gives(
            200,
            "The job ended, and the recipe answers with its result.",
            super::parts::ended(),
        )
        .gives(202, "It is kept.", either(&[accepted, pending]))
        .refuses(&[401, 403, 409, 429]),
    ]
}
