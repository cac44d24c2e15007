//! Places of a job, read by the recipe that it runs.
//!
//! In: the key of an entry, or the written id of a step. Out: the steps on the way there, and how
//! two places lie to each other.
//! Always true: a key is read by the ids that the recipe has, never by its letters alone, since an
//! id that nobody wrote may hold any of them.

use crate::compile::{Program, Recipe, Step, StepKind};
use crate::diagnostic::did_you_mean;

/// One step on the way to a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) step: &'a Step,
    /// Which of the steps beside it, in the order of the file.
    position: usize,
    /// Which iteration, as it stands in the brackets.
    pub(super) index: Option<&'a str>,
    /// Which attempt, from the second on.
    pub(super) attempt: Option<&'a str>,
}

/// The steps on the way to a place, from the root frame down.
#[derive(Clone, Debug, Default)]
pub(super) struct Place<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// What follows and is no step: `timeout`, `hold`, `page[2]`.
    pub(super) helper: &'a str,
}

/// How a place lies to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lies {
    /// It comes to its end before the other begins.
    Before,
    /// It surrounds the other.
    Around,
    /// It is the other, or inside of it.
    Within,
    /// It belongs to another element of the same loop.
    Beside,
    /// It begins after the other.
    After,
}

impl<'a> Place<'a> {
    /// Reads the key of an entry. What the recipe does not know stays in `helper`.
    pub(super) fn of_key(program: &'a Program, key: &'a str) -> Self {
        let mut place = Self::default();
        let mut beside = inner_of_frame(program.root());
        let mut rest = key;
        while let Some((part, left)) = part_of(&beside, rest) {
            beside = inner(program, part.step);
            place.parts.push(part);
            match left.strip_prefix('/') {
                Some(left) => rest = left,
                None => return place,
            }
        }
        place.helper = rest;
        place
    }

    /// Finds a step by its written id; inside recipes that are called, by the ids of the calls
    /// before it, joined by `/`.
    pub(super) fn of_written(program: &'a Program, written: &'a str) -> Result<Self, String> {
        let mut place = Self::default();
        let mut recipe = program.root();
        for id in written.split('/') {
            if let Some(last) = place.parts.last() {
                let StepKind::Call { recipe: callee, .. } = &last.step.kind else {
                    return Err(format!(
                        "`{}` calls no recipe, so there is no `{id}` inside of it",
                        last.step.id
                    ));
                };
                recipe = &program.recipes[callee];
            }
            let way = way_to(recipe, id)?;
            let (_, around) = way.split_last().ok_or("no step is named")?;
            if let Some(part) = around.iter().find(|part| is_loop(part.step)) {
                return Err(format!(
                    "`{id}` runs once for each round of the loop `{}`; name the loop instead",
                    part.step.id
                ));
            }
            place.parts.extend(way);
        }
        Ok(place)
    }

    /// The place as a key.
    pub(super) fn key(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            if !text.is_empty() {
                text.push('/');
            }
            text.push_str(&part.step.id);
            part.index.iter().for_each(|index| {
                text.push_str(&format!("[{index}]"));
            });
            part.attempt.iter().for_each(|attempt| {
                text.push_str(&format!("~{attempt}"));
            });
        }
        if !self.helper.is_empty() {
            text.push('/');
            text.push_str(self.helper);
        }
        text
    }

    /// The place without what follows its last step; if a step around it is tried several times,
    /// that step: it begins from its first try again.
    pub(super) fn begin(mut self) -> Self {
        self.helper = "";
        let again = self.parts.iter().position(|part| part.attempt.is_some());
        if let Some(again) = again {
            self.parts.truncate(again + 1);
        }
        if let Some(last) = self.parts.last_mut() {
            last.attempt = None;
            last.index = None;
        }
        self
    }

    /// How this place lies to another one.
    pub(super) fn lies_to(&self, other: &Place<'_>) -> Lies {
        for (depth, theirs) in other.parts.iter().enumerate() {
            let Some(own) = self.parts.get(depth) else {
                return Lies::Around;
            };
            match own.position.cmp(&theirs.position) {
                std::cmp::Ordering::Less => return Lies::Before,
                std::cmp::Ordering::Greater => return Lies::After,
                std::cmp::Ordering::Equal => {}
            }
            if own.index != theirs.index && depth + 1 < other.parts.len() {
                return match (&own.step.kind, own.index, theirs.index) {
                    (_, None, _) => Lies::Around,
                    (StepKind::Repeat { .. }, Some(own), Some(theirs)) => {
                        match number(own) < number(theirs) {
                            true => Lies::Before,
                            false => Lies::After,
                        }
                    }
                    _ => Lies::Beside,
                };
            }
            if own.attempt != theirs.attempt {
                return Lies::Within;
            }
        }
        Lies::Within
    }
}

/// Whether the step has rounds.
pub(super) fn is_loop(step: &Step) -> bool {
    matches!(step.kind, StepKind::Foreach(_) | StepKind::Repeat { .. })
}

/// The way to a step of a recipe by its id, from the recipe's own steps down.
pub(super) fn way_to<'a>(recipe: &'a Recipe, id: &str) -> Result<Vec<Part<'a>>, String> {
    let mut way = Vec::new();
    if search(&inner_of_frame(recipe), id, &mut way) {
        return Ok(way);
    }
    let mut known = Vec::new();
    recipe.for_each_step(&mut |step| {
        if step.has_written_id {
            known.push(step.id.to_string());
        }
    });
    let help = did_you_mean(id, known.iter().map(String::as_str)).map_or_else(
        || format!("it has {}", known.join(", ")),
        |meant| format!("did you mean `{meant}`?"),
    );
    Err(format!(
        "recipe `{}` has no step with the id `{id}`; {help}",
        recipe.name
    ))
}

fn search<'a>(beside: &[&'a Step], id: &str, way: &mut Vec<Part<'a>>) -> bool {
    for (position, step) in beside.iter().copied().enumerate() {
        way.push(Part {
            step,
            position,
            index: None,
            attempt: None,
        });
        if (step.has_written_id && &*step.id == id) || search(&inner_of_step(step), id, way) {
            return true;
        }
        way.pop();
    }
    false
}

fn number(index: &str) -> u64 {
    index.parse().unwrap_or(0)
}

fn inner_of_frame(recipe: &Recipe) -> Vec<&Step> {
    recipe.steps.iter().collect()
}

fn inner_of_step(step: &Step) -> Vec<&Step> {
    step.kind.blocks().into_iter().flatten().collect()
}

/// The steps that stand inside a step, those of a recipe that it calls among them.
fn inner<'a>(program: &'a Program, step: &'a Step) -> Vec<&'a Step> {
    match &step.kind {
        StepKind::Call { recipe, .. } => {
            let callee = program.recipes.get(recipe);
            callee
                .map(|recipe| inner_of_frame(recipe))
                .unwrap_or_default()
        }
        _ => inner_of_step(step),
    }
}

/// The step that a key begins with, and what follows; of several that fit, the longest id.
fn part_of<'a>(beside: &[&'a Step], key: &'a str) -> Option<(Part<'a>, &'a str)> {
    let fits = |step: &&Step| {
        let rest = key.strip_prefix(&*step.id);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[', '~']))
    };
    let (position, step) = beside
        .iter()
        .enumerate()
        .filter(|(_, step)| fits(step))
        .max_by_key(|(_, step)| step.id.len())?;
    let mut rest = key.strip_prefix(&*step.id)?;
    let mut part = Part {
        step,
        position,
        index: None,
        attempt: None,
    };
    if let Some((index, left)) = rest.strip_prefix('[').and_then(|left| left.split_once(']')) {
        part.index = Some(index);
        rest = left;
    }
    if let Some(left) = rest.strip_prefix('~') {
        let end = left.find('/').unwrap_or(left.len());
        part.attempt = Some(&left[..end]);
        rest = &left[end..];
    }
    Some((part, rest))
}
