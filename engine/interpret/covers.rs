//! `job.covers`: which time a scheduled job is there for.
//!
//! In: what a job began with. Out: `{ from?, to }`, for recipes whose trigger is a schedule.
//! Always true: `to` is the scheduled time, or that of the start of a run by hand; `from` is the
//! scheduled time of the last good run, else what the trigger gives as `first_from`, else absent.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Moment;
use crate::compile::{Recipe, Trigger};
use crate::data::{Object, Value};
use crate::expression::{Expression, Scope};
use crate::journal::Failure;

/// Settings as a job keeps them: project, integration, keys.
pub(super) type Settings = BTreeMap<String, BTreeMap<String, Arc<Value>>>;

/// Takes what the clock says of the job out of its event; `None` for other recipes.
pub(super) fn covers(
    recipe: &Recipe,
    event: &mut Value,
    job: &Value,
    settings: &Settings,
    started_at: Moment,
) -> Result<Option<Value>, Box<Failure>> {
    let Trigger::Schedule(schedule) = &recipe.trigger else {
        return Ok(None);
    };
    if event.is_null() {
        // A run by hand has a trigger too, with nothing in it.
        *event = Value::Object(Object::new());
    }
    let given = event
        .as_object_mut()
        .and_then(|event| event.remove("covers"));
    let given = |name: &str| given.as_ref().and_then(|given| given.get(name)).cloned();
    let to = given("to")
        .or_else(|| event.get("scheduled_at").cloned())
        .unwrap_or_else(|| started_at.to_string().into());
    let mut covers = Object::new();
    let from = match (given("from"), &schedule.first_from) {
        (Some(from), _) => Some(from),
        (None, Some(first)) => first_from(first, recipe, job, settings, started_at)?,
        (None, None) => None,
    };
    if let Some(from) = from {
        covers.insert("from".into(), from);
    }
    covers.insert("to".into(), to);
    Ok(Some(Value::Object(covers)))
}

fn first_from(
    written: &Expression,
    recipe: &Recipe,
    job: &Value,
    settings: &Settings,
    now: Moment,
) -> Result<Option<Value>, Box<Failure>> {
    let scope = Start {
        recipe,
        job: Arc::new(job.clone()),
        settings,
        now,
    };
    let found = written.evaluate(&scope).map_err(|error| {
        let message = format!("`first_from`: `{}`: {}", error.expression, error.message);
        Box::new(Failure {
            place: Some("first_from".to_owned()),
            ..Failure::new("no_value", message)
        })
    })?;
    Ok(found.filter(|value| !value.is_null()))
}

/// What `first_from` sees: `settings` and `job`.
struct Start<'a> {
    recipe: &'a Recipe,
    job: Arc<Value>,
    settings: &'a Settings,
    now: Moment,
}

impl Scope for Start<'_> {
    fn find(&self, root: &str, member: Option<&str>) -> Option<Arc<Value>> {
        match (root, member) {
            ("job", None) => Some(self.job.clone()),
            ("job", Some(member)) => self.job.get(member).cloned().map(Arc::new),
            ("settings", Some(integration)) => {
                let project = self.settings.get(self.recipe.name.project())?;
                project.get(integration).cloned()
            }
            _ => None,
        }
    }

    fn now(&self) -> Moment {
        self.now
    }

    fn timezone(&self) -> &str {
        &self.recipe.timezone
    }

    fn uuid(&self) -> String {
        // The trigger is the same for all jobs; nothing here may tell them apart.
        uuid::Uuid::nil().to_string()
    }
}
