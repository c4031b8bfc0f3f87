//! The records that follow from the facts.

mod domain;
mod host;

pub(crate) use host::reverse_of;

use crate::facts::Facts;
use crate::record::{Data, Record};

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The host can be found.
    HostAddress,
    /// Its addresses say its name.
    ReverseName,
    /// Who sends as the host itself, in EHLO and in reports.
    HostSpf,
    /// The host's certificate can be checked without a certificate authority.
    Tlsa,
    /// Mail for a domain comes here.
    Exchanger,
    /// Who may send in the name of a domain.
    Spf,
    /// The key of a domain's signatures.
    Dkim,
    /// What becomes of mail that only says that it is from a domain.
    Dmarc,
    /// Reports about one domain may go to another.
    ReportAuthorisation,
    /// Others send to a domain by checked TLS only.
    MtaSts,
    /// Others report when TLS to a domain fails.
    TlsReporting,
    /// Mail programs find a service.
    ClientService,
    /// Mail programs configure themselves.
    Autoconfiguration,
}

impl Purpose {
    /// Its stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HostAddress => "host-address",
            Self::ReverseName => "reverse-name",
            Self::HostSpf => "host-spf",
            Self::Tlsa => "tlsa",
            Self::Exchanger => "exchanger",
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
            Self::ReportAuthorisation => "report-authorisation",
            Self::MtaSts => "mta-sts",
            Self::TlsReporting => "tls-reporting",
            Self::ClientService => "client-service",
            Self::Autoconfiguration => "autoconfiguration",
        }
    }

    /// What it is for, a few words.
    pub const fn why(self) -> &'static str {
        match self {
            Self::HostAddress => "other hosts find this server",
            Self::ReverseName => {
                "many hosts refuse mail from an address without a name; whoever gave you the \
                 address sets it"
            }
            Self::HostSpf => "reports of this server are not taken for forgeries",
            Self::Tlsa => "hosts that know DANE check this server's key; only in a signed zone",
            Self::Exchanger => "mail for the domain comes here",
            Self::Spf => "says which hosts send in the name of the domain",
            Self::Dkim => "the key that signatures of the domain are checked with",
            Self::Dmarc => "says what becomes of forgeries, and where reports go",
            Self::ReportAuthorisation => "lets reports about the domain come to another one",
            Self::MtaSts => "others deliver by checked TLS only",
            Self::TlsReporting => "others report when TLS fails",
            Self::ClientService => "mail programs find the server by the address alone",
            Self::Autoconfiguration => "mail programs configure themselves",
        }
    }
}

/// How much a record matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Without it all is well; wrong it may do harm.
    Optional,
    /// Without it something is worse than it could be.
    Recommended,
    /// Without it mail does not come, or is refused or taken for a forgery.
    Required,
}

/// A record that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it is for.
    pub purpose: Purpose,
    /// The mail domain that it is for; none for the host.
    pub domain: Option<String>,
    /// How much it matters.
    pub need: Need,
    /// The record.
    pub record: Record,
}

impl Wanted {
    fn of_host(purpose: Purpose, need: Need, name: impl Into<String>, data: Data) -> Self {
        Self { purpose, domain: None, need, record: Record { name: name.into(), data } }
    }

    fn of_domain(
        domain: &str,
        purpose: Purpose,
        need: Need,
        name: impl Into<String>,
        data: Data,
    ) -> Self {
        let record = Record { name: name.into(), data };
        Self { purpose, domain: Some(domain.to_owned()), need, record }
    }
}

/// Every record that is wanted: the host's, then each domain's. Depends on
/// nothing but the facts.
pub fn wanted(facts: &Facts) -> Vec<Wanted> {
    let mut all = host::wanted(facts);
    for domain in &facts.domains {
        for record in domain::wanted(facts, domain) {
            // Two domains may both authorise reports at one name.
            if !all.iter().any(|known| known.record == record.record) {
                all.push(record);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{ClientService, Outbound};

    fn facts() -> Facts {
        Facts {
            host: "mail.a.test".into(),
            addresses: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            domains: vec!["a.test".into(), "b.test".into()],
            inbound: true,
            reports_to: Some("postmaster@a.test".into()),
            services: vec![ClientService { name: "imaps", port: 993 }],
            public_keys: vec!["ab".repeat(32)],
            ..Facts::default()
        }
    }

    fn lines(facts: &Facts) -> Vec<String> {
        wanted(facts).iter().map(|wanted| wanted.record.to_string()).collect()
    }

    #[test]
    fn records_follow_from_the_facts() {
        let lines = lines(&facts());
        let expected = [
            "mail.a.test. IN A 192.0.2.1",
            "mail.a.test. IN AAAA 2001:db8::1",
            "1.2.0.192.in-addr.arpa. IN PTR mail.a.test.",
            "mail.a.test. IN TXT \"v=spf1 a -all\"",
            "a.test. IN MX 10 mail.a.test.",
            "a.test. IN TXT \"v=spf1 mx ~all\"",
            "_dmarc.b.test. IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@a.test\"",
            "b.test._report._dmarc.a.test. IN TXT \"v=DMARC1\"",
            "_smtp._tls.a.test. IN TXT \"v=TLSRPTv1; rua=mailto:postmaster@a.test\"",
            "_imaps._tcp.b.test. IN SRV 0 1 993 mail.a.test.",
        ];
        for line in expected {
            assert!(lines.iter().any(|found| found == line), "{line} is not in {lines:#?}");
        }
        assert!(
            lines.iter().any(|line| line.starts_with("_25._tcp.mail.a.test. IN TLSA 3 1 1 ab"))
        );
        let others = ["_mta-sts", "autoconfig", "a.test._report"];
        assert!(!lines.iter().any(|line| others.iter().any(|other| line.starts_with(other))));
    }

    #[test]
    fn a_server_that_is_retired_wants_no_mail() {
        let facts = Facts { inbound: false, ..facts() };
        let lines = lines(&facts);
        assert!(!lines.iter().any(|line| line.contains(" MX ") || line.contains(" TLSA ")));
        assert!(lines.contains(&"a.test. IN TXT \"v=spf1 a:mail.a.test ~all\"".to_owned()));
    }

    #[test]
    fn a_smart_host_sends_for_the_domain() {
        let outbound = Outbound::SmartHost("relay.isp.test".into());
        let lines = lines(&Facts { outbound, ..facts() });
        let spf = "a.test. IN TXT \"v=spf1 mx a:relay.isp.test ~all\"";
        assert!(lines.iter().any(|line| line == spf), "{lines:#?}");
    }

    #[test]
    fn a_host_that_is_its_own_domain_has_one_policy() {
        let facts = Facts { domains: vec!["mail.a.test".into()], ..facts() };
        let texts: Vec<_> = lines(&facts).into_iter().filter(|l| l.contains("v=spf1")).collect();
        assert_eq!(texts, ["mail.a.test. IN TXT \"v=spf1 mx ~all\""]);
    }
}
