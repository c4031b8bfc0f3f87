//! `TYPE:value` addresses.

use crate::form::Form;
use crate::smtp::SmtpAddress;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The original allowed eight; external connectors may bring longer names.
const MAX_TYPE: usize = 16;
/// X.400 addresses, the longest in the field, stay below it.
pub(crate) const MAX_VALUE: usize = 1024;

/// The type of an address: upper-case letters and digits (`SMTP`, `NOTES`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressType(String);

/// The text is not an address type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not an address type: it has 1 to 16 letters and digits")]
pub struct ParseAddressTypeError {
    /// What was given, shortened.
    pub text: String,
}

impl AddressType {
    /// Internet mail.
    pub fn smtp() -> Self {
        Self("SMTP".into())
    }

    /// The name in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is Internet mail.
    pub fn is_smtp(&self) -> bool {
        self.0 == "SMTP"
    }
}

impl FromStr for AddressType {
    type Err = ParseAddressTypeError;

    fn from_str(text: &str) -> Result<Self, ParseAddressTypeError> {
        let fits = !text.is_empty()
            && text.len() <= MAX_TYPE
            && text.bytes().all(|c| c.is_ascii_alphanumeric());
        if fits {
            Ok(Self(text.to_ascii_uppercase()))
        } else {
            Err(ParseAddressTypeError { text: text.chars().take(40).collect() })
        }
    }
}

impl TryFrom<String> for AddressType {
    type Error = ParseAddressTypeError;
    fn try_from(text: String) -> Result<Self, ParseAddressTypeError> {
        text.parse()
    }
}

impl From<AddressType> for String {
    fn from(kind: AddressType) -> String {
        kind.0
    }
}

impl fmt::Display for AddressType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An address of some mail system, `TYPE:value`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TypedAddress {
    kind: AddressType,
    value: String,
}

/// The text is not a typed address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a typed address: {cause}")]
pub struct ParseTypedAddressError {
    /// What was given, shortened.
    pub text: String,
    /// What does not fit.
    pub cause: String,
}

impl TypedAddress {
    /// An address from its parts.
    ///
    /// # Errors
    /// The value is not one of the type.
    pub fn new(kind: &AddressType, value: &str) -> Result<Self, ParseTypedAddressError> {
        format!("{}:{value}", kind.0).parse()
    }

    /// The type.
    pub fn kind(&self) -> &AddressType {
        &self.kind
    }

    /// The value in its type's own notation.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The form in which two addresses that name one recipient are equal.
    pub fn key(&self) -> String {
        match self.smtp() {
            Some(address) => format!("SMTP:{}", address.key()),
            None => format!("{}:{}", self.kind.0, self.value.to_lowercase()),
        }
    }

    /// Its parts, if it is of a mail system that Concord knows.
    pub fn form(&self) -> Option<Form> {
        Form::read(&self.kind.0, &self.value).and_then(Result::ok)
    }

    /// The Internet address, if it is one.
    pub fn smtp(&self) -> Option<SmtpAddress> {
        (self.kind.0 == "SMTP").then(|| self.value.parse().ok()).flatten()
    }
}

impl From<SmtpAddress> for TypedAddress {
    fn from(address: SmtpAddress) -> Self {
        Self { kind: AddressType::smtp(), value: address.to_string() }
    }
}

impl FromStr for TypedAddress {
    type Err = ParseTypedAddressError;

    /// Reads `TYPE:value`; a text without a type is taken as an Internet address.
    fn from_str(text: &str) -> Result<Self, ParseTypedAddressError> {
        let fail = |cause: String| ParseTypedAddressError {
            text: text.chars().take(120).collect(),
            cause,
        };
        let kind = text.split_once(':').filter(|(kind, _)| {
            !kind.is_empty() && kind.bytes().all(|c| c.is_ascii_alphanumeric())
        });
        let (kind, value) = kind.unwrap_or(("SMTP", text));
        if kind.len() > MAX_TYPE {
            return Err(fail("its type is longer than 16 characters".into()));
        }
        if value.is_empty() || value.len() > MAX_VALUE || value.chars().any(char::is_control) {
            return Err(fail("its value is empty, too long, or has control characters".into()));
        }
        let kind = kind.to_ascii_uppercase();
        if kind == "SMTP" {
            let address: SmtpAddress =
                value.parse().map_err(|e: crate::ParseSmtpAddressError| fail(e.cause))?;
            return Ok(address.into());
        }
        let value = match Form::read(&kind, value) {
            Some(Ok(form)) => form.to_string(),
            Some(Err(cause)) => return Err(fail(cause)),
            None => value.to_owned(),
        };
        Ok(Self { kind: AddressType(kind), value })
    }
}

impl TryFrom<String> for TypedAddress {
    type Error = ParseTypedAddressError;
    fn try_from(text: String) -> Result<Self, ParseTypedAddressError> {
        text.parse()
    }
}

impl From<TypedAddress> for String {
    fn from(address: TypedAddress) -> String {
        address.to_string()
    }
}

impl fmt::Display for TypedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.0, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_addresses_read_and_compare() {
        let notes: TypedAddress = "notes:Jane Doe/Sales/Acme@ACME".parse().unwrap();
        assert_eq!(notes.to_string(), "NOTES:Jane Doe/Sales/Acme@ACME");
        assert_eq!(notes.key(), "NOTES:jane doe/sales/acme@acme");
        let plain: TypedAddress = "Alice@Example.Test".parse().unwrap();
        assert_eq!(plain.to_string(), "SMTP:Alice@example.test");
        assert_eq!(plain.key(), "SMTP:alice@example.test");
        assert!("SMTP:nobody".parse::<TypedAddress>().is_err());
        assert!("NOTES:".parse::<TypedAddress>().is_err());
    }
}
