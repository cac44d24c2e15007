//! The rows of the Docebo stand-in, as world files and `/_control/state` write them. Always true:
//! a key that is not known here is refused by name, so a typing error in a world is found.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::moment::Moment;
use crate::webhooks::Webhook;

use super::branches::Branch;
use super::oauth::Token;
use super::quirks::Quirks;

/// Everything that a Docebo tenant starts with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DoceboWorld {
    pub(crate) domain: Option<String>,
    pub(crate) quirks: Quirks,
    pub(crate) clients: Vec<Client>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) users: Vec<User>,
    pub(crate) fields: Vec<Field>,
    pub(crate) courses: Vec<Course>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) learning_plans: Vec<Plan>,
    pub(crate) enrollments: Vec<Enrollment>,
    pub(crate) plan_enrollments: Vec<PlanEnrollment>,
    pub(crate) certifications: Vec<Certification>,
    pub(crate) awards: Vec<Award>,
    pub(crate) external_sources: Vec<Source>,
    pub(crate) external_trainings: Vec<Training>,
    pub(crate) webhooks: Vec<Webhook>,
}

/// An OAuth2 application.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    pub(crate) client_id: String,
    #[serde(skip_serializing)]
    pub(crate) client_secret: String,
    /// The user whom a client-credentials token acts as.
    #[serde(default)]
    pub(crate) username: Option<String>,
    #[serde(default = "defaults::token_lifetime_s")]
    pub(crate) token_lifetime_s: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct User {
    #[serde(default)]
    pub(crate) id: i64,
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) first_name: String,
    #[serde(default)]
    pub(crate) last_name: String,
    #[serde(default, skip_serializing)]
    pub(crate) password: Option<String>,
    #[serde(default = "defaults::yes")]
    pub(crate) active: bool,
    /// `user`, `poweruser` or `superadmin`.
    #[serde(default = "defaults::level")]
    pub(crate) level: String,
    #[serde(default = "defaults::language")]
    pub(crate) language: String,
    #[serde(default = "defaults::timezone")]
    pub(crate) timezone: String,
    #[serde(default)]
    pub(crate) created_at: Option<Moment>,
    #[serde(default)]
    pub(crate) updated_at: Option<Moment>,
    #[serde(default)]
    pub(crate) fields: BTreeMap<i64, Value>,
    /// The branches that the user belongs to.
    #[serde(default)]
    pub(crate) branches: BTreeSet<i64>,
}

impl User {
    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
            .trim()
            .to_owned()
    }

    pub(crate) fn is_superadmin(&self) -> bool {
        self.level == "superadmin"
    }
}

/// An additional field of courses, sessions or learning plans.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    #[serde(default)]
    pub(crate) id: i64,
    /// `course`, `ilt`, `webinar` or `coursepath` (learning plans).
    pub(crate) association: String,
    #[serde(rename = "type", default = "defaults::dropdown")]
    pub(crate) kind: String,
    /// The name by language.
    pub(crate) translations: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) options: Vec<FieldOption>,
}

impl Field {
    /// The name in English, else in any language.
    pub(crate) fn title(&self) -> &str {
        label(&self.translations)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldOption {
    pub(crate) id: i64,
    pub(crate) translations: BTreeMap<String, String>,
}

/// The English text of a translated one, else the first there is.
pub(crate) fn label(translations: &BTreeMap<String, String>) -> &str {
    let english = translations
        .get("english")
        .or_else(|| translations.values().next());
    english.map_or("", String::as_str)
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Course {
    #[serde(default)]
    pub(crate) id: i64,
    #[serde(default)]
    pub(crate) uid: String,
    #[serde(default)]
    pub(crate) code: String,
    pub(crate) name: String,
    #[serde(rename = "type", default = "defaults::elearning")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default = "defaults::course_language")]
    pub(crate) language: String,
    /// 0 under preparation, 2 published.
    #[serde(default = "defaults::published")]
    pub(crate) status: i64,
    #[serde(default)]
    pub(crate) credits: f64,
    #[serde(default)]
    pub(crate) duration: i64,
    #[serde(default)]
    pub(crate) updated_at: Option<Moment>,
    /// Values of additional fields by field id; of a dropdown, the option id.
    #[serde(default)]
    pub(crate) fields: BTreeMap<i64, Value>,
}

/// A session of a classroom course.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    #[serde(default)]
    pub(crate) id: i64,
    pub(crate) course: i64,
    #[serde(default)]
    pub(crate) code: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) starts_at: Option<Moment>,
    #[serde(default)]
    pub(crate) ends_at: Option<Moment>,
    #[serde(default)]
    pub(crate) fields: BTreeMap<i64, Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    #[serde(default)]
    pub(crate) id: i64,
    #[serde(default)]
    pub(crate) uuid: String,
    #[serde(default)]
    pub(crate) code: String,
    pub(crate) title: String,
    #[serde(default = "defaults::yes")]
    pub(crate) is_published: bool,
    pub(crate) courses: Vec<i64>,
    /// Courses of the plan that its completion does not need.
    #[serde(default)]
    pub(crate) optional_courses: Vec<i64>,
    #[serde(default)]
    pub(crate) updated_at: Option<Moment>,
    #[serde(default)]
    pub(crate) fields: BTreeMap<i64, Value>,
}

/// Where a learner stands; the numbers are the vendor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Waiting = -2,
    ToConfirm = -1,
    #[serde(alias = "enrolled", alias = "not_started")]
    Subscribed = 0,
    InProgress = 1,
    Completed = 2,
    Suspended = 3,
    Overbooked = 4,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrollment {
    pub(crate) user: i64,
    pub(crate) course: i64,
    #[serde(default = "defaults::subscribed")]
    pub(crate) status: Status,
    #[serde(default = "defaults::student")]
    pub(crate) level: String,
    #[serde(default)]
    pub(crate) created_at: Option<Moment>,
    #[serde(default)]
    pub(crate) updated_at: Option<Moment>,
    #[serde(default)]
    pub(crate) completed_at: Option<Moment>,
    #[serde(default)]
    pub(crate) active_from: Option<Moment>,
    #[serde(default)]
    pub(crate) active_until: Option<Moment>,
    #[serde(default)]
    pub(crate) score: Option<f64>,
    #[serde(default)]
    pub(crate) created_by: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanEnrollment {
    pub(crate) user: i64,
    pub(crate) plan: i64,
    #[serde(default = "defaults::subscribed")]
    pub(crate) status: Status,
    #[serde(default)]
    pub(crate) created_at: Option<Moment>,
    #[serde(default)]
    pub(crate) updated_at: Option<Moment>,
    #[serde(default)]
    pub(crate) completed_at: Option<Moment>,
    #[serde(default)]
    pub(crate) percentage: i64,
    #[serde(default)]
    pub(crate) created_by: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Certification {
    #[serde(default)]
    pub(crate) id: i64,
    #[serde(default)]
    pub(crate) code: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) description: String,
    /// 0 never expires.
    #[serde(default)]
    pub(crate) duration: i64,
    #[serde(default = "defaults::month")]
    pub(crate) duration_unit: String,
    /// Completing one of these courses awards it.
    #[serde(default)]
    pub(crate) courses: Vec<i64>,
    /// Completing one of these learning plans awards it.
    #[serde(default)]
    pub(crate) learning_plans: Vec<i64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Award {
    #[serde(default)]
    pub(crate) id: i64,
    pub(crate) certification: i64,
    pub(crate) user: i64,
    #[serde(default)]
    pub(crate) issued_at: Option<Moment>,
    #[serde(default)]
    pub(crate) expires_at: Option<Moment>,
    #[serde(default)]
    pub(crate) archived: bool,
    #[serde(default)]
    pub(crate) association: Association,
}

/// What an award was given for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Association {
    /// `course`, `learning_plan`, `external_training` or `external`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) item_id: Option<i64>,
    pub(crate) source_id: Option<i64>,
    pub(crate) link: Option<String>,
}

impl Default for Association {
    fn default() -> Self {
        Self {
            kind: "external".to_owned(),
            item_id: None,
            source_id: None,
            link: None,
        }
    }
}

/// A source of external certifications.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    #[serde(default)]
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// An external training record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Training {
    #[serde(default)]
    pub(crate) id: i64,
    pub(crate) user: i64,
    pub(crate) course_name: String,
    #[serde(default)]
    pub(crate) course_type: String,
    #[serde(default)]
    pub(crate) training_institute: String,
    #[serde(default)]
    pub(crate) from_date: Option<String>,
    pub(crate) to_date: String,
    #[serde(default)]
    pub(crate) score: Option<f64>,
    #[serde(default)]
    pub(crate) credits: Option<f64>,
    #[serde(default = "defaults::approved")]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) fields: BTreeMap<i64, Value>,
}

mod defaults {
    use super::Status;

    macro_rules! texts {
        ($($name:ident = $text:literal),* $(,)?) => {
            $(pub(super) fn $name() -> String { $text.to_owned() })*
        };
    }
    texts! {
        level = "user", language = "en", timezone = "UTC", dropdown = "dropdown",
        elearning = "elearning", course_language = "english", student = "student",
        month = "month", approved = "approved",
    }

    pub(super) fn token_lifetime_s() -> i64 {
        3_600
    }

    pub(super) fn yes() -> bool {
        true
    }

    pub(super) fn published() -> i64 {
        2
    }

    pub(super) fn subscribed() -> Status {
        Status::Subscribed
    }
}
