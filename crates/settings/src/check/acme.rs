//! Checks of `[acme]` and `[web]`.

use super::{MAX_USER_NAME, host_name, shorten};
use crate::error::Mistake;
use crate::parse::Places;
use crate::section::{AcmeChallenge, NameServerAddress, Settings};
use std::net::{IpAddr, SocketAddr};

/// IANA's port for DNS.
const DNS_PORT: u16 = 53;
/// Authorities take up to 100 names in a certificate.
const MAX_NAMES: usize = 100;
/// Longer names are cut off by every program that shows them.
const MAX_DISPLAY_NAME: usize = 100;
/// Far beyond the directory URLs of any authority.
const MAX_URL: usize = 1_000;

/// A DNS name as certificates have it: `*.` in front stands for one label.
#[allow(clippy::ptr_arg)] // the schema's check type
pub(crate) fn certificate_name(name: &String) -> Result<(), String> {
    let bare = name.strip_prefix("*.").unwrap_or(name);
    let is_address = bare.parse::<IpAddr>().is_ok();
    if bare.contains('.') && !is_address && host_name(&bare.to_owned()).is_ok() {
        return Ok(());
    }
    Err(format!("'{}' is not a name of the DNS; write one like 'mail.example.com'", shorten(name)))
}

/// A host of an MTA-STS policy (RFC 8461 section 3.2).
#[allow(clippy::ptr_arg)] // the schema's check type
pub(crate) fn mx_pattern(name: &String) -> Result<(), String> {
    certificate_name(name)
}

/// A mail address, roughly: the authority checks it in its own way.
#[allow(clippy::ptr_arg)] // the schema's check type
pub(crate) fn mail_address(text: &String) -> Result<(), String> {
    let fits = text.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && text.len() <= MAX_USER_NAME
            && local.bytes().all(|b| b.is_ascii_graphic() && !b"?,:<>".contains(&b))
            && domain.contains('.')
            && host_name(&domain.to_owned()).is_ok()
    });
    if fits {
        return Ok(());
    }
    Err(format!(
        "'{}' is not a mail address; write one like 'postmaster@example.com'",
        shorten(text)
    ))
}

/// A URL that begins with `https://` (RFC 8555 section 6.1).
#[allow(clippy::ptr_arg)] // the schema's check type
pub(crate) fn https_url(text: &String) -> Result<(), String> {
    let fits = text.strip_prefix("https://").is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty()
            && text.len() <= MAX_URL
            && !host.contains('@')
            && rest.bytes().all(|b| b.is_ascii_graphic())
    });
    if fits {
        return Ok(());
    }
    Err(format!(
        "'{}' is not an https URL; write the directory URL of your certification authority",
        shorten(text)
    ))
}

/// An identifier that an authority gave.
#[allow(clippy::ptr_arg)] // the schema's check type
pub(crate) fn external_account(text: &String) -> Result<(), String> {
    if text.is_empty() || text.len() > MAX_USER_NAME || !text.bytes().all(|b| b.is_ascii_graphic())
    {
        return Err("this is not a key identifier; write it as your authority gave it".to_owned());
    }
    Ok(())
}

/// A name for people.
#[allow(clippy::ptr_arg)] // the schema's check type
pub(crate) fn display_name(text: &String) -> Result<(), String> {
    if text.trim().is_empty()
        || text.chars().count() > MAX_DISPLAY_NAME
        || text.chars().any(char::is_control)
    {
        return Err("this is not a name; write 1 to 100 characters".to_owned());
    }
    Ok(())
}

/// `host`, `host:port`, `address`, `address:port` or `[address]:port`.
pub(crate) fn name_server(text: &str) -> Result<NameServerAddress, String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(NameServerAddress { host: address.ip().to_string(), port: address.port() });
    }
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(NameServerAddress { host: address.to_string(), port: DNS_PORT });
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0)),
        None => (text, Some(DNS_PORT)),
    };
    let port =
        port.ok_or_else(|| format!("'{}' has no valid port; write host:port", shorten(text)))?;
    host_name(&host.to_owned())?;
    Ok(NameServerAddress { host: host.to_owned(), port })
}

/// What does not go together in `[acme]`.
pub(super) fn together(settings: &Settings, places: &Places, mistakes: &mut Vec<Mistake>) {
    let acme = &settings.acme;
    let mut blame = |key: &str, what: String| mistakes.push(places.mistake("acme", key, what));
    if acme.is_on() {
        if !acme.accept_terms {
            let what = "the authority takes no orders unless you agree to its terms of service; \
                        read them and set acme.accept-terms = true, or remove acme.directory";
            blame("directory", what.to_owned());
        }
        if settings.tls.certificate.is_some() {
            let what = "tls.certificate is set too, and nobody would use what is ordered; remove \
                        one of them";
            blame("directory", what.to_owned());
        }
        if acme.names.is_empty() && certificate_name(&settings.server.hostname).is_err() {
            let what = format!(
                "no authority gives a certificate to '{}'; set server.hostname, or acme.names",
                settings.server.hostname
            );
            blame("directory", what);
        }
    }
    if acme.names.len() > MAX_NAMES {
        blame("names", format!("there are more than {MAX_NAMES}; authorities take no more"));
    }
    let dns = acme.challenge == AcmeChallenge::Dns01;
    if !dns && acme.names.iter().any(|name| name.starts_with("*.")) {
        let what = "a name with * needs acme.challenge = \"dns-01\"; no other challenge proves it";
        blame("names", what.to_owned());
    }
    let pairs = [
        (acme.dns_server.is_some(), "dns-server", acme.dns_key_file.is_none(), "dns-key-file"),
        (acme.dns_key_file.is_some(), "dns-key-file", acme.dns_server.is_none(), "dns-server"),
        (
            acme.external_account_id.is_some(),
            "external-account-id",
            acme.external_account_key_file.is_none(),
            "external-account-key-file",
        ),
        (
            acme.external_account_key_file.is_some(),
            "external-account-key-file",
            acme.external_account_id.is_none(),
            "external-account-id",
        ),
    ];
    for (has, key, lacks, other) in pairs {
        if has && lacks {
            blame(key, format!("it needs acme.{other}; set both or neither"));
        }
    }
    for (has, key) in [(acme.hook.is_some(), "hook"), (acme.dns_server.is_some(), "dns-server")] {
        if has && !dns {
            blame(key, "it is for dns-01 only; set acme.challenge = \"dns-01\"".to_owned());
        }
    }
    match (dns, acme.hook.is_some(), acme.dns_server.is_some()) {
        (true, false, false) => blame(
            "challenge",
            "dns-01 needs something that makes the record; set acme.dns-server or acme.hook"
                .to_owned(),
        ),
        (true, true, true) => {
            blame("hook", "acme.dns-server is set too; remove one of them".to_owned());
        }
        _ => {}
    }
}
