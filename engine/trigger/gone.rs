//! Recipes that are started and whose files are gone.
//!
//! In: the shelf, and which recipes are started. Out: those without a file, as findings; what
//! their senders are told.
//! Always true: what somebody removed by mistake loses no delivery: its senders come back.

use std::sync::Arc;

use super::{Intake, Refusal};
use crate::diagnostic::{Diagnostic, Report, Span};
use crate::library::codes::FILE_IS_GONE;
use crate::library::path_of;
use crate::names::RecipeName;
use crate::store::StoreError;

/// The started recipes that have no file, each with the finding that says so.
pub async fn gone(intake: &Intake) -> Result<Vec<(RecipeName, Diagnostic)>, StoreError> {
    let states = intake.store.states().await?.into_iter();
    let started = states.filter(|(name, state)| state.is_started && !intake.shelf.has_file(name));
    let found = started.filter_map(|(name, _)| {
        let mut report = Report::of(&Arc::from(path_of(&name)));
        let message = format!("`{name}` is started and its file is gone");
        report
            .error(FILE_IS_GONE, Span::default(), message)
            .help(format!("put it back, or stop it: `recipes stop {name}`"));
        let finding = report.into_diagnostics().pop()?;
        Some((name, finding))
    });
    Ok(found.collect())
}

/// The refusal of a delivery: one for later, if its webhook is unknown since its file is gone.
pub async fn or_later(intake: &Intake, recipe: &RecipeName, refusal: Refusal) -> Refusal {
    if !matches!(refusal, Refusal::Unknown(_)) || intake.shelf.has_file(recipe) {
        return refusal;
    }
    match intake.store.states().await {
        Ok(states) if states.get(recipe).is_some_and(|state| state.is_started) => Refusal::later(
            format!("the recipe `{recipe}` is not to be had for the moment"),
        ),
        Ok(_) => refusal,
        Err(error) => error.into(),
    }
}
