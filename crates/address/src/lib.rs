//! Addresses of recipients.
//!
//! - [`SmtpAddress`]: a mailbox as RFC 5321 section 4.1.2 and RFC 6531 write
//!   it, with its comparison key.
//! - [`TypedAddress`]: `TYPE:value`, the form that the directory stores, so
//!   that addresses of foreign mail systems stand beside Internet ones.
//! - [`Form`]: the parts of a foreign address.
//! - [`AddressSpace`]: a set of addresses that a connector carries.
//! - [`GeneratorRule`]: how an address is made out of a recipient's names.
//! - [`encapsulate`]: a typed address inside an Internet one, for protocols that
//!   know no others.
//!
//! Pure: no I/O, no clock, no panic on any input.

mod domain;
mod encapsulated;
mod form;
mod generator;
mod smtp;
mod space;
mod typed;
mod variant;

pub use domain::{Domain, ParseDomainError};
pub use encapsulated::{decapsulate, encapsulate};
pub use form::Form;
pub use generator::{GenerateError, GeneratorRule, MAX_GENERATED, Names, ParseGeneratorRuleError};
pub use smtp::{ParseSmtpAddressError, SmtpAddress};
pub use space::{AddressSpace, ParseAddressSpaceError, Specificity};
pub use typed::{AddressType, ParseAddressTypeError, ParseTypedAddressError, TypedAddress};
