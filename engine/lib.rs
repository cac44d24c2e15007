//! Recipe Engine: declarative recipes, interpreted durably.
//!
//! The rooms below stand in the order in which data moves; a room knows only the rooms above it.

// Words.
pub mod names;
pub mod data;
pub mod clock;
pub mod schedule;

// Files.
pub mod diagnostic;
pub mod source;
pub mod form;
pub mod shape;
pub mod mask;
pub mod expression;
pub mod connector;
pub mod table;
pub mod recipe;
pub mod origin;
pub mod compile;

// Jobs.
pub mod journal;
pub mod store;
pub mod interpret;
pub mod step;
pub mod outbound;
pub mod runner;

// House.
pub mod library;
pub mod trigger;
pub mod worker;
pub mod history;
pub mod workspace;
pub mod preview;
pub mod doctor;
pub mod trial;

// Doors.
pub mod api;
pub mod settings;
pub mod server;
pub mod cli;
