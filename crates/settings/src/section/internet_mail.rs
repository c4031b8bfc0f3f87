//! `[internet-mail]`

use crate::check::{smart_host, user_name};
use crate::schema::{Key, Kind, Section};
use std::net::SocketAddr;
use std::path::PathBuf;

/// `[internet-mail]`: the connector to the Internet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InternetMail {
    /// Takes every outbound message if set; else delivery is by MX.
    pub smart_host: Option<SmartHost>,
    /// User name for the smart host. Set if and only if the password file is.
    pub smart_host_user: Option<String>,
    /// File whose first line is the password.
    pub smart_host_password_file: Option<PathBuf>,
    /// How the connection to the smart host is protected.
    pub smart_host_tls: SmartHostTls,
    /// Most connections at once to one destination.
    pub connections_per_destination: u64,
    /// Most outbound connections at once.
    pub connections_total: u64,
    /// DNS servers; empty means those of `/etc/resolv.conf`.
    pub nameservers: Vec<SocketAddr>,
    /// Whether their answers are validated.
    pub dnssec: DnssecMode,
    /// DNSKEY records that are trusted instead of the root's.
    pub dnssec_trust_anchors: Option<PathBuf>,
    /// Certificates that vouch for other hosts' instead of the system's.
    pub trusted_certificates: Option<PathBuf>,
    /// Whether the client's name is looked up for `Received`.
    pub reverse_dns: bool,
}

/// A smart host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmartHost {
    /// Name or address (without brackets).
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Whether the DNS's answers are validated for outbound mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DnssecMode {
    /// If the name servers pass signatures on.
    #[default]
    Auto,
    /// Always; mail waits where that is not possible.
    Required,
    /// Never.
    Off,
}

impl DnssecMode {
    const WORDS: &'static [&'static str] = &["auto", "required", "off"];

    fn from_word(word: &str) -> Self {
        match word {
            "required" => Self::Required,
            "off" => Self::Off,
            _ => Self::Auto,
        }
    }
}

/// How the connection to the smart host is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SmartHostTls {
    /// STARTTLS if offered, certificate not checked (RFC 7435).
    #[default]
    Opportunistic,
    /// STARTTLS with a checked certificate, or no delivery.
    Required,
    /// TLS from the first byte (RFC 8314), certificate checked.
    Implicit,
    /// No TLS.
    Off,
}

impl SmartHostTls {
    pub(crate) const WORDS: &'static [&'static str] =
        &["opportunistic", "required", "implicit", "off"];

    fn from_word(word: &str) -> Self {
        match word {
            "required" => Self::Required,
            "implicit" => Self::Implicit,
            "off" => Self::Off,
            _ => Self::Opportunistic,
        }
    }
}

pub(crate) const SECTION: Section = Section {
    name: "internet-mail",
    doc: "Mail to and from the Internet.",
    keys: &[
        Key::optional(
            "smart-host",
            "\"relay.example.net:587\"",
            Kind::Text(
                |v| smart_host(v).map(|_| ()),
                |s, v| {
                    s.internet_mail.smart_host = smart_host(&v).ok();
                },
            ),
            "Hand every outbound message to this host (host:port, port 25 if not written) \
             instead of delivering by MX.",
        ),
        Key::optional(
            "smart-host-user",
            "\"concord\"",
            Kind::Text(user_name, |s, v| s.internet_mail.smart_host_user = Some(v)),
            "User name at the smart host.",
        ),
        Key::optional(
            "smart-host-password-file",
            "\"etc/smart-host.password\"",
            Kind::Path(|s, v| s.internet_mail.smart_host_password_file = Some(v)),
            "File whose first line is the password at the smart host.",
        ),
        Key::new(
            "smart-host-tls",
            "\"opportunistic\"",
            Kind::Choice(SmartHostTls::WORDS, |s, v| {
                s.internet_mail.smart_host_tls = SmartHostTls::from_word(&v);
            }),
            "opportunistic: STARTTLS if offered, certificate not checked. required: STARTTLS \
             with a checked certificate or no delivery. implicit: TLS from the first byte, \
             checked. off: none. A user name needs required or implicit.",
        ),
        Key::new(
            "connections-per-destination",
            "8",
            Kind::Count(1, 1_000, |s, v| s.internet_mail.connections_per_destination = v),
            "Most connections at once to one destination domain or smart host.",
        ),
        Key::new(
            "connections-total",
            "100",
            Kind::Count(1, 10_000, |s, v| s.internet_mail.connections_total = v),
            "Most outbound connections at once.",
        ),
        Key::new(
            "nameservers",
            "[]",
            Kind::Nameservers(|s, v| s.internet_mail.nameservers = v),
            "DNS servers, \"address\" or \"address:port\". Empty: those of /etc/resolv.conf.",
        ),
        Key::new(
            "dnssec",
            "\"auto\"",
            Kind::Choice(DnssecMode::WORDS, |s, v| {
                s.internet_mail.dnssec = DnssecMode::from_word(&v);
            }),
            "Whether the DNS's answers are validated for outbound mail, which DANE needs. auto: if \
             the name servers pass signatures on. required: always; mail waits where they do not. \
             off: never.",
        ),
        Key::optional(
            "dnssec-trust-anchors",
            "\"etc/trust-anchors\"",
            Kind::Path(|s, v| s.internet_mail.dnssec_trust_anchors = Some(v)),
            "File of DNSKEY records (zone file form) that are trusted instead of the root's.",
        ),
        Key::optional(
            "trusted-certificates",
            "\"etc/trusted.pem\"",
            Kind::Path(|s, v| s.internet_mail.trusted_certificates = Some(v)),
            "PEM file of authorities that vouch for the certificates of other mail hosts and of \
             MTA-STS policy hosts, instead of the system's.",
        ),
        Key::new(
            "reverse-dns",
            "true",
            Kind::Flag(|s, v| s.internet_mail.reverse_dns = v),
            "Whether the name of a client's address is looked up for the Received line.",
        )
        .demo("false"),
    ],
};
