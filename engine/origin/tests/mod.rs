//! Copies and merges as data: texts in, texts out.

mod copying;
mod merging;
mod upgrades;
mod upgrading;
mod workspace;
