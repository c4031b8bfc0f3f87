//! `[tls]`

use crate::schema::{Key, Kind, Section};
use std::path::PathBuf;

/// `[tls]`: the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// PEM file with the certificate and its chain. Absent: a self-made one
    /// is kept under `data/tls`. Set if and only if `key` is.
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key.
    pub key: Option<PathBuf>,
    /// Whether passwords are taken on connections without TLS.
    pub allow_plaintext_auth: bool,
}

pub(crate) const SECTION: Section = Section {
    name: "tls",
    doc: "The certificate that SMTP, IMAP, POP3, LDAP and HTTPS present. Files are read again when \
          they change. See [acme] for certificates that renew themselves.",
    keys: &[
        Key::optional(
            "certificate",
            "\"etc/certificate.pem\"",
            Kind::Path(|s, v| s.tls.certificate = Some(v)),
            "PEM file with the server's certificate followed by its chain. Without it \
             the one that [acme] ordered is used, or one that the server makes itself under \
             data/tls, which mail programs will warn about.",
        ),
        Key::optional(
            "key",
            "\"etc/key.pem\"",
            Kind::Path(|s, v| s.tls.key = Some(v)),
            "PEM file with the private key (PKCS#8, PKCS#1 or SEC1), not encrypted.",
        ),
        Key::new(
            "allow-plaintext-auth",
            "false",
            Kind::Flag(|s, v| s.tls.allow_plaintext_auth = v),
            "Whether submission, IMAP, POP3 and LDAP take passwords on connections without TLS.",
        )
        .demo("true"),
    ],
};
