//! Runs steps for each element of a list or of a listing's pages, several at once if asked.
//!
//! Always true: results leave in item order; a failing loop starts nothing new and lets what runs
//! finish; only what is in flight is kept of the elements.

use std::collections::{BTreeMap, VecDeque};

use futures_util::future::{BoxFuture, Either, FutureExt, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::clock::Moment;
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
struct Source<'a> {
    ready: VecDeque<(Index, Value)>,
    /// The listing, while no page of it is on its way.
    pages: Option<Pages>,
    /// The page that is on its way.
    fetch: Option<BoxFuture<'a, Fetched>>,
    batch: Option<u32>,
    is_listing: bool,
    /// What `now` shows at the start of an element: the time of its page, or of the loop.
    began_at: Moment,
}

/// A page that came.
struct Fetched {
    pages: Pages,
    at: Moment,
    items: Flow<Option<Vec<Value>>>,
}

/// What the iterations gave so far.
#[derive(Default)]
struct Results {
    begun: u64,
    succeeded: u64,
    collected: BTreeMap<u64, Value>,
    tally: BTreeMap<String, u64>,
    errors: BTreeMap<u64, Value>,
    exit: Option<(Moment, u64, Exit)>,
}

/// How one iteration ended.
struct Ended {
    number: u64,
    at: Moment,
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
        while running.len() < foreach.at_once as usize {
            let Some((index, element)) = source.next(layer, path, results.exit.is_some()) else {
                break;
            };
            let is_last = source.is_last();
            // Elements in a row follow on one another; those at once begin with their page.
            let began_at = if foreach.is_parallel {
                source.began_at
            } else {
                layer.now()
            };
            let number = results.begun;
            let place = path.at(index);
            running.push(iterate(
                layer, place, foreach, element, number, is_last, began_at,
            ));
            results.begun += 1;
        }
        let is_full = running.len() >= foreach.at_once as usize;
        source.fetch_ahead(layer, path, is_full || results.exit.is_some());
        match (running.is_empty(), &mut source.fetch) {
            (true, None) => break,
            (true, Some(fetch)) => {
                let fetched = fetch.await;
                source.take(fetched, &mut results);
            }
            (false, None) => {
                if let Some(ended) = running.next().await {
                    results.take(ended, foreach, layer, path);
                }
            }
            (false, Some(fetch)) => match select(running.next(), fetch).await {
                Either::Left((Some(ended), _)) => results.take(ended, foreach, layer, path),
                Either::Left((None, _)) => {}
                Either::Right((fetched, _)) => source.take(fetched, &mut results),
            },
        }
        layer.frame.job.desk.breathe().await;
    }
    if layer.is_left() {
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
    began_at: Moment,
) -> Ended {
    let roots = loop_roots(&foreach.alias, element.clone(), number, is_last);
    let inner = layer.of_iteration(roots, began_at);
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
    let at = inner.now();
    layer.tick(at);
    Ended {
        number,
        at,
        element,
        flow,
    }
}

fn open<'a>(
    layer: &Layer<'_>,
    path: &Path<'_>,
    step: &Step,
    foreach: &Foreach,
) -> Flow<Source<'a>> {
    let batch = foreach.batch;
    let mut source = Source {
        ready: VecDeque::new(),
        pages: None,
        fetch: None,
        batch,
        is_listing: false,
        began_at: layer.now(),
    };
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
            source.ready = numbered(elements, batch, Index::At);
        }
        ForeachSource::Action { action, with } => {
            let request = prepare(layer, path, step, action, with, None)?;
            source.pages = Some(Pages::new(request, rule_of(step, action)));
            source.is_listing = true;
        }
    }
    Ok(source)
}

impl<'a> Source<'a> {
    /// The next element. While the loop is being left, only those that had begun before: what
    /// they have under way must come to its end.
    fn next(
        &mut self,
        layer: &Layer<'_>,
        path: &Path<'_>,
        is_leaving: bool,
    ) -> Option<(Index, Value)> {
        if layer.is_left() {
            return None;
        }
        if !is_leaving && !layer.begins_nothing() {
            return self.ready.pop_front();
        }
        let desk = &layer.frame.job.desk;
        while let Some((index, element)) = self.ready.pop_front() {
            if desk.has_recorded_below(&format!("{}/", path.at(index).key())) {
                return Some((index, element));
            }
        }
        None
    }

    /// Sends for the next page when the one before is used up and there is room for its elements;
    /// while the loop is being left, only for a page that came before.
    fn fetch_ahead(&mut self, layer: &'a Layer<'a>, path: &'a Path<'a>, is_held_up: bool) {
        if !self.ready.is_empty() || layer.is_left() {
            return;
        }
        let Some(pages) = &self.pages else { return };
        if is_held_up || layer.begins_nothing() {
            let next = path.child("page").at(Index::At(pages.number() + 1)).key();
            if !layer.frame.job.desk.has_recorded_below(&next.0) {
                return;
            }
        }
        let Some(mut pages) = self.pages.take() else {
            return;
        };
        let began_at = self.began_at;
        self.fetch = Some(
            async move {
                let own = layer.of_iteration(Vec::new(), began_at);
                let items = pages.next(&own, path).await;
                let at = own.now();
                layer.tick(at);
                Fetched { pages, at, items }
            }
            .boxed(),
        );
    }

    /// Takes in a page that came, or that there is none.
    fn take(&mut self, fetched: Fetched, results: &mut Results) {
        self.fetch = None;
        match fetched.items {
            Ok(Some(items)) => {
                let page = fetched.pages.number();
                self.ready = numbered(items, self.batch, |index| Index::OfPage(page, index));
                self.began_at = fetched.at;
                self.pages = Some(fetched.pages);
            }
            Ok(None) => {}
            Err(exit) => results.leave(fetched.at, u64::MAX, exit),
        }
    }

    /// Whether no element follows, where that is known.
    fn is_last(&self) -> Option<bool> {
        (!self.is_listing).then_some(self.ready.is_empty())
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
        let (number, at) = (ended.number, ended.at);
        match ended.flow {
            Ok((collected, counted)) => {
                self.succeeded += 1;
                if let Some(value) = collected {
                    self.collected.insert(number, value);
                }
                let has_room = counted.is_none_or(|value| self.count(&value));
                if !has_room {
                    let message =
                        format!("`tally` counts more than {TALLY_VALUES_MAX} different values");
                    let failure = Failure::new("too_many_values", message);
                    self.leave(at, number, failure.into());
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
                    self.leave(at, number, failure.into());
                }
            }
            Err(exit) => self.leave(at, number, exit),
        }
    }

    /// Keeps the exit that came first by recorded time, which every resumption finds again.
    fn leave(&mut self, at: Moment, number: u64, exit: Exit) {
        let is_first = self
            .exit
            .as_ref()
            .is_none_or(|(first_at, first, _)| (at, number) < (*first_at, *first));
        if is_first {
            self.exit = Some((at, number, exit));
        }
    }

    /// Counts a value; whether there was room for it.
    fn count(&mut self, value: &Value) -> bool {
        let name = match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        *self.tally.entry(name).or_default() += 1;
        self.tally.len() <= TALLY_VALUES_MAX
    }

    fn finish(self) -> Flow<Value> {
        if let Some((_, _, exit)) = self.exit {
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
