//! The wire: connections that can be cut, query strings, path patterns and route tables. In: TCP
//! and HTTP as they come. Out: plain values for the vendors' handlers.

pub(crate) mod connection;
pub(crate) mod glob;
pub(crate) mod params;
pub(crate) mod route;
