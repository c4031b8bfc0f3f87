//! `[listen]`

use crate::check;
use crate::schema::{Key, Kind, Section};
use concord_base::Network;
use std::net::SocketAddr;

/// `[listen]`: addresses and ports, where an empty list switches a listener off;
/// and who stands in front of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listen {
    /// Mail from other servers (RFC 5321).
    pub smtp: Vec<SocketAddr>,
    /// Mail from our users' programs (RFC 6409), with STARTTLS and AUTH.
    pub submission: Vec<SocketAddr>,
    /// The same inside TLS (RFC 8314).
    pub submissions: Vec<SocketAddr>,
    /// IMAP with STARTTLS.
    pub imap: Vec<SocketAddr>,
    /// IMAP inside TLS (RFC 8314).
    pub imaps: Vec<SocketAddr>,
    /// POP3 with STLS.
    pub pop3: Vec<SocketAddr>,
    /// POP3 inside TLS (RFC 8314).
    pub pop3s: Vec<SocketAddr>,
    /// LDAP with STARTTLS.
    pub ldap: Vec<SocketAddr>,
    /// LDAP inside TLS.
    pub ldaps: Vec<SocketAddr>,
    /// HTTP: ACME's tokens and automatic set-up of mail programs.
    pub http: Vec<SocketAddr>,
    /// HTTPS: the same, and the MTA-STS policy.
    pub https: Vec<SocketAddr>,
    /// Proxies in front of all of these, which say who the client is.
    pub proxies: Vec<Network>,
}

impl Listen {
    /// Every listener with the name that its socket has.
    pub fn all(&self) -> [(&'static str, &[SocketAddr]); 11] {
        [
            ("smtp", &self.smtp),
            ("submission", &self.submission),
            ("submissions", &self.submissions),
            ("imap", &self.imap),
            ("imaps", &self.imaps),
            ("pop3", &self.pop3),
            ("pop3s", &self.pop3s),
            ("ldap", &self.ldap),
            ("ldaps", &self.ldaps),
            ("http", &self.http),
            ("https", &self.https),
        ]
    }
}

pub(crate) const SECTION: Section = Section {
    name: "listen",
    doc: "Addresses and ports, each a list of \"address:port\". An empty list switches a \
          listener off. IPv6 addresses stand in brackets and are for IPv6 only. What stands in front \
          of them is named by proxies.",
    keys: &[
        Key::new(
            "smtp",
            r#"["0.0.0.0:25", "[::]:25"]"#,
            Kind::Listeners(|s, v| s.listen.smtp = v),
            "Mail from other servers (RFC 5321).",
        )
        .demo(r#"["127.0.0.1:2525"]"#),
        Key::new(
            "submission",
            r#"["0.0.0.0:587", "[::]:587"]"#,
            Kind::Listeners(|s, v| s.listen.submission = v),
            "Mail from this organisation's users (RFC 6409): STARTTLS and AUTH.",
        )
        .demo(r#"["127.0.0.1:2587"]"#),
        Key::new(
            "submissions",
            r#"["0.0.0.0:465", "[::]:465"]"#,
            Kind::Listeners(|s, v| s.listen.submissions = v),
            "The same inside TLS (RFC 8314).",
        )
        .demo("[]"),
        Key::new(
            "imap",
            r#"["0.0.0.0:143", "[::]:143"]"#,
            Kind::Listeners(|s, v| s.listen.imap = v),
            "IMAP with STARTTLS.",
        )
        .demo(r#"["127.0.0.1:2143"]"#),
        Key::new(
            "imaps",
            r#"["0.0.0.0:993", "[::]:993"]"#,
            Kind::Listeners(|s, v| s.listen.imaps = v),
            "IMAP inside TLS (RFC 8314).",
        )
        .demo(r#"["127.0.0.1:2993"]"#),
        Key::new(
            "pop3",
            r#"["0.0.0.0:110", "[::]:110"]"#,
            Kind::Listeners(|s, v| s.listen.pop3 = v),
            "POP3 with STLS.",
        )
        .demo(r#"["127.0.0.1:2110"]"#),
        Key::new(
            "pop3s",
            r#"["0.0.0.0:995", "[::]:995"]"#,
            Kind::Listeners(|s, v| s.listen.pop3s = v),
            "POP3 inside TLS (RFC 8314).",
        )
        .demo("[]"),
        Key::new(
            "ldap",
            "[]",
            // port 389 may belong to another directory of the machine (Q224447)
            Kind::Listeners(|s, v| s.listen.ldap = v),
            "LDAP with STARTTLS, usually on port 389. Off unless you say where; \
             run/ldapi.sock is always there for this machine's administrator.",
        )
        .demo(r#"["127.0.0.1:2389"]"#),
        Key::new(
            "ldaps",
            "[]",
            Kind::Listeners(|s, v| s.listen.ldaps = v),
            "LDAP inside TLS, usually on port 636.",
        )
        .demo("[]"),
        Key::new(
            "http",
            r#"["0.0.0.0:80", "[::]:80"]"#,
            Kind::Listeners(|s, v| s.listen.http = v),
            "HTTP of the component web: ACME's http-01 and the set-up of mail programs. Opened \
             only where web is installed.",
        )
        .demo(r#"["127.0.0.1:2080"]"#),
        Key::new(
            "https",
            r#"["0.0.0.0:443", "[::]:443"]"#,
            Kind::Listeners(|s, v| s.listen.https = v),
            "HTTPS of the component web: ACME's tls-alpn-01, the MTA-STS policy and the set-up of \
             mail programs. Opened only where web is installed.",
        )
        .demo(r#"["127.0.0.1:2443"]"#),
        Key::new(
            "proxies",
            "[]",
            Kind::Networks(check::proxies, |s, v| s.listen.proxies = v),
            "Addresses and networks of proxies and load balancers that are believed when they say \
             who the client is. A connection from there, to any of these listeners, must begin \
             with a header of the PROXY protocol (version 1 or 2), also before TLS; without it \
             the connection is closed. Empty: nobody is believed. Counts at the next start of \
             core, internet-mail and web.",
        ),
    ],
};
