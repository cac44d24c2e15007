//! Codes of this room's findings.

use crate::diagnostic::Code;

/// A password, key or token stands in a file.
pub const SECRET_TYPED: Code = Code("R030");

/// Every code of this room: code, title, explanation.
pub const ALL: &[(Code, &str, &str)] = &[(
    SECRET_TYPED,
    "a secret seems to stand in a file",
    "Recipes, connectors and tables are copied, committed and sent around, and a job keeps the \
     recipe that it ran. A password, key or token belongs to a connection, whose connector signs in \
     with it: `{ secret: connection.field }` in connections.yaml, given with `recipes secrets set`. \
     One that is looked up belongs into a `secret` column of a lookup table, one that is handed \
     over into a `secret` input. A text is taken for a secret if it looks like the tokens of well \
     known vendors, or stands under a key such as `password`, `api_key` or `Authorization`.",
)];
