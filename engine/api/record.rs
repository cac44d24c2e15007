//! A job as a test file.
//!
//! In: a job that ended. Out: `GET /api/jobs/{id}/record`: the YAML of a test that passes, or a
//! refusal that says why there can be none.
//! Always true: secrets and personal values are stand-ins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::compile::{Step, StepKind, TableOperation};
use crate::data::{Object, Value};
use crate::mask::Hidden;
use crate::names::RecipeName;
use crate::trial::{self, Recorded};

use super::job::{Purpose, Seen, job_id};
use super::personal::of_job;
use super::{Problem, Rooms};

/// `GET /api/jobs/{id}/record`.
pub(super) async fn record(
    State(rooms): State<Arc<Rooms>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = job_id(&id)?;
    let seen = Seen::of(&rooms, &id, Purpose::Record).await?;
    let refused = |why: String| {
        let detail = format!("job {id} cannot become a test: {why}");
        Problem::conflict("not_recordable", detail)
    };
    let (Some(pinned), Some(_)) = (&seen.pinned, &seen.program) else {
        return Err(refused(
            "nothing of it ran, or the recipe that it ran is gone".into(),
        ));
    };
    let mut hidden = Hidden::default();
    seen.gather(&mut hidden);
    let recorded = Recorded {
        record: &seen.record,
        entries: &seen.entries,
        started_at: pinned.started_at,
        settings: &pinned.settings,
        tables: rows_read(&seen),
        masker: of_job(&hidden, seen.program.as_deref()),
        hidden: hidden.texts().map(str::to_owned).collect(),
    };
    let text = trial::record(&rooms.intake.shelf, &recorded).await;
    let text = text.map_err(refused)?;
    Ok(([(CONTENT_TYPE, "application/yaml")], text).into_response())
}

/// The rows that the job read of each table before it wrote to it itself.
fn rows_read(seen: &Seen) -> BTreeMap<String, Vec<Value>> {
    let mut steps: BTreeMap<(RecipeName, String), (String, bool)> = BTreeMap::new();
    for (name, recipe) in seen.program.iter().flat_map(|program| &program.recipes) {
        recipe.for_each_step(&mut |step: &Step| {
            if let StepKind::Table { table, operation } = &step.kind {
                let reads = matches!(
                    operation,
                    TableOperation::Get(_)
                        | TableOperation::Find { .. }
                        | TableOperation::Count { .. }
                );
                let key = (name.clone(), step.id.to_string());
                steps.insert(key, (table.to_string(), reads));
            }
        });
    }
    let mut written = BTreeSet::new();
    let mut tables: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for step in &seen.look.steps {
        let Some((table, reads)) = steps.get(&(step.recipe.clone(), step.step.to_string())) else {
            continue;
        };
        let rows = tables.entry(table.clone()).or_default();
        if !reads {
            written.insert(table);
        } else if let Some(output) = step.output.as_ref().filter(|_| !written.contains(table)) {
            let items = output["items"].as_array().into_iter().flatten();
            for row in items.chain(output.get("row")).filter_map(Value::as_object) {
                let row = without_nothing(row);
                if !rows.contains(&row) {
                    rows.push(row);
                }
            }
        }
    }
    tables
}

/// A row without its empty columns.
fn without_nothing(row: &Object) -> Value {
    let columns = row.iter().filter(|(_, value)| !value.is_null());
    let columns = columns.map(|(name, value)| (name.clone(), value.clone()));
    columns.collect::<Object>().into()
}
