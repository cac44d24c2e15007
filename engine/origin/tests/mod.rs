//! Copies and merges as data: texts in, texts out.

mod any_edits;
mod copying;
mod merging;
mod own_tables;
mod upgrades;
mod upgrading;
mod workspace;
