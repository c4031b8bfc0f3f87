//! How mail for a domain goes out: what the policy file and the settings say of
//! it together.

use super::OutService;
use super::error::OutError;
use super::pool::Terms;
use super::route::Destination;
use crate::config::{InternetMailConfig, PeerTls, SmartHost, SmartHostLogin};
use concord_address::{Domain, SmtpAddress};
use concord_mail_policy::{DomainTls, NextHop, Outbound, Policy};
use concord_smtp::TlsWish;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;

/// Octets of a password file that are read.
const MAX_PASSWORD_FILE: usize = 4096;

/// Name and password at the hosts of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// The settings' smart host.
    Known(SmartHostLogin),
    /// The policy's: the file is read for each connection, so that a changed
    /// password needs no restart.
    File { user: String, file: PathBuf },
}

impl Login {
    fn user(&self) -> &str {
        match self {
            Self::Known(login) => &login.user,
            Self::File { user, .. } => user,
        }
    }

    /// The password, from its file if it stands in one.
    ///
    /// # Errors
    /// [`OutError::Password`]
    pub(crate) async fn read(&self) -> Result<SmartHostLogin, OutError> {
        let (user, file) = match self {
            Self::Known(login) => return Ok(login.clone()),
            Self::File { user, file } => (user.clone(), file),
        };
        let fail = |cause: String| OutError::Password { file: file.clone(), cause };
        let text = tokio::fs::read(file).await.map_err(|e| fail(e.to_string()))?;
        if text.len() > MAX_PASSWORD_FILE {
            return Err(fail("it is too large for a password".to_owned()));
        }
        let text = String::from_utf8(text).map_err(|_| fail("it is not UTF-8".to_owned()))?;
        let password = text.lines().next().unwrap_or_default().to_owned();
        if password.is_empty() {
            return Err(fail("its first line is empty".to_owned()));
        }
        Ok(SmartHostLogin { user, password })
    }
}

/// How mail for a domain goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The recipients' domain as the next host is told it: another one than
    /// theirs where the policy has `rewrite-to` (Q190710).
    pub(crate) domain: Domain,
    /// Which hosts take it.
    pub(crate) destination: Destination,
    /// The destination is the other system of a domain of ours.
    pub(crate) is_ours: bool,
    /// How connections are protected.
    pub(crate) tls: DomainTls,
    /// Names that a certificate may have instead of the host's.
    pub(crate) tls_names: Vec<String>,
    /// What the sender says of TLS (RFC 8689).
    pub(crate) wish: Option<TlsWish>,
    /// Name and password at the hosts.
    pub(crate) login: Option<Login>,
    /// Addresses of ours that connections leave from.
    pub(crate) sources: Vec<IpAddr>,
    /// Octets of a message.
    pub(crate) size_limit: Option<u64>,
    /// Recipients in one transaction.
    pub(crate) recipients: usize,
    /// How much at once, and how fast.
    pub(crate) terms: Terms,
}

impl Plan {
    /// The plan for a domain of recipients.
    pub(crate) fn of(config: &InternetMailConfig, policy: &Policy, asked: &Domain) -> Self {
        let said_of = |domain: &Domain| match domain {
            Domain::Name(name) => policy.outbound_for(name),
            Domain::Literal(_) => policy.outbound.clone(),
        };
        let asked_for = said_of(asked);
        // Before anything else, and once: what is said of the other domain then
        // holds, but for its own rewrite-to.
        let rewritten = asked_for.rewrite_to.as_ref().and_then(|to| to.parse::<Domain>().ok());
        let (domain, said) = match rewritten {
            Some(other) if other != *asked => {
                let said = said_of(&other);
                (other, said)
            }
            _ => (asked.clone(), asked_for),
        };
        let elsewhere = policy.local_domain(&domain).and_then(|local| local.elsewhere.as_ref());
        let is_ours = elsewhere.is_some();
        let hosts = elsewhere.map(|elsewhere| &elsewhere.hosts).or(said.route.as_ref());
        let terms = Terms {
            connections: said.connections.map_or(config.connections_per_destination, count).max(1),
            per_minute: said.messages_per_minute,
            per_connection: said
                .messages_per_connection
                .unwrap_or(config.messages_per_connection)
                .max(1),
        };
        let plan = Self {
            destination: Destination::of(&domain),
            domain,
            is_ours,
            tls: said.tls.unwrap_or(DomainTls::Opportunistic),
            tls_names: said.tls_names.clone().unwrap_or_default(),
            wish: None,
            login: None,
            sources: said.source_addresses.clone().unwrap_or_default(),
            size_limit: said.size_limit.map(|size| size.0),
            recipients: said.recipients.map_or(usize::MAX, count),
            terms,
        };
        match (hosts, &config.smart_host) {
            (Some(hosts), _) => {
                let login = if is_ours { None } else { login(config, &said) };
                Self { destination: Destination::Hosts(hosts.clone()), login, ..plan }
            }
            (None, Some(smart)) => plan.through(smart),
            (None, None) => plan,
        }
    }

    /// Over the settings' smart host.
    fn through(self, smart: &SmartHost) -> Self {
        let hop = NextHop { host: smart.host.clone(), port: Some(smart.port) };
        let tls = match smart.tls {
            PeerTls::Opportunistic => DomainTls::Opportunistic,
            PeerTls::Required => DomainTls::Verify,
            PeerTls::Implicit => DomainTls::Implicit,
            PeerTls::Off => DomainTls::Off,
        };
        let login = smart.login.clone().map(Login::Known);
        Self { destination: Destination::Hosts(vec![hop]), tls, login, ..self }
    }

    /// What connections are kept under: those that may stand for each other
    /// have the same.
    pub(crate) fn key(&self) -> String {
        let user = self.login.as_ref().map_or("", Login::user);
        let names = self.tls_names.join(",");
        // Who wants more of a connection, or less, does not share those of others.
        let wish = self.wish.map_or(String::new(), |wish| format!(" {wish:?}"));
        let mut sources = String::new();
        for source in &self.sources {
            let _ = write!(sources, " from {source}");
        }
        format!("{} {:?} {names} {user}{wish}{sources}", self.destination, self.tls)
    }

    /// The address of ours that a connection to that one leaves from, if the
    /// machine is not to choose.
    pub(crate) fn source(&self, to: IpAddr) -> Option<IpAddr> {
        self.sources.iter().find(|source| source.is_ipv4() == to.is_ipv4()).copied()
    }

    /// The recipient as the next host is told it.
    pub(crate) fn recipient(&self, address: &SmtpAddress) -> SmtpAddress {
        if *address.domain() == self.domain {
            return address.clone();
        }
        let whole = address.to_string();
        let local = whole.rsplit_once('@').map_or(whole.as_str(), |(local, _)| local);
        format!("{local}@{}", self.domain).parse().unwrap_or_else(|_| address.clone())
    }
}

fn login(config: &InternetMailConfig, said: &Outbound) -> Option<Login> {
    let (user, file) = (said.user.clone()?, said.password_file.as_ref()?);
    Some(Login::File { user, file: config.root.join(file) })
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl OutService {
    /// The plan for a domain of recipients, as the policy is now.
    pub(super) fn plan(&self, domain: &Domain) -> Plan {
        Plan::of(&self.config, &self.config.policy.current(), domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(policy: &str, smart: bool, domain: &str) -> Plan {
        let mut config = InternetMailConfig::new("mail.example.test", "core.sock".into());
        config.root = "/srv/concord".into();
        if smart {
            config.smart_host = Some(SmartHost {
                host: "smart.test".into(),
                port: 26,
                tls: PeerTls::Required,
                login: Some(SmartHostLogin { user: "us".into(), password: "demo".into() }),
            });
        }
        Plan::of(&config, &Policy::parse(policy).unwrap(), &domain.parse().unwrap())
    }

    const POLICY: &str = "[outbound]\nconnections = 3\n\
        [[domain]]\nname = 'ms.test'\nroute = ['host1.test', 'host2.test:2525']\n\
        user = 'us'\npassword-file = 'etc/password'\ntls = 'encrypt'\nsize-limit = '1 MiB'\n\
        [[domain]]\nname = '#old.test'\nrewrite-to = 'new.test'\n\
        [[domain]]\nname = 'new.test'\nroute = ['host3.test']\nrewrite-to = 'newer.test'\n\
        messages-per-minute = 6\n\
        [[local-domain]]\nname = 'split.test'\nelsewhere = { hosts = ['exchange.split.test'] }\n";

    #[test]
    fn the_closest_row_says_where_and_how() {
        let there = plan(POLICY, false, "sales.ms.test");
        assert_eq!(there.destination.to_string(), "[host1.test,host2.test:2525]");
        assert_eq!((there.tls, there.size_limit), (DomainTls::Encrypt, Some(1 << 20)));
        assert_eq!(there.terms.connections, 3);
        let file = "/srv/concord/etc/password".into();
        assert_eq!(there.login, Some(Login::File { user: "us".into(), file }));
        let other = plan(POLICY, false, "pms.test");
        assert_eq!(other.destination, Destination::Domain("pms.test".into()));
        assert_eq!(other.login, None);
    }

    /// T14
    #[test]
    fn a_rewritten_domain_is_told_to_the_next_host_and_a_route_changes_no_address() {
        let address: SmtpAddress = "\"a b\"@old.test".parse().unwrap();
        let there = plan(POLICY, false, "old.test");
        assert_eq!(there.recipient(&address).to_string(), "\"a b\"@new.test");
        assert_eq!(there.destination.to_string(), "[host3.test]");
        assert_eq!(there.terms.per_minute, Some(6));
        let address: SmtpAddress = "a@ms.test".parse().unwrap();
        assert_eq!(plan(POLICY, false, "ms.test").recipient(&address), address);
    }

    #[test]
    fn the_smart_host_has_what_no_route_has() {
        assert_eq!(
            plan(POLICY, true, "ms.test").destination.to_string().matches("host1").count(),
            1
        );
        let rest = plan(POLICY, true, "[192.0.2.1]");
        assert_eq!(rest.destination.to_string(), "[smart.test:26]");
        assert_eq!((rest.tls, rest.terms.connections), (DomainTls::Verify, 3));
        assert!(matches!(rest.login, Some(Login::Known(_))));
    }

    #[test]
    fn mailboxes_elsewhere_have_their_hosts() {
        let there = plan(POLICY, true, "split.test");
        assert!(there.is_ours && there.login.is_none());
        assert_eq!(there.destination.to_string(), "[exchange.split.test]");
    }

    #[test]
    fn connections_under_other_terms_are_not_shared() {
        let strict = POLICY.replace("'encrypt'", "'verify'");
        assert_ne!(plan(POLICY, false, "ms.test").key(), plan(&strict, false, "ms.test").key());
        assert_eq!(plan(POLICY, false, "ms.test").key(), plan(POLICY, false, "a.ms.test").key());
    }
}
