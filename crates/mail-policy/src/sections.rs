//! The sections with single values.

use crate::value::{Period, Size};
use concord_address::SmtpAddress;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[inbound]`: mail that comes from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Inbound {
    /// Octets of a message from outside; the server's limit if it is not said.
    pub size_limit: Option<Size>,
    /// Wait before the greeting; who talks meanwhile is refused.
    pub greeting_delay: Option<Period>,
    /// Wait before the answer to a refused command.
    pub tarpit: Option<Period>,
    /// Whether hosts on port 25 may log in.
    pub authentication: bool,
    /// Who gets mail to postmaster and abuse of our domains that nobody has.
    pub postmaster: Option<SmtpAddress>,
    /// ETRN is refused.
    pub disable_etrn: bool,
}

/// `[authentication]`: who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Authentication {
    /// Whether messages from outside are checked at all.
    pub enabled: bool,
    /// What SPF decides alone.
    pub spf: Spf,
    /// What DMARC decides.
    pub dmarc: Dmarc,
    /// Domains whose ARC seals are believed.
    pub trusted_sealers: Vec<String>,
    /// Whether what passes is sealed.
    pub seal: bool,
    /// Whether other domains get aggregate reports.
    pub send_reports: bool,
    /// The address in reports; `postmaster@` the host without it.
    pub report_from: Option<SmtpAddress>,
    /// Senders of forwarded mail are rewritten (SRS).
    pub rewrite_forwarded: bool,
}

impl Default for Authentication {
    fn default() -> Self {
        Self {
            enabled: true,
            spf: Spf::Check,
            dmarc: Dmarc::Enforce,
            trusted_sealers: Vec::new(),
            seal: false,
            send_reports: false,
            report_from: None,
            rewrite_forwarded: true,
        }
    }
}

/// What SPF decides without DMARC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spf {
    /// Nothing; its result stands in the header.
    Check,
    /// `fail` is refused.
    Enforce,
}

/// What DMARC decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dmarc {
    /// Nothing; its result stands in the header.
    Check,
    /// What the domain's owner asks for: refused, or quarantined.
    Enforce,
    /// What would be refused is quarantined too.
    Quarantine,
}

/// `[signing]`: DKIM of what goes out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Signing {
    /// Whether messages of domains that have a key are signed.
    pub enabled: bool,
}

impl Default for Signing {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// `[greylisting]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Greylisting {
    /// Whether unknown senders are asked to come again.
    pub enabled: bool,
    /// How long they have to wait.
    pub delay: Period,
    /// How long one that came again is remembered.
    pub remember: Period,
}

impl Default for Greylisting {
    fn default() -> Self {
        Self {
            enabled: false,
            delay: Period::seconds(60),
            remember: Period::seconds(35 * 24 * 3600),
        }
    }
}

/// A row `[[blocklist]]`: a list of hosts in the DNS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Blocklist {
    /// `zen.spamhaus.example`
    pub zone: String,
    /// Addresses that count as listed; empty is all of 127.0.0.0/8.
    #[serde(default)]
    pub answers: Vec<crate::Network>,
    /// What is done with listed hosts.
    #[serde(default)]
    pub action: Rule,
}

/// What a check leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// 5xx.
    #[default]
    Refuse,
    /// 4xx.
    Defer,
    /// A header field says it.
    Mark,
}

/// `[rewriting]`: addresses of what goes out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Rewriting {
    /// Domains of senders that become other ones, in envelope and header, of
    /// mail that leaves: `{ "host.example.org" = "example.org" }`.
    pub masquerade: BTreeMap<String, String>,
    /// Addresses that become other ones, in envelope and header, of mail that
    /// leaves.
    pub canonical: BTreeMap<String, String>,
}

/// `[pickup]`: messages as files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Pickup {
    /// Directory in which programs leave messages; none is none. Relative ones
    /// are seen from the root.
    pub directory: Option<PathBuf>,
}

/// `[urgency.urgent]`, `[urgency.normal]`, `[urgency.non-urgent]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct UrgencyTimes {
    /// A delivery older than this is returned.
    pub expire_after: Option<Period>,
    /// The sender is told after this time.
    pub delay_warning_after: Option<Period>,
}
