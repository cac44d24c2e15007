//! Copies and merges as data: texts in, texts out.

mod copying;
mod merging;
