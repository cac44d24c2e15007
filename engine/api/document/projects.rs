//! The doors of projects.

use super::door::{Door, get, post};
use super::recipes::files;
use super::schema::{count, exactly, flag, list, map, named, object, or_null, text, word};
use crate::api::{copies, doctor, projects, upgrade};
use crate::data::Value;
use crate::names::Role;

pub(super) fn doors() -> Vec<Door> {
    let mut doors = known();
    doors.extend(tried());
    doors.extend(copied());
    doors
}

fn known() -> Vec<Door> {
    let project = object(&[
        ("name", text()),
        ("title", text()),
        ("description", text()),
        ("version", text()),
        ("recipe_count", count()),
        ("problems", list(named("Diagnostic"))),
    ]);
    let recipe = object(&[("name", text()), ("trigger", text())]);
    let call = object(&[
        ("from", text()),
        ("to", text()),
        ("kind", word(&["call", "start"])),
    ]);
    let graph = object(&[
        ("project", text()),
        ("recipes", list(recipe)),
        ("calls", list(call)),
    ]);
    vec![
        get(
            "/api/projects",
            projects::list,
            "list_projects",
            "Lists all projects.",
        )
        .gives(
            200,
            "All projects, by name.",
            object(&[("projects", list(project))]),
        ),
        get(
            "/api/projects/{project}/graph",
            projects::graph,
            "show_graph",
            "Shows which recipes of a project call or start which.",
        )
        .gives(200, "Recipes and calls.", graph),
        get(
            "/api/projects/{project}/doctor",
            doctor::examine,
            "examine_project",
            "Says what a project lacks, what its settings will do, and what to do next.",
        )
        .needs(Role::Operator)
        .asks("offline", flag(), "Whether vendors are left alone.")
        .gives(200, "What was found.", named("Examination"))
        .refuses(&[429]),
    ]
}

fn tried() -> Vec<Door> {
    let case = object(&[
        ("title", text()),
        ("place", text()),
        ("is_good", flag()),
        ("problems", list(text())),
    ]);
    let tested = object(&[
        ("passed", count()),
        ("failed", count()),
        ("cases", list(case)),
        ("unusable", list(named("Diagnostic"))),
    ]);
    vec![
        post(
            "/api/projects/{project}/test",
            projects::test,
            "test_project",
            "Runs the tests of a project: pretend vendors, pretend time, nothing leaves the machine.",
        )
        .needs(Role::Operator)
        .takes(exactly(&[("recipe?", text())]))
        .gives(200, "What came of each case.", tested)
        .refuses(&[429]),
    ]
}

fn copied() -> Vec<Door> {
    let settle = exactly(&[
        ("take", word(&["mine", "theirs"])),
        ("file?", or_null(text())),
        ("part?", or_null(text())),
    ]);
    let wish = exactly(&[
        ("plan?", flag()),
        ("newer?", or_null(map(text()))),
        ("settle?", list(settle)),
        ("texts?", map(text())),
        ("state?", or_null(text())),
        ("untested?", flag()),
        ("older?", flag()),
    ]);
    vec![
        post(
            "/api/projects/{project}/clone",
            copies::clone,
            "clone_project",
            "Copies a whole project, with its tests, into files of the workspace.",
        )
        .needs(Role::Editor)
        .takes(exactly(&[("as", text()), ("own_tables?", flag())]))
        .gives(201, "The files that were written.", files())
        .refuses(&[409, 422]),
        get(
            "/api/projects/{project}/upgrade",
            upgrade::show,
            "plan_upgrade",
            "Shows what would become of copies if they met the next version of their originals.",
        )
        .gives(200, "The plan.", plan())
        .refuses(&[409, 422]),
        post(
            "/api/projects/{project}/upgrade",
            upgrade::change,
            "upgrade_project",
            "Brings copies up to the present version of their originals.",
        )
        .needs(Role::Editor)
        .more(
            "Nothing is written while anything is open, has errors, or breaks a test. `texts` gives \
             the text of any file of the plan as it shall be, in conflict or not; it is held to the \
             same checks.",
        )
        .takes(wish)
        .gives(200, "The plan (`plan`), or what was written.", plan())
        .refuses(&[409]),
        post(
            "/api/projects/{project}/forget",
            copies::forget,
            "forget_project",
            "Records nothing any more of a copy whose folder was removed.",
        )
        .needs(Role::Editor)
        .gives(
            200,
            "Its lookup tables that are still there.",
            object(&[("project", text()), ("left", list(text()))]),
        )
        .refuses(&[409]),
    ]
}

fn plan() -> Value {
    let conflict = object(&[
        ("part", text()),
        ("line?", count()),
        ("begins?", text()),
        ("base", or_null(text())),
        ("mine", or_null(text())),
        ("theirs", or_null(text())),
    ]);
    let outcomes = [
        "replaced", "merged", "settled", "added", "removed", "conflict",
    ];
    let file = object(&[
        ("file", text()),
        ("outcome", word(&outcomes)),
        ("text?", text()),
        ("conflicts?", list(conflict)),
        ("marked?", or_null(text())),
    ]);
    let tests = object(&[
        ("passed", count()),
        ("broken", list(text())),
        ("failed_before", list(text())),
    ]);
    object(&[
        ("project", text()),
        ("of", text()),
        ("from", list(text())),
        ("to", text()),
        ("state", text()),
        ("is_settled", flag()),
        ("is_older", flag()),
        ("is_written", flag()),
        ("files", list(file)),
        ("without_base", list(text())),
        ("errors", list(named("Diagnostic"))),
        ("tests?", tests),
    ])
}
