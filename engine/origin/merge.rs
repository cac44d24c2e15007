//! Three-way merge of a file: what a copy was made of, what became of it, what became of the original.
//!
//! In: three texts, and what was settled. Out: one text, or the parts that both changed in ways
//! that do not go together.
//! Always true: what only one side changed is as that side has it; nothing of either side is lost
//! or doubled without a conflict; comments and the order of parts survive.

use std::collections::{BTreeMap, BTreeSet};

use super::aligned::{Three, aligned, in_lists, is_doubled, is_doubled_or_back};
use super::parts::{Part, WHOLE, parts};

/// Which side holds for a part that both changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The copy's.
    Mine,
    /// The original's.
    Theirs,
}

/// A part that both sides changed in ways that do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The part: `steps.held`; `order` if both changed the order of parts.
    pub part: String,
    /// What both were made of; absent if both added it.
    pub base: Option<String>,
    /// What the copy has; absent if it was removed.
    pub mine: Option<String>,
    /// What the original has now; absent if it was removed.
    pub theirs: Option<String>,
}

/// What two sides make that do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The parts that do not.
    pub conflicts: Vec<Conflict>,
    /// The text with both sides of them between marks, to be merged by hand; absent if one side has
    /// no such file.
    pub marked: Option<String>,
}

/// The name of the conflict of two orders.
const ORDER: &str = "order";

/// Tells which side holds for a part, if that is settled.
pub(super) type Settling<'a> = &'a dyn Fn(&str) -> Option<Side>;

/// Merges, part by part. Where both sides do not go together, what is settled is taken from that
/// side.
pub(super) fn merge(
    base: &str,
    mine: &str,
    theirs: &str,
    settled: Settling<'_>,
) -> Result<String, Clash> {
    // An editor that writes other line ends has changed nothing.
    let has_returns = mine.contains("\r\n");
    let plain = |text: &str| text.replace("\r\n", "\n");
    let (base, mine, theirs) = (plain(base), plain(mine), plain(theirs));
    let as_mine = |text: String| match has_returns {
        true => text.replace('\n', "\r\n"),
        false => text,
    };
    let merged = merge_plain(&base, &mine, &theirs, settled);
    merged.map(as_mine).map_err(|clash| Clash {
        marked: clash.marked.map(as_mine),
        ..clash
    })
}

fn merge_plain(
    base: &str,
    mine: &str,
    theirs: &str,
    settled: Settling<'_>,
) -> Result<String, Clash> {
    if mine == base || mine == theirs {
        return Ok(theirs.to_owned());
    }
    if theirs == base {
        return Ok(mine.to_owned());
    }
    let all = aligned([parts(base), parts(mine), parts(theirs)]);
    let of = [base, mine, theirs];
    let by_parts = merge_parts(&all, &|_| None);
    // What stands in two places now, or has come back, was moved or put there by both: lines know
    // more.
    let (all, free) = match by_parts {
        Ok(text) if is_doubled_or_back(of, &text) => {
            let all = in_lists(all);
            let by_lines = merge_parts(&all, &|_| None);
            (all, by_lines)
        }
        by_parts => (all, by_parts),
    };
    match free {
        Ok(text) if !is_doubled_or_back(of, &text) => return Ok(text),
        Ok(_) => {}
        Err(_) => match merge_parts(&all, settled) {
            // What a person chose may bring back what the other side removed.
            Ok(text) if is_doubled(of, &text) => {}
            merged => return merged,
        },
    }
    let kept = |text: &str| Some(text.to_owned());
    let conflict = Conflict {
        part: WHOLE.to_owned(),
        base: kept(base),
        mine: kept(mine),
        theirs: kept(theirs),
    };
    match settled(WHOLE) {
        Some(Side::Mine) => Ok(mine.to_owned()),
        Some(Side::Theirs) => Ok(theirs.to_owned()),
        None => Err(Clash {
            marked: Some(marked(&conflict)),
            conflicts: vec![conflict],
        }),
    }
}

fn merge_parts(all: &Three, settled: Settling<'_>) -> Result<String, Clash> {
    let [base, mine, theirs] = all.each_ref().map(|parts| by_name(parts));
    let mut conflicts = Vec::new();
    let mut merged: BTreeMap<&str, String> = BTreeMap::new();
    let names: BTreeSet<&str> = all.iter().flatten().map(|part| &*part.name).collect();
    for name in names {
        let of = |parts: &BTreeMap<&str, &str>| parts.get(name).map(|text| (*text).to_owned());
        let conflict = Conflict {
            part: name.to_owned(),
            base: of(&base),
            mine: of(&mine),
            theirs: of(&theirs),
        };
        match merge_part(&conflict, settled(name)) {
            Ok(Some(text)) => {
                merged.insert(name, text);
            }
            Ok(None) => {}
            Err(marked) => {
                merged.insert(name, marked);
                conflicts.push(conflict);
            }
        }
    }
    let orders = all.each_ref().map(|parts| names_of(parts));
    let order = merge_orders(&orders, settled(ORDER));
    let in_order = |order: &[&str]| joined(order.iter().filter_map(|name| merged.get(name)));
    if let Some(order) = &order
        && conflicts.is_empty()
    {
        return Ok(in_order(order));
    }
    let mut note = String::new();
    if order.is_none() {
        note = format!(
            "# The original has this order now: {}\n",
            orders[2].join(", ")
        );
        let lines = |names: &Vec<&str>| Some(names.join("\n"));
        let [base, mine, theirs] = orders.each_ref().map(lines);
        conflicts.push(Conflict {
            part: ORDER.to_owned(),
            base,
            mine,
            theirs,
        });
    }
    let order = order.unwrap_or_else(|| woven(&orders[1], &orders[2]));
    Err(Clash {
        conflicts,
        marked: Some(note + &in_order(&order)),
    })
}

fn by_name(parts: &[Part]) -> BTreeMap<&str, &str> {
    parts
        .iter()
        .map(|part| (&*part.name, &*part.text))
        .collect()
}

fn names_of(parts: &[Part]) -> Vec<&str> {
    parts.iter().map(|part| &*part.name).collect()
}

/// What a part is afterwards, if it is there; if that cannot be told, both sides between marks.
fn merge_part(part: &Conflict, settled: Option<Side>) -> Result<Option<String>, String> {
    let (base, mine, theirs) = (&part.base, &part.mine, &part.theirs);
    if mine == theirs || theirs == base {
        return Ok(mine.clone());
    }
    if mine == base {
        return Ok(theirs.clone());
    }
    let marked = match (base, mine, theirs) {
        (Some(base), Some(mine), Some(theirs)) => match diffy::merge(base, mine, theirs) {
            Ok(text) => return Ok(Some(text)),
            Err(marked) => marked,
        },
        _ => marked(part),
    };
    match settled {
        Some(Side::Mine) => Ok(mine.clone()),
        Some(Side::Theirs) => Ok(theirs.clone()),
        None => Err(marked),
    }
}

/// Both sides of a conflict between marks.
fn marked(part: &Conflict) -> String {
    let [base, mine, theirs] = [&part.base, &part.mine, &part.theirs]
        .map(|text| text.as_deref().map(ended).unwrap_or_default());
    format!("<<<<<<< ours\n{mine}||||||| original\n{base}=======\n{theirs}>>>>>>> theirs\n")
}

/// The order of all parts that one of the sides has; `None` if both changed it differently.
fn merge_orders<'a>(
    [base, mine, theirs]: &[Vec<&'a str>; 3],
    settled: Option<Side>,
) -> Option<Vec<&'a str>> {
    let keeps_order = |one: &[&str], other: &[&str]| common(one, other) == common(other, one);
    if keeps_order(mine, theirs) || keeps_order(mine, base) {
        return Some(woven(theirs, mine));
    }
    if keeps_order(theirs, base) {
        return Some(woven(mine, theirs));
    }
    settled.map(|side| match side {
        Side::Mine => woven(mine, theirs),
        Side::Theirs => woven(theirs, mine),
    })
}

/// The names of one that the other has too.
fn common<'a>(one: &[&'a str], other: &[&str]) -> Vec<&'a str> {
    let shared = one.iter().filter(|name| other.contains(name));
    shared.copied().collect()
}

/// The leading names, and each of the other's behind the one that it follows there.
fn woven<'a>(leading: &[&'a str], other: &[&'a str]) -> Vec<&'a str> {
    let mut order = leading.to_vec();
    for (at, name) in other.iter().enumerate() {
        if order.contains(name) {
            continue;
        }
        let before = other[..at].iter().rev();
        let place = before
            .filter_map(|name| order.iter().position(|known| known == name))
            .next();
        order.insert(place.map_or(0, |place| place + 1), name);
    }
    order
}

/// A text whose last line ends.
fn ended(text: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{text}{end}")
}

/// Parts one after the other; each ends its line.
fn joined<'a>(parts: impl Iterator<Item = &'a String>) -> String {
    let mut text = String::new();
    for part in parts {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(part);
    }
    text
}
