//! `[acme]`

use crate::check::{certificate_name, external_account, https_url, mail_address, name_server};
use crate::schema::{Key, Kind, Section};
use std::path::PathBuf;
use std::time::Duration;

/// `[acme]`: certificates from a certification authority (RFC 8555).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acme {
    /// The CA's directory URL. Absent: nothing is ordered.
    pub directory: Option<String>,
    /// Whether the administrator agrees to the CA's terms. True whenever
    /// `directory` is set.
    pub accept_terms: bool,
    /// Mail addresses of whoever the CA may tell something.
    pub contact: Vec<String>,
    /// Names of the certificate; empty means `server.hostname`.
    pub names: Vec<String>,
    /// How the CA is shown that the names are ours.
    pub challenge: AcmeChallenge,
    /// The program for DNS-01. Never set together with `dns_server`.
    pub hook: Option<PathBuf>,
    /// Longest run of the program.
    pub hook_time: Duration,
    /// The primary name server for DNS-01 by RFC 2136.
    pub dns_server: Option<NameServerAddress>,
    /// File with the TSIG key for it.
    pub dns_key_file: Option<PathBuf>,
    /// The zone that is changed; found by asking if absent.
    pub dns_zone: Option<String>,
    /// Wait between a change of the DNS and the CA's look at it.
    pub dns_wait: Duration,
    /// Roots that vouch for the CA's own server; the system's if absent.
    pub trusted_root: Option<PathBuf>,
    /// Key identifier for an external account (RFC 8555 section 7.3.4). Set
    /// if and only if the key file is.
    pub external_account_id: Option<String>,
    /// File whose first line is the base64url of that account's MAC key.
    pub external_account_key_file: Option<PathBuf>,
}

/// How the CA is shown that a name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcmeChallenge {
    /// A file over HTTP on port 80 (RFC 8555 section 8.3).
    #[default]
    Http01,
    /// A certificate over TLS on port 443 (RFC 8737).
    TlsAlpn01,
    /// A TXT record (RFC 8555 section 8.4).
    Dns01,
}

/// A name server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameServerAddress {
    /// Name or address (without brackets).
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Acme {
    /// Whether certificates are ordered at all.
    pub fn is_on(&self) -> bool {
        self.directory.is_some()
    }

    /// The names to order for a server of this name.
    pub fn names_for(&self, hostname: &str) -> Vec<String> {
        if self.names.is_empty() { vec![hostname.to_owned()] } else { self.names.clone() }
    }
}

impl AcmeChallenge {
    const WORDS: &'static [&'static str] = &["http-01", "tls-alpn-01", "dns-01"];

    fn from_word(word: &str) -> Self {
        match word {
            "tls-alpn-01" => Self::TlsAlpn01,
            "dns-01" => Self::Dns01,
            _ => Self::Http01,
        }
    }

    /// As the settings and RFC 8555 write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Dns01 => "dns-01",
        }
    }
}

/// A name server answers within seconds; an hour is for zones that are copied
/// by a schedule.
const MAX_WAIT: Duration = Duration::from_secs(3_600);

pub(crate) const SECTION: Section = Section {
    name: "acme",
    doc: "Certificates from a certification authority that speaks ACME (RFC 8555), ordered and \
          renewed by the component web ('concord setup add web').",
    keys: &[
        Key::optional(
            "directory",
            "\"https://acme-v02.api.letsencrypt.org/directory\"",
            Kind::Text(https_url, |s, v| s.acme.directory = Some(v)),
            "Directory URL of the certification authority. Without it nothing is ordered.",
        ),
        Key::new(
            "accept-terms",
            "false",
            Kind::Flag(|s, v| s.acme.accept_terms = v),
            "Whether you agree to the authority's terms of service; it takes no orders otherwise.",
        ),
        Key::new(
            "contact",
            "[]",
            Kind::Texts(mail_address, |s, v| s.acme.contact = v),
            "Mail addresses that the authority may write to.",
        ),
        Key::new(
            "names",
            "[]",
            Kind::Texts(certificate_name, |s, v| s.acme.names = v),
            "Names of the certificate, such as \"mail.example.com\", \"mta-sts.example.com\" and \
             \"autoconfig.example.com\". Empty: server.hostname. \"*.example.com\" needs dns-01.",
        ),
        Key::new(
            "challenge",
            "\"http-01\"",
            Kind::Choice(AcmeChallenge::WORDS, |s, v| {
                s.acme.challenge = AcmeChallenge::from_word(&v);
            }),
            "How the authority is shown that the names are yours. http-01: it asks port 80 of each \
             name, which must lead to listen.http. tls-alpn-01: it asks port 443, which must lead \
             to listen.https. dns-01: a TXT record, made by hook or by dns-server.",
        ),
        Key::optional(
            "hook",
            "\"etc/acme-hook\"",
            Kind::Path(|s, v| s.acme.hook = Some(v)),
            "Program that makes and removes the TXT record for dns-01; the manual has its \
             arguments.",
        ),
        Key::new(
            "hook-time",
            "\"2 min\"",
            Kind::Duration(Duration::from_secs(1), MAX_WAIT, |s, v| s.acme.hook_time = v),
            "Longest time that the program may take; then it is killed.",
        ),
        Key::optional(
            "dns-server",
            "\"192.0.2.53\"",
            Kind::Text(
                |v| name_server(v).map(|_| ()),
                |s, v| {
                    s.acme.dns_server = name_server(&v).ok();
                },
            ),
            "Primary name server that takes changes by RFC 2136 for dns-01 (host or host:port, port \
             53 if not written).",
        ),
        Key::optional(
            "dns-key-file",
            "\"etc/acme-dns.key\"",
            Kind::Path(|s, v| s.acme.dns_key_file = Some(v)),
            "File with the TSIG key for dns-server, as tsig-keygen writes it.",
        ),
        Key::optional(
            "dns-zone",
            "\"example.com\"",
            Kind::Text(certificate_name, |s, v| s.acme.dns_zone = Some(v)),
            "Zone in which dns-server makes the records. Without it dns-server is asked.",
        ),
        Key::new(
            "dns-wait",
            "\"10 s\"",
            Kind::Duration(Duration::ZERO, MAX_WAIT, |s, v| s.acme.dns_wait = v),
            "Wait between the change of the DNS and the authority's look, so that every name \
             server of the zone has it.",
        ),
        Key::optional(
            "trusted-root",
            "\"etc/private-ca.pem\"",
            Kind::Path(|s, v| s.acme.trusted_root = Some(v)),
            "PEM file with the roots that vouch for the authority's own server, for a private \
             authority. Without it those of the system.",
        ),
        Key::optional(
            "external-account-id",
            "\"kid-1\"",
            Kind::Text(external_account, |s, v| s.acme.external_account_id = Some(v)),
            "Key identifier that the authority gave you, if it wants an external account \
             (RFC 8555 section 7.3.4).",
        ),
        Key::optional(
            "external-account-key-file",
            "\"etc/acme-account.key\"",
            Kind::Path(|s, v| s.acme.external_account_key_file = Some(v)),
            "File whose first line is the key that belongs to it, in base64url.",
        ),
    ],
};
