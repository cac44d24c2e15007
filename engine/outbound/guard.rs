//! Keeps requests out of private networks.
//!
//! In: the address of a request; names to resolve. Out: addresses that may be connected to.
//! Always true: what is connected to is what was checked: an address that is written out before
//! the request, a name at every look-up, by handing only the allowed addresses on; a name that
//! resolves to something else a moment later is checked again.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::{PrivateHosts, Reach};

/// Resolves names to allowed addresses only.
pub(super) struct Guard {
    pub(super) allowed: Arc<PrivateHosts>,
    pub(super) reach: Reach,
}

/// A name or address that leads into a private network.
#[derive(Debug)]
pub(super) struct PrivateAddress(String);

impl fmt::Display for PrivateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{0}` is an address of this machine or of a private network; if that is meant, list \
             `{0}` under `allow_private_hosts` in settings.yaml, or write `allow_private: true` at \
             the connection",
            self.0
        )
    }
}

impl Error for PrivateAddress {}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, reach) = (self.allowed.clone(), self.reach);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let only = only_allowed(&allowed, name.as_str(), found, reach)?;
            Ok(Box::new(only.into_iter()) as Addrs)
        })
    }
}

/// Those of a name's addresses that may be connected to; none at all is a refusal.
pub(super) fn only_allowed(
    allowed: &PrivateHosts,
    name: &str,
    found: impl Iterator<Item = SocketAddr>,
    reach: Reach,
) -> Result<Vec<SocketAddr>, PrivateAddress> {
    let found: Vec<SocketAddr> = found.collect();
    let only: Vec<SocketAddr> = found
        .iter()
        .filter(|address| allowed.allows(name, address.ip(), reach))
        .copied()
        .collect();
    if only.is_empty() && !found.is_empty() {
        return Err(PrivateAddress(name.to_owned()));
    }
    Ok(only)
}

/// Refuses an address that is written out; names are refused when they are resolved.
pub(super) fn check(allowed: &PrivateHosts, url: &Url, reach: Reach) -> Result<(), PrivateAddress> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    let name = url.host_str().unwrap_or_default();
    if allowed.allows(name, address, reach) {
        return Ok(());
    }
    Err(PrivateAddress(name.to_owned()))
}
