//! Runs steps until a condition holds.

use std::sync::Arc;
use std::time::Duration;

use crate::compile::{Block, Step, StepKind};
use crate::data::Value;
use crate::expression::Condition;
use crate::journal::{EntryKey, EntryKind};

use super::Flow;
use super::block::run_block;
use super::calling::wait_until;
use super::fold::{Gave, Recorded};
use super::path::{Index, Path, part};
use super::scope::Layer;
use super::vars::{go_to_mark, names_set, vars_of};

/// Runs rounds; at `max` the step ends with `done: false`, which is no failure. Results of the
/// last round stay visible behind the step.
pub(super) async fn run(
    layer: &Layer<'_>,
    path: &Path<'_>,
    steps: &Block,
    until: &Condition,
    every: Option<Duration>,
    max: u32,
) -> Flow<Value> {
    let desk = &layer.frame.job.desk;
    let key = path.key();
    let recorded = desk.begin_loop(&key);
    let ended = rounds(layer, path, &key, &recorded, (steps, until, every, max)).await;
    desk.end_loop(&key);
    ended
}

type Words<'a> = (&'a Block, &'a Condition, Option<Duration>, u32);

async fn rounds(
    layer: &Layer<'_>,
    path: &Path<'_>,
    key: &EntryKey,
    recorded: &Option<Recorded>,
    (steps, until, every, max): Words<'_>,
) -> Flow<Value> {
    let desk = &layer.frame.job.desk;
    let names = names_set(steps);
    let mut rounds: u32 = 0;
    let mut is_done = false;
    while rounds < max && !is_done {
        rounds += 1;
        if let Some(Recorded { head, .. }) = recorded
            && head.has_folded(rounds.into())
        {
            rounds = u32::try_from(head.mark).unwrap_or(max);
            go_to_mark(layer, head, &names);
        }
        let round = path.at(Index::At(u64::from(rounds)));
        if rounds > 1 {
            if let Some(every) = every {
                pause(layer, &round, every).await?;
            }
            forget(layer, steps);
        }
        run_block(layer, &round, steps).await?;
        is_done = match until.holds(&layer.scope(&round)) {
            // A preview lists one round.
            Err(error) if error.withheld_by.is_some() => true,
            held => held?,
        };
        if rounds < max && !is_done {
            // The last round stays, for its results can be read afterwards.
            let now = layer.now();
            let parts = (vars_of(layer, &names), || format!("{}/", round.key()));
            desk.end_iteration(key, rounds.into(), Gave::Well(None, None), now, parts);
        }
    }
    Ok(serde_json::json!({ "rounds": rounds, "done": is_done }))
}

async fn pause(layer: &Layer<'_>, round: &Path<'_>, every: Duration) -> Flow {
    let desk = &layer.frame.job.desk;
    let key = round.child(part::EVERY).key();
    let until = desk.recorded(&key).wait_until.unwrap_or_else(|| {
        let until = desk.clock().max(layer.now()).after(every);
        desk.write(&key, layer.now(), EntryKind::WaitBegan { until });
        until
    });
    wait_until(layer, &key, until).await
}

/// Forgets the results of the round before, so that a step that is skipped now has none.
pub(super) fn forget(layer: &Layer<'_>, steps: &[Step]) {
    for step in steps {
        layer.put_step(&step.id, None);
        for inner in inner_blocks(&step.kind) {
            forget(layer, inner);
        }
    }
}

/// The blocks of a step whose results are kept in the same layer.
fn inner_blocks(kind: &StepKind) -> Vec<&Block> {
    match kind {
        StepKind::If {
            branches,
            otherwise,
        } => branches
            .iter()
            .map(|(_, steps)| steps)
            .chain([otherwise])
            .collect(),
        StepKind::Switch {
            cases, otherwise, ..
        } => cases
            .iter()
            .map(|(_, steps)| steps)
            .chain([otherwise])
            .collect(),
        StepKind::Repeat { steps, .. } => vec![steps],
        StepKind::Try {
            steps,
            catch,
            finally,
            ..
        } => {
            let handler = catch.as_ref().map(|(_, steps)| steps);
            [Some(steps), handler, Some(finally)]
                .into_iter()
                .flatten()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The roots of one iteration: alias and `loop`.
pub(super) fn loop_roots(
    alias: &str,
    element: Value,
    index: u64,
    is_last: Option<bool>,
) -> Vec<(Arc<str>, Arc<Value>)> {
    let mut place = serde_json::Map::new();
    place.insert("index".into(), index.into());
    place.insert("first".into(), (index == 0).into());
    if let Some(is_last) = is_last {
        place.insert("last".into(), is_last.into());
    }
    vec![
        (Arc::from(alias), Arc::new(element)),
        (Arc::from("loop"), Arc::new(Value::Object(place))),
    ]
}
