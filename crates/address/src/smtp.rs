//! Internet mail addresses.

use crate::domain::Domain;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// RFC 5321 section 4.5.3.1.1 asks for 64 at least, and for no limit where that
/// can be had. Foreign addresses within Internet ones need more: one of 383
/// characters stopped the original (Q226329). With it a command's line stays
/// within 2,048 octets.
const MAX_LOCAL_PART: usize = 1_024;

/// `local-part@domain` (RFC 5321 `Mailbox`; UTF-8 as RFC 6531 allows).
///
/// The local part is held without quoting; printing quotes it where needed.
/// `Eq` is exact; whether two addresses name one recipient is [`key`](Self::key).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SmtpAddress {
    local_part: String,
    domain: Domain,
}

/// The text is not an Internet mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not an Internet address: {cause}")]
pub struct ParseSmtpAddressError {
    /// What was given, shortened.
    pub text: String,
    /// What does not fit.
    pub cause: String,
}

impl SmtpAddress {
    /// The part before the `@`, without quotes and escapes.
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The form in which two addresses of one recipient are equal: lower case.
    /// (RFC 5321 leaves the local part's case to the receiving host; ours, like
    /// Exchange's, does not tell case apart.)
    pub fn key(&self) -> String {
        format!("{}@{}", self.local_part.to_lowercase(), self.domain)
    }

    /// Whether it can be sent to a host without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.local_part.is_ascii()
    }

    fn quoted(local: &str) -> Result<String, &'static str> {
        let mut out = String::with_capacity(local.len());
        let mut escaped = false;
        for c in local.chars() {
            if c.is_control() {
                return Err("a control character in the quoted local part");
            }
            match (escaped, c) {
                (false, '\\') => escaped = true,
                (false, '"') => return Err("a bare quote in the quoted local part"),
                (_, c) => {
                    out.push(c);
                    escaped = false;
                }
            }
        }
        if escaped { Err("the quoted local part ends in a backslash") } else { Ok(out) }
    }
}

/// RFC 5322 atext, widened by RFC 6532.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || (!c.is_ascii() && !c.is_control())
}

fn is_dot_string(text: &str) -> bool {
    !text.is_empty() && text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

impl FromStr for SmtpAddress {
    type Err = ParseSmtpAddressError;

    fn from_str(text: &str) -> Result<Self, ParseSmtpAddressError> {
        let fail =
            |cause: String| ParseSmtpAddressError { text: text.chars().take(120).collect(), cause };
        let (local, domain) =
            text.rsplit_once('@').ok_or_else(|| fail("the '@' is missing".into()))?;
        let domain: Domain =
            domain.parse().map_err(|e: crate::ParseDomainError| fail(e.cause.into()))?;
        let local_part = match local.strip_prefix('"').and_then(|l| l.strip_suffix('"')) {
            Some(inner) => Self::quoted(inner).map_err(|cause| fail(cause.into()))?,
            None if is_dot_string(local) => local.to_owned(),
            None => return Err(fail("the part before the '@' is not well formed".into())),
        };
        if local_part.is_empty() {
            return Err(fail("the part before the '@' is empty".into()));
        }
        if local_part.len() > MAX_LOCAL_PART {
            return Err(fail(format!(
                "the part before the '@' is longer than {MAX_LOCAL_PART} octets"
            )));
        }
        Ok(Self { local_part, domain })
    }
}

impl TryFrom<String> for SmtpAddress {
    type Error = ParseSmtpAddressError;
    fn try_from(text: String) -> Result<Self, ParseSmtpAddressError> {
        text.parse()
    }
}

impl From<SmtpAddress> for String {
    fn from(address: SmtpAddress) -> String {
        address.to_string()
    }
}

impl fmt::Display for SmtpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.local_part) {
            return write!(f, "{}@{}", self.local_part, self.domain);
        }
        f.write_str("\"")?;
        for c in self.local_part.chars() {
            if c == '"' || c == '\\' {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        write!(f, "\"@{}", self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_read_and_print() {
        for text in [
            "alice@example.test",
            "o'brien+tag@example.test",
            "\"a b\"@example.test",
            "\"a\\\"b\"@example.test",
            "jürgen@example.test",
            "x@[192.0.2.1]",
            "\"a@b\"@example.test",
        ] {
            assert_eq!(text.parse::<SmtpAddress>().unwrap().to_string(), text);
        }
        let quoted: SmtpAddress = "\"alice\"@EXAMPLE.test".parse().unwrap();
        assert_eq!(quoted.to_string(), "alice@example.test");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.test", "a".repeat(1_025));
        for text in [
            "",
            "alice",
            "@example.test",
            "alice@",
            "a b@example.test",
            ".a@example.test",
            "a.@example.test",
            "a..b@example.test",
            "\"a@example.test",
            "\"a\"b\"@example.test",
            "a\r\nb@example.test",
            "\"a\nb\"@example.test",
            "<a@example.test>",
            &long,
        ] {
            assert!(text.parse::<SmtpAddress>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_prints_to_what_parses_to_the_same(text in ".{0,80}") {
            if let Ok(address) = text.parse::<SmtpAddress>() {
                prop_assert_eq!(address.to_string().parse(), Ok(address));
            }
        }
    }
}
