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
/// Something that this version of the engine does not run yet.
pub const NOT_AVAILABLE_YET: Code = Code("S007");

/// Every code of this room: code, title, explanation.
pub const ALL: &[(Code, &str, &str)] = &[
    (
        UNUSABLE_RECIPE,
        "a recipe has errors or is missing",
        "A recipe can only be started or run if it and every recipe that it reaches by `call` is \
         without errors. `recipes check` prints what is wrong.",
    ),
    (
        NO_CONNECTION,
        "a connection is missing",
        "A step uses a connector, or a webhook its sign-in, through a connection that \
         `connections.yaml` does not name. Add it there, or wire another one in `project.yaml`.",
    ),
    (
        WRONG_CONNECTION,
        "a connection is for another connector",
        "The connection that plays the connector's part is one for another connector. Wire another \
         one in `project.yaml`, or change its `connector` in `connections.yaml`.",
    ),
    (
        INCOMPLETE_CONNECTION,
        "a connection is not complete",
        "A field of the connection is missing, or its variable of the environment or its file is \
         not there for the process that runs the recipe. The message names connection, field and \
         variable.",
    ),
    (
        NO_TABLE,
        "a lookup table is missing",
        "A step uses a lookup table that the workspace does not declare. Add its file below \
         `lookup-tables/`, or wire another table in `project.yaml`.",
    ),
    (
        WRONG_SETTING,
        "a setting is missing or wrong",
        "A recipe reads a setting that has no row in the lookup table `integration-settings`, or \
         whose value does not fit what `project.yaml` declares. An empty value counts as missing. \
         A setting with a default, or one that is read with `?`, may be missing.",
    ),
    (
        NOT_AVAILABLE_YET,
        "something that is not available yet",
        "The language knows it, this version does not run it. The recipe can be started; a job \
         that reaches the place fails there with `not_available_yet`.",
    ),
];
