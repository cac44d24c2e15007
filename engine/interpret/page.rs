//! The pages of a listing, one after another.
//!
//! Always true: each page is an entry of its own with the cursor of the next.

use crate::compile::RetryRule;
use crate::data::Value;
use crate::journal::Failure;

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
    is_over: bool,
}

impl Pages {
    pub(super) fn new(request: Call, rule: RetryRule) -> Self {
        Self {
            request,
            rule,
            number: 0,
            is_over: false,
        }
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
        self.request.cursor = output
            .get_mut("next")
            .map(Value::take)
            .filter(|v| !v.is_null());
        self.is_over = self.request.cursor.is_none();
        Ok(Some(items))
    }
}
