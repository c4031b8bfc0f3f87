//! Patterns of domains and addresses.

use concord_address::{Domain, SmtpAddress};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// `example.org` is that domain and everything below it, `#example.org` that
/// domain alone, `*` every domain (Q169683).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum DomainPattern {
    /// Every domain.
    Any,
    /// A domain and those below it.
    Below(String),
    /// One domain.
    Exactly(String),
}

fn canonical(text: &str) -> Result<String, String> {
    let name = text.trim().trim_end_matches('.');
    match name.parse::<Domain>().map_err(|error| error.to_string())? {
        Domain::Name(name) => Ok(name),
        Domain::Literal(_) => Err(format!("'{text}' is an address literal, not a domain")),
    }
}

impl DomainPattern {
    /// How closely it fits a domain (in lower case, A-labels); none if not at
    /// all. The greatest decides: exact, then the longest domain above.
    pub fn fits(&self, domain: &str) -> Option<usize> {
        match self {
            Self::Any => Some(0),
            Self::Exactly(name) => (name == domain).then_some(usize::MAX),
            Self::Below(name) => {
                let below = domain
                    .strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                below.then_some(name.len())
            }
        }
    }
}

impl FromStr for DomainPattern {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "*" => Ok(Self::Any),
            text => match text.strip_prefix('#') {
                Some(name) => canonical(name).map(Self::Exactly),
                None => canonical(text).map(Self::Below),
            },
        }
    }
}

impl TryFrom<String> for DomainPattern {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<DomainPattern> for String {
    fn from(pattern: DomainPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Below(name) => f.write_str(name),
            Self::Exactly(name) => write!(f, "#{name}"),
        }
    }
}

/// Whom an address is of: `user@domain`, `@domain` (and below), `#@domain`
/// (alone), `*` anybody, `.` nobody: the empty reverse-path (Q155683, Q193437).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum AddressPattern {
    /// Any address, and none.
    Any,
    /// The empty reverse-path.
    Empty,
    /// One address; case does not matter.
    Address(SmtpAddress),
    /// Everybody of a domain.
    Domain(DomainPattern),
    /// Everybody at an address literal, as it is written.
    Literal(Domain),
}

impl AddressPattern {
    /// Whether it fits.
    pub fn fits(&self, address: Option<&SmtpAddress>) -> bool {
        match (self, address) {
            (Self::Any, _) => true,
            (Self::Empty, address) => address.is_none(),
            (_, None) => false,
            (Self::Address(one), Some(address)) => {
                one.domain() == address.domain()
                    && one.local_part().eq_ignore_ascii_case(address.local_part())
            }
            (Self::Domain(pattern), Some(address)) => {
                address.domain().name().is_some_and(|name| pattern.fits(name).is_some())
            }
            (Self::Literal(domain), Some(address)) => domain == address.domain(),
        }
    }
}

impl FromStr for AddressPattern {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text {
            "*" => return Ok(Self::Any),
            "." => return Ok(Self::Empty),
            _ => {}
        }
        if let Some(literal) = text.strip_prefix("@[") {
            let literal = format!("[{literal}").parse::<Domain>();
            return literal.map(Self::Literal).map_err(|error| error.to_string());
        }
        if let Some(domain) = text.strip_prefix("#@") {
            return canonical(domain).map(DomainPattern::Exactly).map(Self::Domain);
        }
        if let Some(domain) = text.strip_prefix('@') {
            return canonical(domain).map(DomainPattern::Below).map(Self::Domain);
        }
        text.parse().map(Self::Address).map_err(|_| {
            format!(
                "'{text}' is no pattern of addresses; write 'user@example.org', '@example.org' \
                 (with all below it), '#@example.org' (alone), '.' (no sender) or '*'"
            )
        })
    }
}

impl TryFrom<String> for AddressPattern {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AddressPattern> for String {
    fn from(pattern: AddressPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for AddressPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Empty => f.write_str("."),
            Self::Address(address) => address.fmt(f),
            Self::Domain(DomainPattern::Exactly(name)) => write!(f, "#@{name}"),
            Self::Domain(pattern) => write!(f, "@{pattern}"),
            Self::Literal(domain) => write!(f, "@{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bare_domain_has_what_is_below_it_and_nothing_beside() {
        let below: DomainPattern = "ms.test".parse().unwrap();
        let exact: DomainPattern = "#ms.test".parse().unwrap();
        for (domain, is_below, is_exact) in [
            ("ms.test", true, true),
            ("sales.ms.test", true, false),
            ("pms.test", false, false),
            ("test", false, false),
        ] {
            assert_eq!(below.fits(domain).is_some(), is_below, "{domain}");
            assert_eq!(exact.fits(domain).is_some(), is_exact, "{domain}");
        }
    }

    #[test]
    fn spaces_case_and_a_last_dot_do_not_matter() {
        let pattern: DomainPattern = " OTHER.TEST. ".parse().unwrap();
        assert_eq!(pattern, "other.test".parse().unwrap());
    }

    #[test]
    fn each_form_of_the_turf_list_is_read() {
        let address = |text: &str| text.parse::<SmtpAddress>().unwrap();
        for (pattern, hit, miss) in [
            ("user@dom.test", "USER@dom.test", "other@dom.test"),
            ("@dom.test", "x@sub.dom.test", "x@adom.test"),
            ("#@dom.test", "x@dom.test", "x@sub.dom.test"),
            ("@[192.0.2.1]", "x@[192.0.2.1]", "x@[192.0.2.2]"),
        ] {
            let parsed: AddressPattern = pattern.parse().unwrap();
            assert!(parsed.fits(Some(&address(hit))), "{pattern}");
            assert!(!parsed.fits(Some(&address(miss))), "{pattern}");
            assert!(!parsed.fits(None), "{pattern}");
            assert_eq!(parsed.to_string(), pattern);
        }
        assert!(".".parse::<AddressPattern>().unwrap().fits(None));
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_refused(text in "\\PC{0,40}") {
            if let Ok(pattern) = text.parse::<AddressPattern>() {
                prop_assert_eq!(pattern.to_string().parse::<AddressPattern>().unwrap(), pattern);
            }
            if let Ok(pattern) = text.parse::<DomainPattern>() {
                prop_assert_eq!(pattern.to_string().parse::<DomainPattern>().unwrap(), pattern);
            }
        }
    }
}
