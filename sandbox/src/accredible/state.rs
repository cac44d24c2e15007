//! The state of an Accredible account. In: a world, then rows. Out: rows by every id that the API
//! takes. Always true: a credential and its indexes change together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::chance::Chance;
use crate::moment::{Moment, format_moment};

use super::quirks::Quirks;
use super::rows::{AccredibleWorld, Credential, Group, GroupState, Issuer, Key};

/// Everything that one account knows.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) quirks: Quirks,
    pub(crate) issuer: Issuer,
    pub(crate) keys: BTreeMap<String, Key>,
    pub(crate) groups: BTreeMap<i64, Group>,
    pub(crate) credentials: BTreeMap<i64, Credential>,
    pub(crate) by_group: HashMap<i64, BTreeSet<i64>>,
    /// By e-mail in lower case.
    pub(crate) by_email: HashMap<String, BTreeSet<i64>>,
    pub(crate) by_license: HashMap<String, i64>,
    /// By uuid and encoded id.
    pub(crate) by_public_id: HashMap<String, i64>,
    pub(crate) misses: u64,
    chance: Chance,
    last_credential: i64,
}

impl State {
    /// Builds the state of a world, or says what in it does not fit together.
    pub(crate) fn load(world: AccredibleWorld, seed: u64, now: i64) -> Result<Self, String> {
        let mut state = Self {
            quirks: world.quirks,
            issuer: world.issuer,
            keys: world
                .keys
                .into_iter()
                .map(|key| (key.key.clone(), key))
                .collect(),
            groups: BTreeMap::new(),
            credentials: BTreeMap::new(),
            by_group: HashMap::new(),
            by_email: HashMap::new(),
            by_license: HashMap::new(),
            by_public_id: HashMap::new(),
            misses: 0,
            chance: Chance::new(seed),
            last_credential: 10_000_000,
        };
        for group in world.groups {
            state.put_group(group, now);
        }
        for credential in world.credentials {
            state.put_credential(credential, now)?;
        }
        Ok(state)
    }

    /// Adds or replaces a group and returns its number.
    pub(crate) fn put_group(&mut self, mut group: Group, now: i64) -> i64 {
        if group.id == 0 {
            group.id = self.groups.keys().next_back().unwrap_or(&1_000) + 1;
        }
        group.created_at.get_or_insert(Moment(now));
        group.updated_at.get_or_insert(Moment(now));
        let id = group.id;
        self.groups.insert(id, group);
        id
    }

    /// Adds or replaces a credential and returns its number.
    pub(crate) fn put_credential(&mut self, mut row: Credential, now: i64) -> Result<i64, String> {
        if !self.groups.contains_key(&row.group_id) {
            return Err(format!("there is no group {}", row.group_id));
        }
        if row.id == 0 {
            row.id = self.last_credential + 1;
        }
        let id = row.id;
        self.last_credential = self.last_credential.max(id);
        if row.uuid.is_empty() {
            row.uuid = self.chance.uuid().to_string();
        }
        if row.encoded_id.is_empty() {
            row.encoded_id = self.chance.token()[..8].to_owned();
        }
        if row.issued_on.is_empty() {
            row.issued_on = format_moment(now, "%Y-%m-%d");
        }
        row.created_at.get_or_insert(Moment(now));
        row.updated_at.get_or_insert(Moment(now));
        self.take_credential(id);
        self.by_group.entry(row.group_id).or_default().insert(id);
        self.by_email
            .entry(row.recipient.email.to_lowercase())
            .or_default()
            .insert(id);
        self.by_public_id.insert(row.uuid.clone(), id);
        self.by_public_id.insert(row.encoded_id.clone(), id);
        if let Some(license) = &row.license_id {
            self.by_license.insert(license.clone(), id);
        }
        self.credentials.insert(id, row);
        Ok(id)
    }

    /// Takes a credential out of the rows and of every index.
    pub(crate) fn take_credential(&mut self, id: i64) -> Option<Credential> {
        let row = self.credentials.remove(&id)?;
        if let Some(ids) = self.by_group.get_mut(&row.group_id) {
            ids.remove(&id);
        }
        if let Some(ids) = self.by_email.get_mut(&row.recipient.email.to_lowercase()) {
            ids.remove(&id);
        }
        self.by_public_id.remove(&row.uuid);
        self.by_public_id.remove(&row.encoded_id);
        if let Some(license) = &row.license_id {
            self.by_license.remove(license);
        }
        Some(row)
    }

    /// A credential by any of its ids.
    pub(crate) fn find_credential(&self, text: &str) -> Option<i64> {
        let by_number = text
            .parse()
            .ok()
            .filter(|id| self.credentials.contains_key(id));
        by_number
            .or_else(|| self.by_license.get(text).copied())
            .or_else(|| self.by_public_id.get(text).copied())
    }

    /// A group that is not deleted and that this key may see.
    pub(crate) fn group(&self, id: i64, department: Option<i64>) -> Option<&Group> {
        let group = self
            .groups
            .get(&id)
            .filter(|group| group.state != GroupState::Deleted)?;
        (department.is_none() || group.department_id == department).then_some(group)
    }

    /// Whether a key may see a credential.
    pub(crate) fn sees(&self, department: Option<i64>, row: &Credential) -> bool {
        let group = self.groups.get(&row.group_id);
        department.is_none() || group.is_some_and(|group| group.department_id == department)
    }

    /// Whether two e-mails are the same to the vendor.
    pub(crate) fn same_email(&self, a: &str, b: &str) -> bool {
        if self.quirks.emails_are_exact {
            a == b
        } else {
            a.eq_ignore_ascii_case(b)
        }
    }
}

/// ISO with milliseconds and Z, the vendor's spelling.
pub(crate) fn timestamp(moment: Option<Moment>) -> Option<String> {
    moment.map(|at| format_moment(at.0, "%Y-%m-%dT%H:%M:%S%.3fZ"))
}
