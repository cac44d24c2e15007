//! One recipe's schedule, looked at.
//!
//! Always true: an edited rule counts from when it is seen, the one before it up to then; what came
//! while the recipe was stopped or gone is neither run nor missed.

use std::sync::Arc;
use std::time::Duration;

use super::{Outlook, Timekeeper, plan};
use crate::clock::Moment;
use crate::compile::{Program, Schedule, Trigger};
use crate::names::RecipeName;
use crate::schedule::Rule;
use crate::store::{Fire, Fired, PassedOver, RuleKept, StoreError};
use crate::trigger::Intake;

/// How late a fire may be without having been missed, in real time: a machine may be busy, a server
/// may be started again.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// A schedule and the moment at which it is looked at.
pub(super) struct Look<'a> {
    pub(super) recipe: &'a RecipeName,
    pub(super) schedule: &'a Schedule,
    pub(super) started_at: Moment,
    pub(super) now: Moment,
    /// The look before, unless the clock was set back since.
    pub(super) before: Option<Moment>,
}

impl Timekeeper {
    /// Fires what is due of a schedule.
    pub(super) async fn look_at_schedule(
        &self,
        look: &Look<'_>,
        outlook: &mut Outlook,
    ) -> Result<(), StoreError> {
        let rule = &look.schedule.rule;
        let of = format!("{rule} {}", look.started_at.0);
        if let Some(due) = self.known_due(look.recipe, &of)
            && due > look.now
        {
            outlook.expect(due);
            return Ok(());
        }
        let Some(since) = self.rule_since(look).await? else {
            // The new rule counts once what the old one left has its rows.
            outlook.is_waiting = true;
            return Ok(());
        };
        let is_all_done = self.settle(look, rule, since).await?;
        let has_waiting = self.let_waiting_go(look).await?;
        if let Some(next) = rule.after(look.now).next() {
            outlook.expect(next);
            if is_all_done && !has_waiting {
                self.remember_due(look.recipe, of, next);
            }
        }
        outlook.is_waiting |= has_waiting || !is_all_done;
        Ok(())
    }

    /// Since when the rule counts; if it is a new one, what the old one left is settled first. `None`
    /// if there is no room for that.
    async fn rule_since(&self, look: &Look<'_>) -> Result<Option<Moment>, StoreError> {
        let store = &self.intake.store;
        let rule = look.schedule.rule.to_string();
        let kept = store.schedule_rules().await?;
        let kept = kept.into_iter().find(|(name, _)| name == look.recipe);
        match kept {
            Some((_, kept)) if kept.rule == rule => return Ok(Some(kept.since)),
            Some((_, kept)) => {
                if let Some(old) = Rule::read(&kept.rule)
                    && !self.settle(look, &old, kept.since).await?
                {
                    return Ok(None);
                }
            }
            None => {}
        }
        let since = look.now;
        store
            .keep_schedule_rule(look.recipe, RuleKept { rule, since })
            .await?;
        Ok(Some(since))
    }

    /// Takes up what has come of a rule; false if there was no room for all of it.
    async fn settle(
        &self,
        look: &Look<'_>,
        rule: &Rule,
        since: Moment,
    ) -> Result<bool, StoreError> {
        let (store, now) = (&self.intake.store, look.now);
        let fires = store.fires(look.recipe, now).await?;
        let floor = floor(look, fires.last, since);
        let grace = self.intake.clock.span(GRACE);
        let plan = plan(rule, floor, now, grace, look.schedule.run_missed_once);
        if let Some((first, last, times)) = plan.missed {
            let passed = PassedOver {
                recipe: look.recipe.clone(),
                first,
                last,
                times,
                at: now,
            };
            if store.pass_over(passed).await? {
                tracing::warn!(recipe = %look.recipe, "{times} fires were missed, from {first} to {last}");
            }
        }
        let made_up = plan.made_up.map(|instant| (instant, true));
        let due = plan.due.into_iter().map(|instant| (instant, false));
        for (instant, is_made_up) in made_up.into_iter().chain(due) {
            if let Err(refusal) = self.intake.gauge.make_room_for(store, look.recipe, 1).await {
                tracing::warn!(recipe = %look.recipe, "the fire of {instant} has to wait: {refusal}");
                return Ok(false);
            }
            let fire = Fire {
                recipe: look.recipe.clone(),
                instant,
                at: now,
                if_still_running: look.schedule.if_still_running,
                is_made_up,
            };
            match store.take_up(fire).await? {
                Fired::Made(job) => {
                    self.intake.bell.ring_queue();
                    tracing::debug!(recipe = %look.recipe, %job, "fired for {instant}");
                }
                Fired::Put(outcome) => tracing::info!(
                    recipe = %look.recipe,
                    "no job yet for {instant}: {}", outcome.as_str()
                ),
                Fired::TakenUp => {}
                Fired::Stopped => break,
            }
        }
        Ok(true)
    }

    /// Lets the fires that wait have their jobs, as far as their turn has come; answers whether
    /// some still wait.
    async fn let_waiting_go(&self, look: &Look<'_>) -> Result<bool, StoreError> {
        let store = &self.intake.store;
        if !store.fires(look.recipe, look.now).await?.has_waiting {
            return Ok(false);
        }
        if store
            .let_waiting_fire(look.recipe, look.now)
            .await?
            .is_some()
        {
            self.intake.bell.ring_queue();
        }
        Ok(true)
    }

    /// Notes which recipes have no schedule any more: what comes until they have one again is not
    /// missed.
    pub(super) async fn forget_the_gone(
        &self,
        programs: &[Arc<Program>],
        now: Moment,
    ) -> Result<(), StoreError> {
        let (store, shelf) = (&self.intake.store, &self.intake.shelf);
        for (recipe, kept) in store.schedule_rules().await? {
            let is_scheduled = programs.iter().any(|program| {
                program.root == recipe && matches!(program.root().trigger, Trigger::Schedule(_))
            });
            // One that cannot be read at the moment may still have its schedule.
            let is_unclear = shelf.has_file(&recipe) && shelf.program(&recipe).is_none();
            if is_scheduled || is_unclear || kept.rule.is_empty() {
                continue;
            }
            let gone = RuleKept {
                rule: String::new(),
                since: now,
            };
            store.keep_schedule_rule(&recipe, gone).await?;
        }
        Ok(())
    }
}

/// To be done before a recipe is started: from now on its rule counts, even if nobody looks at the
/// clock between the start and the first fire. Of one that is started already nothing is forgotten.
pub async fn before_start(
    intake: &Intake,
    recipe: &RecipeName,
    now: Moment,
) -> Result<(), StoreError> {
    let Some(program) = intake.shelf.program(recipe) else {
        return Ok(());
    };
    let Trigger::Schedule(schedule) = &program.root().trigger else {
        return Ok(());
    };
    let states = intake.store.states().await?;
    if states.get(recipe).is_some_and(|state| state.is_started) {
        return Ok(());
    }
    let kept = RuleKept {
        rule: schedule.rule.to_string(),
        since: now,
    };
    intake.store.keep_schedule_rule(recipe, kept).await
}

/// After which moment instants count: the last one that was taken up, the start of the recipe, the
/// beginning of the rule. Those that a clock ahead of time wrote down lie in the future; then what
/// comes from now on counts.
fn floor(look: &Look<'_>, last: Option<Moment>, since: Moment) -> Moment {
    let is_past = |moment: &Moment| *moment <= look.now;
    let beginnings = [look.started_at, since];
    let fallback = beginnings
        .iter()
        .any(|moment| !is_past(moment))
        .then(|| look.before.unwrap_or(look.now));
    let known = beginnings.into_iter().chain(last).filter(is_past);
    known.chain(fallback).max().unwrap_or(look.now)
}
