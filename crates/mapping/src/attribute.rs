//! Native attributes: what a schema's third column names.

use crate::limits::MAX_ATTRIBUTE;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// An entry: the values of its attributes by name, names in lower case.
pub type Attributes = BTreeMap<String, Vec<String>>;

/// Names that Exchange's tables use for what LDAP calls otherwise, so that
/// tables of the original can be taken over.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("display-name", "displayname"),
    ("given-name", "givenname"),
    ("surname", "sn"),
    ("mail-nickname", "mailnickname"),
    ("physical-delivery-office-name", "physicaldeliveryofficename"),
    ("telephone-office1", "telephonenumber"),
    ("telephone-mobile", "mobile"),
    ("telephone-fax", "facsimiletelephonenumber"),
    ("target-address", "targetaddress"),
    ("usn-created", "usncreated"),
];
const PROXIES: &str = "proxyaddresses";

/// A native attribute, or the proxy addresses of one type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Attribute {
    /// By its name, in lower case; one of the original's is turned into LDAP's.
    Named(String),
    /// `Proxy-Addresses(TYPE:)`: the primary address of a type, without the type
    /// (Q196585).
    Primary(String),
    /// `Secondary-Proxy-Addresses(TYPE:)`: the others of a type.
    Secondary(String),
}

/// The text names no attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no attribute: write a name, or Proxy-Addresses(TYPE:)")]
pub struct ParseAttributeError(pub String);

impl Attribute {
    /// Whether its value is an address.
    pub fn is_address(&self) -> bool {
        match self {
            Self::Named(name) => name == "targetaddress",
            Self::Primary(_) | Self::Secondary(_) => true,
        }
    }

    /// Its values in an entry; none if it has none.
    pub fn of(&self, entry: &Attributes) -> Vec<String> {
        match self {
            Self::Named(name) => entry.get(name).cloned().unwrap_or_default(),
            // As LDAP has them since: the primary address has its type in
            // capitals, the others in small letters (KB196585).
            Self::Primary(kind) => proxies(entry, &kind.to_uppercase()),
            Self::Secondary(kind) => proxies(entry, &kind.to_lowercase()),
        }
    }
}

impl Attribute {
    /// Sets its values in an entry; none take it away. Other addresses stay.
    pub fn put(&self, entry: &mut Attributes, values: &[String]) {
        let (name, kind, first) = match self {
            Self::Named(name) => (name.as_str(), None, false),
            Self::Primary(kind) => (PROXIES, Some(kind.to_uppercase()), true),
            Self::Secondary(kind) => (PROXIES, Some(kind.to_lowercase()), false),
        };
        let mut all = entry.remove(name).unwrap_or_default();
        match kind {
            None => all = values.to_vec(),
            Some(kind) => {
                all.retain(|address| address.split_once(':').is_none_or(|(k, _)| k != kind));
                let new = values.iter().map(|value| format!("{kind}:{value}"));
                let at = if first { 0 } else { all.len() };
                all.splice(at..at, new);
            }
        }
        if !all.is_empty() {
            entry.insert(name.to_owned(), all);
        }
    }
}

fn proxies(entry: &Attributes, kind: &str) -> Vec<String> {
    let all = entry.get(PROXIES).map(Vec::as_slice).unwrap_or_default();
    let value = |address: &String| {
        let (found, value) = address.split_once(':')?;
        (found == kind).then(|| value.to_owned())
    };
    all.iter().filter_map(value).collect()
}

impl FromStr for Attribute {
    type Err = ParseAttributeError;

    fn from_str(text: &str) -> Result<Self, ParseAttributeError> {
        let fail = || ParseAttributeError(crate::problem::shortened(text));
        let bad = |c: char| c.is_whitespace() || c.is_control() || ";,\"'".contains(c);
        if text.is_empty() || text.len() > MAX_ATTRIBUTE || text.contains(bad) {
            return Err(fail());
        }
        let lower = text.to_lowercase();
        let Some((name, rest)) = lower.split_once('(') else {
            let other = OTHER_NAMES.iter().find(|(theirs, _)| *theirs == lower);
            return Ok(Self::Named(other.map_or(lower.clone(), |(_, ours)| (*ours).to_owned())));
        };
        let kind = rest.strip_suffix(":)").ok_or_else(fail)?;
        if kind.is_empty() || !kind.bytes().all(|c| c.is_ascii_alphanumeric()) {
            return Err(fail());
        }
        match name {
            "proxy-addresses" | PROXIES => Ok(Self::Primary(kind.to_uppercase())),
            "secondary-proxy-addresses" => Ok(Self::Secondary(kind.to_uppercase())),
            _ => Err(fail()),
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.pad(name),
            Self::Primary(kind) => f.pad(&format!("proxy-addresses({kind}:)")),
            Self::Secondary(kind) => f.pad(&format!("secondary-proxy-addresses({kind}:)")),
        }
    }
}

impl TryFrom<String> for Attribute {
    type Error = ParseAttributeError;
    fn try_from(text: String) -> Result<Self, ParseAttributeError> {
        text.parse()
    }
}

impl From<Attribute> for String {
    fn from(attribute: Attribute) -> Self {
        attribute.to_string()
    }
}
