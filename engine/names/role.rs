//! What people may do.
//!
//! Always true: each role may do all that the ones before it may.

use self::Role::{Admin, Editor, Operator, Viewer};

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// To look.
    Viewer,
    /// To start, stop and run recipes, and to mend jobs.
    Operator,
    /// To change recipes and rows of tables, too.
    Editor,
    /// To do everything.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Viewer, Operator, Editor, Admin];

    /// The role of this name; the error lists them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is no role; there are: {known}")
        })
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Viewer => "viewer",
            Operator => "operator",
            Editor => "editor",
            Admin => "admin",
        }
    }

    /// What it adds to the one before it, in words.
    pub fn adds(self) -> &'static str {
        match self {
            Viewer => "look at recipes, jobs, tables and the audit",
            Operator => "start, stop and run recipes, cancel, decide and rerun jobs",
            Editor => "change recipes and the rows of tables",
            Admin => {
                "set connections and secrets, make tokens, remove history, see personal values"
            }
        }
    }

    /// Whether who has this role may do what needs that one.
    pub fn may(self, needed: Self) -> bool {
        self >= needed
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
