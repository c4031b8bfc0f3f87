//! Addresses of recipients.
//!
//! - [`SmtpAddress`]: a mailbox as RFC 5321 section 4.1.2 and RFC 6531 write
//!   it, with its comparison key.
//! - [`TypedAddress`]: `TYPE:value`, the form that the directory stores, so
//!   that addresses of foreign mail systems stand beside Internet ones.
//!
//! Pure: no I/O, no clock, no panic on any input.

mod domain;
mod smtp;
mod typed;

pub use domain::{Domain, ParseDomainError};
pub use smtp::{ParseSmtpAddressError, SmtpAddress};
pub use typed::{AddressType, ParseTypedAddressError, TypedAddress};
