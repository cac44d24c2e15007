//! Which history goes, worked out from budgets or from a person's wish.
//!
//! Always true: a recipe's own rule takes the place of the one overall; the byte budget of the whole
//! database stands above both.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Budgets, Wish, before, show_age, show_size};
use crate::clock::Moment;
use crate::library::Shelf;
use crate::names::RecipeName;

/// Which history goes.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// What ended before goes, unless the recipe has a rule of its own.
    overall: Option<Age>,
    /// The rules of recipes: none if their history is kept as long as there is room.
    by_recipe: BTreeMap<RecipeName, Age>,
    /// What the history of a recipe may take.
    pub(super) recipe_bytes: BTreeMap<RecipeName, Bytes>,
    /// What the database may take.
    pub(super) bytes: Option<Bytes>,
    /// Before this, records of changes go.
    pub(super) changes_before: Option<Moment>,
    /// Before this, fires of schedules go.
    pub(super) fires_before: Option<Moment>,
    /// What requests were answered until then goes.
    pub(super) answers_until: Option<Moment>,
}

/// A rule of age.
#[derive(Clone, Debug)]
pub(super) struct Age {
    /// What ended before goes.
    pub(super) before: Moment,
    /// The rule in words.
    pub(super) words: String,
}

/// A rule of size.
#[derive(Clone, Debug)]
pub(super) struct Bytes {
    /// The most.
    pub(super) most: u64,
    /// What is aimed at once there is more, so that it is not the same again at once.
    pub(super) aim: u64,
    /// The rule in words.
    pub(super) words: String,
}

impl Bytes {
    fn budget(most: u64, words: String) -> Self {
        Self {
            most,
            aim: most / 20 * 19,
            words,
        }
    }
}

impl Rules {
    /// The budgets overall and those of the recipes.
    pub(super) fn of_budgets(budgets: &Budgets, shelf: &Shelf, now: Moment) -> Self {
        let age = |age: Duration, whose: &str| Age {
            before: before(now, age),
            words: format!("it ended more than {} ago ({whose})", show_age(age)),
        };
        let mut by_recipe = BTreeMap::new();
        let mut recipe_bytes = BTreeMap::new();
        for (recipe, retention) in shelf.retentions() {
            if let Some(own) = retention.age {
                let rule = age(own, "`retention` of the recipe");
                by_recipe.insert(recipe.clone(), rule);
            }
            if let Some(most) = retention.bytes {
                let words = format!(
                    "the history of its recipe took more than {} (`retention` of the recipe)",
                    show_size(most)
                );
                recipe_bytes.insert(recipe, Bytes::budget(most, words));
            }
        }
        Self {
            overall: budgets.age.map(|own| age(own, "setting `history_age`")),
            by_recipe,
            recipe_bytes,
            bytes: budgets.bytes.map(|most| {
                let words = format!(
                    "the database was larger than {} (setting `history_size`)",
                    show_size(most)
                );
                Bytes::budget(most, words)
            }),
            changes_before: budgets.changes_age.map(|age| before(now, age)),
            fires_before: budgets.age.map(|age| before(now, age)),
            answers_until: budgets.age.map(|age| before(now, age)),
        }
    }

    /// What a person wants to go, of all recipes alike.
    pub(super) fn of_wish(wish: &Wish, now: Moment) -> Self {
        let by = &wish.by;
        Self {
            overall: wish.older_than.map(|age| Age {
                before: before(now, age),
                words: format!("{by} removed what ended more than {} ago", show_age(age)),
            }),
            by_recipe: BTreeMap::new(),
            recipe_bytes: BTreeMap::new(),
            bytes: wish.to_bytes.map(|most| Bytes {
                most,
                aim: most,
                words: format!("{by} removed the oldest, down to {}", show_size(most)),
            }),
            changes_before: None,
            fires_before: None,
            // Which answers tell of the jobs that go by size, nobody knows.
            answers_until: Some(wish.older_than.map_or(now, |age| before(now, age))),
        }
    }

    /// The rule of age for a recipe.
    pub(super) fn age(&self, recipe: &RecipeName) -> Option<&Age> {
        self.by_recipe.get(recipe).or(self.overall.as_ref())
    }

    /// No rule of age touches what was queued at this moment or later.
    pub(super) fn newest(&self) -> Option<Moment> {
        let own = self.by_recipe.values().chain(&self.overall);
        own.map(|age| age.before).max()
    }
}
