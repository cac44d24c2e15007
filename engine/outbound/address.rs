//! Which addresses are public, and which others an admin named as targets.
//!
//! In: an address, the name it was found under. Out: whether a request may go there.
//! Always true: what is not known to be public counts as private; an address at which clouds hand
//! out credentials is reached only by naming exactly that address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Targets in private networks that an admin allows for all connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivateHosts {
    /// Names, in lower case: whatever they resolve to may be reached under them.
    names: Vec<String>,
    /// Addresses and ranges of addresses: they may be reached under any name.
    ranges: Vec<Range>,
}

/// The addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: IpAddr,
    bits: u8,
}

/// Where requests may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Public addresses, and what the admin named.
    Public,
    /// Private networks too.
    Private,
}

impl PrivateHosts {
    /// Reads targets as an admin writes them: `erp.internal`, `10.1.2.3`, `10.1.0.0/16`, `fd00::/8`.
    pub fn parse<'a>(written: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut hosts = Self::default();
        for text in written {
            let text = text.trim();
            if let Some(range) = Range::parse(text)? {
                hosts.ranges.push(range);
            } else {
                hosts.names.push(name(text)?);
            }
        }
        Ok(hosts)
    }

    /// Whether a request under a name may go to an address. The name of an address that is written
    /// out is the address itself.
    pub(super) fn allows(&self, name: &str, address: IpAddr, reach: Reach) -> bool {
        let address = plain(address);
        let is_named = |least: u8| {
            self.ranges
                .iter()
                .any(|range| range.bits >= least && range.holds(address))
        };
        if hands_out_credentials(address) {
            return is_named(if address.is_ipv4() { 32 } else { 128 });
        }
        is_public(address)
            || reach == Reach::Private
            || is_named(0)
            || self.names.iter().any(|known| *known == folded(name))
    }
}

impl Range {
    /// `None` if the text is no address and has no `/`.
    fn parse(text: &str) -> Result<Option<Self>, String> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let bare = address.trim_start_matches('[').trim_end_matches(']');
        let Ok(first) = bare.parse::<IpAddr>() else {
            return match bits {
                None => Ok(None),
                Some(_) => Err(wrong(text)),
            };
        };
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits
                .parse::<u8>()
                .ok()
                .filter(|bits| *bits <= most)
                .ok_or_else(|| wrong(text))?,
        };
        Ok(Some(Self { first, bits }))
    }

    fn holds(self, address: IpAddr) -> bool {
        let differ = match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(other)) => {
                u128::from(first.to_bits() ^ other.to_bits()) << 96
            }
            (IpAddr::V6(first), IpAddr::V6(other)) => first.to_bits() ^ other.to_bits(),
            _ => return false,
        };
        self.bits == 0 || differ >> (128 - u32::from(self.bits)) == 0
    }
}

/// A name of a host as it is compared: any case, with or without the dot at its end.
fn folded(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn name(text: &str) -> Result<String, String> {
    let folded = folded(text);
    let is_name = !folded.is_empty()
        && folded
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        // `127.1` or `0x7f000001` would be an address that looks like a name.
        && folded.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_alphabetic()));
    is_name.then_some(folded).ok_or_else(|| wrong(text))
}

fn wrong(text: &str) -> String {
    format!(
        "`{text}` is no host; write a name (erp.internal), an address (10.1.2.3) or a range of \
         addresses (10.1.0.0/16)"
    )
}

/// An IPv4 address that is wrapped into an IPv6 one, unwrapped.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Addresses at which a cloud hands out credentials or settings of the machine, also behind a
/// translation of IPv4 addresses.
fn hands_out_credentials(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => is_metadata(four),
        IpAddr::V6(six) => {
            let [a, b, .., y, z] = six.segments();
            let is_wrapped = (a, b) == (0x64, 0xff9b)
                && is_metadata(Ipv4Addr::from_bits(u32::from(y) << 16 | u32::from(z)));
            is_wrapped || matches!((a, b), (0xfd00, 0x0ec2) | (0xfd20, 0x00ce))
        }
    }
}

fn is_metadata(address: Ipv4Addr) -> bool {
    matches!(
        address.octets(),
        [169, 254, 169, 254 | 253 | 123]
            | [169, 254, 170, 2 | 23]
            | [100, 100, 100, 200]
            | [192, 0, 0, 192]
            | [168, 63, 129, 16]
    )
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        // Carrier networks, protocol assignments, relays of old, benchmarking.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !is_special
}

/// Of the addresses with six parts only the global ones, without those that wrap an IPv4 address
/// (Teredo and the like in `2001::/23`, `2002::/16`) and those for documentation.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_global = a & 0xe000 == 0x2000;
    let is_special =
        (a == 0x2001 && (b < 0x200 || b == 0x0db8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    is_global && !is_special
}
