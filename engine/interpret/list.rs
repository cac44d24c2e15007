//! Runs steps for each element of a list or of a listing's pages, several at once if asked.
//!
//! Always true: results leave in item order; a failing loop starts nothing new and lets what runs
//! finish; only what is in flight is kept of the elements.

use std::collections::{BTreeMap, VecDeque};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::compile::{Foreach, ForeachSource, Step};
use crate::data::{Object, Value};
use crate::journal::Failure;

use super::action::{prepare, rule_of};
use super::block::run_block;
use super::page::Pages;
use super::path::{Index, Path};
use super::repeat::loop_roots;
use super::scope::Layer;
use super::{Exit, Flow, OUTCOME_UNKNOWN};

/// The most failed elements that a loop goes on over.
const FAILED_ELEMENTS_MAX: usize = 10_000;

/// The most different values that `tally` counts.
const TALLY_VALUES_MAX: usize = 100;

/// Elements that have not begun.
struct Source {
    ready: VecDeque<(Index, Value)>,
    pages: Option<Pages>,
    batch: Option<u32>,
}

/// What the iterations gave so far.
#[derive(Default)]
struct Results {
    begun: u64,
    succeeded: u64,
    collected: BTreeMap<u64, Value>,
    tally: BTreeMap<String, u64>,
    errors: BTreeMap<u64, Value>,
    exit: Option<(u64, Exit)>,
}

/// How one iteration ended.
struct Ended {
    number: u64,
    element: Value,
    flow: Flow<(Option<Value>, Option<Value>)>,
}

/// Runs the loop.
pub(super) async fn foreach(
    layer: &Layer<'_>,
    path: &Path<'_>,
    step: &Step,
    foreach: &Foreach,
) -> Flow<Value> {
    let mut source = open(layer, path, step, foreach)?;
    let mut results = Results::default();
    let mut running = FuturesUnordered::new();
    loop {
        let desk = &layer.frame.job.desk;
        while results.exit.is_none()
            && !layer.is_cancelled()
            && running.len() < foreach.at_once as usize
        {
            let next = match source.next(layer, path).await {
                Ok(next) => next,
                Err(exit) => {
                    results.exit = Some((u64::MAX, exit));
                    break;
                }
            };
            let Some((index, element)) = next else { break };
            let is_last = source.is_last();
            let place = path.at(index);
            running.push(iterate(
                layer,
                place,
                foreach,
                element,
                results.begun,
                is_last,
            ));
            results.begun += 1;
        }
        match running.next().await {
            Some(ended) => results.take(ended, foreach, layer, path),
            None => break,
        }
        desk.breathe().await;
    }
    if layer.is_cancelled() {
        return Err(Exit::Cancelled);
    }
    results.finish()
}

/// Runs the steps for one element.
async fn iterate<'a>(
    layer: &'a Layer<'a>,
    place: Path<'a>,
    foreach: &'a Foreach,
    element: Value,
    number: u64,
    is_last: Option<bool>,
) -> Ended {
    let roots = loop_roots(&foreach.alias, element.clone(), number, is_last);
    let inner = layer.of_iteration(roots);
    let flow = run_block(&inner, &place, &foreach.steps).await;
    let flow = flow.and_then(|()| {
        let scope = inner.scope(&place);
        let evaluate = |expression: Option<&crate::expression::Expression>| match expression {
            Some(expression) => expression.evaluate(&scope),
            None => Ok(None),
        };
        Ok((
            evaluate(foreach.collect.as_ref())?,
            evaluate(foreach.tally.as_ref())?,
        ))
    });
    layer.tick(inner.now());
    Ended {
        number,
        element,
        flow,
    }
}

fn open(layer: &Layer<'_>, path: &Path<'_>, step: &Step, foreach: &Foreach) -> Flow<Source> {
    let batch = foreach.batch;
    match &foreach.source {
        ForeachSource::List(expression) => {
            let elements = match expression.evaluate(&layer.scope(path))? {
                Some(Value::Array(elements)) => elements,
                None => Vec::new(),
                Some(other) => {
                    let found = crate::data::kind_of(&other);
                    let message = format!("`foreach` needs a list, found {found}");
                    return Err(Failure::new("wrong_type", message).into());
                }
            };
            let ready = numbered(elements, batch, Index::At);
            Ok(Source {
                ready,
                pages: None,
                batch,
            })
        }
        ForeachSource::Action { action, with } => {
            let request = prepare(layer, path, step, action, with, None)?;
            let pages = Some(Pages::new(request, rule_of(step, action)));
            Ok(Source {
                ready: VecDeque::new(),
                pages,
                batch,
            })
        }
    }
}

impl Source {
    /// The next element, from the next page if need be.
    async fn next(&mut self, layer: &Layer<'_>, path: &Path<'_>) -> Flow<Option<(Index, Value)>> {
        while self.ready.is_empty() {
            let Some(pages) = &mut self.pages else {
                return Ok(None);
            };
            let Some(items) = pages.next(layer, path).await? else {
                return Ok(None);
            };
            let page = pages.number();
            self.ready = numbered(items, self.batch, |index| Index::OfPage(page, index));
        }
        Ok(self.ready.pop_front())
    }

    /// Whether no element follows, where that is known.
    fn is_last(&self) -> Option<bool> {
        self.pages.is_none().then(|| self.ready.is_empty())
    }
}

fn numbered(
    elements: Vec<Value>,
    batch: Option<u32>,
    index: impl Fn(u64) -> Index,
) -> VecDeque<(Index, Value)> {
    let elements = match batch {
        None => elements,
        Some(size) => {
            let mut rest = elements.into_iter().peekable();
            let mut batches = Vec::new();
            while rest.peek().is_some() {
                batches.push(rest.by_ref().take(size.max(1) as usize).collect());
            }
            batches
        }
    };
    (0..).map(index).zip(elements).collect()
}

impl Results {
    fn take(&mut self, ended: Ended, foreach: &Foreach, layer: &Layer<'_>, path: &Path<'_>) {
        let number = ended.number;
        match ended.flow {
            Ok((collected, counted)) => {
                self.succeeded += 1;
                if let Some(value) = collected {
                    self.collected.insert(number, value);
                }
                if let Some(value) = counted
                    && let Err(failure) = self.count(&value)
                {
                    self.leave(number, failure.into());
                }
            }
            Err(Exit::Failed(failure))
                if foreach.continue_on_error && failure.code != OUTCOME_UNKNOWN =>
            {
                layer.frame.job.desk.mark_failed_element();
                let mut error = Object::new();
                error.insert("index".into(), number.into());
                error.insert("item".into(), ended.element);
                error.insert("error".into(), failure.to_value());
                self.errors.insert(number, Value::Object(error));
                if self.errors.len() > FAILED_ELEMENTS_MAX {
                    let message = format!("more than {FAILED_ELEMENTS_MAX} elements failed");
                    let mut failure = Failure::new("too_many_failures", message);
                    failure.step = Some(path.key().to_string());
                    self.leave(number, failure.into());
                }
            }
            Err(exit) => self.leave(number, exit),
        }
    }

    /// Keeps the exit of the first element that ended the loop, in the order of elements.
    fn leave(&mut self, number: u64, exit: Exit) {
        if self.exit.as_ref().is_none_or(|(first, _)| number < *first) {
            self.exit = Some((number, exit));
        }
    }

    fn count(&mut self, value: &Value) -> Result<(), Failure> {
        let name = match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        *self.tally.entry(name).or_default() += 1;
        if self.tally.len() > TALLY_VALUES_MAX {
            let message = format!("`tally` counts more than {TALLY_VALUES_MAX} different values");
            return Err(Failure::new("too_many_values", message));
        }
        Ok(())
    }

    fn finish(self) -> Flow<Value> {
        if let Some((_, exit)) = self.exit {
            return Err(exit);
        }
        Ok(serde_json::json!({
            "count": self.begun,
            "succeeded": self.succeeded,
            "failed": self.errors.len(),
            "items": self.collected.into_values().collect::<Vec<_>>(),
            "tally": self.tally,
            "errors": self.errors.into_values().collect::<Vec<_>>(),
        }))
    }
}
