//! What stands in a journal for iterations that were folded.
//!
//! In: what a loop's iterations gave. Out: one [`LoopHead`] a loop, and which entries go for it.
//! Always true: an entry is covered only if the iteration or page it belongs to has come to its
//! end and the head stands for it; nothing here grows with the loop, except by the failed elements
//! and the ranges that elements still open leave between them. Lines of the job's log stay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Entry, EntryKey, EntryKind};
use crate::clock::Moment;
use crate::data::Value;

/// How far a loop has come: it stands for the iterations that were folded. A journal keeps the
/// last one of each loop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoopHead {
    /// Iterations below this number are never folded: they show what the others were like.
    pub kept: u64,
    /// All from `kept` to below this number are folded.
    pub mark: u64,
    /// Ranges above the mark that are folded too, first and last, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<(u64, u64)>,
    /// How many of the folded ones ended well.
    pub succeeded: u64,
    /// How many of the folded ones failed and were passed over.
    pub failed: u64,
    /// What `tally` counted in the folded ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tally: BTreeMap<String, u64>,
    /// The variables around the loop that its steps set, as they were at the mark, by name.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub vars: Value,
    /// The time of the last entry that any folded one waited for.
    pub now: Moment,
    /// Whether a failure was passed over anywhere in the job so far.
    #[serde(default)]
    pub has_failures: bool,
    /// Where a listing stands; none for lists and rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<PagesHead>,
}

/// Where a listing stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PagesHead {
    /// Pages of which something is not folded; their entries stay.
    pub open: Vec<PageHead>,
    /// The page after the last that came; none if that was the last of all.
    pub next: Option<PageHead>,
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageHead {
    /// Its number, from 1.
    pub number: u64,
    /// The number of its first iteration.
    pub first: u64,
    /// How many iterations it makes; 0 as long as it has not come.
    pub count: u64,
    /// When it came; of a page that has not come, when the one before did.
    pub at: Moment,
    /// What it is asked for with; null for the first.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub cursor: Value,
}

/// The heads of some loops, by place.
#[derive(Debug, Default)]
pub struct Heads<'a>(BTreeMap<&'a str, &'a LoopHead>);

impl LoopHead {
    /// Whether an iteration is folded.
    pub fn has_folded(&self, number: u64) -> bool {
        number >= self.kept && (number < self.mark || self.is_above(number))
    }

    /// Keeps none from this one on; false if others were folded already, and all stays as it is.
    pub fn keep_below(&mut self, number: u64) -> bool {
        let is_new = self.mark <= self.kept && self.above.is_empty();
        if is_new {
            (self.kept, self.mark) = (number, number);
        }
        is_new
    }

    /// Takes an iteration in that came to its end.
    pub fn fold(&mut self, number: u64) {
        self.mark = self.mark.max(self.kept);
        if number < self.mark {
            return;
        }
        let at = self.above.partition_point(|(_, last)| *last < number);
        let is_after = at > 0 && self.above[at - 1].1 + 1 == number;
        let is_before = self
            .above
            .get(at)
            .is_some_and(|(first, _)| *first == number + 1);
        match (is_after, is_before) {
            (true, true) => {
                self.above[at - 1].1 = self.above[at].1;
                self.above.remove(at);
            }
            (true, false) => self.above[at - 1].1 = number,
            (false, true) => self.above[at].0 = number,
            (false, false) => self.above.insert(at, (number, number)),
        }
        if self.above[0].0 == self.mark {
            self.mark = self.above.remove(0).1 + 1;
        }
    }

    /// Whether all iterations of a page are folded.
    pub fn has_all(&self, page: &PageHead) -> bool {
        let last = page.first + page.count.max(1) - 1;
        let is_one_range = |(from, to): &(u64, u64)| *from <= page.first && last <= *to;
        page.first >= self.kept && (last < self.mark || self.above.iter().any(is_one_range))
    }

    fn is_above(&self, number: u64) -> bool {
        let at = self.above.partition_point(|(_, last)| *last < number);
        self.above
            .get(at)
            .is_some_and(|(first, _)| *first <= number)
    }

    /// Whether the iteration with this index, as it stands in a key, is folded.
    fn has_folded_index(&self, page: Option<u64>, index: u64) -> bool {
        let (Some(page), Some(pages)) = (page, &self.pages) else {
            return self.has_folded(index);
        };
        match pages.open.iter().find(|open| open.number == page) {
            Some(open) => self.has_folded(open.first + index),
            None => pages.has_passed(page),
        }
    }

    /// Whether a page is not needed any more.
    fn has_folded_page(&self, page: u64) -> bool {
        let Some(pages) = &self.pages else {
            return false;
        };
        pages.has_passed(page) && !pages.open.iter().any(|open| open.number == page)
    }
}

impl PagesHead {
    fn has_passed(&self, page: u64) -> bool {
        self.next.as_ref().is_none_or(|next| page < next.number)
    }
}

impl<'a> Heads<'a> {
    /// The heads among some entries.
    pub fn among(entries: &'a [Entry]) -> Self {
        let heads = entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::LoopFolded { head } => Some((&*entry.key.0, &**head)),
            _ => None,
        });
        Self(heads.collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them is of the loop at this place.
    pub fn has(&self, place: &EntryKey) -> bool {
        self.0.contains_key(&*place.0)
    }

    /// Whether an entry goes: what the job was told to log stays.
    pub fn take(&self, entry: &Entry) -> bool {
        !matches!(entry.kind, EntryKind::LineLogged { .. }) && self.cover(&entry.key)
    }

    /// Whether what stands at a place belongs to an iteration or page that is folded.
    pub fn cover(&self, key: &EntryKey) -> bool {
        let key = &*key.0;
        let brackets = key.bytes().enumerate().filter(|(_, byte)| *byte == b'[');
        brackets.map(|(at, _)| at).any(|at| {
            self.covers_index(&key[..at], &key[at + 1..])
                .unwrap_or(false)
        })
    }

    /// `before[index]~attempt/...`: the loop's own place is `before~attempt`.
    fn covers_index(&self, before: &str, rest: &str) -> Option<bool> {
        let (index, rest) = rest.split_once(']')?;
        let listing = before.strip_suffix("/page");
        if let Some(head) = listing.and_then(|place| self.0.get(place)) {
            return Some(head.has_folded_page(index.parse().ok()?));
        }
        let attempt = &rest[..rest.find('/').unwrap_or(rest.len())];
        let head = match attempt {
            "" => self.0.get(before)?,
            attempt => self.0.get(&*format!("{before}{attempt}"))?,
        };
        let (page, index) = match index.split_once('.') {
            Some((page, index)) => (Some(page.parse().ok()?), index),
            None => (None, index),
        };
        Some(head.has_folded_index(page, index.parse().ok()?))
    }
}

/// What becomes of a journal when entries are appended: what new heads stand for goes, and of a
/// loop's heads the last stays. Every store does the same, in its own way.
pub fn append(journal: &mut Vec<Entry>, entries: Vec<Entry>) {
    let heads = Heads::among(&entries);
    if !heads.is_empty() {
        journal.retain(|entry| {
            let is_old_head =
                matches!(entry.kind, EntryKind::LoopFolded { .. }) && heads.has(&entry.key);
            !is_old_head && !heads.take(entry)
        });
    }
    journal.extend(entries);
}

/// Takes out of what is not written yet what new heads stand for.
pub fn drop_folded(entries: &mut Vec<Entry>, folded: &[Entry]) {
    let heads = Heads::among(folded);
    if !heads.is_empty() {
        entries.retain(|entry| !heads.take(entry));
    }
}
