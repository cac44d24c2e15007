//! The doors of projects.

use super::door::{Door, get, post};
use super::schema::{count, exactly, flag, list, named, object, text, word};
use crate::api::{doctor, projects};

pub(super) fn doors() -> Vec<Door> {
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
        post(
            "/api/projects/{project}/test",
            projects::test,
            "test_project",
            "Runs the tests of a project: pretend vendors, pretend time, nothing leaves the machine.",
        )
        .takes(exactly(&[("recipe?", text())]))
        .gives(200, "What came of each case.", tested)
        .refuses(&[429]),
        get(
            "/api/projects/{project}/doctor",
            doctor::examine,
            "examine_project",
            "Says what a project lacks, what its settings will do, and what to do next.",
        )
        .asks("offline", flag(), "Whether vendors are left alone.")
        .gives(200, "What was found.", named("Examination"))
        .refuses(&[429]),
    ]
}
