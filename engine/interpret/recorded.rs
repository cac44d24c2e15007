//! What the journal holds about one place.

use crate::clock::Moment;
use crate::data::Value;
use crate::journal::{Decision, EntryKind, Failure};

/// What the journal holds about one place.
#[derive(Default, Clone)]
pub(super) struct Recorded {
    pub(super) succeeded: Option<(Moment, Value)>,
    pub(super) failed: Option<(Moment, Failure, Option<Moment>)>,
    /// The arguments of a call that was about to be sent.
    pub(super) intended: Option<Value>,
    /// Why a call that was sent is in doubt, if its end was seen.
    pub(super) doubt: Option<Failure>,
    pub(super) wait_until: Option<Moment>,
    pub(super) asked: Option<Moment>,
    pub(super) decided: Option<(Moment, Decision)>,
    pub(super) granted: Option<Moment>,
    pub(super) logged: bool,
}

impl Recorded {
    /// Takes an entry of the place up.
    pub(super) fn take_up(&mut self, at: Moment, kind: EntryKind) {
        match kind {
            EntryKind::StepSucceeded { output } => self.succeeded = Some((at, output)),
            EntryKind::StepFailed {
                failure,
                next_try_at,
            } => {
                self.failed = Some((at, failure, next_try_at));
            }
            EntryKind::CallIntended { input, .. } => self.intended = Some(input),
            EntryKind::CallDoubted { failure } => self.doubt = Some(failure),
            EntryKind::CallWithdrawn => self.intended = None,
            EntryKind::WaitBegan { until } => self.wait_until = Some(until),
            EntryKind::LineLogged { .. } => self.logged = true,
            EntryKind::DecisionAsked { .. } => self.asked = Some(at),
            EntryKind::DecisionMade { decision, .. } => self.decided = Some((at, decision)),
            EntryKind::HoldGranted => self.granted = Some(at),
            EntryKind::HoldLost => self.granted = None,
            EntryKind::CancelRequested { .. }
            | EntryKind::LoopFolded { .. }
            | EntryKind::LoopGathered { .. } => {}
        }
    }
}
