//! What the control surface may do with a Docebo tenant.

use std::sync::{Arc, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::branches::Branch;
use super::oauth::Token;
use super::routes::ROUTES;
use super::rows::{
    Award, Certification, Client, Course, DoceboWorld, Enrollment, Field, Plan, PlanEnrollment,
    Session, Source, Training, User,
};
use super::state::State;
use super::{Docebo, actions};
use crate::control::{Controlled, merge};
use crate::gate::Gate;
use crate::webhooks::Outbox;

const COLLECTIONS: [&str; 14] = [
    "clients",
    "tokens",
    "branches",
    "users",
    "fields",
    "courses",
    "sessions",
    "learning_plans",
    "enrollments",
    "plan_enrollments",
    "certifications",
    "awards",
    "external_sources",
    "external_trainings",
];

impl Controlled for Docebo {
    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn routes(&self) -> Vec<Value> {
        ROUTES.iter().map(|route| route.describe()).collect()
    }

    fn collections(&self) -> &'static [&'static str] {
        &COLLECTIONS
    }

    fn rows(&self, collection: &str) -> Option<Vec<Value>> {
        let now = self.gate.clock.now();
        self.with(|state| {
            state.settle(now);
            rows(state, collection, now)
        })
    }

    fn upsert(&self, collection: &str, rows: Vec<Value>) -> Result<usize, String> {
        let now = self.gate.clock.now();
        let count = rows.len();
        self.with(|state| {
            rows.into_iter()
                .try_for_each(|row| put(state, collection, row, now))
        })?;
        Ok(count)
    }

    fn reset(&self, world: Option<Value>) -> Result<(), String> {
        let world: DoceboWorld = match world {
            Some(world) => serde_json::from_value(world).map_err(|error| error.to_string())?,
            None => self.first.clone(),
        };
        let hooks = world.webhooks.clone();
        let state = State::load(world, self.seed, self.gate.clock.now())?;
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.outbox.reset(hooks);
        self.guard.reset();
        Ok(())
    }

    fn violations(&self) -> Value {
        self.guard.report()
    }

    fn quirks(&self) -> Value {
        self.with(|state| json!(state.quirks))
    }

    fn change_quirks(&self, patch: Value) -> Result<Value, String> {
        self.with(|state| {
            state.quirks = merge(&state.quirks, patch)?;
            Ok(json!(state.quirks))
        })
    }

    fn act(&self, action: &str, input: Value) -> Result<Value, String> {
        let now = self.gate.clock.now();
        self.with(|state| {
            state.settle(now);
            actions::act(state, action, input, now)
        })
    }

    fn settle(&self) {
        self.settle_now();
    }

    fn outbox(&self) -> Option<&Arc<Outbox>> {
        Some(&self.outbox)
    }
}

fn rows(state: &State, collection: &str, now: i64) -> Option<Vec<Value>> {
    Some(match collection {
        "clients" => show(state.clients.values()),
        // Tokens are secrets; their number is all there is to see.
        "tokens" => vec![json!({ "valid": state.tokens.count(now) })],
        "branches" => show(state.branches.values()),
        "users" => show(state.users.values()),
        "fields" => show(state.fields.values()),
        "courses" => show(state.courses.values()),
        "sessions" => show(state.sessions.values()),
        "learning_plans" => show(state.plans.values()),
        "enrollments" => show(state.enrollments.values()),
        "plan_enrollments" => show(state.plan_enrollments.values()),
        "certifications" => show(state.certifications.values()),
        "awards" => show(state.awards.values()),
        "external_sources" => show(state.sources.values()),
        "external_trainings" => show(state.trainings.values()),
        _ => return None,
    })
}

fn put(state: &mut State, collection: &str, row: Value, now: i64) -> Result<(), String> {
    match collection {
        "clients" => {
            let client = read::<Client>(row)?;
            state.clients.insert(client.client_id.clone(), client);
        }
        "tokens" => state.put_token(read::<Token>(row)?)?,
        "branches" => drop(state.put_branch(read::<Branch>(row)?)?),
        "users" => state.put_user(read::<User>(row)?, now),
        "fields" => state.put_field(read::<Field>(row)?),
        "courses" => state.put_course(read::<Course>(row)?, now),
        "sessions" => state.put_session(read::<Session>(row)?)?,
        "learning_plans" => state.put_plan(read::<Plan>(row)?, now)?,
        "enrollments" => state.put_enrollment(read::<Enrollment>(row)?, now)?,
        "plan_enrollments" => state.put_plan_enrollment(read::<PlanEnrollment>(row)?, now)?,
        "certifications" => state.put_certification(read::<Certification>(row)?),
        "awards" => drop(state.put_award(read::<Award>(row)?, now)?),
        "external_sources" => state.put_source(read::<Source>(row)?),
        "external_trainings" => drop(state.put_training(read::<Training>(row)?)?),
        other => return Err(format!("no collection `{other}`")),
    }
    Ok(())
}

fn show<'a, T: Serialize + 'a>(rows: impl Iterator<Item = &'a T>) -> Vec<Value> {
    rows.filter_map(|row| serde_json::to_value(row).ok())
        .collect()
}

fn read<T: DeserializeOwned>(row: Value) -> Result<T, String> {
    serde_json::from_value(row).map_err(|error| error.to_string())
}
