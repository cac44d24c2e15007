//! A job that ended, and what a rerun takes from it.
//!
//! In: its journal on the version that ran, and what is wanted. Out: what the rerun begins with.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::carry::{carry, carry_all};
use super::changed::Changed;
use super::place::{Lies, Place};
use super::seed::{self, failed_places};
use super::{Elements, From, NoRerun, Outline, Plan, Version, Wish, refused};
use crate::clock::Moment;
use crate::compile::{Program, StepKind};
use crate::data::Value;
use crate::interpret::{Machine, Start, Traced};
use crate::journal::{Entry, EntryKey, EntryKind};
use crate::names::{JobId, TableName};
use crate::shape::Shape;
use crate::store::{IfDoneAgain, JobRecord, NewJob, Pinned, Rerun};

/// A job that ended, with the version that it ran on.
pub(super) struct Began<'a> {
    pub(super) origin: &'a JobRecord,
    pub(super) journal: &'a [Entry],
    pub(super) program: &'a Arc<Program>,
    pub(super) pinned: &'a Pinned,
}

/// What the new job begins with.
#[derive(Default)]
pub(super) struct Seed {
    begins: Vec<String>,
    pub(super) entries: Vec<Entry>,
    /// The places of calls whose end is unknown.
    pub(super) doubtful: Vec<String>,
    elements: Option<usize>,
}

/// What a plan tells of the time since the job began.
pub(super) struct Since {
    pub(super) changed: Changed,
    pub(super) rows_kept: BTreeSet<TableName>,
}

impl Began<'_> {
    /// Gathers what is kept, given and chosen.
    pub(super) fn seed(&self, wish: &Wish, now: Moment, by: &str) -> Result<Seed, NoRerun> {
        let traced = self.replay();
        let mut begins = match &wish.from {
            From::Start => Vec::new(),
            From::Failed if wish.elements == Elements::Failed => {
                vec![self.loop_with_errors(&traced)?]
            }
            From::Failed => self.failed_places(&traced)?,
            From::Step(id) => vec![written(self.program, id)?],
        };
        begins.retain(|begin| !begin.parts.is_empty());
        let mut given = Vec::new();
        for (id, output) in &wish.outputs {
            given.push((self.given(id, output, &begins)?, output.clone()));
        }
        self.check_failure(&begins, &given)?;
        let kept = match wish.from {
            From::Start => seed::nothing(self.journal),
            _ => seed::keep(self.program, self.journal, &begins),
        };
        let mut entries = kept.entries;
        entries.retain(|entry| {
            let place = Place::of_key(self.program, &entry.key.0);
            given
                .iter()
                .all(|(given, _)| place.lies_to(given) != Lies::Within)
        });
        entries.extend(given.into_iter().map(|(place, output)| Entry {
            key: EntryKey(place.key().into()),
            at: now,
            kind: EntryKind::OutputGiven {
                output,
                by: by.to_owned(),
            },
        }));
        let mut seed = Seed {
            entries,
            doubtful: kept.doubtful,
            ..Seed::default()
        };
        if wish.elements == Elements::Failed {
            let begin = begins.first().ok_or_else(no_errors)?;
            seed.elements = Some(self.choose_failed(begin, &traced, now, &mut seed.entries)?);
        }
        for begin in &begins {
            seed.begins.push(begin.key());
            seed.entries.push(Entry {
                key: EntryKey(begin.key().into()),
                at: now,
                kind: EntryKind::RerunFrom,
            });
        }
        if !begins.is_empty() {
            let started_at = self.pinned.started_at;
            seed.entries.push(Entry {
                key: EntryKey::of_job(),
                at: now,
                kind: EntryKind::RerunBegan { started_at },
            });
        }
        Ok(seed)
    }

    fn replay(&self) -> Vec<Traced> {
        let start = Start {
            id: self.origin.id.clone(),
            program: self.program.clone(),
            event: self.origin.event.clone(),
            input: self.origin.input.clone(),
            settings: self.pinned.settings.clone(),
            started_at: self.pinned.started_at,
            started_by: self.origin.started_by.clone(),
            start_depth: self.origin.start_depth,
            is_preview: false,
        };
        Machine::replay(start, self.journal.to_vec(), self.origin.ended_at)
    }
    /// Where the job failed.
    fn failed_places<'b>(&'b self, traced: &'b [Traced]) -> Result<Vec<Place<'b>>, NoRerun> {
        let Some(failed_at) = self.failed_at() else {
            return Err(refused(
                "no_failed_step",
                format!(
                    "the job did not fail at a step ({}); rerun it from the start or from a step",
                    self.origin.status.as_str()
                ),
            ));
        };
        Ok(failed_places(self.program, failed_at, traced))
    }

    fn failed_at(&self) -> Option<&str> {
        let ending = self.origin.ending.as_ref()?;
        let failed_at = ending.failure.as_ref()?.step.as_deref()?;
        let is_known = !Place::of_key(self.program, failed_at).parts.is_empty();
        is_known.then_some(failed_at)
    }

    /// The one loop of the job, outside of other loops, of which elements failed.
    fn loop_with_errors<'b>(&'b self, traced: &'b [Traced]) -> Result<Place<'b>, NoRerun> {
        let mut found: Vec<&Traced> = traced
            .iter()
            .filter(|step| !step.key.0.contains('[') && !errors_of(step).is_empty())
            .collect();
        match (found.pop(), found.is_empty()) {
            (Some(step), true) => Ok(Place::of_key(self.program, &step.key.0)),
            (Some(last), false) => {
                let mut ids: Vec<&str> = found.iter().map(|step| &*step.step).collect();
                ids.push(&last.step);
                let message = format!(
                    "elements of several loops failed; name the one to begin with: {}",
                    ids.join(", ")
                );
                Err(refused("which_loop", message))
            }
            (None, _) => Err(no_errors()),
        }
    }

    /// Leaves the failed elements to a loop; answers how many.
    fn choose_failed(
        &self,
        begin: &Place<'_>,
        traced: &[Traced],
        now: Moment,
        entries: &mut Vec<Entry>,
    ) -> Result<usize, NoRerun> {
        let key = begin.key();
        let step = traced.iter().find(|step| *step.key.0 == *key);
        let items: Vec<Value> = step
            .map(errors_of)
            .unwrap_or_default()
            .iter()
            .filter_map(|error| error.get("item").cloned())
            .collect();
        if items.is_empty() {
            return Err(no_errors());
        }
        let count = items.len();
        entries.push(Entry {
            key: EntryKey(key.into()),
            at: now,
            kind: EntryKind::ElementsGiven {
                items: Value::Array(items),
            },
        });
        Ok(count)
    }

    /// A step whose output a person gives: it must come before the rerun begins, and the output be
    /// what the step declares.
    fn given<'b>(
        &'b self,
        id: &'b str,
        output: &Value,
        begins: &[Place<'_>],
    ) -> Result<Place<'b>, NoRerun> {
        let place = written(self.program, id)?;
        let is_before = |begin: &Place<'_>| place.lies_to(begin) == Lies::Before;
        if !begins.iter().all(is_before) {
            let message = format!(
                "the step `{id}` does not come before the place where the rerun begins; \
                 begin after it, or leave its output out"
            );
            return Err(refused("not_before", message));
        }
        let declared = place.parts.last().and_then(|part| match &part.step.kind {
            StepKind::Call { recipe, .. } => Some(self.program.recipes.get(recipe)?.output.clone()),
            _ => None,
        });
        let misfits = declared.unwrap_or(Shape::Any).check(output, id);
        if misfits.is_empty() {
            return Ok(place);
        }
        Err(NoRerun::Refused {
            code: "wrong_output",
            message: format!("that is not what the step `{id}` gives"),
            details: misfits.iter().map(ToString::to_string).collect(),
        })
    }

    /// A failure that comes before the place where the rerun begins would only be met again.
    fn check_failure(
        &self,
        begins: &[Place<'_>],
        given: &[(Place<'_>, Value)],
    ) -> Result<(), NoRerun> {
        let Some(failed_at) = self.failed_at() else {
            return Ok(());
        };
        let failed = Place::of_key(self.program, failed_at);
        let comes_first = |begin: &Place<'_>| failed.lies_to(begin) == Lies::Before;
        let is_given = |(given, _): &(Place<'_>, Value)| failed.lies_to(given) == Lies::Within;
        if begins.is_empty() || !begins.iter().all(comes_first) || given.iter().any(is_given) {
            return Ok(());
        }
        let message = format!(
            "the job failed at `{failed_at}`, which comes before that place; rerun it from there, \
             or say what that step gives"
        );
        Err(refused("failed_before", message))
    }
}

impl Seed {
    /// Of a rerun from the start, which keeps nothing.
    pub(super) fn of_start(journal: &[Entry]) -> Self {
        Self {
            doubtful: seed::nothing(journal).doubtful,
            ..Self::default()
        }
    }

    /// Carries everything over to another version.
    pub(super) fn carry_over(&mut self, from: &Program, to: &Program) -> Result<(), NoRerun> {
        let entries = std::mem::take(&mut self.entries);
        // What concerns the job as a whole stands nowhere in the recipe.
        let (of_job, of_steps) = entries
            .into_iter()
            .partition(|entry| entry.key.0.is_empty());
        self.entries = of_job;
        let carried = carry_all(from, to, of_steps).map_err(|details| NoRerun::Refused {
            code: "versions_differ",
            message: "the recipe has changed since, and what was recorded does not fit it; rerun \
                      the job on the version that ran, or from the start"
                .to_owned(),
            details,
        })?;
        self.entries.extend(carried);
        let begins = self
            .begins
            .iter()
            .map(|begin| carry(&Place::of_key(from, begin), to));
        self.begins = begins
            .collect::<Result<_, String>>()
            .map_err(|why| refused("versions_differ", why))?;
        Ok(())
    }

    /// The plan of a rerun that begins with this.
    pub(super) fn plan(
        self,
        origin: JobRecord,
        pinned: Option<Pinned>,
        since: Since,
        wish: &Wish,
        by: &str,
        now: Moment,
    ) -> Plan {
        let mut keeps: BTreeSet<String> = BTreeSet::new();
        let mut first: Vec<String> = Vec::new();
        for entry in &self.entries {
            let is_result = matches!(
                entry.kind,
                EntryKind::StepSucceeded { .. } | EntryKind::OutputGiven { .. }
            );
            let key = entry.key.to_string();
            if is_result && keeps.insert(key.clone()) && first.len() < KEEPS_SHOWN_MAX {
                first.push(key);
            }
        }
        let job = NewJob {
            id: JobId::fresh(),
            recipe: origin.recipe.clone(),
            event: origin.event,
            input: origin.input,
            started_by: format!("rerun:{}", origin.id),
            needs_started_recipe: false,
            dedupe: None,
        };
        let place = match self.begins.is_empty() {
            true => "start".to_owned(),
            false => self.begins.join(", "),
        };
        let version = match wish.version {
            Version::Ran => "ran",
            Version::Current => "current",
        };
        let outline = Outline {
            origin: origin.id.clone(),
            recipe: origin.recipe,
            version: version.to_owned(),
            begins: self.begins,
            keeps: first,
            kept: keeps.len(),
            elements: self.elements,
            doubtful: self.doubtful,
            changed: since.changed,
            rows_kept: since.rows_kept,
        };
        Plan {
            outline,
            rerun: Rerun {
                job,
                origin: origin.id,
                place,
                version: version.to_owned(),
                pinned,
                entries: self.entries,
                not_before: now,
                by: by.to_owned(),
                if_done_again: IfDoneAgain::Allow,
            },
        }
    }
}

/// How many kept places a plan names.
const KEEPS_SHOWN_MAX: usize = 200;

fn written<'a>(program: &'a Program, id: &'a str) -> Result<Place<'a>, NoRerun> {
    Place::of_written(program, id).map_err(|why| refused("no_such_step", why))
}

/// The failed elements of a loop's result.
fn errors_of(step: &Traced) -> &[Value] {
    let errors = step.output.as_ref().and_then(|output| output.get("errors"));
    errors.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn no_errors() -> NoRerun {
    let why = "the job has no loop of which elements failed and the others were done";
    refused("no_failed_elements", why)
}
