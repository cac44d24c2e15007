//! Notices that are sent once: of all who want to send one, who does, and who is held back.
//!
//! In: the `once` of a mail. Out: whether to send it, and what the others are told.
//! Always true: a notice that was sent is not sent again before its time is up, over restarts too;
//! while one cannot be sent, only who tried first goes on trying, and nobody waits long for that.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Outbound;
use super::ledger::LedgerError;
use super::letter::Letter;
use crate::clock::{Moment, parse_period};
use crate::connector::Trouble;
use crate::data::{Value, digest};
use crate::store::NoticeClaim;

/// How long `once` holds back the same mail if nothing is said.
const ONCE_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// How long nobody else tries to send a notice that could not be sent: a server that is out of order
/// or refuses us is not asked anew for each of many thousands of elements.
const PAUSE: Duration = Duration::from_secs(300);

/// How long others wait for whoever goes on trying, before they go on without the notice.
const GRACE: Duration = Duration::from_secs(60);

/// How soon somebody looks again who met a notice on its way.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A notice, as one call wants to send it.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    /// What it is about, and to whom it goes.
    subject: String,
    /// The call.
    holder: String,
    within: Duration,
}

/// What a call does about its notice.
pub(super) enum Claim {
    /// It sends it.
    Send,
    /// It sent it before, and was cut off before that was known.
    SentBefore,
    /// Somebody else has sent it.
    HeldBack,
    /// Somebody else is about to: it asks again then.
    Later(Moment),
    /// Somebody else could not send it, or has been trying in vain for a while.
    Failed(Trouble),
}

/// How a try to send a notice ended.
pub(super) enum Tried<'a> {
    Sent,
    /// Nobody has it, and it was refused for good.
    Refused(&'a Trouble),
    /// Nobody has it; the same call tries again.
    Failed(&'a Trouble),
    /// Nobody knows whether the server took it: the same call tries again, nobody else does.
    Unclear(&'a Trouble),
}

/// What became of notices lately.
#[derive(Default)]
pub(super) struct Notices(Mutex<BTreeMap<String, Recent>>);

struct Recent {
    holder: String,
    until: Moment,
    /// Why it could not be sent, if so, and until when others wait for a further try.
    failed: Option<(Trouble, Moment)>,
}

impl Notice {
    /// The notice that a mail is, if it is one. One key to other people is another notice, so that
    /// whoever mends a wrong address hears of the problem.
    pub(super) fn of(input: &Value, letter: &Letter, call: &str) -> Result<Option<Self>, Trouble> {
        let Some(once) = input.get("once").filter(|once| !once.is_null()) else {
            return Ok(None);
        };
        let key = once.get("key").and_then(Value::as_str).unwrap_or_default();
        if key.is_empty() {
            return Err(Trouble::new("invalid_request", "`once` needs a `key`"));
        }
        let within = match once.get("within").and_then(Value::as_str) {
            Some(text) => parse_period(text).map_err(|why| Trouble::new("invalid_request", why))?,
            None => ONCE_WITHIN,
        };
        let mut people: Vec<String> = letter
            .to
            .iter()
            .map(|to| to.trim().to_lowercase())
            .collect();
        people.sort();
        Ok(Some(Self {
            subject: digest(format!("{key}\n{}", people.join("\n")).as_bytes()),
            holder: call.to_owned(),
            within,
        }))
    }
}

impl Outbound {
    /// Says who sends a notice; a call that is to send it has until `until` to do so.
    pub(super) async fn claim(
        &self,
        notice: &Notice,
        now: Moment,
        until: Moment,
    ) -> Result<Claim, LedgerError> {
        let look_again = now.after(self.clock.span(LOOK_AGAIN));
        if let Some(claim) = self.notices.known(notice, now, look_again) {
            return Ok(claim);
        }
        let (subject, holder) = (notice.subject.clone(), notice.holder.clone());
        let claim = self.ledger.claim_notice(subject, holder, now, until);
        Ok(match claim.await? {
            NoticeClaim::Granted => Claim::Send,
            NoticeClaim::SentBefore => Claim::SentBefore,
            NoticeClaim::Sent => Claim::HeldBack,
            NoticeClaim::UnderWay => Claim::Later(look_again),
        })
    }

    /// Remembers how a try ended.
    pub(super) async fn tried(&self, notice: Notice, tried: Tried<'_>) {
        let now = self.clock.now();
        let pause = now.after(self.clock.span(PAUSE));
        let (until, failed) = match tried {
            Tried::Sent => (now.after(notice.within), None),
            Tried::Refused(trouble) => (pause, Some((trouble.clone(), now))),
            Tried::Failed(trouble) | Tried::Unclear(trouble) => {
                let grace = now.after(self.clock.span(GRACE));
                (pause, Some((trouble.clone(), grace)))
            }
        };
        let recent = Recent {
            holder: notice.holder.clone(),
            until,
            failed,
        };
        self.notices.remember(notice.subject.clone(), recent, now);
        let Notice {
            subject, holder, ..
        } = notice;
        let kept = match tried {
            Tried::Sent => self.ledger.confirm_notice(subject, holder, until).await,
            Tried::Refused(_) | Tried::Failed(_) => {
                self.ledger.release_notice(subject, holder).await
            }
            Tried::Unclear(_) => return,
        };
        if let Err(error) = kept {
            // The claim ends by itself.
            tracing::warn!("{error}");
        }
    }
}

impl Notices {
    /// What is known of a notice without asking the ledger, so that many thousands who are held back
    /// cost nothing.
    fn known(&self, notice: &Notice, now: Moment, look_again: Moment) -> Option<Claim> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = all
            .get(&notice.subject)
            .filter(|recent| recent.until > now)?;
        match (&recent.failed, recent.holder == notice.holder) {
            (None, true) => Some(Claim::SentBefore),
            (None, false) => Some(Claim::HeldBack),
            (Some(_), true) => None,
            (Some((_, grace)), false) if *grace > now => Some(Claim::Later(look_again)),
            (Some((trouble, _)), false) => {
                let why = format!(
                    "the same notice could not be sent a moment ago, and is tried again by others \
                     from {} on: {}",
                    recent.until, trouble.message
                );
                Some(Claim::Failed(Trouble::new("notice_failed_before", why)))
            }
        }
    }

    /// Forgets what could not be sent: it may be mended.
    pub(super) fn forget_failures(&self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, recent| recent.failed.is_none());
    }

    fn remember(&self, subject: String, mut recent: Recent, now: Moment) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, recent| recent.until > now);
        if let (Some(known), Some((_, grace))) = (all.get(&subject), &mut recent.failed) {
            // Who failed first is who goes on trying; another one who tried beside him does not take
            // over. Further failures of his give the others no further time to wait.
            match &known.failed {
                Some((_, first)) if known.holder == recent.holder => *grace = (*grace).min(*first),
                _ => return,
            }
        }
        all.insert(subject, recent);
    }
}
