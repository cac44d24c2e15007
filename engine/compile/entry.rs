//! From a recipe file to a recipe that is ready to run.
//!
//! In: a file and the catalogue. Out: a [`Recipe`] if there was no error, and all findings.
//! Always true: variables are typed by all places that set them, whatever their order.

use indexmap::IndexMap;

use super::catalogue::{Catalogue, fields};
use super::codes;
use super::project::Project;
use super::recipe::{Activation, Concurrency, Recipe, Retention};
use super::scope::{Facts, Visible, as_read};
use super::trigger::Trigger;
use super::walk::{Walk, integer, key_span, period, trigger_shape};
use crate::diagnostic::Report;
use crate::recipe::{RecipeFile, STEP};
use crate::shape::{Field, Shape};
use crate::source::{Node, NodeKind};

/// How often the walk is repeated at most until the shapes of variables no longer change.
const WALKS_MAX: usize = 4;

/// Compiles a recipe file. There is a recipe if nothing found is an error.
pub fn compile(file: &RecipeFile, catalogue: &Catalogue) -> (Option<Recipe>, Report) {
    let mut report = Report::of(&file.document.file);
    let unwired = Project::unwired(file.name.project());
    let project = catalogue.projects.get(file.name.project());
    if project.is_none() {
        report
            .error(
                codes::NO_PROJECT,
                file.document.root.span,
                "the project has no `project.yaml`",
            )
            .help(format!("add recipes/{}/project.yaml", file.name.project()));
    }
    let project = project.map_or(&unwired, |project| &**project);
    let (input, output) = declared(file, &mut report);
    let mut facts = facts(file, project, &input, &mut report);
    let checked = matches!(file.trigger(), Some(("function", _))).then(|| output.clone());
    let mut walk_count = 0;
    loop {
        walk_count += 1;
        let mut walk = Walk::new(file, catalogue, project, &facts, checked.clone());
        let recipe = recipe(&mut walk, input.clone(), output.clone());
        let vars = std::mem::take(&mut walk.vars);
        if vars == facts.vars || walk_count == WALKS_MAX {
            report.absorb(walk.report);
            let recipe = recipe.filter(|_| !report.has_errors());
            return (recipe, report);
        }
        // Findings of this walk were made with guessed shapes; the next walk knows better.
        facts.vars = vars;
    }
}

/// The declared input and output.
fn declared(file: &RecipeFile, report: &mut Report) -> (Shape, Shape) {
    match file.trigger() {
        Some((_, node)) => (
            fields(node.get("input"), report),
            fields(node.get("output"), report),
        ),
        None => (fields(None, report), fields(None, report)),
    }
}

fn facts(file: &RecipeFile, project: &Project, input: &Shape, report: &mut Report) -> Facts {
    let mut facts = Facts::default();
    let kind = file.trigger().map_or("", |(kind, _)| kind);
    if matches!(kind, "function" | "manual" | "") {
        facts.roots.insert("input".to_owned(), as_read(input));
        facts.missing.insert(
            "trigger",
            "this recipe is not set off from outside; use `input`",
        );
    } else {
        facts.missing.insert(
            "input",
            "only functions and manual recipes have it; use `trigger`",
        );
    }
    let is_batch = file.trigger().and_then(|(_, node)| node.get("batch"));
    let is_batch = is_batch.is_some_and(|node| node.kind == NodeKind::Bool(true));
    if let Some(shape) = trigger_shape(kind, is_batch) {
        facts.roots.insert("trigger".to_owned(), shape);
    }
    facts
        .roots
        .insert("settings".to_owned(), settings_shape(&project.settings));
    facts.roots.insert("job".to_owned(), job_shape());
    find_ids(file.get("steps"), &mut facts, report);
    facts
}

/// The `settings` root of a project: integrations in lower case, keys as declared.
pub(super) fn settings_shape(declared: &IndexMap<String, IndexMap<String, Field>>) -> Shape {
    let integrations = declared.iter().map(|(integration, keys)| {
        let keys = as_read(&Shape::Fields(keys.clone()));
        (integration.to_lowercase(), Field::required(keys))
    });
    Shape::Fields(integrations.collect::<IndexMap<_, _>>())
}

fn job_shape() -> Shape {
    let covers = Shape::object_of([
        ("from", Field::optional(Shape::DateTime)),
        ("to", Field::optional(Shape::DateTime)),
    ]);
    Shape::object_of([
        ("id", Field::required(Shape::String)),
        ("recipe", Field::required(Shape::String)),
        ("started_at", Field::required(Shape::DateTime)),
        ("started_by", Field::required(Shape::String)),
        ("covers", Field::optional(covers)),
    ])
}

/// Gathers all written ids, those in branches and loops included.
fn find_ids(node: Option<&Node>, facts: &mut Facts, report: &mut Report) {
    for step in node.and_then(Node::as_list).unwrap_or_default() {
        let kinds = STEP.variants.iter().map(|variant| variant.key.name);
        let kind = kinds.into_iter().find(|kind| step.get(kind).is_some());
        if let Some((id, text)) = step
            .get("id")
            .and_then(|id| Some((id, id.as_text()?.clone())))
        {
            let found = (id.span, kind.unwrap_or("step").to_owned());
            if let Some((first, _)) = facts.ids.get(&text) {
                report
                    .error(
                        codes::DUPLICATE_ID,
                        id.span,
                        format!("two steps are called `{text}`"),
                    )
                    .related(*first, "the other one")
                    .help("give each step an id of its own");
            } else {
                facts.ids.insert(text, found);
            }
        }
        for key in ["then", "else", "do", "repeat", "try", "finally"] {
            find_ids(step.get(key), facts, report);
        }
        for key in ["else_if", "cases"] {
            for part in step.get(key).and_then(Node::as_list).unwrap_or_default() {
                find_ids(part.get("then"), facts, report);
            }
        }
        find_ids(
            step.get("catch").and_then(|catch| catch.get("do")),
            facts,
            report,
        );
    }
}

fn recipe(walk: &mut Walk<'_>, input: Shape, output: Shape) -> Option<Recipe> {
    let file = walk.file;
    let trigger = walk.trigger();
    let timezone = file.get("timezone");
    if let Some(zone) = timezone {
        walk.check_zone(zone);
    }
    let mut visible = Visible::default();
    let (steps, ends) = walk.block(file.get("steps"), &mut visible);
    if !ends && let Some(Shape::Fields(fields)) = &walk.output {
        let required = fields.iter().find(|(_, field)| !field.optional);
        if let Some((name, _)) = required {
            let last = file
                .get("steps")
                .and_then(Node::as_list)
                .and_then(<[_]>::last);
            let span = last.map_or(file.document.root.span, key_span);
            walk.report
                .warning(
                    codes::NO_RETURN,
                    span,
                    "the recipe may end without a result",
                )
                .help(format!(
                    "it declares the output `{name}`; end it with `return`"
                ));
        }
    }
    let concurrency = file.get("concurrency").map(|node| concurrency(walk, node));
    let on_failure = file.get("on_failure").and_then(|node| {
        let with_error = Visible::default().with_root("error", super::walk::error_shape());
        if let Some(with) = node.get("with") {
            unsure_error(with, &mut walk.report);
        }
        let (name, with, _) = walk.recipe_call(node, node.get("call")?, &with_error)?;
        Some((name, with))
    });
    // The zone of dates is that of the schedule, unless the recipe says another.
    let zone = match (&timezone, &trigger) {
        (Some(zone), _) => zone.as_text().map(ToString::to_string),
        (None, Some(Trigger::Schedule(schedule))) => schedule.timezone.clone(),
        (None, _) => None,
    };
    let text = |key: &str| {
        file.text(key)
            .map(|text| text.to_string())
            .unwrap_or_default()
    };
    Some(Recipe {
        name: file.name.clone(),
        title: text("title"),
        description: text("description"),
        hash: file.hash.clone(),
        timezone: zone.unwrap_or_else(|| "UTC".to_owned()),
        activation: match &*text("activation") {
            "required" => Some(Activation::Required),
            "recommended" => Some(Activation::Recommended),
            "optional" => Some(Activation::Optional),
            "manual_only" => Some(Activation::ManualOnly),
            _ => None,
        },
        trigger: trigger?,
        input,
        output,
        steps,
        concurrency,
        timeout: period(file.get("timeout")),
        on_failure,
        retention: file.get("retention").map(retention).unwrap_or_default(),
    })
}

fn retention(node: &Node) -> Retention {
    let mebibytes = node.get("size_mib").and_then(integer);
    Retention {
        age: period(Some(node)).or_else(|| period(node.get("age"))),
        bytes: mebibytes.and_then(|size| u64::try_from(size).ok()?.checked_mul(1 << 20)),
    }
}

fn concurrency(walk: &mut Walk<'_>, node: &Node) -> Concurrency {
    let limit = node.get("limit").and_then(integer);
    let key = node.get("key");
    let open = &["input", "trigger", "settings", "job"];
    let key = key.map(|key| walk.value_of(key, open, None).expression);
    if limit.is_none() && key.is_none() {
        walk.report
            .error(
                crate::form::codes::MISSING_KEY,
                node.span,
                "`concurrency` needs `limit` or `key`",
            )
            .help("`limit: 1` runs one at a time; `key` one at a time for each value");
    }
    Concurrency {
        limit: limit.and_then(|limit| u32::try_from(limit).ok()),
        key,
    }
}

/// The members of `error` that not every failure has.
const UNSURE: [&str; 3] = ["step", "status", "body"];

/// Warns of members of `error` that are read as if every failure had them.
fn unsure_error(node: &Node, report: &mut Report) {
    match &node.kind {
        NodeKind::List(elements) => elements.iter().for_each(|node| unsure_error(node, report)),
        NodeKind::Map(entries) => entries
            .iter()
            .for_each(|(_, node)| unsure_error(node, report)),
        NodeKind::Text(text) => {
            for name in UNSURE.iter().filter(|name| reads_surely(text, name)) {
                report
                    .warning(
                        codes::UNSURE_ERROR,
                        node.span,
                        format!("not every failure has `error.{name}`"),
                    )
                    .help(format!(
                        "write `error.{name}?`, or give another value: \
                         `{{{{default error.{name} \"...\"}}}}`"
                    ));
            }
        }
        _ => {}
    }
}

/// Whether a text reads `error.<name>` without `?` and without another value beside it.
fn reads_surely(text: &str, name: &str) -> bool {
    let path = format!("error.{name}");
    text.match_indices(&path).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + path.len()..]);
        let is_root = before.is_empty() || before.ends_with(['{', ' ', '(', '~']);
        let is_root = is_root || before.ends_with("$.");
        let is_whole = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_sure = !after.starts_with('?') && !before.trim_end().ends_with("default");
        is_root && is_whole && is_sure
    })
}
