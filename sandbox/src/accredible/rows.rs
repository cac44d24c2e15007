//! The rows of the Accredible stand-in, as world files and `/_control/state` write them. Always
//! true: a key that is not known here is refused by name, so a typing error in a world is found.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::moment::Moment;

use super::quirks::Quirks;

/// Everything that an Accredible account starts with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccredibleWorld {
    pub(crate) quirks: Quirks,
    pub(crate) issuer: Issuer,
    pub(crate) keys: Vec<Key>,
    pub(crate) groups: Vec<Group>,
    pub(crate) credentials: Vec<Credential>,
}

/// The account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Issuer {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) url: String,
    /// Credentials that may still be published.
    pub(crate) credits: i64,
}

impl Default for Issuer {
    fn default() -> Self {
        Self {
            id: 1,
            name: "Example Academy".to_owned(),
            email: "academy@example.com".to_owned(),
            url: "https://www.example.com".to_owned(),
            credits: 1_000_000,
        }
    }
}

/// An API key, for the whole account or for one department.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    #[serde(skip_serializing)]
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) department_id: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GroupState {
    #[default]
    Active,
    Archived,
    Deleted,
}

/// A credential group; `name` is its identifier and never shown to recipients.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    #[serde(default)]
    pub(crate) id: i64,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) course_name: String,
    #[serde(default)]
    pub(crate) course_description: String,
    #[serde(default)]
    pub(crate) state: GroupState,
    #[serde(default)]
    pub(crate) allow_duplicate_credentials: bool,
    #[serde(default)]
    pub(crate) department_id: Option<i64>,
    /// Years until credentials expire that are created without a date of their own.
    #[serde(default)]
    pub(crate) auto_expiry: Option<i64>,
    #[serde(default)]
    pub(crate) meta_data: Map<String, Value>,
    /// The other documented keys, as they were written.
    #[serde(default)]
    pub(crate) details: Map<String, Value>,
    #[serde(default)]
    pub(crate) created_at: Option<Moment>,
    #[serde(default)]
    pub(crate) updated_at: Option<Moment>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Recipient {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) id: Option<String>,
    pub(crate) phone_number: Option<String>,
    pub(crate) meta_data: Map<String, Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credential {
    #[serde(default)]
    pub(crate) id: i64,
    #[serde(default)]
    pub(crate) uuid: String,
    #[serde(default)]
    pub(crate) encoded_id: String,
    /// The caller's own id for the credential.
    #[serde(default)]
    pub(crate) license_id: Option<String>,
    pub(crate) group_id: i64,
    pub(crate) recipient: Recipient,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// `YYYY-MM-DD`.
    #[serde(default)]
    pub(crate) issued_on: String,
    #[serde(default)]
    pub(crate) expired_on: Option<String>,
    #[serde(default)]
    pub(crate) custom_attributes: Map<String, Value>,
    #[serde(default)]
    pub(crate) meta_data: Map<String, Value>,
    #[serde(default = "yes")]
    pub(crate) approve: bool,
    #[serde(default)]
    pub(crate) private: bool,
    #[serde(default = "yes")]
    pub(crate) complete: bool,
    #[serde(default)]
    pub(crate) published_at: Option<Moment>,
    #[serde(default)]
    pub(crate) created_at: Option<Moment>,
    #[serde(default)]
    pub(crate) updated_at: Option<Moment>,
}

fn yes() -> bool {
    true
}
