//! `[ldap]`

use crate::schema::{Key, Kind, Section};
use std::time::Duration;

/// `[ldap]`: the directory as mail programs and others see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ldap {
    /// Whether the address book may be read without logging in.
    pub anonymous_read: bool,
    /// Entries that one search, or one page, gives to others than administrators.
    pub result_size: u64,
    /// How long one search may take.
    pub search_time: Duration,
    /// After this much silence a connection is closed.
    pub idle_time: Duration,
}

pub(crate) const SECTION: Section = Section {
    name: "ldap",
    doc: "The directory over LDAP. Where it listens stands under [listen].",
    keys: &[
        Key::new(
            "anonymous-read",
            "false",
            Kind::Flag(|s, v| s.ldap.anonymous_read = v),
            "Whether the address book may be read without logging in: names, addresses, \
             telephones at work. Hidden recipients and members of lists are never among that.",
        ),
        Key::new(
            "result-size",
            "1000",
            Kind::Count(1, 1_000_000, |s, v| s.ldap.result_size = v),
            "Entries that one search, or one page of one, gives to others than administrators.",
        ),
        Key::new(
            "search-time",
            "\"60 s\"",
            Kind::Duration(Duration::from_secs(1), Duration::from_secs(3_600), |s, v| {
                s.ldap.search_time = v;
            }),
            "How long one search may take.",
        ),
        Key::new(
            "idle-time",
            "\"15 min\"",
            Kind::Duration(Duration::from_secs(10), Duration::from_secs(86_400), |s, v| {
                s.ldap.idle_time = v;
            }),
            "After this much silence a connection is closed.",
        ),
    ],
};
