//! Who may send to other systems.

use concord_base::Network;
use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;

/// `[relay]`. Asked in the order of the original (Q193922): the deny list, the
/// allow list, the interface, the login; whoever none of them names may not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Relay {
    /// Hosts that never relay, not even logged in.
    pub deny: Vec<Network>,
    /// Hosts that relay without a login.
    pub allow: Vec<Network>,
    /// Addresses of this machine; who connected to one of them may relay.
    pub interfaces: Vec<IpAddr>,
    /// Whether users who have logged in may relay.
    pub authenticated: bool,
}

impl Default for Relay {
    fn default() -> Self {
        Self { deny: Vec::new(), allow: Vec::new(), interfaces: Vec::new(), authenticated: true }
    }
}

/// Who wants to relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Client<'a> {
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The address of ours that it connected to.
    pub interface: Option<IpAddr>,
    /// Whom it has logged in as. A failed login is no login (Q251149).
    pub user: Option<&'a str>,
}

/// What decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// The deny list has the client.
    Denied(Network),
    /// The allow list has the client.
    Allowed(Network),
    /// The interface is open.
    Interface(IpAddr),
    /// The client has logged in.
    LoggedIn(String),
    /// Nothing opens it.
    Nothing,
}

impl Because {
    /// Whether the client may relay.
    pub const fn may_relay(&self) -> bool {
        matches!(self, Self::Allowed(_) | Self::Interface(_) | Self::LoggedIn(_))
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(network) => write!(f, "relay.deny has {network}"),
            Self::Allowed(network) => write!(f, "relay.allow has {network}"),
            Self::Interface(ip) => write!(f, "relay.interfaces has {ip}"),
            Self::LoggedIn(user) => write!(f, "{user} has logged in"),
            Self::Nothing => f.write_str("nothing in [relay] opens it for this client"),
        }
    }
}

/// One question of the evaluation and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was asked.
    pub question: &'static str,
    /// What was found.
    pub found: String,
    /// Whether this decided; what follows was not asked.
    pub decides: bool,
}

impl Relay {
    /// Whether a client may send to other systems, and why.
    pub fn decide(&self, client: &Client<'_>) -> Because {
        self.questions(client)
            .into_iter()
            .find_map(|(_, answer)| answer)
            .unwrap_or(Because::Nothing)
    }

    /// The same, question by question.
    pub fn explain(&self, client: &Client<'_>) -> (Because, Vec<Step>) {
        let mut steps = Vec::new();
        for (question, answer) in self.questions(client) {
            let found = answer.as_ref().map_or_else(|| "no".to_owned(), ToString::to_string);
            steps.push(Step { question, found, decides: answer.is_some() });
            if let Some(because) = answer {
                return (because, steps);
            }
        }
        (Because::Nothing, steps)
    }

    fn questions(&self, client: &Client<'_>) -> [(&'static str, Option<Because>); 4] {
        let listed = |list: &[Network]| {
            let address = client.address?;
            list.iter().filter(|net| net.contains(address)).max_by_key(|net| net.prefix()).copied()
        };
        let interface = client.interface.map(|ip| ip.to_canonical());
        let interface = interface.filter(|ip| self.interfaces.contains(ip));
        let user = client.user.filter(|_| self.authenticated);
        [
            ("is the client's address in relay.deny?", listed(&self.deny).map(Because::Denied)),
            ("is the client's address in relay.allow?", listed(&self.allow).map(Because::Allowed)),
            ("did it connect to one of relay.interfaces?", interface.map(Because::Interface)),
            (
                "has it logged in, and does relay.authenticated let users relay?",
                user.map(|user| Because::LoggedIn(user.to_owned())),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(text: &str) -> Relay {
        toml::from_str(text).unwrap()
    }

    fn at(ip: &str) -> Client<'static> {
        Client { address: Some(ip.parse().unwrap()), ..Client::default() }
    }

    /// Q260562: relay restrictions without a rule opened the original.
    #[test]
    fn no_state_without_rules_opens_relaying() {
        for text in ["", "deny = []", "allow = []", "interfaces = []", "authenticated = false"] {
            let relay = relay(text);
            assert_eq!(relay.decide(&at("203.0.113.5")), Because::Nothing, "{text}");
            assert_eq!(relay.decide(&Client::default()), Because::Nothing, "{text}");
        }
        // A deny list alone opens nothing to those it does not name either.
        assert!(!relay("deny = ['192.0.2.0/24']").decide(&at("203.0.113.5")).may_relay());
    }

    #[test]
    fn denied_hosts_within_an_allowed_network_do_not_relay() {
        let relay = relay("deny = ['192.168.1.0/255.255.255.248']\nallow = ['192.168.1.0/24']");
        for host in 1..=7 {
            let because = relay.decide(&at(&format!("192.168.1.{host}")));
            assert!(matches!(because, Because::Denied(_)), "{host}");
        }
        assert!(relay.decide(&at("192.168.1.8")).may_relay());
        let user = Client { user: Some("alice"), ..at("192.168.1.3") };
        assert!(!relay.decide(&user).may_relay(), "the deny list comes first");
    }

    #[test]
    fn any_one_condition_is_enough() {
        let relay = relay("allow = ['10.0.0.0/8']\nauthenticated = true");
        assert!(relay.decide(&at("10.1.1.1")).may_relay());
        let user = Client { user: Some("alice"), ..at("203.0.113.5") };
        assert_eq!(relay.decide(&user), Because::LoggedIn("alice".into()));
    }

    #[test]
    fn explanation_and_decision_agree() {
        let relay =
            relay("deny = ['10.9.0.0/16']\nallow = ['10.0.0.0/8']\ninterfaces = ['10.0.0.1']");
        for ip in ["10.9.1.1", "10.1.1.1", "203.0.113.5"] {
            for interface in [None, Some("10.0.0.1".parse().unwrap())] {
                for user in [None, Some("alice")] {
                    let client = Client { interface, user, ..at(ip) };
                    let (because, steps) = relay.explain(&client);
                    assert_eq!(because, relay.decide(&client));
                    assert_eq!(because != Because::Nothing, steps.iter().any(|s| s.decides));
                }
            }
        }
    }
}
