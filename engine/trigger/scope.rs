//! What the expressions of a trigger see.
//!
//! In: what a delivery or a listing brought, or the settings. Out: the roots `trigger` and
//! `settings`.

use std::sync::Arc;

use crate::clock::Moment;
use crate::data::{Object, Value};
use crate::expression::Scope;
use crate::names::JobId;

/// The roots that a trigger has at one moment.
pub(super) struct TriggerScope<'a> {
    pub(super) trigger: Option<Arc<Value>>,
    /// The settings of the recipe's project: integration, key, value.
    pub(super) settings: Option<Value>,
    pub(super) now: Moment,
    pub(super) zone: &'a str,
}

impl TriggerScope<'_> {
    /// Looks at the root `trigger` with some members put in, and gives them back.
    pub(super) fn with<T>(&mut self, own: &mut Object, look: impl FnOnce(&Self) -> T) -> T {
        let names: Vec<String> = own.keys().cloned().collect();
        if let Some(trigger) = self.members() {
            trigger.extend(std::mem::take(own));
        }
        let seen = look(self);
        if let Some(trigger) = self.members() {
            for name in names {
                if let Some(value) = trigger.shift_remove(&name) {
                    own.insert(name, value);
                }
            }
        }
        seen
    }

    fn members(&mut self) -> Option<&mut Object> {
        Arc::make_mut(self.trigger.as_mut()?).as_object_mut()
    }
}

impl Scope for TriggerScope<'_> {
    fn find(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>> {
        match (root, member) {
            ("trigger", None) => self.trigger.clone(),
            ("trigger", Some(member)) => {
                let value = self.trigger.as_ref()?.get(member)?;
                Some(Arc::new(value.clone()))
            }
            ("settings", Some(integration)) => {
                let mut integrations = self.settings.as_ref()?.as_object()?.iter();
                let (_, keys) =
                    integrations.find(|(name, _)| name.eq_ignore_ascii_case(integration))?;
                Some(Arc::new(keys.clone()))
            }
            _ => None,
        }
    }

    fn now(&self) -> Moment {
        self.now
    }

    fn timezone(&self) -> &str {
        self.zone
    }

    fn uuid(&self) -> String {
        // As fresh as it sounds: a dedupe key with it makes everything new.
        JobId::fresh().to_string()
    }
}
