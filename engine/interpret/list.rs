//! Runs steps for each element of a list or of a listing's pages, several at once if asked.
//!
//! Always true: results leave in item order; a failing loop starts nothing new and lets what runs
//! finish; only what is in flight is kept of the elements, and what ended can be folded.

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::clock::Moment;
use crate::compile::{Foreach, Step};
use crate::data::Value;
use crate::expression::Expression;

use super::block::run_block;
use super::path::Path;
use super::repeat::loop_roots;
use super::results::{Ended, Results};
use super::scope::Layer;
use super::source::{Fetched, Next, Source};
use super::vars::{go_to_mark, names_set};
use super::{Exit, Flow};

/// Runs the loop.
pub(super) async fn foreach(
    layer: &Layer<'_>,
    path: &Path<'_>,
    step: &Step,
    foreach: &Foreach,
) -> Flow<Value> {
    let desk = &layer.frame.job.desk;
    let key = path.key();
    let recorded = desk.begin_loop(&key);
    let head = recorded.as_ref().map(|recorded| recorded.head.clone());
    let mut results = recorded.map(Results::resume).unwrap_or_default();
    if !foreach.is_parallel {
        results.names_set = names_set(&foreach.steps);
    }
    let ended = match Source::open(layer, path, step, foreach, head.as_ref()) {
        Ok(source) => run(layer, path, foreach, source, results).await,
        Err(exit) => Err(exit),
    };
    desk.end_loop(&key);
    ended
}

async fn run<'a>(
    layer: &'a Layer<'a>,
    path: &'a Path<'a>,
    foreach: &'a Foreach,
    mut source: Source<'a>,
    mut results: Results,
) -> Flow<Value> {
    let mut running = FuturesUnordered::new();
    let desk = &layer.frame.job.desk;
    loop {
        desk.note_progress(|| results.progress(path.key(), source.total()));
        while running.len() < foreach.at_once as usize {
            let next = source.next(layer, path, results.is_leaving());
            if let Some(head) = source.passed_mark() {
                go_to_mark(layer, &head, &results.names_set);
            }
            let Some(next) = next else { break };
            // Elements in a row follow on one another; those at once begin with their page.
            let began_at = match foreach.is_parallel {
                true => source.began_at,
                false => layer.now(),
            };
            running.push(iterate(layer, path, foreach, next, began_at));
        }
        let is_full = running.len() >= foreach.at_once as usize;
        source.fetch_ahead(layer, path, is_full || results.is_leaving());
        let is_unknown = source.is_unknown();
        match (running.is_empty(), source.fetch()) {
            (true, None) if is_unknown => std::future::pending().await,
            (true, None) if results.is_leaving() => break,
            (true, None) => match source.next_held_back(layer) {
                Some(next) => {
                    let began_at = source.began_at;
                    running.push(iterate(layer, path, foreach, next, began_at));
                }
                None if source.fetch_beyond(layer, path) => {}
                None => break,
            },
            (true, Some(fetch)) => {
                let fetched = fetch.await;
                turn_page(layer, path, fetched, &mut source, &mut results);
            }
            (false, None) => {
                if let Some(ended) = running.next().await {
                    results.take(ended, foreach, layer, path);
                }
            }
            (false, Some(fetch)) => match select(running.next(), fetch).await {
                Either::Left((Some(ended), _)) => results.take(ended, foreach, layer, path),
                Either::Left((None, _)) => {}
                Either::Right((fetched, _)) => {
                    turn_page(layer, path, fetched, &mut source, &mut results);
                }
            },
        }
        desk.breathe().await;
    }
    if let Some(head) = source.passed_mark() {
        go_to_mark(layer, &head, &results.names_set);
    }
    if layer.is_left() {
        return Err(Exit::Cancelled);
    }
    results.finish()
}

fn turn_page<'a>(
    layer: &'a Layer<'a>,
    path: &'a Path<'a>,
    fetched: Fetched,
    source: &mut Source<'a>,
    results: &mut Results,
) {
    let at = fetched.at;
    if let Err(exit) = source.take(fetched, layer, path) {
        results.leave(at, u64::MAX, exit);
    }
}

/// Runs the steps for one element.
async fn iterate<'a>(
    layer: &'a Layer<'a>,
    path: &'a Path<'a>,
    foreach: &'a Foreach,
    next: Next,
    began_at: Moment,
) -> Ended {
    let Next {
        index,
        number,
        element,
        is_last,
    } = next;
    let place = path.at(index);
    let roots = loop_roots(&foreach.alias, element.clone(), number, is_last);
    let inner = layer.of_iteration(roots, began_at);
    let flow = run_block(&inner, &place, &foreach.steps).await;
    let flow = flow.and_then(|()| {
        let scope = inner.scope(&place);
        let evaluate = |expression: Option<&Expression>| match expression {
            Some(expression) => expression.evaluate(&scope),
            None => Ok(None),
        };
        Ok((
            evaluate(foreach.collect.as_ref())?,
            evaluate(foreach.tally.as_ref())?,
        ))
    });
    let at = inner.now();
    layer.tick(at);
    Ended {
        index,
        number,
        at,
        element,
        flow,
    }
}
