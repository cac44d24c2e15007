//! What goes beside the history of jobs: dedupe keys whose window is over, what requests were
//! answered, fires, records of changes, pins and programs that no job has any more.

use std::collections::BTreeSet;

use super::rules::Rules;
use super::sweep::Sweep;
use crate::clock::{Clock, Moment};
use crate::library::Shelf;
use crate::store::{HistoryStep, Store, StoreError};

/// What tidying needs.
pub(super) struct House<'a> {
    pub(super) store: &'a Store,
    pub(super) shelf: &'a Shelf,
    pub(super) now: Moment,
}

/// Removes what has had its time, as long as the sweep that it belongs to may go on; false if that
/// was not long enough. A program goes if it was unused in the sweep before, too: a worker may just
/// be about to pin it.
pub(super) async fn tidy(
    house: &House<'_>,
    rules: &Rules,
    sweep: &Sweep<'_>,
    unused: &mut BTreeSet<String>,
) -> Result<bool, StoreError> {
    if !old_rows(house, rules, sweep).await? {
        return Ok(false);
    }
    let store = house.store;
    store.forget_pins().await?;
    let present = house.shelf.present_programs();
    let found: BTreeSet<String> = store
        .unpinned_programs()
        .await?
        .into_iter()
        .filter(|hash| !present.contains(hash))
        .collect();
    let gone: Vec<String> = found.intersection(unused).cloned().collect();
    if !gone.is_empty() {
        // Forgotten on the shelf first: who uses one again then stores it again.
        house.shelf.forget_saved(&gone);
        store.forget_programs(gone).await?;
    }
    *unused = found;
    Ok(true)
}

/// Removes dedupe keys, answers, fires and records of changes; false if time was up before the end.
async fn old_rows(house: &House<'_>, rules: &Rules, sweep: &Sweep<'_>) -> Result<bool, StoreError> {
    let store = house.store;
    while rest(store.forget_keys(house.now).await?).await {
        if sweep.is_over() {
            return Ok(false);
        }
    }
    rest(store.forget_answers(house.now, rules.answers_until).await?).await;
    if let Some(before) = rules.fires_before {
        rest(store.forget_fires(before).await?).await;
    }
    let Some(before) = rules.changes_before else {
        return Ok(true);
    };
    while rest(store.forget_audit(before).await?).await {
        if sweep.is_over() {
            return Ok(false);
        }
    }
    while rest(store.forget_row_versions(before).await?).await {
        if sweep.is_over() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Rests as long as the step took; true if there is more of the same.
async fn rest(step: HistoryStep) -> bool {
    Clock::rest(step.took).await;
    step.has_more
}
