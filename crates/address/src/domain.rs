//! Domain names and address literals after the `@`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// RFC 1035 section 2.3.4: a name has at most 255 octets with its length
/// octets, so 253 as text.
const MAX_DOMAIN: usize = 253;
/// RFC 1035 section 2.3.4.
const MAX_LABEL: usize = 63;

/// The part of an address after the `@`: a domain name or an address literal.
///
/// A name is kept in lower case and as U-labels turned to A-labels (RFC 5890),
/// so equal names compare equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Domain {
    /// A DNS name.
    Name(String),
    /// `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3).
    Literal(IpAddr),
}

/// The text is not a domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a domain: {cause}")]
pub struct ParseDomainError {
    /// What was given, shortened.
    pub text: String,
    /// What does not fit.
    pub cause: &'static str,
}

impl Domain {
    /// The DNS name in A-label form, if it is a name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Literal(_) => None,
        }
    }
}

impl FromStr for Domain {
    type Err = ParseDomainError;

    fn from_str(text: &str) -> Result<Self, ParseDomainError> {
        let fail = |cause| ParseDomainError { text: text.chars().take(80).collect(), cause };
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or_else(|| fail("the ']' is missing"))?;
            let v6 = inner.get(..5).filter(|tag| tag.eq_ignore_ascii_case("ipv6:"));
            let ip = if v6.is_some() {
                inner.get(5..).and_then(|t| t.parse::<Ipv6Addr>().ok()).map(IpAddr::V6)
            } else {
                inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
            };
            return ip.map(Self::Literal).ok_or_else(|| fail("not an IP address in brackets"));
        }
        let name = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).map_err(|_| fail("not a valid international name"))?
        };
        if name.is_empty() {
            return Err(fail("it is empty"));
        }
        if name.len() > MAX_DOMAIN {
            return Err(fail("it is longer than 253 octets"));
        }
        for label in name.split('.') {
            if label.is_empty() {
                return Err(fail("a label is empty"));
            }
            if label.len() > MAX_LABEL {
                return Err(fail("a label is longer than 63 octets"));
            }
            // Underscores are no host names, but stand in mail domains in the field.
            if !label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_') {
                return Err(fail("a character may not stand in a domain"));
            }
            if label.starts_with('-') || label.ends_with('-') {
                return Err(fail("a label begins or ends with '-'"));
            }
        }
        Ok(Self::Name(name))
    }
}

impl TryFrom<String> for Domain {
    type Error = ParseDomainError;
    fn try_from(text: String) -> Result<Self, ParseDomainError> {
        text.parse()
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> String {
        domain.to_string()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Literal(IpAddr::V4(ip)) => write!(f, "[{ip}]"),
            Self::Literal(IpAddr::V6(ip)) => write!(f, "[IPv6:{ip}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_in_one_form() {
        let plain: Domain = "xn--bcher-kva.example".parse().unwrap();
        assert_eq!("BÜCHER.Example".parse(), Ok(plain));
        assert_eq!("[192.0.2.1]".parse::<Domain>().unwrap().to_string(), "[192.0.2.1]");
        assert_eq!(
            "[ipv6:2001:DB8::1]".parse::<Domain>().unwrap().to_string(),
            "[IPv6:2001:db8::1]"
        );
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        let long = "a".repeat(64);
        for text in
            ["", ".", "a..b", "a.b.", "-a.b", "a-.b", "a b", "a\0b", "[1.2.3]", "[", "[]", &long]
        {
            assert!(text.parse::<Domain>().is_err(), "{text:?}");
        }
    }
}
