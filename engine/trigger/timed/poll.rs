//! One recipe's poll, from its turn to what is kept of it.
//!
//! Always true: a poll that fails writes nothing but that it failed, and is asked again after a
//! growing pause; of two polls at the same time one counts.

use std::sync::Arc;
use std::time::Duration;

use super::{Outlook, Timekeeper, ask, cursor};
use crate::clock::Moment;
use crate::compile::{Poll, Program, Trigger};
use crate::data::digest;
use crate::journal::Failure;
use crate::names::RecipeName;
use crate::store::{self, PollEnd, PollKept, Polled, RecipeState, StoreError};

/// The pause after a first failure; each further one doubles it.
const PAUSE_FIRST: Duration = Duration::from_secs(30);

/// The longest pause, whatever the vendor asks for: a longer one would look like silence.
const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// Why a poll found nothing.
pub(super) struct Trouble {
    pub(super) failure: Failure,
    /// Whether it was sent and failed, or there was no room to send it.
    pub(super) was_sent: bool,
    /// When it is worth another try, at the earliest.
    pub(super) not_before: Option<Moment>,
}

impl Trouble {
    pub(super) fn failed(failure: Failure) -> Box<Self> {
        Box::new(Self {
            failure,
            was_sent: true,
            not_before: None,
        })
    }
}

impl Timekeeper {
    /// Finds out whether a recipe's poll is due.
    pub(super) async fn look_at_poll(
        &self,
        program: Arc<Program>,
        state: &RecipeState,
        now: Moment,
        outlook: &mut Outlook,
    ) -> Result<(), StoreError> {
        let Trigger::Poll(poll) = &program.root().trigger else {
            return Ok(());
        };
        let of = format!("{} {}", poll.rule, state.changed_at.0);
        let due = match self.known_due(&program.root, &of) {
            Some(due) => due,
            None => {
                let known = self.intake.store.poll(&program.root).await?;
                let due = next_poll(poll, known.as_ref(), state.changed_at, now);
                self.remember_due(&program.root, of, due);
                due
            }
        };
        if due <= now {
            outlook.polls.push(program);
        } else {
            outlook.expect(due);
        }
        Ok(())
    }

    /// Polls once, whatever comes of it.
    pub(super) async fn poll_of(&self, program: Arc<Program>) -> RecipeName {
        if let Err(error) = self.poll_once(&program).await {
            tracing::warn!(recipe = %program.root, "the poll could not be written down: {error}");
        }
        self.forget_due(&program.root);
        program.root.clone()
    }

    async fn poll_once(&self, program: &Arc<Program>) -> Result<(), StoreError> {
        let Trigger::Poll(poll) = &program.root().trigger else {
            return Ok(());
        };
        let (store, recipe) = (&self.intake.store, &program.root);
        let before = store.poll(recipe).await?;
        let meaning = meaning_of(poll);
        let known = before.as_ref().filter(|before| before.meaning == meaning);
        let version = before.as_ref().map_or(0, |before| before.version);
        let found = match known.map_or(Ok(None), stand_of) {
            Ok(stand) => {
                let asked = ask::Asked {
                    program,
                    poll,
                    stand,
                    version,
                };
                self.ask(&asked).await?
            }
            Err(trouble) => Err(trouble),
        };
        let found = match found {
            Ok(found) => {
                let (gauge, room) = (&self.intake.gauge, found.items.len());
                let refusal = gauge.make_room_for(store, recipe, room).await.err();
                refusal.map_or(Ok(found), |refusal| {
                    let why = refusal.to_string();
                    Err(Trouble::failed(Failure::new("queue_full", why)))
                })
            }
            Err(trouble) => Err(trouble),
        };
        let at = self.intake.clock.now();
        let found = match found {
            Ok(found) => PollEnd::Good {
                cursor: found.stand.as_ref().map(cursor::Stand::to_value),
                items: found.items,
                seen: found.seen,
                is_batch: poll.batch,
            },
            Err(trouble) => bad(*trouble, before.as_ref(), at),
        };
        if let PollEnd::Bad {
            failure, retry_at, ..
        } = &found
        {
            // The message may quote what the vendor said; the recipe's page shows it.
            tracing::warn!(
                %recipe, code = %failure.code,
                "the poll found nothing out; it is asked again at {retry_at}"
            );
        }
        let polled = Polled {
            recipe: recipe.clone(),
            version,
            meaning,
            at,
            found,
        };
        match store.end_poll(polled).await? {
            PollKept::Kept(jobs) if !jobs.is_empty() => self.intake.bell.ring_queue(),
            PollKept::Kept(_) => {}
            PollKept::Overtaken => {
                tracing::info!(%recipe, "another poll ended first, or the recipe was stopped");
            }
        }
        Ok(())
    }
}

/// How far the last good poll got. Where that cannot be read, nothing is asked: what is new since
/// then is not known, and to begin anew could do everything again.
fn stand_of(known: &store::Poll) -> Result<Option<cursor::Stand>, Box<Trouble>> {
    let damaged = |why: &str| {
        Trouble::failed(Failure::new(
            "damaged",
            format!(
                "how far the last poll got cannot be read from the database any more ({why}); \
                 restore a backup, or write another `cursor.from` to begin again at `cursor.start`"
            ),
        ))
    };
    if let Some(why) = &known.damage {
        return Err(damaged(why));
    }
    match &known.cursor {
        None => Ok(None),
        Some(kept) => match cursor::Stand::read(kept) {
            Some(stand) => Ok(Some(stand)),
            None => Err(damaged("it is no cursor")),
        },
    }
}

/// When a poll is asked next.
pub fn next_poll(
    poll: &Poll,
    known: Option<&store::Poll>,
    started_at: Moment,
    now: Moment,
) -> Moment {
    let Some(known) = known else { return now };
    // A start is a wish to see something; a poll in the future was written by a clock ahead.
    if known.polled_at < started_at.min(now) || known.polled_at > now {
        return now;
    }
    let in_turn = || poll.rule.after(known.polled_at).next();
    known.retry_at.or_else(in_turn).unwrap_or(now)
}

/// The end of a poll that found nothing out.
fn bad(trouble: Trouble, before: Option<&store::Poll>, at: Moment) -> PollEnd {
    let failures = before.map_or(0, |before| before.failures) + u32::from(trouble.was_sent);
    let doublings = failures.saturating_sub(1).min(16);
    let pause = match trouble.was_sent {
        true => PAUSE_FIRST.saturating_mul(1 << doublings),
        false => Duration::from_secs(1),
    };
    let retry_at = at.after(pause).max(trouble.not_before.unwrap_or(at));
    PollEnd::Bad {
        failure: trouble.failure,
        failures,
        retry_at: retry_at.min(at.after(PAUSE_MAX)),
    }
}

/// What a cursor is a cursor of: one of another listing or field says nothing here.
fn meaning_of(poll: &Poll) -> String {
    let action = &poll.action;
    let cursor = poll.cursor.as_ref();
    let cursor = cursor.map(|cursor| format!("{} as {}", cursor.from, cursor.send));
    let text = format!(
        "{}.{} of {} by {}",
        action.connector,
        action.action,
        action.connection,
        cursor.unwrap_or_default()
    );
    digest(text.as_bytes())
}
