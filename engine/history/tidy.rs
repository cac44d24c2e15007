//! What goes beside the history of jobs: dedupe keys whose window is over, fires, records of
//! changes, pins and programs that no job has any more.

use std::collections::BTreeSet;

use super::rules::Rules;
use crate::clock::{Clock, Moment};
use crate::library::Shelf;
use crate::store::{HistoryStep, Store, StoreError};

/// What tidying needs.
pub(super) struct House<'a> {
    pub(super) store: &'a Store,
    pub(super) shelf: &'a Shelf,
    pub(super) now: Moment,
}

/// Removes what has had its time. A program goes if it was unused in the sweep before, too: a
/// worker may just be about to pin it.
pub(super) async fn tidy(
    house: &House<'_>,
    rules: &Rules,
    unused: &mut BTreeSet<String>,
) -> Result<(), StoreError> {
    let store = house.store;
    while rest(store.forget_keys(house.now).await?).await {}
    if let Some(before) = rules.fires_before {
        rest(store.forget_fires(before).await?).await;
    }
    if let Some(before) = rules.changes_before {
        while rest(store.forget_audit(before).await?).await {}
        while rest(store.forget_row_versions(before).await?).await {}
    }
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
    Ok(())
}

/// Rests as long as the step took; true if there is more of the same.
async fn rest(step: HistoryStep) -> bool {
    Clock::rest(step.took).await;
    step.has_more
}
