//! How mail goes to other domains.

use crate::pattern::DomainPattern;
use crate::value::{Period, Size};
use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// The same values stand in `[outbound]` and in each `[[domain]]`. Written once,
/// as two structures, because serde cannot both flatten one into the other and
/// refuse keys that neither knows.
macro_rules! outbound_values {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// How mail goes out: `[outbound]`, and what a domain has different.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        pub struct Outbound {
            $($(#[$doc])* pub $field: Option<$type>,)*
        }

        /// A row `[[domain]]` as it is written.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        struct Row {
            name: DomainPattern,
            $(#[serde(default)] $field: Option<$type>,)*
        }

        impl From<Row> for RemoteDomain {
            fn from(row: Row) -> Self {
                Self { name: row.name, values: Outbound { $($field: row.$field),* } }
            }
        }

        impl Outbound {
            /// What this one leaves open another says.
            #[must_use]
            pub fn or(&self, other: &Self) -> Self {
                Self { $($field: self.$field.clone().or_else(|| other.$field.clone())),* }
            }
        }
    };
}

/// A row `[[domain]]`. Of all that fit, the closest has the first word; what it
/// leaves open the next says, and at last `[outbound]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Row")]
pub struct RemoteDomain {
    /// Which domains.
    pub name: DomainPattern,
    /// Values for them.
    pub values: Outbound,
}

outbound_values! {
    /// Hosts that take the mail, in the order in which they are tried; without
    /// it the domain's MX. The recipient's address stays what it is (Q190710).
    route: Vec<NextHop>,
    /// Addresses of this machine that connections leave from, the first of each
    /// family; without it the machine chooses (Q266250).
    source_addresses: Vec<IpAddr>,
    /// Recipients' domain is replaced by this one before anything else
    /// (Q190710).
    rewrite_to: String,
    /// How connections are protected.
    tls: DomainTls,
    /// Names that a certificate may have instead of the host's.
    tls_names: Vec<String>,
    /// User name at the hosts of `route`.
    user: String,
    /// File whose first line is the password.
    password_file: PathBuf,
    /// Octets of a message.
    size_limit: Size,
    /// Recipients in one transaction.
    recipients: u32,
    /// Connections at once.
    connections: u32,
    /// Messages a minute.
    messages_per_minute: u32,
    /// Messages on one connection.
    messages_per_connection: u32,
    /// Waits between attempts.
    retry_schedule: Vec<Period>,
    /// A delivery older than this is returned.
    expire_after: Period,
    /// The sender is told after this time.
    delay_warning_after: Period,
    /// Mail waits until the domain's host asks for it by ETRN, or an
    /// administrator says so; it expires like all mail (Q184051).
    wait_for_etrn: bool,
    /// Automatic answers do not go there.
    refuse_automatic_replies: bool,
    /// Success is not reported to senders there (Q216162).
    suppress_delivery_reports: bool,
}

/// How connections to a domain are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainTls {
    /// Never.
    Off,
    /// Where it is offered, whoever is there (RFC 7435); DANE and MTA-STS of
    /// the domain count.
    Opportunistic,
    /// Always, whoever is there.
    Encrypt,
    /// Always, and the certificate is checked.
    Verify,
    /// Only where DANE says who is there.
    Dane,
    /// From the first octet, the certificate checked (RFC 8314).
    Implicit,
}

/// `host`, `host:port`, `address`, or `[address]:port`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct NextHop {
    /// Name, or address without brackets.
    pub host: String,
    /// 25 if it is not said.
    pub port: Option<u16>,
}

impl FromStr for NextHop {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("'{text}' is no host; write 'host', 'host:port' or '[address]:port'");
        if let Ok(address) = text.parse::<std::net::SocketAddr>() {
            return Ok(Self { host: address.ip().to_string(), port: Some(address.port()) });
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<std::net::IpAddr>() {
            return Ok(Self { host: address.to_string(), port: None });
        }
        // Brackets are for IPv6 there, and harmless around IPv4.
        if let Some((address, port)) = text.strip_prefix('[').and_then(|t| t.split_once("]:"))
            && let (Ok(address), Ok(port)) = (address.parse::<std::net::Ipv4Addr>(), port.parse())
            && port > 0u16
        {
            return Ok(Self { host: address.to_string(), port: Some(port) });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse().ok().filter(|p| *p > 0u16).ok_or_else(wrong)?;
                (host, Some(port))
            }
            None => (text, None),
        };
        match host.parse::<concord_address::Domain>() {
            Ok(concord_address::Domain::Name(host)) => Ok(Self { host, port }),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for NextHop {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<NextHop> for String {
    fn from(hop: NextHop) -> Self {
        hop.to_string()
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_stand_in_brackets_with_their_port() {
        let read = |text: &str| text.parse::<NextHop>().map(|hop| (hop.host, hop.port));
        assert_eq!(read("[192.0.2.7]:2525"), Ok(("192.0.2.7".into(), Some(2525))));
        assert_eq!(read("[2001:db8::1]:25"), Ok(("2001:db8::1".into(), Some(25))));
        assert_eq!(read("[192.0.2.7]"), Ok(("192.0.2.7".into(), None)));
        assert!(read("[192.0.2.7]:x").is_err() && read("[x]:25").is_err());
    }
}
