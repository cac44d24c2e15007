//! Recipes that are started and whose files are gone, as people see them.
//!
//! Always true: they are listed, and can be stopped; whoever asks for one is told what became of it.

use std::collections::BTreeMap;

use serde_json::json;

use crate::data::{Object, Value};
use crate::library::Shown;
use crate::names::RecipeName;
use crate::store::RecipeState;
use crate::trigger;

use super::{Problem, Rooms, recipes, wire};

/// How they are listed.
pub(super) async fn cards(
    rooms: &Rooms,
    states: &BTreeMap<RecipeName, RecipeState>,
) -> Result<Vec<Value>, Problem> {
    let gone = trigger::gone(&rooms.intake).await?.into_iter();
    let cards = gone.map(|(name, finding)| {
        let mut card = Object::new();
        card.insert("name".into(), name.as_str().into());
        card.insert("title".into(), "(its file is gone)".into());
        card.insert("status".into(), "gone".into());
        if let Some(state) = states.get(&name) {
            card.insert("changed_by".into(), state.changed_by.as_str().into());
            card.insert("changed_at".into(), wire::moment(state.changed_at));
        }
        card.insert("origin".into(), Value::Null);
        card.insert("problems".into(), json!([wire::diagnostic(&finding)]));
        Value::Object(card)
    });
    Ok(cards.collect())
}

/// A recipe by its name, or what became of it.
pub(super) async fn find(rooms: &Rooms, project: &str, name: &str) -> Result<Shown, Problem> {
    let missing = match recipes::find(rooms, project, name) {
        Ok(shown) => return Ok(shown),
        Err(missing) => missing,
    };
    let gone = trigger::gone(&rooms.intake).await?.into_iter();
    let written = format!("{project}/{name}");
    let mut gone = gone.filter(|(name, _)| name.as_str() == written);
    let Some((name, finding)) = gone.next() else {
        return Err(missing);
    };
    let versions = rooms.intake.store.versions(&name).await?;
    let again = match versions.first() {
        Some(last) => format!(" (`recipes restore {name} {}`)", last.number),
        None => String::new(),
    };
    Err(Problem::not_found(format!(
        "{}: put {} back{again}, or stop it (`recipes stop {name}`)",
        finding.message, finding.place.file
    )))
}

/// A recipe that is started, by its name.
pub(super) fn started(
    states: &BTreeMap<RecipeName, RecipeState>,
    project: &str,
    name: &str,
) -> Option<RecipeName> {
    let name = RecipeName::of(project, name).ok()?;
    let is_started = states.get(&name).is_some_and(|state| state.is_started);
    is_started.then_some(name)
}

/// A recipe that is not started, to be stopped all the same: refused if it never is.
pub(super) fn not_started(
    rooms: &Rooms,
    project: &str,
    name: &str,
    is_to_cancel: bool,
) -> Result<RecipeName, Problem> {
    let shown = recipes::find(rooms, project, name)?;
    let recipe = shown.program.as_ref().map(|program| program.root());
    let never = recipe.and_then(|recipe| recipes::why_not_started(recipe));
    match never.filter(|_| !is_to_cancel) {
        None => Ok(shown.name),
        Some((code, why)) => Err(Problem::conflict(
            code,
            format!(
                "`{}` is never started, so there is nothing to stop: {why}; with `--cancel`, its \
                 jobs that have begun are cancelled",
                shown.name
            ),
        )),
    }
}
