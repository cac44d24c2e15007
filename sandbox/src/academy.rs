//! Academies of any size, made up from a seed. In: how many of what. Out: a world with the vendors'
//! budgets enforced, what the tables of an integration must know of it, and who must hold what after
//! a batch synchronisation. Always true: the same size and seed make the same academy.
//!
//! A few courses have many learners, most have few; nine of ten name a credential group. Most
//! enrollments are completed, some long ago, some not yet. Some of the credentials were issued to
//! learners before anybody synchronised, with old dates; the others belong to strangers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::World;
use crate::chance::mix;
use crate::world::WorldError;

/// How many of what an academy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Courses.
    pub courses: u64,
    /// Enrollments; there are a fifth as many learners.
    pub enrollments: u64,
    /// Credential groups.
    pub groups: u64,
    /// Credentials that exist before.
    pub credentials: u64,
}

/// An academy.
#[derive(Debug)]
pub struct Academy {
    size: Size,
    seed: u64,
    /// The vendors' parts of the world, by vendor.
    parts: BTreeMap<&'static str, Value>,
    wanted: BTreeSet<(String, i64)>,
}

/// The recipe that brings its credentials into step.
pub const BATCH_RECIPE: &str = "accredible/batch-sync-docebo-to-accredible";

/// Completions before this day are left alone.
const SINCE: &str = "2026-01-01";

const FIELD: &str = "Accredible credential";
const FIELD_ID: i64 = 12;
const PLAN_FIELD_ID: i64 = 13;
const FIRST_GROUP: i64 = 3_001;
const FIRST_OPTION: i64 = 1_001;
const FIRST_COURSE: i64 = 101;
const FIRST_PLAN: i64 = 50_001;
const FIRST_LEARNER: i64 = 1_001;

/// Where an enrollment stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Completed,
    CompletedLongAgo,
    Under,
}

impl Academy {
    /// Makes one up.
    #[must_use]
    pub fn of(size: Size, seed: u64) -> Self {
        let mut academy = Self {
            size,
            seed,
            parts: BTreeMap::new(),
            wanted: BTreeSet::new(),
        };
        let docebo = academy.docebo();
        academy.parts.insert("docebo", docebo);
        let accredible = academy.accredible();
        academy.parts.insert("accredible", accredible);
        academy
    }

    /// The world, for a sandbox of its own.
    ///
    /// # Errors
    /// When the rows do not fit the vendors', which would be a mistake in here.
    pub fn world(&self) -> Result<World, WorldError> {
        World::of_parts(&self.parts)
    }

    /// A vendor's part of the world, as its control surface takes it.
    #[must_use]
    pub fn part(&self, vendor: &str) -> &Value {
        self.parts.get(vendor).unwrap_or(&Value::Null)
    }

    /// The e-mail of everybody who must hold exactly one credential of a group after a batch
    /// synchronisation, and that group. Others may hold what they held before.
    #[must_use]
    pub fn wanted(&self) -> &BTreeSet<(String, i64)> {
        &self.wanted
    }

    /// The rows of lookup tables, as an admin and a synchronisation of groups leave them.
    #[must_use]
    pub fn tables(&self) -> Vec<(&'static str, Vec<Value>)> {
        let setting = |key: &str, value: &str| json!({ "integration": "ACCREDIBLE", "key": key, "value": value });
        let settings = vec![
            setting("COURSE_ADDITIONAL_FIELD", FIELD),
            setting("LEARNING_PLAN_ADDITIONAL_FIELD", FIELD),
            setting("NOTIFICATION_MAIL_ID", "learning@academy.example"),
            setting("DOCEBO_TO_ACCREDIBLE_BATCH_SYNC_START_DATE", SINCE),
            setting("ACCREDIBLE_TO_DOCEBO_BATCH_SYNC_START_DATE", SINCE),
            setting("BATCH_OVERWRITE_BEHAVIOUR", "UPDATE"),
        ];
        let groups = (0..self.size.groups).map(|group| {
            json!({
                "group_id": id(FIRST_GROUP, group), "name": group_name(group), "is_active": true,
                "dropdown_element_id": id(FIRST_OPTION, group),
            })
        });
        let mappings = (0..self.plans()).map(|plan| {
            json!({
                "credential_group_id": self.group_of_plan(plan).to_string(),
                "learning_plan_id": plan_code(plan), "is_active": true,
            })
        });
        vec![
            ("integration-settings", settings),
            ("accredible-credential-groups", groups.collect()),
            ("accredible-integration-mappings", mappings.collect()),
        ]
    }

    /// The `connections.yaml` of a workspace that works with stand-ins at these addresses.
    #[must_use]
    pub fn connections(docebo_url: &str, accredible_url: &str) -> String {
        format!(
            "connections:\n  docebo:\n    base_url: {docebo_url}\n    grant: client_credentials\n    \
             client_id: recipe-engine\n    client_secret: docebo-secret\n    allow_private: true\n  \
             accredible:\n    base_url: {accredible_url}\n    api_key: accredible-key\n    \
             allow_private: true\n  docebo_webhook:\n    connector: webhook_basic\n    \
             username: docebo\n    password: webhook-password\n  mail:\n    host: 127.0.0.1\n    \
             port: 9\n    encryption: none\n    from: recipes@academy.example\n    \
             allow_private: true\n"
        )
    }

    fn docebo(&mut self) -> Value {
        let service = json!({
            "id": 1, "username": "service.connect", "email": "service.connect@academy.example",
            "first_name": "Service", "last_name": "Connect", "level": "superadmin",
            "password": "docebo-password",
        });
        let mut users = vec![service];
        users.extend((0..self.learners()).map(learner));
        let options = (0..self.size.groups).map(|group| {
            json!({ "id": id(FIRST_OPTION, group), "translations": { "english": group_name(group) } })
        });
        let options: Vec<Value> = options.collect();
        let courses: Vec<Value> = (0..self.size.courses).map(|n| self.course(n)).collect();
        let plans: Vec<Value> = (0..self.plans()).map(|n| self.plan(n)).collect();
        let (enrollments, plan_enrollments) = self.enrollments();
        json!({
            "domain": "academy.docebosaas.com",
            "quirks": { "calls_per_hour": 1000 },
            "clients": [{
                "client_id": "recipe-engine", "client_secret": "docebo-secret",
                "username": "service.connect",
            }],
            "users": users,
            "fields": [
                { "id": FIELD_ID, "association": "course", "translations": { "english": FIELD }, "options": options },
                { "id": PLAN_FIELD_ID, "association": "coursepath", "translations": { "english": FIELD } },
            ],
            "courses": courses,
            "learning_plans": plans,
            "enrollments": enrollments,
            "plan_enrollments": plan_enrollments,
        })
    }

    fn accredible(&self) -> Value {
        let groups = (0..self.size.groups).map(|group| {
            json!({
                "id": id(FIRST_GROUP, group), "name": group_name(group),
                "course_name": format!("Skill {group}"), "course_description": "Can do it.",
            })
        });
        let own = (self.size.credentials * 3 / 5).min(self.wanted.len() as u64 / 2);
        let of_learners = self.wanted.iter().step_by(2).take(own as usize);
        let of_learners = of_learners.map(|(email, group)| {
            json!({
                "group_id": group, "issued_on": "2025-06-01",
                "recipient": { "name": "As it was", "email": email },
            })
        });
        let of_strangers = (own..self.size.credentials).map(|number| {
            json!({
                "group_id": id(FIRST_GROUP, number % self.size.groups), "issued_on": "2025-06-01",
                "recipient": { "name": "A stranger", "email": format!("stranger.{number}@elsewhere.example") },
            })
        });
        let mut credentials: Vec<Value> = of_learners.chain(of_strangers).collect();
        for (number, row) in (10_000_001..).zip(&mut credentials) {
            row["id"] = json!(number);
        }
        json!({
            "quirks": { "requests_per_5_min": 2000, "v1_searches_per_min": 100 },
            "issuer": { "id": 77, "name": "Example Academy", "email": "academy@academy.example", "url": "https://academy.example", "credits": 1_000_000 },
            "keys": [{ "key": "accredible-key" }],
            "groups": groups.collect::<Vec<_>>(),
            "credentials": credentials,
        })
    }

    fn course(&self, number: u64) -> Value {
        let fields = match self.group_of_course(number) {
            Some(group) => json!({ FIELD_ID.to_string(): FIRST_OPTION + (group - FIRST_GROUP) }),
            None => json!({}),
        };
        json!({
            "id": id(FIRST_COURSE, number), "code": format!("C-{number:05}"),
            "name": format!("Course {number}"), "fields": fields,
        })
    }

    /// A plan of two courses; the second names no group of its own.
    fn plan(&self, number: u64) -> Value {
        let courses = self.courses_of_plan(number);
        json!({
            "id": id(FIRST_PLAN, number), "code": plan_code(number),
            "title": format!("Plan {number}"), "courses": courses.map(|course| id(FIRST_COURSE, course)),
        })
    }

    /// The enrollments, and those in learning plans; notes who must hold what.
    fn enrollments(&mut self) -> (Vec<Value>, Vec<Value>) {
        let (mut rows, mut in_plans) = (Vec::new(), Vec::new());
        for (course, count) in (0..self.size.courses).zip(self.learners_of_courses()) {
            let plan = (0..self.plans()).find(|plan| self.courses_of_plan(*plan)[1] == course);
            for learner in self.learners_of_course(course, count) {
                let standing = self.standing(course, learner);
                let mut row = json!({
                    "user": id(FIRST_LEARNER, learner), "course": id(FIRST_COURSE, course),
                    "created_at": "2025-03-01 08:00:00",
                });
                let completed_at = match standing {
                    Standing::Under => None,
                    Standing::CompletedLongAgo => Some("2025-05-02 09:30:00".to_owned()),
                    Standing::Completed => {
                        Some(format!("2026-01-{:02} 16:20:00", 2 + learner % 27))
                    }
                };
                row["status"] = json!(if completed_at.is_some() {
                    "completed"
                } else {
                    "in_progress"
                });
                row["completed_at"] = json!(completed_at);
                rows.push(row);
                if standing == Standing::Completed
                    && let Some(group) = self.group_of_course(course)
                {
                    self.wanted.insert((email(learner).to_lowercase(), group));
                }
                if let Some(plan) = plan
                    && standing == Standing::Completed
                {
                    let is_completed = learner % 4 != 0;
                    in_plans.push(json!({
                        "user": id(FIRST_LEARNER, learner), "plan": id(FIRST_PLAN, plan),
                        "status": if is_completed { "completed" } else { "in_progress" },
                        "completed_at": is_completed.then_some("2026-01-30 10:00:00"),
                    }));
                    if is_completed {
                        self.wanted
                            .insert((email(learner).to_lowercase(), self.group_of_plan(plan)));
                    }
                }
            }
        }
        (rows, in_plans)
    }

    fn learners(&self) -> u64 {
        (self.size.enrollments / 5).max(1)
    }

    fn plans(&self) -> u64 {
        (self.size.groups / 10).min(self.size.courses / 10)
    }

    /// One course has a fiftieth of all learners, ten have half as many, the others the rest.
    fn learners_of_courses(&self) -> Vec<u64> {
        let total = self.size.enrollments;
        let mut counts = vec![0; self.size.courses as usize];
        let mut left = total;
        for (number, count) in counts.iter_mut().enumerate() {
            let big = match number {
                0 => total / 50,
                1..=10 => total / 100,
                _ => 0,
            };
            *count = big.min(left).min(self.learners());
            left -= *count;
        }
        let courses = self.size.courses.max(1);
        for (number, count) in (0..).zip(counts.iter_mut()) {
            let more = left / (courses - number);
            *count = (*count + more).min(self.learners());
            left -= more;
        }
        counts
    }

    /// Different learners, spread over all.
    fn learners_of_course(&self, course: u64, count: u64) -> impl Iterator<Item = u64> + use<> {
        let all = self.learners();
        let first = mix(self.seed ^ course) % all;
        (0..count).map(move |number| (first + number) % all)
    }

    fn standing(&self, course: u64, learner: u64) -> Standing {
        match mix(self.seed ^ (course << 32) ^ learner) % 100 {
            0..85 => Standing::Completed,
            85..90 => Standing::CompletedLongAgo,
            _ => Standing::Under,
        }
    }

    /// Every tenth course names no group.
    fn group_of_course(&self, number: u64) -> Option<i64> {
        (number % 10 != 9).then(|| id(FIRST_GROUP, number % self.size.groups))
    }

    fn group_of_plan(&self, plan: u64) -> i64 {
        id(FIRST_GROUP, (plan * 7 + 3) % self.size.groups)
    }

    fn courses_of_plan(&self, plan: u64) -> [u64; 2] {
        [plan * 10 + 8, plan * 10 + 9]
    }
}

fn learner(number: u64) -> Value {
    json!({
        "id": id(FIRST_LEARNER, number), "username": format!("learner-{number}"), "email": email(number),
        "first_name": "Learner", "last_name": format!("No. {number}"),
    })
}

fn email(number: u64) -> String {
    format!("Learner.{number}@Example.com")
}

fn group_name(number: u64) -> String {
    format!("skill-{number:04}")
}

fn plan_code(number: u64) -> String {
    format!("LP-{number:04}")
}

fn id(first: i64, number: u64) -> i64 {
    first.saturating_add_unsigned(number)
}
