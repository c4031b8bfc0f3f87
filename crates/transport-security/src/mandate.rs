//! Which hosts may be used, and what is asked of each: a pure function.

use crate::error::SecurityError;
use crate::reports::Applied;
use crate::sts::{Kept, Sts, StsMode};
use crate::tlsa::{TlsaRecord, usable};
use concord_mail_policy::DomainTls;
use std::fmt;

/// What is asked of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// No TLS.
    Clear,
    /// TLS where it can be had, whoever is there (RFC 7435).
    Opportunistic,
    /// TLS, whoever is there.
    Encrypt,
    /// TLS, and a certificate of one of the names from a trusted issuer.
    Verify {
        /// The names.
        names: Vec<String>,
    },
    /// TLS, and a certificate that matches a record (RFC 7672).
    Tlsa {
        /// Those that can be used; at least one.
        records: Vec<TlsaRecord>,
        /// The names for DANE-TA(2).
        names: Vec<String>,
    },
    /// As [`Demand::Verify`], from the first octet (RFC 8314).
    Implicit {
        /// The names.
        names: Vec<String>,
    },
}

impl Demand {
    /// Whether a connection without TLS is refused.
    pub fn needs_tls(&self) -> bool {
        !matches!(self, Self::Clear | Self::Opportunistic)
    }

    /// Whether the peer must show who it is.
    pub fn proves_peer(&self) -> bool {
        matches!(self, Self::Verify { .. } | Self::Tlsa { .. } | Self::Implicit { .. })
    }
}

/// Who asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// Nobody.
    Nobody,
    /// The administrator, by this value of `tls`.
    Setting(&'static str),
    /// The TLSA records of the host.
    Dane,
    /// The MTA-STS policy of a domain.
    Sts {
        /// The domain.
        domain: String,
        /// Why an older policy is in force, if one is.
        trouble: Option<String>,
    },
    /// The sender (RFC 8689).
    RequireTls,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("nobody"),
            Self::Setting(value) => write!(f, "the setting tls = \"{value}\""),
            Self::Dane => f.write_str("DANE"),
            Self::Sts { domain, trouble: None } => write!(f, "the MTA-STS policy of {domain}"),
            Self::Sts { domain, trouble: Some(why) } => {
                write!(f, "the MTA-STS policy of {domain} (kept; no newer one can be had: {why})")
            }
            Self::RequireTls => f.write_str("REQUIRETLS"),
        }
    }
}

/// What the administrator and the sender want.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes<'a> {
    /// The domain's `tls`; [`DomainTls::Opportunistic`] if nothing is said.
    pub tls: Option<DomainTls>,
    /// The domain's `tls-names`.
    pub names: &'a [String],
    /// The administrator named the hosts: they need no proof to be the domain's.
    pub routed: bool,
    /// `MAIL ... REQUIRETLS` (RFC 8689 section 2).
    pub require_tls: bool,
    /// `TLS-Required: No` (section 3): the domain's DANE and MTA-STS do not
    /// count. What the administrator says does.
    pub tls_optional: bool,
}

/// What the DNS says of the TLSA records of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsaAnswer {
    /// Nobody validates DNSSEC here.
    NoDnssec,
    /// The host, or what led to it, is not signed: DANE is not there.
    Insecure,
    /// The host is signed and has no records.
    Absent,
    /// It has these.
    Records(Vec<TlsaRecord>),
    /// The answer is forged or broken.
    Bogus {
        /// What was asked.
        name: String,
    },
    /// There was no answer.
    Unanswered {
        /// The resolver's words.
        cause: String,
    },
}

impl TlsaAnswer {
    /// Whether DNSSEC says that the host is the domain's.
    fn is_signed(&self) -> bool {
        matches!(self, Self::Absent | Self::Records(_))
    }
}

/// What counts for all hosts of a destination.
#[derive(Debug, Clone)]
pub struct Mandate<'a> {
    domain: &'a str,
    wishes: Wishes<'a>,
    sts: &'a Sts,
}

/// What counts for one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMandate {
    /// What is asked of it.
    pub demand: Demand,
    /// Who asks.
    pub basis: Basis,
    /// The host's name, if its certificate is compared with it only to report
    /// (MTA-STS with mode `testing`).
    pub note: Option<String>,
    /// It is not in a policy with mode `testing`.
    pub outside: bool,
    /// It must offer REQUIRETLS.
    pub require_tls: bool,
    /// The policy that sessions count for in reports.
    pub applied: Applied,
}

impl<'a> Mandate<'a> {
    /// Of a domain (lower case, A-labels), by wishes and its MTA-STS.
    pub fn new(domain: &'a str, wishes: Wishes<'a>, sts: &'a Sts) -> Self {
        Self { domain, wishes, sts }
    }

    fn tls(&self) -> DomainTls {
        self.wishes.tls.unwrap_or(DomainTls::Opportunistic)
    }

    /// Whether TLSA records of hosts are of interest.
    pub fn wants_tlsa(&self) -> bool {
        match self.tls() {
            DomainTls::Off | DomainTls::Implicit => false,
            DomainTls::Dane => true,
            DomainTls::Verify => self.wishes.names.is_empty(),
            DomainTls::Opportunistic | DomainTls::Encrypt => {
                self.wishes.require_tls || !self.wishes.tls_optional
            }
        }
    }

    /// What is asked of a host.
    ///
    /// # Errors
    /// [`SecurityError`]: it may not be used.
    pub fn host(&self, host: &str, tlsa: &TlsaAnswer) -> Result<HostMandate, SecurityError> {
        let setting = self.setting(host, tlsa)?;
        let applied = self.applied(host, tlsa);
        let mut asked = HostMandate {
            demand: setting.0,
            basis: setting.1,
            note: None,
            outside: false,
            require_tls: self.wishes.require_tls,
            applied,
        };
        // RFC 8689 section 3 speaks of who wants both: REQUIRETLS wins.
        let published = self.wishes.require_tls || !self.wishes.tls_optional;
        if published && !self.is_settled() {
            self.publish(host, tlsa, &mut asked)?;
        }
        if self.wishes.require_tls {
            self.require(host, tlsa, &mut asked)?;
        }
        Ok(asked)
    }

    /// Whether the administrator leaves nothing for the domain to say.
    fn is_settled(&self) -> bool {
        match self.tls() {
            DomainTls::Off | DomainTls::Implicit | DomainTls::Dane => true,
            DomainTls::Verify => !self.wishes.names.is_empty(),
            DomainTls::Opportunistic | DomainTls::Encrypt => false,
        }
    }

    fn names(&self, host: &str) -> Vec<String> {
        match self.wishes.names {
            [] => vec![host.to_owned()],
            names => names.to_vec(),
        }
    }

    /// What the administrator says.
    fn setting(&self, host: &str, tlsa: &TlsaAnswer) -> Result<(Demand, Basis), SecurityError> {
        let by_records = |value| match tlsa {
            TlsaAnswer::Records(records) => {
                let records = usable(records);
                let names = self.tlsa_names(host);
                (!records.is_empty())
                    .then_some((Demand::Tlsa { records, names }, Basis::Setting(value)))
            }
            _ => None,
        };
        Ok(match self.tls() {
            DomainTls::Off => (Demand::Clear, Basis::Setting("off")),
            DomainTls::Opportunistic => (Demand::Opportunistic, Basis::Nobody),
            DomainTls::Encrypt => (Demand::Encrypt, Basis::Setting("encrypt")),
            DomainTls::Implicit => {
                (Demand::Implicit { names: self.names(host) }, Basis::Setting("implicit"))
            }
            DomainTls::Verify if self.wishes.names.is_empty() => {
                usable_answer(host, tlsa)?;
                let names = self.names(host);
                let by_names = || (Demand::Verify { names }, Basis::Setting("verify"));
                by_records("verify").unwrap_or_else(by_names)
            }
            DomainTls::Verify => {
                (Demand::Verify { names: self.names(host) }, Basis::Setting("verify"))
            }
            DomainTls::Dane => {
                usable_answer(host, tlsa)?;
                let basis = Basis::Setting("dane");
                match tlsa {
                    TlsaAnswer::NoDnssec => return Err(SecurityError::NoDnssec { basis }),
                    _ => by_records("dane")
                        .ok_or_else(|| SecurityError::NoTlsa { host: host.to_owned(), basis })?,
                }
            }
        })
    }

    /// RFC 7672 section 3.2.3: the host's name, and the domain's if its MX
    /// records led there.
    fn tlsa_names(&self, host: &str) -> Vec<String> {
        let domain = (!self.wishes.routed).then(|| self.domain.to_owned());
        std::iter::once(host.to_owned()).chain(domain).collect()
    }

    /// What the domain says: DANE first, then MTA-STS (RFC 8461 section 2).
    fn publish(
        &self,
        host: &str,
        tlsa: &TlsaAnswer,
        asked: &mut HostMandate,
    ) -> Result<(), SecurityError> {
        usable_answer(host, tlsa)?;
        if let TlsaAnswer::Records(all) = tlsa
            && !asked.demand.proves_peer()
        {
            let records = usable(all);
            let names = self.tlsa_names(host);
            asked.basis = Basis::Dane;
            // RFC 7672 section 2.2: records of which none can be used ask for
            // TLS all the same, without a certificate that is checked.
            asked.demand = match records.is_empty() {
                true => Demand::Encrypt,
                false => Demand::Tlsa { records, names },
            };
        }
        if matches!(asked.demand, Demand::Tlsa { .. }) {
            return Ok(());
        }
        let Some((kept, basis)) = self.policy() else { return Ok(()) };
        let named = kept.policy.names(host);
        match kept.policy.mode {
            StsMode::Enforce if named && asked.demand.proves_peer() => {}
            StsMode::Enforce if named => {
                asked.demand = Demand::Verify { names: vec![host.to_owned()] };
                asked.basis = basis;
            }
            StsMode::Enforce => {
                return Err(SecurityError::NotInPolicy { host: host.to_owned(), basis });
            }
            StsMode::Testing => {
                asked.note = Some(host.to_owned());
                asked.outside = !named;
            }
            StsMode::None => {}
        }
        Ok(())
    }

    /// RFC 8689 section 4.2.1.
    fn require(
        &self,
        host: &str,
        tlsa: &TlsaAnswer,
        asked: &mut HostMandate,
    ) -> Result<(), SecurityError> {
        if asked.demand == Demand::Clear {
            return Err(SecurityError::TlsIsOff);
        }
        let policy = self.policy().is_some_and(|(kept, _)| kept.policy.names(host));
        if !policy && !tlsa.is_signed() && !self.wishes.routed {
            return Err(SecurityError::UnprovenHost { host: host.to_owned() });
        }
        if !asked.demand.proves_peer() {
            asked.demand = Demand::Verify { names: self.names(host) };
            asked.basis = Basis::RequireTls;
        }
        Ok(())
    }

    fn policy(&self) -> Option<(&Kept, Basis)> {
        let trouble = match self.sts {
            Sts::Policy { trouble, .. } => trouble.as_ref().map(ToString::to_string),
            _ => None,
        };
        let basis = Basis::Sts { domain: self.domain.to_owned(), trouble };
        self.sts.policy().map(|kept| (kept, basis))
    }

    fn applied(&self, host: &str, tlsa: &TlsaAnswer) -> Applied {
        match tlsa {
            TlsaAnswer::Records(records) => Applied::tlsa(host, records),
            _ => match self.sts.policy() {
                Some(kept) => Applied::sts(self.domain, &kept.policy),
                None => Applied::none(self.domain),
            },
        }
    }

    /// The policy that counts in reports if no host is left to speak of.
    pub fn applied_to_all(&self) -> Applied {
        self.applied("", &TlsaAnswer::Absent)
    }
}

/// RFC 7672 section 2.1.2: without a sure answer a host is not used.
fn usable_answer(host: &str, tlsa: &TlsaAnswer) -> Result<(), SecurityError> {
    match tlsa {
        TlsaAnswer::Bogus { name } => Err(SecurityError::Bogus { name: name.clone() }),
        TlsaAnswer::Unanswered { cause } => {
            Err(SecurityError::TlsaUnanswered { host: host.to_owned(), cause: cause.clone() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
