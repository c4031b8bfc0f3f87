//! Networks of hosts.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A network: `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `2001:db8::/32`, or one
/// address. An address with bits beside its mask never matched in the original
/// (Q258140); here it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

/// The text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a network: {cause}")]
pub struct ParseNetworkError {
    /// What was given, shortened.
    pub text: String,
    /// What does not fit, and what to write.
    pub cause: String,
}

/// Longer texts are no networks.
const SHOWN: usize = 60;

impl Network {
    /// Whether an address is in it. IPv4 addresses within IPv6 ones count as
    /// IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether it is one of IPv4 addresses.
    pub fn is_ipv4(&self) -> bool {
        self.0.addr().is_ipv4()
    }

    /// How narrow it is: the longer, the closer.
    pub fn prefix(&self) -> u8 {
        self.0.prefix_len()
    }
}

impl From<IpNet> for Network {
    fn from(net: IpNet) -> Self {
        Self(net.trunc())
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let trimmed = text.trim();
        let fail =
            |cause: String| ParseNetworkError { text: text.chars().take(SHOWN).collect(), cause };
        if let Ok(address) = trimmed.parse::<IpAddr>() {
            return Ok(Self(IpNet::from(address.to_canonical())));
        }
        let usage = || "write an address, or a network like '10.0.0.0/8'".to_owned();
        let (address, mask) = trimmed.split_once('/').ok_or_else(|| fail(usage()))?;
        let address: IpAddr = address.trim().parse().map_err(|_| fail(usage()))?;
        let net = match mask.trim().parse::<IpAddr>() {
            Ok(mask) => IpNet::with_netmask(address, mask)
                .map_err(|_| fail(format!("{mask} is not a mask for {address}")))?,
            Err(_) => {
                let prefix = mask.trim().parse().map_err(|_| fail(usage()))?;
                IpNet::new(address, prefix)
                    .map_err(|_| fail(format!("{prefix} bits are too many for {address}")))?
            }
        };
        if net.addr() != net.network() {
            let right = net.trunc();
            let cause = format!(
                "the address has bits beside the mask; write '{right}' for the network, or \
                 '{}' for that host alone",
                net.addr()
            );
            return Err(fail(cause));
        }
        Ok(Self(net))
    }
}

impl TryFrom<String> for Network {
    type Error = ParseNetworkError;
    fn try_from(text: String) -> Result<Self, ParseNetworkError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            return self.0.addr().fmt(f);
        }
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_network_with_host_bits_is_refused_with_what_was_meant() {
        let refused = "123.123.123.123/255.255.255.0".parse::<Network>().unwrap_err();
        assert!(refused.to_string().contains("'123.123.123.0/24'"), "{refused}");
        let right: Network = "123.123.123.0/255.255.255.0".parse().unwrap();
        assert!(right.contains("123.123.123.200".parse().unwrap()));
        assert_eq!(right.to_string(), "123.123.123.0/24");
    }

    #[test]
    fn mapped_addresses_are_ipv4() {
        let net: Network = "192.0.2.0/24".parse().unwrap();
        assert!(net.contains("::ffff:192.0.2.9".parse().unwrap()));
        assert!(!net.contains("::1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            if let Ok(network) = text.parse::<Network>() {
                prop_assert_eq!(network.to_string().parse::<Network>().unwrap(), network);
            }
        }
    }
}
