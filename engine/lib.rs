//! Recipe Engine: declarative recipes, interpreted durably.
//!
//! The rooms below stand in the order in which data moves; a room knows only the rooms above it.

// Words.
pub mod clock;
pub mod data;
pub mod names;

// Files.
pub mod diagnostic;
pub mod expression;
pub mod shape;
pub mod source;
