//! The findings of starting and running a recipe, with a paragraph of the documentation each.

use crate::diagnostic::Code;

/// A recipe of the closure that has errors or is missing.
pub const UNUSABLE_RECIPE: Code = Code("S001");
/// A connection that `connections.yaml` does not name.
pub const NO_CONNECTION: Code = Code("S002");
/// A connection of another connector than the one that is called.
pub const WRONG_CONNECTION: Code = Code("S003");
/// A connection of which something is missing, such as a variable of the environment.
pub const INCOMPLETE_CONNECTION: Code = Code("S004");
/// A lookup table that does not exist.
pub const NO_TABLE: Code = Code("S005");
/// A setting that is read and has no value, or a wrong one.
pub const WRONG_SETTING: Code = Code("S006");

/// A mistake in the settings of the server.
pub const SERVER_SETTINGS: Code = Code("S007");

/// A recipe that is started and whose file is gone.
pub const FILE_IS_GONE: Code = Code("S008");

/// What each finding means, for people.
pub const ALL: &[(Code, &str, &str)] = &[
    (
        UNUSABLE_RECIPE,
        "a recipe of the closure cannot be used",
        "A recipe runs with everything that it calls, and one of those has errors or is missing; \
         `recipes check` names them.",
    ),
    (
        NO_CONNECTION,
        "no such connection",
        "An action or a webhook's sign-in needs a connection that connections.yaml does not name.",
    ),
    (
        WRONG_CONNECTION,
        "a connection of another connector",
        "The connection that plays this connector in project.yaml is an account at another vendor.",
    ),
    (
        INCOMPLETE_CONNECTION,
        "a connection that is not complete",
        "A field of the connection has no value: a variable that the server's environment lacks, \
         or a file that cannot be read.",
    ),
    (
        NO_TABLE,
        "no such lookup table",
        "A step uses a lookup table that lookup-tables/ does not hold.",
    ),
    (
        WRONG_SETTING,
        "a setting without a value, or with a wrong one",
        "A recipe reads a setting that has no value and no default, or whose value is not of the \
         declared type; settings stand in the lookup table integration-settings.",
    ),
    (
        SERVER_SETTINGS,
        "a mistake in settings.yaml",
        "settings.yaml of the workspace, or a variable RECIPES_... of the environment, says what the \
         server cannot follow; the server does not start until that is mended.",
    ),
    (
        FILE_IS_GONE,
        "a started recipe without a file",
        "The recipe is started and its file was removed or renamed. Nothing sets it off any more, and \
         its deliveries are answered 503, so that their senders come back. Put the file back, or stop \
         the recipe.",
    ),
];
