//! The findings this room can make, with a paragraph of the documentation each.

use crate::diagnostic::Code;

/// Two steps of one id.
pub const DUPLICATE_ID: Code = Code("R050");
/// A name that hides a root or another name.
pub const HIDING_NAME: Code = Code("R051");
/// A recipe that does not exist.
pub const UNKNOWN_RECIPE: Code = Code("R052");
/// A recipe that cannot be called.
pub const NOT_CALLABLE: Code = Code("R053");
/// Recipes that call each other in a circle.
pub const CALL_CYCLE: Code = Code("R054");
/// A connector that does not exist.
pub const UNKNOWN_CONNECTOR: Code = Code("R055");
/// An action that its connector does not have.
pub const UNKNOWN_ACTION: Code = Code("R056");
/// A table that does not exist.
pub const UNKNOWN_TABLE: Code = Code("R057");
/// A column that its table does not have.
pub const UNKNOWN_COLUMN: Code = Code("R058");
/// A column's label where its name belongs.
pub const LABEL_FOR_NAME: Code = Code("R059");
/// A `get` that does not name the whole key.
pub const INCOMPLETE_KEY: Code = Code("R060");
/// A `return` in a loop that runs several at once.
pub const RETURN_AT_ONCE: Code = Code("R061");
/// A `stop` inside a function.
pub const STOP_IN_FUNCTION: Code = Code("R062");
/// A `set` that would change an outer name from several iterations at once.
pub const SET_AT_ONCE: Code = Code("R063");
/// A listing where none may stand, or none where one must.
pub const NOT_A_LISTING: Code = Code("R064");
/// Not a cron line.
pub const BAD_CRON: Code = Code("R065");
/// Not a time zone, or none where one is needed.
pub const BAD_ZONE: Code = Code("R066");
/// A time of day or days that make no schedule.
pub const BAD_TIME: Code = Code("R067");
/// A function that declares an output and may end without one.
pub const NO_RETURN: Code = Code("R068");
/// A step behind one that always ends the recipe.
pub const UNREACHABLE: Code = Code("R069");
/// A step without an id where one pays off.
pub const ID_ADVISED: Code = Code("R070");
/// More steps than a recipe may have.
pub const TOO_MANY_STEPS: Code = Code("R071");
/// A project that wires names that do not exist.
pub const BAD_WIRING: Code = Code("R072");
/// A `transform` that makes two things of its list.
pub const TWO_RESULTS: Code = Code("R073");
/// A `try` with neither `catch` nor `finally`.
pub const USELESS_TRY: Code = Code("R074");
/// A limit on removed rows that is none.
pub const BAD_MAX_REMOVED: Code = Code("R075");
/// A target that is not written as `connector.action` or as a recipe's name.
pub const BAD_TARGET: Code = Code("R076");
/// A file or folder whose name cannot be a recipe's, project's, table's or connector's.
pub const BAD_FILE_NAME: Code = Code("R077");
/// A recipe without its project file.
pub const NO_PROJECT: Code = Code("R078");
/// A value that must be a whole number, a list or a mapping of one's own, and is not.
pub const WRONG_VALUE: Code = Code("R079");
/// A poll's cursor that the action does not take.
pub const BAD_CURSOR: Code = Code("R085");
/// A poll that takes every item for a new one.
pub const ALWAYS_NEW: Code = Code("R086");
/// A member of `error` that not every failure has, read as if it had.
pub const UNSURE_ERROR: Code = Code("R087");

/// Something said of a setting's values that does not fit them.
pub const BAD_SAYING: Code = Code("R088");
/// A recipe named as a project's doctor that cannot be one.
pub const BAD_DOCTOR: Code = Code("R089");

/// Every code of this room: code, title, explanation.
pub const ALL: &[(Code, &str, &str)] = &[
    (
        DUPLICATE_ID,
        "two steps have the same id",
        "An id names one step of a recipe, also across branches and loops, so that results and \
         histories cannot be mixed up.",
    ),
    (
        HIDING_NAME,
        "a name hides another one",
        "The alias of a loop stands beside `input`, `steps`, `vars` and the other roots, and \
         beside the aliases of the loops around it. Choose one that is not taken.",
    ),
    (
        UNKNOWN_RECIPE,
        "unknown recipe",
        "A bare name is a recipe of the same project; `project/name` is one of another. A recipe's \
         name is its file's, without `.yaml`.",
    ),
    (
        NOT_CALLABLE,
        "the recipe cannot be called",
        "`call` runs recipes whose trigger is `function` or `manual`. A recipe that waits for a \
         schedule or a webhook has no input that a call could give.",
    ),
    (
        CALL_CYCLE,
        "recipes call each other in a circle",
        "A recipe may not reach itself through calls: it would never end. Use a loop, or `start` a \
         job of its own.",
    ),
    (
        UNKNOWN_CONNECTOR,
        "unknown connector",
        "Connectors are the files in `connectors/` and the built-in `http` and `mail`.",
    ),
    (
        UNKNOWN_ACTION,
        "unknown action",
        "The connector's file does not describe an action of this name.",
    ),
    (
        UNKNOWN_TABLE,
        "unknown lookup table",
        "Lookup tables are the files in `lookup-tables/`; a project file may say which table plays \
         which name.",
    ),
    (
        UNKNOWN_COLUMN,
        "unknown column",
        "The table's file does not declare a column of this name.",
    ),
    (
        LABEL_FOR_NAME,
        "a column's label is used for its name",
        "Labels are for people and for CSV files; recipes use the column's name.",
    ),
    (
        INCOMPLETE_KEY,
        "the row's key is not complete",
        "`get` finds one row by its whole key. To look for rows by anything else, use `find`.",
    ),
    (
        RETURN_AT_ONCE,
        "`return` in a loop that runs several at once",
        "Which iteration would return first is chance. Leave `at_once` out, or gather with \
         `collect` and return after the loop.",
    ),
    (
        STOP_IN_FUNCTION,
        "`stop` inside a function",
        "`stop` ends the whole job, also the recipe that called. A function returns instead.",
    ),
    (
        SET_AT_ONCE,
        "several iterations at once would change an outer name",
        "Loops that run several at once give results outward only through `collect` and `tally`.",
    ),
    (
        NOT_A_LISTING,
        "not a listing",
        "`foreach: { action }` goes through the pages of a listing; other actions are a step of \
         their own, and their result can be looped over.",
    ),
    (
        BAD_CRON,
        "not a cron line",
        "A cron line has five fields: minute, hour, day of the month, month, day of the week. \
         Seconds and years are not used, and the date must exist.",
    ),
    (
        BAD_ZONE,
        "not a time zone",
        "Zones are IANA names such as America/Los_Angeles, Europe/Rome or UTC. A time of day means \
         nothing without one.",
    ),
    (
        BAD_TIME,
        "not a time of day or not days",
        "`at` is a time from \"00:00\" to \"23:59\"; `days` are all weekdays ([mon, thu]) or all \
         days of the month ([1, 15]), not mixed. `every` is one second at the least.",
    ),
    (
        NO_RETURN,
        "the function may end without a result",
        "A function that declares required output has to end with `return` (or fail) on every way \
         through it.",
    ),
    (
        UNREACHABLE,
        "the step can never run",
        "The step before it always ends the recipe.",
    ),
    (
        ID_ADVISED,
        "an id would pay off",
        "A rerun on a newer version and an upgrade recognise steps by written ids only. Give \
         actions, calls, tables and loops an id.",
    ),
    (
        TOO_MANY_STEPS,
        "too many steps",
        "A recipe may have 1,000 steps, nested 32 deep. Make functions of its parts.",
    ),
    (
        BAD_WIRING,
        "the project wires a name that does not exist",
        "`connections` names connectors on its left side, `tables` names lookup tables on its \
         right side; both must exist.",
    ),
    (
        TWO_RESULTS,
        "a transform makes two things",
        "At most one of `group_by`, `index_by` and `to_object` can be the result.",
    ),
    (
        USELESS_TRY,
        "a try without catch or finally",
        "A `try` alone changes nothing: say what happens after a failure or in any case.",
    ),
    (
        BAD_MAX_REMOVED,
        "not a limit for removed rows",
        "`max_removed` is a number of rows (`50`) or a part of the table (`10%`).",
    ),
    (
        BAD_TARGET,
        "not a target",
        "An action is written `connector.action`, a recipe `name` or `project/name`; both are \
         fixed, never a template.",
    ),
    (
        BAD_FILE_NAME,
        "a file name that cannot be a name",
        "Recipes, projects, tables and connectors are named by their files: lower-case letters and \
         digits, words joined by single hyphens, `.yaml` at the end.",
    ),
    (
        NO_PROJECT,
        "the project file is missing",
        "Beside the recipes of a project stands a `project.yaml` with title and version.",
    ),
    (
        WRONG_VALUE,
        "a value that cannot stand here",
        "The step needs another kind of value here; the message says which.",
    ),
    (
        BAD_CURSOR,
        "a cursor that cannot be sent",
        "`cursor.send` names the argument of the action that takes what the last poll got to; the \
         trigger's `with` does not give it too.",
    ),
    (
        ALWAYS_NEW,
        "every item is new at every poll",
        "`cursor` asks for what came after the last poll, `dedupe` knows items by a key. Without \
         both, each poll makes jobs of all items that the listing has.",
    ),
    (
        UNSURE_ERROR,
        "a part of `error` that is not always there",
        "What `on_failure` calls runs after every failure, also after `stop`, after input that does \
         not fit and after a lost connection. `error.code` and `error.message` are always there; \
         `error.step`, `error.status` and `error.body` only if a step or a reply caused the failure. \
         Read without `?`, an absent one makes the handler itself fail.",
    ),
    (
        BAD_SAYING,
        "something is said of a setting that does not fit its values",
        "What `says` tells of a setting is printed by `recipes doctor` as what the integration will \
         do. So each value that it names is one that the setting can have; a setting with a few \
         allowed values has a text for each of them, or one for `any`; and `absent` belongs to a \
         setting that may be left out and has no default.",
    ),
    (
        BAD_DOCTOR,
        "a doctor that is none",
        "The recipe that a project names as its `doctor` is run by `recipes doctor`, at any time and \
         by anybody who may look. So it is a recipe of the same project without errors, needs no \
         input, gives `findings`, and neither it nor what it calls changes anything.",
    ),
];
