//! The doors of recipes and projects.

use super::door::{Door, get, post, put};
use super::schema::{
    any, count, either, exactly, flag, list, map, moment, named, object, period, text, word,
};
use crate::api::{copies, recipes, source, timed, versions};
use crate::data::Value;
use crate::names::Role;

const YAML: &str = "application/yaml";
const IF_MATCH: &str = "The ETag that the recipe was read with.";
const ANYWAY: &str = "Save it even if recipes that call it break; what they run on stays.";

pub(super) fn doors() -> Vec<Door> {
    let mut doors = known();
    doors.extend(run());
    doors.extend(edited());
    doors.extend(versioned());
    doors
}

fn known() -> Vec<Door> {
    vec![
        get(
            "/api/recipes",
            recipes::list,
            "list_recipes",
            "Lists all recipes with their state and what is wrong in their files.",
        )
        .gives(
            200,
            "All recipes, by name.",
            object(&[("recipes", list(named("RecipeCard")))]),
        ),
        get(
            "/api/recipes/{project}/{name}",
            source::show,
            "get_recipe",
            "Shows a recipe: its text, how it stands, and what an outside system needs to reach it.",
        )
        .more(
            "The header `ETag` names the text; send it as `If-Match` to save another one in its \
             place. Asked for `application/yaml`, the answer is the text alone.",
        )
        .gives_as(
            200,
            "The recipe.",
            &[("application/json", named("Recipe")), (YAML, text())],
        ),
        get(
            "/api/schedules",
            timed::schedules,
            "list_schedules",
            "Lists what the clock sets off, with when it does so next.",
        )
        .gives(200, "All schedules and polls, by recipe.", schedules()),
        get(
            "/api/recipes/{project}/{name}/fires",
            timed::fires,
            "list_fires",
            "Lists what became of the instants of a schedule, newest first.",
        )
        .asks("before", text(), "The `at` of the last row of the page before.")
        .asks("limit", count(), "How many, 1,000 at most.")
        .gives(
            200,
            "A page of fires.",
            object(&[("fires", list(named("Fire")))]),
        ),
    ]
}

/// A recipe that was started, and where deliveries go now.
fn started() -> Value {
    let elsewhere = object(&[
        ("recipe", text()),
        ("address", text()),
        ("last_at", moment()),
    ]);
    object(&[
        ("name", text()),
        ("status", text()),
        ("warnings", list(named("Diagnostic"))),
        (
            "webhook?",
            object(&[("method", word(&["POST"])), ("address", text())]),
        ),
        ("delivered_elsewhere?", list(elsewhere)),
    ])
}

fn run() -> Vec<Door> {
    let stopped = object(&[
        ("name", text()),
        ("status", text()),
        ("cancelled?", list(text())),
    ]);
    let queued = object(&[("jobs", list(text())), ("id?", text()), ("status?", text())]);
    let pending = object(&[("id", text()), ("status", text())]);
    vec![
        post(
            "/api/recipes/{project}/{name}/start",
            recipes::start,
            "start_recipe",
            "Starts a recipe: from now on its trigger makes jobs.",
        )
        .needs(Role::Operator)
        .more("To start a started recipe changes nothing.")
        .takes(exactly(&[("beside_copy?", flag())]))
        .gives(200, "It is started.", started())
        .refuses(&[409, 422]),
        post(
            "/api/recipes/{project}/{name}/stop",
            recipes::stop,
            "stop_recipe",
            "Stops a recipe: no new jobs; those under way finish, those in line wait.",
        )
        .needs(Role::Operator)
        .more("To stop a stopped recipe changes nothing.")
        .takes(exactly(&[("cancel?", flag())]))
        .gives(200, "It is stopped.", stopped)
        .refuses(&[409]),
        post(
            "/api/recipes/{project}/{name}/run",
            recipes::run,
            "run_recipe",
            "Runs a recipe once, whether it is started or not.",
        )
        .needs(Role::Operator)
        .asks(
            "wait",
            period(),
            "How long to wait for the end of the job, `5m` at most.",
        )
        .takes(exactly(&[
            ("input?", map(any())),
            ("event?", any()),
            ("preview?", flag()),
            ("for?", period()),
        ]))
        .gives(
            200,
            "The job ended while it was waited for; or what a preview showed.",
            either(&[super::parts::ended(), named("Preview")]),
        )
        .gives(
            202,
            "Its jobs are in line, or have not ended yet.",
            either(&[queued, pending]),
        )
        .refuses(&[409, 429]),
    ]
}

fn edited() -> Vec<Door> {
    let body = exactly(&[("source", text())]);
    vec![
        put(
            "/api/recipes/{project}/{name}",
            source::put,
            "save_recipe",
            "Saves a recipe; with the answer, new jobs run on it.",
        )
        .needs(Role::Editor)
        .more(
            "What is not sound is refused with all findings, and what is there stays. Jobs under \
             way finish on the version that they began with.",
        )
        .heeds("If-Match", IF_MATCH)
        .heeds("If-None-Match", "`*`: there is no such recipe yet.")
        .asks("anyway", flag(), ANYWAY)
        .takes(body)
        .takes_as(YAML, text())
        .gives(200, "It is saved and live.", named("Saved"))
        .gives(201, "It is made and live.", named("Saved"))
        .refuses(&[409, 412, 428]),
        post(
            "/api/recipes/{project}/{name}/customise",
            copies::customise,
            "customise_recipe",
            "Puts an editable copy in the place of a bundled recipe, for all who call it.",
        )
        .needs(Role::Editor)
        .gives(201, "The files that were written.", files())
        .refuses(&[409]),
    ]
}

/// The doors of versions that were live.
fn versioned() -> Vec<Door> {
    let versions = object(&[("name", text()), ("versions", list(named("Version")))]);
    let differences = object(&[
        ("name", text()),
        ("from", count()),
        ("to", count()),
        ("is_same_text", flag()),
        ("changes", list(text())),
    ]);
    vec![
        get(
            "/api/recipes/{project}/{name}/versions",
            versions::list,
            "list_versions",
            "Lists the versions of a recipe that were live, newest first.",
        )
        .gives(200, "All versions.", versions),
        get(
            "/api/recipes/{project}/{name}/versions/{number}",
            versions::show,
            "get_version",
            "Shows a version of a recipe with its text.",
        )
        .gives(200, "The version.", named("Version")),
        get(
            "/api/recipes/{project}/{name}/diff",
            versions::compare,
            "compare_versions",
            "Says in words in what two versions of a recipe differ.",
        )
        .asks(
            "from",
            count(),
            "The earlier version; the one before the later if left out.",
        )
        .asks("to", count(), "The later version; the newest if left out.")
        .gives(200, "In what they differ.", differences),
        post(
            "/api/recipes/{project}/{name}/restore",
            versions::restore,
            "restore_version",
            "Brings an earlier version of a recipe back: its text is saved again.",
        )
        .needs(Role::Editor)
        .heeds("If-Match", IF_MATCH)
        .asks("anyway", flag(), ANYWAY)
        .takes(exactly(&[("version", count())]))
        .gives(200, "It is saved and live.", named("Saved"))
        .gives(201, "It is made again and live.", named("Saved"))
        .refuses(&[409, 412]),
    ]
}

fn schedules() -> Value {
    let next = object(&[("at", moment()), ("local?", text())]);
    let one = object(&[
        ("recipe", text()),
        ("kind", word(&["schedule", "poll"])),
        ("is_started", flag()),
        ("next", list(next)),
    ]);
    object(&[("schedules", list(one))])
}

/// The files that were written.
pub(super) fn files() -> Value {
    object(&[("files", list(text()))])
}
