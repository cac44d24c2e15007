//! The pages of a listing, one after another.
//!
//! Always true: each page is an entry of its own with the cursor of the next.

use crate::clock::Moment;
use crate::compile::RetryRule;
use crate::data::Value;
use crate::journal::{Failure, PageHead};

use super::Flow;
use super::calling::call;
use super::effect::Call;
use super::path::{Index, Path};
use super::scope::Layer;

/// A listing under way.
pub(super) struct Pages {
    request: Call,
    rule: RetryRule,
    number: u64,
    /// What the last page was asked for with.
    asked_with: Option<Value>,
    is_over: bool,
    /// How many items there are in all, as the last page said.
    total: Option<u64>,
}

impl Pages {
    pub(super) fn new(request: Call, rule: RetryRule) -> Self {
        Self {
            request,
            rule,
            number: 0,
            asked_with: None,
            is_over: false,
            total: None,
        }
    }

    /// Goes on with a page further on; after the last if there is none.
    pub(super) fn go_to(&mut self, page: Option<&PageHead>) {
        self.is_over = page.is_none();
        if let Some(page) = page {
            self.number = page.number - 1;
            self.request.cursor = Some(page.cursor.clone()).filter(|cursor| !cursor.is_null());
        }
    }

    /// The page that came last, and the one after it, for the journal.
    pub(super) fn heads(&self, first: u64, count: u64, at: Moment) -> (PageHead, Option<PageHead>) {
        let page = PageHead {
            number: self.number,
            first,
            count,
            at,
            cursor: self.asked_with.clone().unwrap_or_default(),
        };
        let next = (!self.is_over).then(|| PageHead {
            number: self.number + 1,
            first: first + count,
            count: 0,
            at,
            cursor: self.request.cursor.clone().unwrap_or_default(),
        });
        (page, next)
    }

    /// Whether the last page has come.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// How many items there are in all, if the vendor says.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many pages were fetched.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The items of the next page; `None` after the last.
    pub(super) async fn next(
        &mut self,
        layer: &Layer<'_>,
        path: &Path<'_>,
    ) -> Flow<Option<Vec<Value>>> {
        if self.is_over {
            return Ok(None);
        }
        self.number += 1;
        let place = path.child("page").at(Index::At(self.number));
        let mut output = call(layer, &place, &self.request, &self.rule).await?;
        let Some(Value::Array(items)) = output.get_mut("items").map(Value::take) else {
            return Err(Failure::new("unexpected_reply", "a page without `items`").into());
        };
        // Many vendors count only when the first page is asked for.
        self.total = output["total"].as_u64().or(self.total);
        self.asked_with = self.request.cursor.take();
        self.request.cursor = output
            .get_mut("next")
            .map(Value::take)
            .filter(|v| !v.is_null());
        self.is_over = self.request.cursor.is_none();
        Ok(Some(items))
    }
}
