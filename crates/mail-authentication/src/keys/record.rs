//! What must stand in the DNS for a key.

use super::KeyAlgorithm;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// Octets of one string of a TXT record (RFC 1035 section 3.3.14).
const STRING: usize = 255;

/// The TXT record of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Where it stands, without a final dot: `selector._domainkey.domain`.
    pub name: String,
    /// Its text, as one.
    pub value: String,
}

impl KeyRecord {
    pub(super) fn new(domain: &str, selector: &str, algorithm: KeyAlgorithm, key: &[u8]) -> Self {
        let kind = match algorithm {
            KeyAlgorithm::Rsa => "rsa",
            KeyAlgorithm::Ed25519 => "ed25519",
        };
        Self {
            name: format!("{selector}._domainkey.{domain}"),
            value: format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(key)),
        }
    }

    /// The text in the strings that the DNS takes, each of at most 255 octets.
    pub fn strings(&self) -> Vec<&str> {
        let mut rest = self.value.as_str();
        let mut strings = Vec::new();
        // The text is ASCII, so any octet is a boundary.
        while let Some((string, more)) = rest.split_at_checked(STRING.min(rest.len())) {
            if string.is_empty() {
                break;
            }
            strings.push(string);
            rest = more;
        }
        strings
    }

    /// Whether this text, as the DNS gave it, publishes the same key. White
    /// space and tags that do not matter may differ.
    pub fn is_published_as(&self, text: &str) -> bool {
        let key = |text: &str| {
            let tag = text.split(';').find_map(|part| {
                part.split_once('=').filter(|(tag, _)| tag.trim() == "p").map(|(_, value)| value)
            });
            tag.map(|value| value.split_whitespace().collect::<String>())
        };
        let ours = key(&self.value);
        ours.is_some() && ours == key(text)
    }
}

impl fmt::Display for KeyRecord {
    /// A line for a zone file (RFC 1035 section 5).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. IN TXT", self.name)?;
        let strings = self.strings();
        let several = strings.len() > 1;
        f.write_str(if several { " (" } else { "" })?;
        for string in strings {
            write!(f, " \"{string}\"")?;
        }
        f.write_str(if several { " )" } else { "" })
    }
}
