//! The elements of a loop, one after another: of a list, or of a listing's pages.
//!
//! Always true: an element keeps its number and its place in the journal at every resumption; only
//! the pages of which something is open are asked for again.

use std::collections::VecDeque;

use futures_util::future::{BoxFuture, FutureExt};

use crate::clock::Moment;
use crate::compile::{Foreach, ForeachSource, Step};
use crate::data::{Value, is_withheld};
use crate::journal::{Failure, LoopHead, PageHead};

use super::Flow;
use super::action::{prepare, rule_of};
use super::page::Pages;
use super::path::{Index, Path};
use super::scope::Layer;
use super::seeded::elements;

/// Elements that have not begun.
pub(super) struct Source<'a> {
    elements: std::vec::IntoIter<Value>,
    /// The page that they are of; none for a list.
    page: Option<u64>,
    /// The place of the next one in its list or page.
    index: u64,
    /// The number of the next one in the loop.
    number: u64,
    /// The listing, while no page of it is on its way.
    pages: Option<Pages>,
    /// The page that is on its way.
    fetch: Option<BoxFuture<'a, Fetched>>,
    batch: Option<usize>,
    is_listing: bool,
    /// How many elements there are in all, where that is known.
    total: Option<u64>,
    is_parallel: bool,
    /// Elements of which the journal knows nothing, while the place is to begin nothing new.
    held_back: VecDeque<Next>,
    /// What `now` shows at the start of an element: the time of its page, or of the loop.
    pub(super) began_at: Moment,
    resumed: Option<Resumed>,
    is_unknown: bool,
}

/// How many elements beyond what the journal knows of a folded loop a replay runs: those that
/// fail without having asked for anything are among the first.
const SHOWN_AHEAD_MAX: u32 = 100;

/// What the journal knows of a loop that goes on.
struct Resumed {
    head: LoopHead,
    /// The pages that are needed, in order.
    planned: VecDeque<PageHead>,
    /// Whether no page follows after those.
    is_last: bool,
    has_passed_mark: bool,
    shown_ahead: u32,
}

/// An element about to begin.
pub(super) struct Next {
    pub(super) index: Index,
    pub(super) number: u64,
    pub(super) element: Value,
    /// Whether no element follows, where that is known.
    pub(super) is_last: Option<bool>,
}

/// A page that came.
pub(super) struct Fetched {
    pages: Pages,
    pub(super) at: Moment,
    items: Flow<Option<Vec<Value>>>,
}

impl<'a> Source<'a> {
    /// Evaluates what the elements are, and goes on where the journal says.
    pub(super) fn open(
        layer: &Layer<'_>,
        path: &Path<'_>,
        step: &Step,
        foreach: &Foreach,
        head: Option<&LoopHead>,
    ) -> Flow<Self> {
        let mut source = Source {
            elements: Vec::new().into_iter(),
            page: None,
            index: 0,
            number: 0,
            pages: None,
            fetch: None,
            batch: foreach.batch.map(|size| size.max(1) as usize),
            is_listing: false,
            total: None,
            is_parallel: foreach.is_parallel,
            held_back: VecDeque::new(),
            began_at: layer.now(),
            resumed: head.map(Resumed::new),
            is_unknown: false,
        };
        if let Some(elements) = elements(layer, path) {
            source.total = Some(elements.len() as u64);
            source.elements = elements.into_iter();
            source.batch = None;
            return Ok(source);
        }
        match &foreach.source {
            ForeachSource::List(expression) => {
                let elements = match expression.evaluate(&layer.scope(path))? {
                    Some(Value::Array(elements)) => elements,
                    None => Vec::new(),
                    // A preview lists the steps once.
                    Some(unknown) if layer.frame.job.is_preview && is_withheld(&unknown) => {
                        vec![unknown]
                    }
                    Some(other) => {
                        let found = crate::data::kind_of(&other);
                        let message = format!("`foreach` needs a list, found {found}");
                        return Err(Failure::new("wrong_type", message).into());
                    }
                };
                source.total = Some(source.rounds(elements.len() as u64));
                source.elements = elements.into_iter();
            }
            ForeachSource::Action { action, with } => {
                let request = prepare(layer, path, step, action, with, None)?;
                source.pages = Some(Pages::new(request, rule_of(step, action)));
                source.is_listing = true;
            }
        }
        Ok(source)
    }

    /// The next element that is not folded. While the loop is being left, only those that had
    /// begun before: what they have under way must come to its end. Where nothing new is to begin,
    /// those come first; of the others the journal cannot tell those that came to their end
    /// without asking for anything, so they follow after.
    pub(super) fn next(
        &mut self,
        layer: &Layer<'_>,
        path: &Path<'_>,
        is_leaving: bool,
    ) -> Option<Next> {
        if layer.is_left() {
            return None;
        }
        let desk = &layer.frame.job.desk;
        loop {
            let next = self.advance()?;
            if let Some(resumed) = &mut self.resumed
                && resumed.head.has_folded(next.number)
            {
                resumed.has_passed_mark = true;
                continue;
            }
            let has_begun = || {
                let below = || format!("{}/", path.at(next.index).key());
                !desk.state().recorded.is_empty() && desk.has_recorded_below(&below())
            };
            let holds_back = self.is_parallel && layer.begins_nothing();
            let is_checked = is_leaving || holds_back || self.resumed.is_some();
            if !is_checked || has_begun() {
                return Some(next);
            }
            if is_leaving {
                continue;
            }
            if let Some(resumed) = &mut self.resumed
                && desk.is_traced()
            {
                resumed.shown_ahead += 1;
                if resumed.shown_ahead > SHOWN_AHEAD_MAX {
                    self.is_unknown = true;
                    return None;
                }
            }
            if holds_back {
                self.held_back.push_back(next);
                continue;
            }
            return Some(next);
        }
    }

    /// An element that was held back, when all that had begun has come to its end.
    pub(super) fn next_held_back(&mut self, layer: &Layer<'_>) -> Option<Next> {
        if layer.is_left() {
            return None;
        }
        self.held_back.pop_front()
    }

    /// Whether what follows is not shown, because a replay knows nothing of it.
    pub(super) fn is_unknown(&self) -> bool {
        self.is_unknown
    }

    /// The head that the loop goes on from, once, when all before its mark is through.
    pub(super) fn passed_mark(&mut self) -> Option<LoopHead> {
        let resumed = self.resumed.as_mut()?;
        if !std::mem::take(&mut resumed.has_passed_mark) {
            return None;
        }
        Some(resumed.head.clone())
    }

    /// Sends for the next page when the one before is used up and there is room for its elements;
    /// while the loop is being left, only for a page that came before.
    pub(super) fn fetch_ahead(
        &mut self,
        layer: &'a Layer<'a>,
        path: &'a Path<'a>,
        is_held_up: bool,
    ) {
        if self.elements.len() > 0 || layer.is_left() {
            return;
        }
        let Some(pages) = &self.pages else { return };
        // Pages that came before stand in the journal; a new one is not sent for ahead of time.
        if is_held_up || layer.begins_nothing() {
            let planned = self
                .resumed
                .as_ref()
                .and_then(|resumed| resumed.planned.front());
            let next = planned.map_or(pages.number() + 1, |page| page.number);
            let next = path.child("page").at(Index::At(next)).key();
            if !layer.frame.job.desk.has_recorded_below(&next.0) {
                return;
            }
        }
        self.send_for_page(layer, path);
    }

    /// Sends for the page that follows all that is known, so that a loop that is to begin nothing
    /// new learns that it has not come to its end; whether there may be one.
    pub(super) fn fetch_beyond(&mut self, layer: &'a Layer<'a>, path: &'a Path<'a>) -> bool {
        let may_follow = self.pages.is_some() && !layer.is_left();
        if may_follow {
            self.send_for_page(layer, path);
        }
        may_follow
    }

    fn send_for_page(&mut self, layer: &'a Layer<'a>, path: &'a Path<'a>) {
        let Some(mut pages) = self.pages.take() else {
            return;
        };
        self.skip_pages(&mut pages);
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

    /// How many elements there are in all, where that is known: a vendor may not say it of a listing
    /// before its last page.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many rounds so many elements make.
    fn rounds(&self, elements: u64) -> u64 {
        elements.div_ceil(self.batch.unwrap_or(1) as u64)
    }

    /// The page that is on its way.
    pub(super) fn fetch(&mut self) -> Option<&mut BoxFuture<'a, Fetched>> {
        self.fetch.as_mut()
    }

    /// Takes in a page that came, or that there is none.
    pub(super) fn take(&mut self, fetched: Fetched, layer: &Layer<'_>, path: &Path<'_>) -> Flow {
        self.fetch = None;
        let Some(items) = fetched.items? else {
            return Ok(());
        };
        let (pages, at) = (fetched.pages, fetched.at);
        let count = self.rounds(items.len() as u64);
        self.total = match pages.is_over() {
            true => Some(self.number + count),
            false => pages.total().map(|total| self.rounds(total)),
        };
        let (page, next) = pages.heads(self.number, count, at);
        layer.frame.job.desk.note_page(&path.key(), page, next);
        self.elements = items.into_iter();
        self.page = Some(pages.number());
        self.index = 0;
        self.began_at = at;
        self.pages = Some(pages);
        Ok(())
    }

    /// Passes over pages of which nothing is open.
    fn skip_pages(&mut self, pages: &mut Pages) {
        let Some(resumed) = &mut self.resumed else {
            return;
        };
        if let Some(page) = resumed.planned.pop_front() {
            resumed.has_passed_mark |= page.first > self.number;
            pages.go_to(Some(&page));
            self.number = page.first;
            self.began_at = self.began_at.max(page.at);
        } else if std::mem::take(&mut resumed.is_last) {
            resumed.has_passed_mark = true;
            pages.go_to(None);
        }
    }

    /// The next element, folded or not.
    fn advance(&mut self) -> Option<Next> {
        let element = match self.batch {
            None => self.elements.next()?,
            Some(size) => {
                let batch: Vec<Value> = self.elements.by_ref().take(size).collect();
                if batch.is_empty() {
                    return None;
                }
                Value::Array(batch)
            }
        };
        let index = match self.page {
            None => Index::At(self.index),
            Some(page) => Index::OfPage(page, self.index),
        };
        let number = self.number;
        self.index += 1;
        self.number += 1;
        Some(Next {
            index,
            number,
            element,
            is_last: (!self.is_listing).then_some(self.elements.len() == 0),
        })
    }
}

impl Resumed {
    fn new(head: &LoopHead) -> Self {
        let pages = head.pages.clone().unwrap_or_default();
        let is_last = head.pages.is_some() && pages.next.is_none();
        Self {
            head: head.clone(),
            planned: pages.open.into_iter().chain(pages.next).collect(),
            is_last,
            has_passed_mark: false,
            shown_ahead: 0,
        }
    }
}
