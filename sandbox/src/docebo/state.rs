//! The state of a Docebo tenant. In: a world, then rows. Out: rows by id and by every key that a
//! list asks for. Always true: a row and its indexes change together, in the `put_*` functions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::chance::{Chance, mix};
use crate::moment::format_moment;
use crate::webhooks::Event;

use super::branches::Branch;
use super::oauth::Tokens;
use super::paging::Snapshots;
use super::quirks::Quirks;
use super::rows::{
    Award, Certification, Client, Course, DoceboWorld, Enrollment, Field, Plan, PlanEnrollment,
    Session, Source, Training, User,
};

/// A user or course or plan and, for enrollments, both: the key of every list.
pub(crate) type Key = (i64, i64);

type Index<K> = HashMap<K, BTreeSet<i64>>;

/// Everything that one tenant knows.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) quirks: Quirks,
    pub(crate) clients: BTreeMap<String, Client>,
    pub(crate) tokens: Tokens,
    pub(crate) chance: Chance,
    pub(crate) snapshots: Snapshots,
    pub(crate) errors: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) due: BTreeMap<(i64, u64), Due>,
    pub(crate) branches: BTreeMap<i64, Branch>,
    pub(crate) users: BTreeMap<i64, User>,
    pub(crate) users_by_text: Index<String>,
    pub(crate) fields: BTreeMap<i64, Field>,
    pub(crate) last_option: i64,
    pub(crate) courses: BTreeMap<i64, Course>,
    pub(crate) courses_by_code: HashMap<String, i64>,
    pub(crate) sessions: BTreeMap<i64, Session>,
    pub(crate) plans: BTreeMap<i64, Plan>,
    pub(crate) plans_by_course: Index<i64>,
    /// By user and course.
    pub(crate) enrollments: BTreeMap<Key, Enrollment>,
    pub(crate) learners_by_course: Index<i64>,
    /// By user and plan.
    pub(crate) plan_enrollments: BTreeMap<Key, PlanEnrollment>,
    pub(crate) learners_by_plan: Index<i64>,
    pub(crate) certifications: BTreeMap<i64, Certification>,
    pub(crate) awards: BTreeMap<i64, Award>,
    pub(crate) awards_by_user: Index<i64>,
    pub(crate) awards_by_certification: Index<i64>,
    pub(crate) sources: BTreeMap<i64, Source>,
    pub(crate) trainings: BTreeMap<i64, Training>,
    pub(crate) trainings_by_user: Index<i64>,
    sequence: u64,
}

/// Work that the tenant does by itself, later.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// See whether this user has completed this learning plan.
    RecomputePlan { user: i64, plan: i64 },
    /// Award what this completion earns.
    Certify {
        user: i64,
        item: Item,
        completed_at: i64,
    },
}

/// What a learner has completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    Course(i64),
    Plan(i64),
}

impl State {
    /// Builds the state of a world, or says what in it does not fit together.
    pub(crate) fn load(world: DoceboWorld, seed: u64, now: i64) -> Result<Self, String> {
        let mut state = Self::empty(world.quirks, seed);
        for client in world.clients {
            state.clients.insert(client.client_id.clone(), client);
        }
        for row in world.branches {
            state.put_branch(row)?;
        }
        world
            .users
            .into_iter()
            .for_each(|row| state.put_user(row, now));
        world
            .tokens
            .into_iter()
            .try_for_each(|row| state.put_token(row))?;
        world
            .fields
            .into_iter()
            .for_each(|row| state.put_field(row));
        world
            .courses
            .into_iter()
            .for_each(|row| state.put_course(row, now));
        for row in world.sessions {
            state.put_session(row)?;
        }
        for row in world.learning_plans {
            state.put_plan(row, now)?;
        }
        for row in world.enrollments {
            state.put_enrollment(row, now)?;
        }
        for row in world.plan_enrollments {
            state.put_plan_enrollment(row, now)?;
        }
        world
            .certifications
            .into_iter()
            .for_each(|row| state.put_certification(row));
        for row in world.awards {
            state.put_award(row, now)?;
        }
        world
            .external_sources
            .into_iter()
            .for_each(|row| state.put_source(row));
        for row in world.external_trainings {
            state.put_training(row)?;
        }
        Ok(state)
    }

    fn empty(quirks: Quirks, seed: u64) -> Self {
        Self {
            quirks,
            chance: Chance::new(seed),
            clients: BTreeMap::new(),
            tokens: Tokens::default(),
            snapshots: Snapshots::default(),
            errors: 0,
            events: Vec::new(),
            due: BTreeMap::new(),
            branches: BTreeMap::new(),
            users: BTreeMap::new(),
            users_by_text: HashMap::new(),
            fields: BTreeMap::new(),
            last_option: 0,
            courses: BTreeMap::new(),
            courses_by_code: HashMap::new(),
            sessions: BTreeMap::new(),
            plans: BTreeMap::new(),
            plans_by_course: HashMap::new(),
            enrollments: BTreeMap::new(),
            learners_by_course: HashMap::new(),
            plan_enrollments: BTreeMap::new(),
            learners_by_plan: HashMap::new(),
            certifications: BTreeMap::new(),
            awards: BTreeMap::new(),
            awards_by_user: HashMap::new(),
            awards_by_certification: HashMap::new(),
            sources: BTreeMap::new(),
            trainings: BTreeMap::new(),
            trainings_by_user: HashMap::new(),
            sequence: 0,
        }
    }

    /// Says that something happened; the webhooks hear of it when the call is over.
    pub(crate) fn emit(&mut self, name: &str, is_batch: bool, payload: serde_json::Value) {
        let name = self
            .quirks
            .event_names
            .get(name)
            .map_or(name, String::as_str)
            .to_owned();
        self.events.push(Event {
            name,
            payload,
            is_batch,
        });
    }

    /// Puts work off until a moment.
    pub(crate) fn later(&mut self, at: i64, due: Due) {
        self.sequence += 1;
        self.due.insert((at, self.sequence), due);
    }

    /// A date as this row shows it; a missing one is null or, on some rows, a zero-date.
    pub(crate) fn date_time(&self, row: i64, moment: Option<i64>) -> serde_json::Value {
        match moment {
            Some(moment) => date_time(moment).into(),
            None if self.has_zero_dates(row) => "0000-00-00 00:00:00".into(),
            None => serde_json::Value::Null,
        }
    }

    fn has_zero_dates(&self, row: i64) -> bool {
        mix(row.unsigned_abs()) % 100 < self.quirks.zero_dates_percent
    }
}

/// `YYYY-MM-DD HH:MM:SS`, the vendor's spelling.
pub(crate) fn date_time(moment: i64) -> String {
    format_moment(moment, "%Y-%m-%d %H:%M:%S")
}

/// `YYYY-MM-DD`.
pub(crate) fn date(moment: i64) -> String {
    format_moment(moment, "%Y-%m-%d")
}
