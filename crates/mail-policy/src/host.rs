//! What is done with whole hosts and networks.

use concord_base::Network;
use serde::Deserialize;
use std::net::IpAddr;

/// A row `[[host]]`. The narrowest network decides, in whatever order the rows
/// stand (Q316205).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostRule {
    /// Whom it is about.
    pub network: Network,
    /// What is done.
    #[serde(default)]
    pub action: HostAction,
    /// What those hosts must do before MAIL.
    #[serde(default)]
    pub require: Vec<Requirement>,
    /// Block lists, greylisting, sender checks and limits do not concern them.
    #[serde(default)]
    pub exempt: bool,
    /// What a refused client hears.
    #[serde(default)]
    pub reply: Option<String>,
}

/// What is done with a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostAction {
    /// Its mail is taken, if nothing else speaks against it.
    #[default]
    Accept,
    /// It hears 554 instead of a greeting.
    Reject,
}

/// What a host must do before it may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// Log in.
    Authentication,
    /// STARTTLS.
    Encryption,
}

/// The rule for a host, if there is one.
pub(crate) fn of(rules: &[HostRule], address: IpAddr) -> Option<&HostRule> {
    rules.iter().filter(|r| r.network.contains(address)).max_by_key(|r| r.network.prefix())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    /// T16
    #[test]
    fn the_narrowest_network_decides_in_any_order() {
        let accept = "[[host]]\nnetwork = '157.57.10.0/24'\n";
        let reject = "[[host]]\nnetwork = '157.57.0.0/16'\naction = 'reject'\n";
        let all = "[[host]]\nnetwork = '0.0.0.0/0'\naction = 'reject'\n";
        for text in [
            format!("{accept}{reject}{all}"),
            format!("{all}{reject}{accept}"),
            format!("{reject}{all}{accept}"),
        ] {
            let policy = Policy::parse(&text).unwrap();
            let action = |ip: &str| policy.host(ip.parse().unwrap()).map(|rule| rule.action);
            assert_eq!(action("157.57.10.25"), Some(HostAction::Accept));
            assert_eq!(action("157.57.15.2"), Some(HostAction::Reject));
            assert_eq!(action("192.0.2.1"), Some(HostAction::Reject));
            assert_eq!(action("2001:db8::1"), None);
        }
    }

    #[test]
    fn the_same_network_twice_is_a_mistake() {
        let row = "[[host]]\nnetwork = '10.0.0.0/8'\n";
        let error = Policy::parse(&format!("{row}{row}")).unwrap_err();
        assert!(error.to_string().contains("10.0.0.0/8"), "{error}");
    }
}
