//! How names are proved.

mod hook;
mod rfc2136;
mod tsig_key;

pub use hook::Hook;
pub use rfc2136::DnsUpdate;
pub use tsig_key::TsigKey;

use crate::challenges::Challenges;
use crate::error::AcmeError;
use instant_acme::ChallengeType;
use std::time::Duration;

/// How names are proved.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A file over HTTP (RFC 8555 section 8.3), served from [`Challenges`].
    Http01,
    /// A certificate over TLS (RFC 8737), served from [`Challenges`].
    TlsAlpn01,
    /// A TXT record (RFC 8555 section 8.4), made by RFC 2136.
    DnsUpdate {
        /// Who makes it.
        by: DnsUpdate,
        /// Wait until every name server has it.
        wait: Duration,
    },
    /// A TXT record, made by a program.
    DnsHook {
        /// Who makes it.
        by: Hook,
        /// Wait until every name server has it.
        wait: Duration,
    },
}

/// What answers one challenge.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// The name as it was ordered.
    pub(crate) host: String,
    /// The same without `*.`.
    pub(crate) base: String,
    pub(crate) token: String,
    pub(crate) key_authorization: String,
    pub(crate) dns_value: String,
}

impl Placed {
    /// RFC 8555 section 8.4: where the TXT record stands.
    fn record(&self) -> String {
        format!("_acme-challenge.{}", self.base)
    }
}

impl Proof {
    pub(crate) fn kind(&self) -> ChallengeType {
        match self {
            Self::Http01 => ChallengeType::Http01,
            Self::TlsAlpn01 => ChallengeType::TlsAlpn01,
            Self::DnsUpdate { .. } | Self::DnsHook { .. } => ChallengeType::Dns01,
        }
    }

    /// As RFC 8555 and the settings call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::DnsUpdate { .. } | Self::DnsHook { .. } => "dns-01",
        }
    }

    /// What to do when the authority does not find the proof.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Http01 => {
                "port 80 of that name, as the authority sees it from outside, must lead to \
                 listen.http; check the name's A and AAAA records and the firewall"
            }
            Self::TlsAlpn01 => {
                "port 443 of that name, as the authority sees it from outside, must lead to \
                 listen.https without a proxy that ends TLS; check the name's A and AAAA records \
                 and the firewall"
            }
            Self::DnsUpdate { .. } | Self::DnsHook { .. } => {
                "every name server of the zone must answer the TXT record; check the delegation, \
                 and set acme.dns-wait longer if copies are slow"
            }
        }
    }

    /// The longest that waits of the proof's own may take for so many names:
    /// each record is made and removed.
    pub(crate) fn longest(&self, names: usize) -> Duration {
        let times = u32::try_from(names).unwrap_or(u32::MAX).saturating_mul(2);
        match self {
            Self::Http01 | Self::TlsAlpn01 => Duration::ZERO,
            Self::DnsUpdate { wait, .. } => {
                wait.saturating_add(rfc2136::CHANGE_TIME.saturating_mul(times))
            }
            Self::DnsHook { by, wait } => wait.saturating_add(by.time.saturating_mul(times)),
        }
    }

    pub(crate) async fn place(
        &self,
        one: &Placed,
        challenges: &Challenges,
    ) -> Result<(), AcmeError> {
        match self {
            Self::Http01 => {
                challenges.set_http(&one.token, &one.key_authorization);
                Ok(())
            }
            Self::TlsAlpn01 => challenges.set_tls(&one.base, &one.key_authorization),
            Self::DnsUpdate { by, .. } => by.add(&one.record(), &one.dns_value).await,
            Self::DnsHook { by, .. } => by.present(&one.host, &one.record(), &one.dns_value).await,
        }
    }

    /// Waits until what was placed can be seen everywhere.
    pub(crate) async fn settle(&self) {
        if let Self::DnsUpdate { wait, .. } | Self::DnsHook { wait, .. } = self {
            tokio::time::sleep(*wait).await;
        }
    }

    /// Takes the answer away. A record that stays does no harm, so that is
    /// only told.
    pub(crate) async fn remove(&self, one: &Placed, challenges: &Challenges) {
        let removed = match self {
            Self::Http01 => {
                challenges.remove_http(&one.token);
                Ok(())
            }
            Self::TlsAlpn01 => {
                challenges.remove_tls(&one.base);
                Ok(())
            }
            Self::DnsUpdate { by, .. } => by.remove(&one.record(), &one.dns_value).await,
            Self::DnsHook { by, .. } => by.remove(&one.host, &one.record(), &one.dns_value).await,
        };
        if let Err(error) = removed {
            tracing::warn!(%error, record = one.record(), "a record stays; remove it by hand");
        }
    }
}
