//! Upgrades of copies: `GET` shows what would change, `POST` does it.
//!
//! Always true: nothing is written while a conflict is open, while the result has errors, or while
//! it breaks a test of the project, unless the wish says so; what is written is written together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::data::Value;
use crate::diagnostic::Diagnostic;
use crate::library::{Change, Originals};
use crate::names::RecipeName;
use crate::origin::{self, Choice, Conflict, Outcome, Refused, Settled, Side, Upgrade, is_inside};
use crate::trial::{Broken, Findings, run_change};

use super::aside::played;
use super::copies::entry;
use super::{Person, Problem, Rooms, body, changes, wire};

/// So many lines are told of what does not hold any more of a test.
const PROBLEM_LINES_MAX: usize = 8;

/// So many letters are told of how a step without a name begins.
const BEGINS_MAX: usize = 60;

/// What an upgrade is to be.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// Whether only to show what would change.
    #[serde(default)]
    plan: bool,
    /// The files of the original by path, if not those that are bundled or in the workspace.
    newer: Option<BTreeMap<String, String>>,
    /// Which side holds where both changed something.
    #[serde(default)]
    settle: Vec<Settle>,
    /// The texts of files that were edited by hand, by path.
    #[serde(default)]
    texts: BTreeMap<String, String>,
    /// The `state` of the plan that this wish answers: if anything changed since, it is refused.
    state: Option<String>,
    /// Whether to go on although tests of the project no longer hold.
    #[serde(default)]
    untested: bool,
    /// Whether to go back to an older version.
    #[serde(default)]
    older: bool,
}

/// One side holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    take: Take,
    file: Option<String>,
    part: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Take {
    Mine,
    Theirs,
}

/// `GET /api/projects/{project}/upgrade`
pub(super) async fn show(
    State(rooms): State<Arc<Rooms>>,
    Path(project): Path<String>,
) -> Result<Json<Value>, Problem> {
    plan(&rooms, &project, Wish::default()).await.map(Json)
}

/// `POST /api/projects/{project}/upgrade`
pub(super) async fn change(
    State(rooms): State<Arc<Rooms>>,
    Extension(Person(by)): Extension<Person>,
    Path(project): Path<String>,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    let wish: Wish = body::json(&bytes)?;
    if wish.plan {
        return plan(&rooms, &project, wish).await.map(Json);
    }
    let _turn = rooms.upgrading.lock().await;
    let originals = read(&rooms, &project).await?;
    let upgrade = made(&originals, &project, &wish)?;
    let wanted = wish.state.as_ref();
    if wanted.is_some_and(|state| *state != upgrade.state) {
        let detail =
            "the copies or their originals changed since the plan was made; look at it again";
        return Err(Problem::conflict("plan_is_stale", detail));
    }
    if upgrade.is_older() && !wish.older {
        let from: Vec<&str> = upgrade.from.iter().map(String::as_str).collect();
        let detail = format!(
            "`{}` is {} there, and this copy is of {}: that would lead back (`--older`, or \
             `\"older\": true`, if that is meant)",
            upgrade.of,
            upgrade.to,
            from.join(", ")
        );
        return Err(Problem::conflict("older", detail));
    }
    if !upgrade.is_settled() {
        return Err(open(&upgrade));
    }
    check_removed(&rooms, &upgrade).await?;
    let change = Change::of_upgrade(&upgrade, originals.lock_text.clone());
    let (before, after) = rooms
        .workspace
        .as_if(&change)
        .await
        .map_err(changes::unsound)?;
    let errors = after.errors_beyond(&before);
    if !errors.is_empty() {
        let detail = "the files would have errors, so nothing was written; settle it otherwise, or \
                      merge the files by hand (`--to-edit`)";
        let errors = errors.into_iter().map(wire::diagnostic);
        return Err(Problem::conflict("unsound_result", detail).errors(errors));
    }
    let (is_stopping, tested) = (rooms.intake.is_stopping.clone(), project.clone());
    let tests = played(is_stopping, async move || {
        run_change(before, after, &tested).await
    })
    .await?;
    if !tests.broken.is_empty() && !wish.untested {
        return Err(broken(&tests));
    }
    let mut answer = of_plan(&upgrade, &originals.own, &[]);
    let detail = json!({
        "of": upgrade.of, "to": upgrade.to, "broken_tests": tests.broken.len(),
    });
    let subject = format!("project:{project}");
    let entry = entry(&rooms, &by, "upgraded", subject, detail);
    let written = rooms.workspace.change(change, entry).await;
    written.map_err(changes::not_changed)?;
    answer["is_written"] = true.into();
    let broken = tests.broken.iter().map(|test| test.name.as_str());
    answer["tests"] = json!({
        "passed": tests.passed,
        "broken": broken.collect::<Vec<_>>(),
        "failed_before": tests.failed_before,
    });
    Ok(Json(answer))
}

async fn plan(rooms: &Rooms, project: &str, wish: Wish) -> Result<Value, Problem> {
    // However many ask at once, one reads.
    let _turn = rooms.upgrading.lock().await;
    let originals = read(rooms, project).await?;
    let upgrade = made(&originals, project, &wish)?;
    if !upgrade.is_settled() {
        return Ok(of_plan(&upgrade, &originals.own, &[]));
    }
    let change = Change::of_upgrade(&upgrade, originals.lock_text.clone());
    let (before, after) = rooms
        .workspace
        .as_if(&change)
        .await
        .map_err(changes::unsound)?;
    let errors = after.errors_beyond(&before);
    Ok(of_plan(&upgrade, &originals.own, &errors))
}

/// The files as they are once those of the project and of its originals rest.
async fn read(rooms: &Rooms, project: &str) -> Result<Originals, Problem> {
    let library = rooms.intake.shelf.library();
    let copies = origin::copies(&library.lock, project);
    let of = copies.values().map(|origin| origin.of.as_str());
    let projects = of.filter_map(|path| path.strip_prefix("recipes/")?.split_once('/'));
    let mut projects: BTreeSet<&str> = projects.map(|(project, _)| project).collect();
    projects.insert(project);
    let reads = |path: &str| match path.strip_prefix("recipes/") {
        Some(rest) => rest
            .split_once('/')
            .is_some_and(|(project, _)| projects.contains(project)),
        None => path.starts_with("lookup-tables/") || path == origin::FILE,
    };
    let originals = rooms.workspace.originals(&reads).await;
    originals.map_err(changes::unread)
}

fn made(originals: &Originals, project: &str, wish: &Wish) -> Result<Upgrade, Problem> {
    originals.check(project).map_err(changes::unsound)?;
    let newer = wish.newer.iter().flatten().map(|(path, _)| path);
    if let Some(path) = newer.chain(wish.texts.keys()).find(|path| !is_inside(path)) {
        let detail = format!("`{path}` is no path of a project's file or of a lookup table");
        return Err(Problem::bad_request(detail));
    }
    let choices = wish.settle.iter().map(|one| Choice {
        side: match one.take {
            Take::Mine => Side::Mine,
            Take::Theirs => Side::Theirs,
        },
        file: one.file.clone(),
        part: one.part.clone(),
    });
    let settled = Settled {
        choices: choices.collect(),
        texts: wish.texts.clone(),
    };
    let source = originals.source();
    let upgrade = origin::upgrade(&source, project, wish.newer.as_ref(), &settled);
    upgrade.map_err(|refused: Refused| match refused.code {
        "no_such_conflict" | "not_in_plan" | "not_settled" => Problem::new(
            422,
            refused.code,
            "What the wish settles is not as it is said.",
        )
        .detail(refused.message),
        _ => changes::refused(refused),
    })
}

/// A recipe that is started does not go unasked: what its trigger brings would be turned away.
async fn check_removed(rooms: &Rooms, upgrade: &Upgrade) -> Result<(), Problem> {
    let states = rooms.intake.store.states().await?;
    let gone = upgrade.texts().filter(|(_, text)| text.is_none());
    let mut names = gone.filter_map(|(path, _)| {
        RecipeName::new(path.strip_prefix("recipes/")?.strip_suffix(".yaml")?).ok()
    });
    let started = names.find(|name| states.get(name).is_some_and(|state| state.is_started));
    let Some(name) = started else {
        return Ok(());
    };
    let detail = format!(
        "`{name}` is started, and the original does not have it any more: stop it first (`recipes \
         stop {name}`), or keep it (`--ours`, if you changed it)"
    );
    Err(Problem::conflict("recipe_is_started", detail))
}

fn open(upgrade: &Upgrade) -> Problem {
    let conflicts = upgrade.files.iter().flat_map(|(path, outcome)| {
        let clash = match outcome {
            Outcome::Open(clash) => clash.conflicts.as_slice(),
            _ => &[],
        };
        clash.iter().map(move |conflict| {
            json!({ "path": path, "part": conflict.part,
                    "message": format!("both sides changed {}", conflict.part) })
        })
    });
    let detail = format!(
        "`{}` and its original changed the same things in ways that do not go together; nothing was \
         written. `recipes upgrade {0} --plan` shows both sides",
        upgrade.project
    );
    Problem::conflict("conflicts", detail).errors(conflicts.collect::<Vec<_>>())
}

fn broken(tests: &Findings) -> Problem {
    let errors = tests.broken.iter().map(|test| {
        json!({
            "place": test.result.place.to_string(),
            "message": format!("{}\n      {}", test.name, problems(test).replace('\n', "\n      ")),
        })
    });
    let detail = format!(
        "{} tests of the project no longer hold ({} do), so nothing was written; merge the files by \
         hand (`--to-edit`), or say that the tests do not count (`--untested`, `\"untested\": true`)",
        tests.broken.len(),
        tests.passed
    );
    Problem::conflict("broken_tests", detail).errors(errors.collect::<Vec<_>>())
}

/// An upgrade of these files on the wire.
fn of_plan(upgrade: &Upgrade, own: &BTreeMap<String, String>, errors: &[&Diagnostic]) -> Value {
    let files = upgrade.files.iter().map(|(path, outcome)| {
        let word = match outcome {
            Outcome::Replaced(_) => "replaced",
            Outcome::Merged(_) => "merged",
            Outcome::Settled(_) => "settled",
            Outcome::Added(_) => "added",
            Outcome::Removed => "removed",
            Outcome::Open(_) => "conflict",
        };
        let mut wire = json!({ "file": path, "outcome": word });
        if let Some(text) = outcome.text() {
            wire["text"] = text.into();
        }
        if let Outcome::Open(clash) = outcome {
            let conflicts = clash.conflicts.iter().map(|one| {
                let mut wire = json!({
                    "part": one.part, "base": one.base, "mine": one.mine, "theirs": one.theirs,
                });
                let text = own.get(path).filter(|_| origin::is_nameless(&one.part));
                if let Some((line, begins)) = text.and_then(|text| place(text, one)) {
                    wire["line"] = line.into();
                    wire["begins"] = begins.into();
                }
                wire
            });
            wire["conflicts"] = conflicts.collect();
            wire["marked"] = clash.marked.as_deref().into();
        }
        wire
    });
    let errors = errors.iter().copied().map(wire::diagnostic);
    json!({
        "project": upgrade.project,
        "of": upgrade.of,
        "from": upgrade.from,
        "to": upgrade.to,
        "state": upgrade.state,
        "is_settled": upgrade.is_settled(),
        "is_older": upgrade.is_older(),
        "is_written": false,
        "files": files.collect::<Vec<_>>(),
        "without_base": upgrade.without_base,
        "errors": errors.collect::<Vec<_>>(),
    })
}

/// What does not hold any more of a test: the first of it, if it is much.
fn problems(test: &Broken) -> String {
    let all = test.result.problems.join("\n");
    let mut lines: Vec<&str> = all.lines().take(PROBLEM_LINES_MAX).collect();
    let more = all.lines().count() - lines.len();
    let rest = format!("... and {more} more lines");
    if more > 0 {
        lines.push(&rest);
    }
    lines.join("\n")
}

/// In which line of the copy a conflict begins, and with which words.
fn place(own: &str, conflict: &Conflict) -> Option<(usize, String)> {
    let (own, mine) = (own.replace("\r\n", "\n"), conflict.mine.as_deref()?);
    let before = own[..own.find(mine)?].matches('\n').count();
    let is_said = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let (at, line) = mine.lines().enumerate().find(|(_, line)| is_said(line))?;
    let mut begins: String = line.trim().chars().take(BEGINS_MAX).collect();
    if begins.len() < line.trim().len() {
        begins.push_str("...");
    }
    Some((before + at + 1, begins))
}
