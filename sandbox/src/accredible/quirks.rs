//! The oddities of Accredible that a caller must live with, each of them a switch. Always true: the
//! defaults are what the contract page reports.

use serde::{Deserialize, Serialize};

/// The switches; `POST /_control/quirks` changes those that it names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Quirks {
    /// How a group that is archived shows itself.
    pub(crate) archived_mode: ArchivedMode,
    /// The dashboard's sandbox mode: nothing is published, whatever `approve` says.
    pub(crate) sandbox_mode: bool,
    /// A 401 is plain text; off: JSON.
    pub(crate) unauthorized_is_text: bool,
    /// A missing row is now `errors`, now `success/data`; off: always `errors`.
    pub(crate) missing_is_mixed: bool,
    /// E-mails are compared as they are written; off: without regard to case.
    pub(crate) emails_are_exact: bool,
    /// Lists of `v1` show `issued_on` as a full timestamp, as old answers did.
    pub(crate) dates_are_timestamps: bool,
    /// What the last page of a cursor carries as the next cursor.
    pub(crate) cursor_end: CursorEnd,
    /// The longest page of a `v1` list.
    pub(crate) page_size_max: usize,
    /// Requests in five minutes from one address, counted in slices of 30 s; 0 does not limit.
    pub(crate) requests_per_5_min: u64,
    /// `POST /v1/credentials/search` in a minute from one address; 0 does not limit.
    pub(crate) v1_searches_per_min: u64,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            archived_mode: ArchivedMode::Hidden,
            sandbox_mode: false,
            unauthorized_is_text: true,
            missing_is_mixed: true,
            emails_are_exact: true,
            dates_are_timestamps: false,
            cursor_end: CursorEnd::Null,
            page_size_max: 100,
            requests_per_5_min: 0,
            v1_searches_per_min: 0,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ArchivedMode {
    /// Lists leave it out, its own address still answers.
    Hidden,
    /// Lists show it with `archived: true`.
    Flag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CursorEnd {
    Null,
    Absent,
    /// The cursor of the page before, again.
    Unchanged,
}
