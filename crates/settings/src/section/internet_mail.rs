//! `[internet-mail]`

use crate::check::{smart_host, user_name};
use crate::schema::{Key, Kind, Section};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
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
    /// Clients that may relay without AUTH.
    pub relay_networks: Vec<IpNet>,
    /// DNS servers; empty means those of `/etc/resolv.conf`.
    pub nameservers: Vec<SocketAddr>,
    /// Whether the client's name is looked up for `Received`.
    pub reverse_dns: bool,
}

impl InternetMail {
    /// Whether a client at `address` may relay without AUTH.
    pub fn may_relay(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.relay_networks.iter().any(|network| network.contains(&address))
    }
}

/// A smart host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmartHost {
    /// Name or address (without brackets).
    pub host: String,
    /// Port.
    pub port: u16,
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
            "relay-networks",
            "[]",
            Kind::Networks(|s, v| s.internet_mail.relay_networks = v),
            "Networks whose hosts may send to any destination without AUTH, for example \
             [\"192.168.1.0/24\"]. Keep it empty unless a device cannot log in.",
        ),
        Key::new(
            "nameservers",
            "[]",
            Kind::Nameservers(|s, v| s.internet_mail.nameservers = v),
            "DNS servers, \"address\" or \"address:port\". Empty: those of /etc/resolv.conf.",
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
