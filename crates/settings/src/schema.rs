//! The shape of the schema's rows.

use crate::section::{SECTIONS, Settings};
use concord_base::{ByteSize, Network};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// A table of the file, for example `[limits]`.
#[derive(Debug)]
pub struct Section {
    /// Its name in brackets.
    pub name: &'static str,
    /// What it is for, one sentence.
    pub doc: &'static str,
    /// Its keys, in the order of the example file.
    pub keys: &'static [Key],
}

/// One row: a key of a section.
#[derive(Debug)]
pub struct Key {
    /// Kebab case.
    pub name: &'static str,
    /// What it does; sentences, any length (rendering wraps).
    pub doc: &'static str,
    /// The default as TOML; `None` if an absent key means "not set".
    pub default: Option<&'static str>,
    /// What the example shows when there is no default, as TOML.
    pub sample: &'static str,
    /// What `--demo` writes instead of the default, as TOML.
    pub demo: Option<&'static str>,
    /// Type, bounds and destination.
    pub kind: Kind,
}

impl Key {
    /// A key with a default.
    pub(crate) const fn new(
        name: &'static str,
        default: &'static str,
        kind: Kind,
        doc: &'static str,
    ) -> Self {
        Self { name, doc, default: Some(default), sample: default, demo: None, kind }
    }

    /// A key that may be absent.
    pub(crate) const fn optional(
        name: &'static str,
        sample: &'static str,
        kind: Kind,
        doc: &'static str,
    ) -> Self {
        Self { name, doc, default: None, sample, demo: None, kind }
    }

    /// The same with another value in a demonstration root.
    pub(crate) const fn demo(mut self, value: &'static str) -> Self {
        self.demo = Some(value);
        self
    }
}

/// Where a value of type `T` goes.
pub type Set<T> = fn(&mut Settings, T);
/// A check beyond the type: the reason if the value is refused.
pub type Check<T> = fn(&T) -> Result<(), String>;

/// What a key's value may be.
#[derive(Debug)]
pub enum Kind {
    /// `true` or `false`.
    Flag(Set<bool>),
    /// A whole number, bounds included.
    Count(u64, u64, Set<u64>),
    /// A text with a unit, bounds included.
    Size(ByteSize, ByteSize, Set<ByteSize>),
    /// A text with a unit, bounds included.
    Duration(Duration, Duration, Set<Duration>),
    /// A list of durations, bounds included for each; not empty.
    Durations(Duration, Duration, Set<Vec<Duration>>),
    /// One of these words.
    Choice(&'static [&'static str], Set<String>),
    /// A text that passes the check.
    Text(Check<String>, Set<String>),
    /// A list of texts that pass the check; may be empty.
    Texts(Check<String>, Set<Vec<String>>),
    /// A file; relative ones are seen from the root.
    Path(Set<PathBuf>),
    /// A list of `address:port`, IPv6 addresses in brackets; may be empty.
    Listeners(Set<Vec<SocketAddr>>),
    /// A list of addresses, port 53 unless written; may be empty.
    Nameservers(Set<Vec<SocketAddr>>),
    /// A list of addresses without ports; may be empty.
    Addresses(Set<Vec<IpAddr>>),
    /// A list of addresses and networks that pass the check; may be empty.
    Networks(Check<Network>, Set<Vec<Network>>),
}

/// The whole schema.
pub fn schema() -> &'static [Section] {
    SECTIONS
}
