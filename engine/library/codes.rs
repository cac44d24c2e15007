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
