//! Names that are checked once and then trusted.
//!
//! In: text from files, paths and requests. Out: newtypes that can only hold sound names.
//! Always true: a name compares, orders and prints as its text.

mod role;

pub use role::Role;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Declares a newtype over shared text with the usual conversions.
macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks the text and keeps it; the error says what a sound name looks like.
            pub fn new(text: &str) -> Result<Self, String> {
                $check(text).map(|()| Self(Arc::from(text)))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $type {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                Self::new(&text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0.to_string()
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// A recipe's identity: `project/name`, which is also its path below `recipes/`.
    RecipeName,
    check_recipe_name
);
name!(
    /// A lookup table, which is also its file name below `lookup-tables/`.
    TableName,
    check_file_name
);
name!(
    /// A connector, which is also its file name below `connectors/`.
    ConnectorName,
    check_id_or_file_name
);
name!(
    /// An admin's account at a vendor, as named in `connections.yaml`.
    ConnectionName,
    check_id_or_file_name
);
name!(
    /// A token with which a person or a program signs in; the audit calls them by it.
    TokenName,
    check_id_or_file_name
);
name!(
    /// A secret that an admin gave for a field of a connection: `connection.field`.
    SecretName,
    check_secret_name
);
name!(
    /// One run of a recipe: a version 7 UUID, so that names sort by age.
    JobId,
    check_job_id
);

impl RecipeName {
    /// Joins a project and a recipe's own name.
    pub fn of(project: &str, name: &str) -> Result<Self, String> {
        Self::new(&format!("{project}/{name}"))
    }

    /// The folder part.
    pub fn project(&self) -> &str {
        self.0.split_once('/').map_or("", |(project, _)| project)
    }

    /// The file part, without `.yaml`.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or(&*self.0, |(_, name)| name)
    }
}

impl SecretName {
    /// The connection.
    pub fn connection(&self) -> &str {
        self.0
            .split_once('.')
            .map_or("", |(connection, _)| connection)
    }

    /// Its field.
    pub fn field(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, field)| field)
    }
}

impl JobId {
    /// A fresh name that sorts after all names made before it on this machine.
    pub fn fresh() -> Self {
        Self(Arc::from(uuid::Uuid::now_v7().to_string()))
    }

    /// The name of a job that this one starts at some place: always the same for the same place,
    /// and of about the same age as this one.
    pub fn started_at(&self, place: &str) -> Self {
        let own = uuid::Uuid::parse_str(&self.0).unwrap_or_default();
        let mut bytes = *uuid::Uuid::new_v5(&own, place.as_bytes()).as_bytes();
        bytes[..6].copy_from_slice(&own.as_bytes()[..6]);
        // A name made in a way of one's own is of version 8.
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        Self(Arc::from(uuid::Uuid::from_bytes(bytes).to_string()))
    }
}

/// Whether the text may stand as an id, alias, variable or column: `[a-z][a-z0-9_]*`.
pub fn is_id(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Names of devices where files cannot be called so: a workspace is to work on any machine.
const DEVICES: [&str; 4] = ["aux", "con", "nul", "prn"];

/// Whether the text may stand as a file or folder name: lower-case words joined by hyphens, and not
/// what some systems call a device.
pub fn is_file_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && !is_device(text)
        && text.split('-').all(|word| {
            !word.is_empty()
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

/// Whether some systems call a device so: `nul`, `com1`.
pub fn is_device(text: &str) -> bool {
    let port = text.strip_prefix("com").or(text.strip_prefix("lpt"));
    let is_port = port.is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']));
    is_port || DEVICES.contains(&text)
}

/// The file name of a title: lower case, everything but letters and digits one hyphen.
pub fn slug(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

fn check_file_name(text: &str) -> Result<(), String> {
    if is_file_name(text) {
        return Ok(());
    }
    Err(format!(
        "`{text}` is not a name: use lower-case letters, digits and single hyphens"
    ))
}

fn check_id_or_file_name(text: &str) -> Result<(), String> {
    if is_id(text) || is_file_name(text) {
        return Ok(());
    }
    Err(format!(
        "`{text}` is not a name: use lower-case letters, digits, `_` or single hyphens"
    ))
}

fn check_recipe_name(text: &str) -> Result<(), String> {
    match text.split_once('/') {
        Some((project, name)) if is_file_name(project) && is_file_name(name) => Ok(()),
        Some((project, name)) if is_device(project) || is_device(name) => Err(format!(
            "`{text}` cannot be a recipe: some systems call a device so; choose another name"
        )),
        _ => Err(format!(
            "`{text}` is not a recipe: write `project/name` in lower-case letters, digits and hyphens"
        )),
    }
}

fn check_secret_name(text: &str) -> Result<(), String> {
    match text.split_once('.') {
        Some((connection, field)) if check_id_or_file_name(connection).is_ok() && is_id(field) => {
            Ok(())
        }
        _ => Err(format!(
            "`{text}` is not the name of a secret: write `connection.field`, such as `shop.api_key`"
        )),
    }
}

fn check_job_id(text: &str) -> Result<(), String> {
    match uuid::Uuid::parse_str(text) {
        Ok(id) if id.hyphenated().to_string() == text => Ok(()),
        _ => Err(format!("`{text}` is not a job id")),
    }
}

#[cfg(test)]
mod tests;
