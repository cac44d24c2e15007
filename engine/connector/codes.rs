//! The findings this room can make, with a paragraph of the documentation each.

use crate::diagnostic::Code;

/// A value of the wrong kind in a connector file.
pub const WRONG_KIND: Code = Code("R200");
/// A key that does not exist there.
pub const UNKNOWN_KEY: Code = Code("R201");
/// A key that must be there and is not.
pub const MISSING_KEY: Code = Code("R202");
/// A name that is none.
pub const WRONG_NAME: Code = Code("R203");
/// A word that is not one of those allowed.
pub const UNKNOWN_WORD: Code = Code("R204");
/// A request without method, with two, or with two bodies.
pub const REQUEST: Code = Code("R205");
/// A path template that cannot be read.
pub const PATH: Code = Code("R206");
/// A sign-in of no form or of two.
pub const SIGN_IN: Code = Code("R207");
/// Paging that is incomplete.
pub const PAGES: Code = Code("R208");
/// A reply rule that matches nothing or says nothing.
pub const REPLY_RULE: Code = Code("R209");
/// A listing without items, or items without a listing.
pub const ITEMS: Code = Code("R210");
/// A verification that cannot work.
pub const VERIFY: Code = Code("R211");
/// A probe that is unsuitable.
pub const PROBE: Code = Code("R212");
/// The type `any` in a shipped connector.
pub const ANY_IN_SHIPPED: Code = Code("R213");
/// An output field that cannot be read.
pub const OUTPUT: Code = Code("R214");
/// A length of time or a number that makes no sense.
pub const QUANTITY: Code = Code("R215");
/// Something that this version does not do yet.
pub const NOT_AVAILABLE: Code = Code("R216");
/// A change of a bundled connector that takes or gives something else.
pub const OVERRIDE: Code = Code("R218");
/// A `connections.yaml` that is none.
pub const CONNECTIONS_SHAPE: Code = Code("R230");
/// A connection whose name is none.
pub const CONNECTION_NAME: Code = Code("R231");
/// A connection for a connector that does not exist.
pub const UNKNOWN_CONNECTOR: Code = Code("R232");
/// A field of a connection that is unknown or wrong.
pub const CONNECTION_FIELD: Code = Code("R233");
/// A field that the connector needs.
pub const MISSING_CONNECTION_FIELD: Code = Code("R234");
/// A secret written into the file.
pub const SECRET_IN_FILE: Code = Code("R235");

/// Every code of this room: code, title, explanation.
pub const ALL: &[(Code, &str, &str)] = &[
    (
        WRONG_KIND,
        "wrong kind of value in a connector",
        "A connector file says at each place whether it wants text, a number, true or false, a \
         list or a mapping; the message names what was found instead.",
    ),
    (
        UNKNOWN_KEY,
        "unknown key in a connector",
        "Every key of a connector file has a meaning; an unknown one is probably misspelt, and \
         what was meant would silently not happen.",
    ),
    (
        MISSING_KEY,
        "missing key in a connector",
        "A connector has at least a title and actions; an action has at least an effect and a \
         request, because nobody can guess whether a call may be repeated.",
    ),
    (
        WRONG_NAME,
        "not a name",
        "Connection fields, actions and outputs are named by lower-case letters, digits and \
         `_`, beginning with a letter.",
    ),
    (
        UNKNOWN_WORD,
        "unknown word",
        "Effects, provenances, verdicts, grants and kinds of paging are a closed list of words.",
    ),
    (
        REQUEST,
        "a request needs one method and at most one body",
        "Write exactly one of get, post, put, patch and delete with the path as its value (or \
         `method` and `path`), and at most one of body, form, csv, graphql and raw.",
    ),
    (
        PATH,
        "a path that cannot be read",
        "A path is text with `{{ ... }}` where values are inserted, which are percent-encoded; \
         or one value that begins with `$.` and is the whole path.",
    ),
    (
        SIGN_IN,
        "a sign-in needs exactly one form",
        "Write one of header, query, basic and oauth2, or `choose` with `cases`. An OAuth2 \
         sign-in names its grant, its token address and what that grant needs.",
    ),
    (
        PAGES,
        "paging that cannot work",
        "Each kind of paging needs to know where its number or cursor goes (`send`) and where \
         the next one is found (`next` or `more`).",
    ),
    (
        REPLY_RULE,
        "a reply rule needs a condition and a verdict",
        "A rule says for which replies it is (`status`, `when` or both) and what they mean \
         (`verdict`).",
    ),
    (
        ITEMS,
        "`pages` and `items` belong together",
        "A listing says how its pages follow one another (`pages`) and where the items of a \
         page stand (`items`); an action without pages reads one object (`item`).",
    ),
    (
        VERIFY,
        "a verification that cannot work",
        "`verify` stands at an action of effect `once`. It asks a read action of the same \
         connector, says by `applied_when` or `pick` what the answer means, and gives the \
         action's own output.",
    ),
    (
        PROBE,
        "an unsuitable probe",
        "The probe is asked to check a connection, so it is a read action without required \
         input.",
    ),
    (
        ANY_IN_SHIPPED,
        "a shipped connector has no `any`",
        "What a shipped connector takes and gives is declared, so that recipes are checked \
         against it. Declare the fields, or use `object` for an open set of them.",
    ),
    (
        OUTPUT,
        "an output that cannot be read",
        "An output is `name: type`, `name: { type, from, map, if_unfit }`, `name: { list, each \
         }` or `name: { object, fields }`. Dropping what does not fit needs an optional type.",
    ),
    (
        QUANTITY,
        "a length of time or number that makes no sense",
        "Lengths of time are written 500ms, 30s, 5m, 6h or 7d; counts are whole numbers above \
         zero.",
    ),
    (
        NOT_AVAILABLE,
        "not available yet",
        "The form is known and will come; this version of the engine cannot do it.",
    ),
    (
        OVERRIDE,
        "a change of a bundled connector that does not fit",
        "An action of the workspace that stands in place of a bundled one is called by the same \
         recipes: it takes what they pass and gives what they read, however its request and reply \
         look. An action that the bundled connector does not have changes nothing of it.",
    ),
    (
        CONNECTIONS_SHAPE,
        "not a connections file",
        "`connections.yaml` holds one mapping `connections`, from names to connections.",
    ),
    (
        CONNECTION_NAME,
        "not a connection's name",
        "Connections are named by lower-case letters, digits, `_` or single hyphens.",
    ),
    (
        UNKNOWN_CONNECTOR,
        "a connection for no connector",
        "A connection names the connector it is for: a file below `connectors/`, or a built-in \
         one.",
    ),
    (
        CONNECTION_FIELD,
        "a field of a connection is wrong",
        "The fields are those that the connector declares under `connection`. A field is a \
         value, `{ env: NAME }`, `{ file: path }` or `{ secret: connection.field }`.",
    ),
    (
        MISSING_CONNECTION_FIELD,
        "a connection lacks a field",
        "Without it no request can be built, so the connection cannot be used.",
    ),
    (
        SECRET_IN_FILE,
        "a secret stands in the file",
        "Files are copied, committed and sent around. Keep secrets in the database (`recipes secrets \
         set`), in the environment or in files of their own, and refer to them.",
    ),
];
