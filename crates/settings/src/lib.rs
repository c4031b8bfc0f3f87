//! The configuration file `etc/concord.toml`: schema, defaults, and every
//! mistake at once.
//!
//! One table ([`schema`]) of sections and keys drives everything: parsing,
//! defaults, range checks, the commented example file ([`example`]), and the
//! reference page of the manual ([`reference`]). So none of them can drift.
//!
//! The file is TOML 1.0 (<https://toml.io>). Sizes are texts with a unit
//! (`"50 MiB"`), durations too (`"5 d"`), listeners are `"address:port"`.
//!
//! Invariants: an unknown key is a mistake; a reader gets every mistake of a
//! file in one [`SettingsError`], each with its line; a [`Settings`] that
//! exists is valid; paths in it are absolute once [`load`] has read it.
//!
//! It does not: watch the file, hold directory objects (domains, mailboxes and
//! connectors are objects of the directory), or touch the network.

mod check;
mod convert;
mod duration;
mod error;
mod parse;
mod render;
mod root;
mod schema;
mod section;

pub use duration::{ParseDurationError, format_duration, parse_duration};
pub use error::{Mistake, SettingsError};
pub use parse::{load, parse};
pub use render::{Preset, example, reference};
pub use root::Root;
pub use schema::{Key, Kind, Section, schema};
pub use section::{
    Acme, AcmeChallenge, Controller, DnssecMode, InternetMail, Limits, Listen, LogFormat, LogLevel,
    Logging, MtaStsMode, NameServerAddress, Queue, Server, Settings, SmartHost, SmartHostTls,
    Storage, Tls, Web,
};

#[cfg(test)]
mod tests;
