//! What an administrator decided about Internet mail: `etc/internet-mail.toml`.
//!
//! [`Policy`] is the file as values, checked as a whole ([`Policy::parse`]):
//! who may send to other systems ([`Relay`]), which hosts and senders are
//! refused, limits, what our domains are like ([`LocalDomain`]), how mail goes
//! to other domains ([`RemoteDomain`]), journals. Every question has one
//! function that answers it and, where an administrator may ask why, one that
//! explains the answer by the same code. [`Live`] keeps the file's newest valid
//! state without a restart; a file with mistakes changes nothing, and says so.
//!
//! It does not: resolve names, know the directory, or act.
//!
//! Invariants: an empty file, or an empty list in it, opens nothing (Q260562);
//! the order of host rules and domains does not matter (Q316205); numbers carry
//! units (Q240788). Sources: Q193922, Q155920, Q155683, Q169683, Q190710.

mod admission;
mod domain;
mod effective;
mod error;
mod host;
mod journal;
mod limit;
mod live;
mod local;
mod mistakes;
mod pattern;
mod policy;
mod relay;
mod sections;
mod sender;
mod value;

pub use admission::{Refusal, Visitor};
pub use concord_base::{Network, ParseNetworkError};
pub use domain::{DomainTls, NextHop, Outbound, RemoteDomain};
pub use effective::{Effective, effective};
pub use error::PolicyError;
pub use host::{HostAction, HostRule, Requirement};
pub use journal::{Journal, JournalDirection};
pub use limit::{Event, Limit, Subject};
pub use live::Live;
pub use local::{Elsewhere, LocalDomain, LocalPart};
pub use mistakes::{Mistake, mistakes};
pub use pattern::{AddressPattern, DomainPattern};
pub use policy::{MAX_FILE, Mode, Policy};
pub use relay::{Because, Client, Relay, Step};
pub use sections::{
    Authentication, Blocklist, Dmarc, Greylisting, Inbound, Pickup, Rewriting, Rule, Signing, Spf,
    UrgencyTimes,
};
pub use sender::{SenderAction, SenderRule};
pub use value::{Period, Size};

/// The file that a new server begins with: every section, commented out.
pub const EXAMPLE: &str = include_str!("example.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_says_nothing_and_its_examples_are_right() {
        assert_eq!(Policy::parse(EXAMPLE), Ok(Policy::default()));
        let is_toml = |line: &&str| line.starts_with('[') || line.split(' ').nth(1) == Some("=");
        let bare: Vec<&str> = EXAMPLE.lines().filter_map(|line| line.strip_prefix("# ")).collect();
        let text: Vec<&str> = bare.into_iter().filter(is_toml).collect();
        let policy = Policy::parse(&text.join("\n")).unwrap();
        assert_eq!(policy.journals.len() + policy.limits.len() + policy.hosts.len(), 3);
        assert!(policy.outbound.route.is_some() && policy.inbound.postmaster.is_some());
    }
}
