//! The oddities of Docebo that a caller must live with, each of them a switch. Always true: the
//! defaults are what the contract page reports of real tenants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The switches; `POST /_control/quirks` changes those that it names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Quirks {
    /// `manage` answers ids as strings; off: as numbers.
    pub(crate) string_ids_in_manage: bool,
    /// `learn/v1/enrollments` calls the course id `id`; off: `course_id`.
    pub(crate) course_id_is_id: bool,
    /// The share of rows, in percent, whose missing dates are zero-dates instead of null.
    pub(crate) zero_dates_percent: u64,
    /// Whether `message` of an error is an array, a string, or now one and now the other.
    pub(crate) message_shape: MessageShape,
    /// Asking for the sessions of a course without sessions is a 400; off: an empty list.
    pub(crate) no_sessions_is_400: bool,
    /// Plan enrollments show status and completion only on `extra_fields[]`; off: always.
    pub(crate) plan_status_on_request: bool,
    /// Classroom sessions come in `data.sessions`; off: in `data.items`.
    pub(crate) classroom_in_sessions: bool,
    /// How the value of a dropdown is shown.
    pub(crate) dropdown_value: DropdownValue,
    /// Calls that one address may make in an hour; 0 does not limit.
    pub(crate) calls_per_hour: u64,
    /// Whether a 429 carries `Retry-After`.
    pub(crate) retry_after: bool,
    /// Whether an overlapping write of an exclusive class is answered 500.
    pub(crate) overlap_is_500: bool,
    /// Real milliseconds that each exclusive write takes, so that overlaps can be seen.
    pub(crate) exclusive_write_ms: u64,
    /// Seconds of sandbox time until a learning plan notices a completed course.
    pub(crate) plan_recompute_s: i64,
    /// Seconds of sandbox time until a certification is awarded for a completion.
    pub(crate) certification_s: i64,
    /// Whether support has activated external certifications; off: their writes are 403.
    pub(crate) external_certifications: bool,
    /// Whether the external training feature is on; off: 403.
    pub(crate) external_training: bool,
    /// How many cursors are remembered, the oldest forgotten first. Nothing is known of the vendor's.
    pub(crate) cursors_kept: usize,
    /// Other names for events, by the names used here; those of certifications are assumed.
    pub(crate) event_names: BTreeMap<String, String>,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            string_ids_in_manage: true,
            course_id_is_id: true,
            zero_dates_percent: 5,
            message_shape: MessageShape::Mixed,
            no_sessions_is_400: true,
            plan_status_on_request: true,
            classroom_in_sessions: true,
            dropdown_value: DropdownValue::Id,
            calls_per_hour: 0,
            retry_after: false,
            overlap_is_500: false,
            exclusive_write_ms: 0,
            plan_recompute_s: 0,
            certification_s: 0,
            external_certifications: true,
            external_training: true,
            cursors_kept: 1_000,
            event_names: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessageShape {
    Array,
    String,
    /// Every fifth error has a plain string.
    Mixed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DropdownValue {
    Id,
    Label,
}
