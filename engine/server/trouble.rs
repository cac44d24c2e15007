//! Why a server cannot start or go on: one line each, with how to mend it.

use std::net::SocketAddr;

use crate::store::StoreError;

/// Why a server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The workspace is not one.
    #[error("the workspace `{path}` cannot be used: {why}; make one with `recipes init {path}`")]
    Workspace {
        /// The folder.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something else listens there.
    #[error(
        "port {port} of {ip} is in use; stop what listens there, or give another address with \
         `--address {ip}:{other}`", port = .0.port(), ip = .0.ip(), other = .0.port().wrapping_add(1)
    )]
    PortInUse(SocketAddr),
    /// It cannot listen there.
    #[error("cannot listen at {address}: {why}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        why: String,
    },
    /// The database cannot be used: locked by another server, newer, damaged, full disk.
    #[error(transparent)]
    Database(#[from] StoreError),
    /// Started recipes cannot run as things are.
    #[error("recipes that are started cannot run: {0}")]
    NotReady(String),
    /// A file of its own cannot be written.
    #[error("`{path}` cannot be written: {why}")]
    Write {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// The way out cannot be opened.
    #[error("calls cannot be made: {0}")]
    Outbound(String),
}
