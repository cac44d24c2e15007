//! What loops have finished and the journal need not hold one by one.
//!
//! In: iterations that came to their end. Out: before a commit, the heads that stand for them and
//! what they gave.
//! Always true: an iteration whose failure ends the loop is not folded, nor one that has not come
//! to its end; a head stands for nothing that is not durable with the same commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Moment;
use crate::data::Value;
use crate::journal::{Entry, EntryKey, EntryKind, LoopHead, PageHead};

use super::desk::{Desk, State};
use super::keeping::{Folding, Weights};
use super::vars::Vars;

/// The loops of a job that can be folded.
#[derive(Default)]
pub(super) struct Folds {
    rule: Folding,
    /// How much the loops have written.
    pub(super) weights: Weights,
    /// What the journal holds about folded loops.
    recorded: BTreeMap<EntryKey, Recorded>,
    open: BTreeMap<EntryKey, Open>,
    /// How many iterations ended, folded or not.
    iterations: u64,
    /// How many of them the journal does not know to be folded.
    fresh: u64,
    /// How many lines the job has logged.
    lines: u64,
}

/// How many lines a job with long loops logs before the others are left out.
const LINES_MAX: u64 = 1_000;

/// What the journal holds about a folded loop.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorded {
    pub(super) head: LoopHead,
    pub(super) collected: Vec<(u64, Value)>,
    pub(super) errors: Vec<(u64, Value)>,
}

/// A loop of which something is to be folded.
struct Open {
    head: LoopHead,
    vars: Option<Vars>,
    is_fresh: bool,
    is_over: bool,
    collected: Vec<(u64, Value)>,
    errors: Vec<Value>,
}

/// What an iteration gave that came to its end.
pub(super) enum Gave<'a> {
    /// It ended well; what it collected and what it counts as.
    Well(Option<&'a Value>, Option<&'a str>),
    /// It failed, and the loop goes on.
    Failed(&'a Value),
}

impl Folds {
    pub(super) fn new(rule: Folding) -> Self {
        Self {
            rule,
            ..Self::default()
        }
    }

    /// Sorts what the journal holds about loops; other entries are given back.
    pub(super) fn take_up(&mut self, entry: Entry) -> Option<Entry> {
        match entry.kind {
            EntryKind::LoopFolded { head } => {
                self.iterations = self.iterations.max(self.rule.after);
                self.recorded.entry(entry.key).or_default().head = *head;
            }
            EntryKind::LoopGathered { given } => {
                let recorded = self.recorded.entry(entry.key).or_default();
                recorded.read(given);
            }
            EntryKind::LineLogged { .. } => {
                self.lines += 1;
                return Some(entry);
            }
            _ => return Some(entry),
        }
        None
    }

    /// How many things are kept in memory for loops and iterations.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let open = self.open.values();
        let held =
            open.map(|open| open.head.above.len() + open.collected.len() + open.errors.len());
        self.recorded.len() + self.open.len() + held.sum::<usize>()
    }

    fn is_active(&self) -> bool {
        self.iterations >= self.rule.after || self.weights.all() > self.rule.after_bytes
    }
}

impl Recorded {
    fn read(&mut self, given: Value) {
        let Value::Object(mut given) = given else {
            return;
        };
        if let Some(Value::Array(collected)) = given.remove("collected") {
            let pairs = collected.into_iter().filter_map(|pair| match pair {
                Value::Array(mut pair) if pair.len() == 2 => {
                    let value = pair.pop()?;
                    Some((pair[0].as_u64()?, value))
                }
                _ => None,
            });
            self.collected.extend(pairs);
        }
        if let Some(Value::Array(errors)) = given.remove("errors") {
            let numbered = errors.into_iter().filter_map(|error| {
                let number = error.get("index")?.as_u64()?;
                Some((number, error))
            });
            self.errors.extend(numbered);
        }
    }
}

impl Desk {
    /// Writes a line of the log, unless long loops have logged too many.
    pub(super) fn write_line(&self, key: &EntryKey, at: Moment, line: EntryKind) {
        let (is_active, before) = {
            let folds = &mut self.state().folds;
            folds.lines += 1;
            (folds.is_active(), folds.lines - 1)
        };
        if !is_active || before < LINES_MAX {
            self.write(key, at, line);
        } else if before == LINES_MAX {
            let message = format!("the job logged {LINES_MAX} lines; what follows is left out");
            let last = EntryKind::LineLogged {
                level: "warn".to_owned(),
                message,
                data: None,
            };
            self.write(key, at, last);
        }
    }

    /// A loop begins or goes on: what the journal holds about it.
    pub(super) fn begin_loop(&self, key: &EntryKey) -> Option<Recorded> {
        let mut state = self.state();
        let recorded = state.folds.recorded.remove(key);
        let kept = state.folds.rule.kept_of(key, &state.folds.weights);
        let head = match &recorded {
            Some(recorded) => recorded.head.clone(),
            None => LoopHead {
                kept,
                mark: kept,
                ..LoopHead::default()
            },
        };
        state.has_failed_elements |= head.has_failures;
        let open = Open {
            head,
            vars: None,
            is_fresh: false,
            is_over: false,
            collected: Vec::new(),
            errors: Vec::new(),
        };
        state.folds.open.insert(key.clone(), open);
        recorded
    }

    /// An iteration came to its end, and the loop goes on from there: `vars` are those around it
    /// as they are now, `below` begins the keys of its entries.
    pub(super) fn end_iteration(
        &self,
        key: &EntryKey,
        number: u64,
        gave: Gave<'_>,
        now: Moment,
        (vars, below): (Vars, impl FnOnce() -> String),
    ) {
        let mut state = self.state();
        let folds = &mut state.folds;
        folds.iterations += 1;
        let is_inside_known = folds.open.len() > 1;
        let is_heavy = folds.rule.is_heavy(key, &folds.weights);
        let Some(open) = folds.open.get_mut(key) else {
            return;
        };
        if number < open.head.kept && !(is_heavy && number > 0 && open.head.keep_below(number)) {
            return;
        }
        open.take(number, gave, now, vars);
        folds.fresh += 1;
        if is_inside_known {
            let below = below();
            let from = EntryKey(Arc::from(below.as_str()));
            let inside: Vec<EntryKey> = folds
                .open
                .range(from..)
                .map(|(key, _)| key)
                .take_while(|key| key.0.starts_with(&below))
                .cloned()
                .collect();
            for key in inside {
                folds.open.remove(&key);
            }
        }
    }

    /// A page of a loop's listing came.
    pub(super) fn note_page(&self, key: &EntryKey, page: PageHead, next: Option<PageHead>) {
        let mut state = self.state();
        let Some(open) = state.folds.open.get_mut(key) else {
            return;
        };
        let pages = open
            .head
            .pages
            .get_or_insert_with(|| crate::journal::PagesHead {
                open: Vec::new(),
                next: Some(page.clone()),
            });
        if pages
            .next
            .as_ref()
            .is_some_and(|next| next.number <= page.number)
        {
            pages.open.push(page);
            pages.next = next;
        }
    }

    /// A loop is over, well or not.
    pub(super) fn end_loop(&self, key: &EntryKey) {
        let mut state = self.state();
        state.loops.forget(key);
        let is_active = state.folds.is_active();
        let Some(open) = state.folds.open.get_mut(key) else {
            return;
        };
        open.is_over = true;
        if !open.is_fresh || !is_active {
            state.folds.open.remove(key);
        }
    }

    /// How many things are kept in memory for places, iterations and effects.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let state = self.state();
        let passing = state.effects.len() + state.entries.len();
        passing + state.recorded.len() + state.folds.held()
    }

    /// How many iterations ended that the journal does not know to be folded.
    pub(super) fn unfolded(&self) -> u64 {
        let state = self.state();
        match state.folds.is_active() {
            true => state.folds.fresh,
            false => 0,
        }
    }

    /// Folds what has ended since the last time.
    pub(super) fn fold(&self) -> Vec<Entry> {
        let mut state = self.state();
        let State {
            folds,
            has_failed_elements,
            ..
        } = &mut *state;
        let mut entries = Vec::new();
        if !folds.is_active() || folds.fresh == 0 {
            return entries;
        }
        folds.fresh = 0;
        for (key, open) in &mut folds.open {
            if open.is_fresh {
                open.head.has_failures = *has_failed_elements;
                open.write(key, &mut entries);
            }
        }
        folds.open.retain(|_, open| !open.is_over);
        entries
    }
}

impl Open {
    fn take(&mut self, number: u64, gave: Gave<'_>, now: Moment, vars: Vars) {
        self.is_fresh = true;
        self.head.fold(number);
        self.head.now = self.head.now.max(now);
        self.vars = Some(vars);
        match gave {
            Gave::Well(collected, counted) => {
                self.head.succeeded += 1;
                if let Some(value) = collected {
                    self.collected.push((number, value.clone()));
                }
                if let Some(name) = counted {
                    *self.head.tally.entry(name.to_owned()).or_default() += 1;
                }
            }
            Gave::Failed(error) => {
                self.head.failed += 1;
                self.errors.push(error.clone());
            }
        }
    }

    /// Writes what the folded ones gave, and how far the loop is.
    fn write(&mut self, key: &EntryKey, entries: &mut Vec<Entry>) {
        self.is_fresh = false;
        let head = &mut self.head;
        if let Some(pages) = &mut head.pages {
            let mut open = std::mem::take(&mut pages.open);
            open.retain(|page| page.count > 0 && (page.first < head.kept || !head.has_all(page)));
            if let Some(pages) = &mut head.pages {
                pages.open = open;
            }
        }
        // None at all says that all of them are absent now.
        if let Some(vars) = self.vars.take() {
            let vars = vars.into_iter();
            head.vars = vars.map(|(name, value)| (name, (*value).clone())).collect();
        }
        if !self.collected.is_empty() || !self.errors.is_empty() {
            let mut collected = std::mem::take(&mut self.collected);
            collected.sort_unstable_by_key(|(number, _)| *number);
            let given = serde_json::json!({
                "collected": collected,
                "errors": std::mem::take(&mut self.errors),
            });
            entries.push(Entry {
                key: key.clone(),
                at: head.now,
                kind: EntryKind::LoopGathered { given },
            });
        }
        entries.push(Entry {
            key: key.clone(),
            at: head.now,
            kind: EntryKind::LoopFolded {
                head: Box::new(head.clone()),
            },
        });
    }
}
