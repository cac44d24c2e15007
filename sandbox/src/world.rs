//! Worlds: what the vendors know when a sandbox starts. In: YAML. Out: rows for every vendor.
//! Always true: a typing error or a row that points at nothing is refused with its place.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::accredible::AccredibleWorld;
use crate::docebo::DoceboWorld;
use crate::mail::MailWorld;
use crate::moment::Moment;

/// The world that comes with the crate.
const TRAINING: &str = include_str!("../worlds/training.yaml");

/// The names of the worlds that come with the crate.
pub const WORLDS: [&str; 1] = ["training"];

/// What a sandbox starts with, one part per vendor.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    /// The moment that the clock shows at first; real time when absent.
    pub(crate) now: Option<Moment>,
    pub(crate) docebo: DoceboWorld,
    pub(crate) accredible: AccredibleWorld,
    pub(crate) mail: MailWorld,
}

/// A world file that cannot be read.
#[derive(Debug)]
pub struct WorldError(String);

impl std::fmt::Display for WorldError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the world is not readable: {}", self.0)
    }
}

impl std::error::Error for WorldError {}

impl World {
    /// Reads a world file.
    ///
    /// # Errors
    /// When the text is no YAML, or has a key or value that no vendor knows.
    pub fn parse(text: &str) -> Result<Self, WorldError> {
        serde_saphyr::from_str(text).map_err(|error| WorldError(error.to_string()))
    }

    /// A world of these parts, by vendor.
    pub(crate) fn of_parts(parts: &BTreeMap<&str, Value>) -> Result<Self, WorldError> {
        let parts = serde_json::to_value(parts).map_err(|error| WorldError(error.to_string()))?;
        serde_json::from_value(parts).map_err(|error| WorldError(error.to_string()))
    }

    /// The world that comes with the crate: a small academy, `worlds/training.yaml`.
    #[must_use]
    pub fn training() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the file is part of the crate and has a test"
        )]
        Self::parse(TRAINING).expect("worlds/training.yaml is readable")
    }

    /// The world of this name that comes with the crate.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        (name == WORLDS[0]).then(Self::training)
    }

    /// How one signs in at each vendor, by its name: the fields of a connection with their values.
    /// They are made up like everything here, and no secret.
    #[must_use]
    pub fn sign_ins(&self) -> Vec<(&'static str, String)> {
        let clients = self.docebo.clients.iter().filter_map(|client| {
            client.username.as_ref()?;
            let (id, secret) = (&client.client_id, &client.client_secret);
            Some(format!("client_id: {id}, client_secret: {secret}"))
        });
        let users = self.docebo.users.iter().filter_map(|user| {
            let password = user.password.as_ref()?;
            Some(format!("username: {}, password: {password}", user.username))
        });
        let docebo = clients.chain(users).map(|fields| ("docebo", fields));
        let keys = self.accredible.keys.iter();
        let accredible = keys.map(|key| ("accredible", format!("api_key: {}", key.key)));
        let users = self.mail.users.iter().map(|user| {
            let fields = format!("username: {}, password: {}", user.username, user.password);
            ("mail", fields)
        });
        docebo.chain(accredible).chain(users).collect()
    }

    /// The text of that world, to copy and change.
    #[must_use]
    pub fn training_text() -> &'static str {
        TRAINING
    }
}
