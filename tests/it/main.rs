//! The one test binary: stories that cross rooms, one file a subject.

mod connectors;
mod store;
