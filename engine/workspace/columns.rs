//! Which unfinished jobs a changed lookup table would hinder.
//!
//! In: the tables as their files say now, or would. Out: one line for each version of a recipe that
//! has unfinished jobs and would not work with them; whether their rows would fit.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::names::TableName;
use crate::store::StoreError;
use crate::table::Table;
use crate::trigger::Intake;

/// Refuses tables that could not be taken up: jobs need what they had, or rows do not fit.
pub(super) async fn check(
    intake: &Intake,
    tables: &BTreeMap<TableName, Arc<Table>>,
) -> Result<(), String> {
    let refused = |why: String| format!("changed lookup tables would be refused: {why}");
    let hindered = hindered_jobs(intake, tables).await;
    let hindered =
        hindered.map_err(|error| format!("what unfinished jobs use cannot be told: {error}"))?;
    if !hindered.is_empty() {
        return Err(refused(hindered.join("; ")));
    }
    let tables: Vec<Table> = tables.values().map(|table| (**table).clone()).collect();
    let checked = intake.store.check_tables(&tables, intake.clock.now()).await;
    checked.map_err(|error| refused(error.to_string()))
}

/// Jobs that would not find what they work with any more, by the version that they run.
pub(super) async fn hindered_jobs(
    intake: &Intake,
    tables: &BTreeMap<TableName, Arc<Table>>,
) -> Result<Vec<String>, StoreError> {
    let before = intake.shelf.tables();
    let all_fit = before
        .iter()
        .all(|(name, before)| tables.get(name).is_some_and(|after| is_like(before, after)));
    if all_fit {
        return Ok(Vec::new());
    }
    let mut hindered = Vec::new();
    for version in intake.store.unfinished_versions().await? {
        // A version whose sources are gone or damaged is told of where its jobs are claimed.
        let sources = match intake.store.program(&version.program).await {
            Ok(Some(sources)) => sources,
            Ok(None) | Err(StoreError::Corrupt(_)) => continue,
            Err(error) => return Err(error),
        };
        if let Some(why) = intake.shelf.hindered_by(tables, &sources) {
            let jobs = match version.jobs {
                1 => "one unfinished job".to_owned(),
                count => format!("{count} unfinished jobs"),
            };
            hindered.push(format!(
                "{jobs} of `{}` would not work any more ({why}); let them end or cancel them \
                 (`recipes jobs --recipe {}`), then save the table's file again",
                version.recipe, version.recipe
            ));
        }
    }
    Ok(hindered)
}

/// Whether what worked with a table's columns before does so after.
fn is_like(before: &Table, after: &Table) -> bool {
    before.key == after.key
        && before.columns.iter().all(|(name, column)| {
            let now = after.columns.get(name);
            now.is_some_and(|now| now.field == column.field)
        })
}
