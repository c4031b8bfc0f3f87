//! Debian's Postfix, by MX and under TLS.

use super::enclave::{Enclave, KEEPER};
use super::{PeerSettings, SUBMISSION, directory_of};
use crate::postfix::{Postfix, PostfixPlace, PostfixSettings};
use crate::trouble::Result;
use std::path::PathBuf;

pub(super) fn start(enclave: &Enclave, settings: &PeerSettings) -> Result<(Postfix, PathBuf)> {
    // Several may run in one enclave, each with what it was given.
    let base = enclave.path().join(format!("postfix-{}", settings.address));
    directory_of(&base, KEEPER)?;
    let (certificate, key) = &settings.certificate;
    let level = if settings.offers_tls { "encrypt" } else { "none" };
    let main = vec![
        format!("myhostname = {}", settings.hostname),
        "smtp_bind_address = 127.0.0.1".to_owned(),
        format!("virtual_mailbox_domains = {}", settings.domains.join(" ")),
        "virtual_mailbox_maps = static:box/".to_owned(),
        format!("virtual_mailbox_base = {}", base.display()),
        format!("virtual_uid_maps = static:{KEEPER}"),
        format!("virtual_gid_maps = static:{KEEPER}"),
        "virtual_transport = virtual".to_owned(),
        "virtual_mailbox_limit = 0".to_owned(),
        format!("smtpd_tls_chain_files = {}, {}", key.display(), certificate.display()),
        format!("smtpd_tls_security_level = {level}"),
        "smtpd_tls_loglevel = 1".to_owned(),
        "smtp_tls_loglevel = 1".to_owned(),
        "smtp_tls_security_level = dane-only".to_owned(),
        "smtp_dns_support_level = dnssec".to_owned(),
        "smtp_host_lookup = dns".to_owned(),
    ];
    let place = PostfixPlace {
        address: settings.address,
        more: vec![format!(
            "{}:{SUBMISSION} inet n - n - - smtpd -o smtpd_tls_security_level=none",
            settings.address
        )],
        enclave: Some(enclave),
    };
    let postfix = Postfix::start_at(&PostfixSettings { port: 25, main }, &place)?;
    Ok((postfix, base.join("box")))
}
