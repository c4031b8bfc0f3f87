//! Checks beyond a value's type: of one value, and of values together.

mod acme;

pub(crate) use acme::{
    certificate_name, display_name, external_account, https_url, mail_address, mx_pattern,
    name_server,
};

use crate::error::Mistake;
use crate::parse::Places;
use crate::section::{Settings, SmartHost, SmartHostTls};
use concord_base::Network;
use std::net::{IpAddr, SocketAddr};

/// RFC 1035 section 2.3.4: a name has at most 255 octets on the wire, which
/// leaves 253 characters.
const MAX_HOST_NAME: usize = 253;
/// RFC 1035 section 2.3.4.
const MAX_LABEL: usize = 63;
/// Far beyond any provider's user names; keeps AUTH lines short.
const MAX_USER_NAME: usize = 320;
/// RFC 5321 section 2.3.5 has no number; 25 is IANA's for SMTP.
const SMTP_PORT: u16 = 25;
/// The widest network of proxies: 10.0.0.0/8, the largest private one (RFC 1918).
/// Whoever is in it names any client that he likes.
const WIDEST_V4: u8 = 8;
/// The same with IPv6: what a provider has from its registry; no organisation has
/// more.
const WIDEST_V6: u8 = 32;

/// A DNS host name of letters, digits and hyphens.
#[allow(clippy::ptr_arg)] // the schema's check type
pub(crate) fn host_name(name: &String) -> Result<(), String> {
    let label_is_fine = |label: &str| {
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if name.len() <= MAX_HOST_NAME && name.split('.').all(label_is_fine) {
        return Ok(());
    }
    Err(format!("'{}' is not a host name; write one like 'mail.example.com'", shorten(name)))
}

/// A network whose hosts are believed about who the client is.
pub(crate) fn proxies(network: &Network) -> Result<(), String> {
    let widest = if network.is_ipv4() { WIDEST_V4 } else { WIDEST_V6 };
    if network.prefix() >= widest {
        return Ok(());
    }
    Err(format!(
        "'{network}' is too wide: anyone in it could forge addresses; write the addresses of \
         the proxies, or a network of /{widest} or narrower"
    ))
}

/// A user name that fits a SASL exchange.
#[allow(clippy::ptr_arg)] // the schema's check type
pub(crate) fn user_name(name: &String) -> Result<(), String> {
    if name.is_empty() || name.len() > MAX_USER_NAME || name.chars().any(char::is_control) {
        return Err("this is not a user name; write 1 to 320 characters".to_owned());
    }
    Ok(())
}

/// `host`, `host:port`, `address:port` or `[address]:port`.
pub(crate) fn smart_host(text: &str) -> Result<SmartHost, String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(SmartHost { host: address.ip().to_string(), port: address.port() });
    }
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(SmartHost { host: address.to_string(), port: SMTP_PORT });
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => {
            let port = port.parse().ok().filter(|port| *port > 0);
            (
                host,
                port.ok_or_else(|| {
                    format!("'{}' has no valid port; write host:port", shorten(text))
                })?,
            )
        }
        None => (text, SMTP_PORT),
    };
    host_name(&host.to_owned())?;
    Ok(SmartHost { host: host.to_owned(), port })
}

/// A text cut so that a message stays readable.
pub(crate) fn shorten(text: &str) -> String {
    const READABLE: usize = 60;
    if text.chars().count() <= READABLE {
        return text.to_owned();
    }
    text.chars().take(READABLE).chain("...".chars()).collect()
}

/// What each value allows but all together do not.
pub(crate) fn together(settings: &Settings, places: &Places) -> Vec<Mistake> {
    let mut mistakes = listeners(settings, places);
    pairs(settings, places, &mut mistakes);
    acme::together(settings, places, &mut mistakes);
    orders(settings, places, &mut mistakes);
    mistakes
}

fn listeners(settings: &Settings, places: &Places) -> Vec<Mistake> {
    let mut seen: Vec<(&str, usize, SocketAddr)> = Vec::new();
    let mut mistakes = Vec::new();
    for (name, addresses) in settings.listen.all() {
        for (index, address) in addresses.iter().enumerate() {
            if let Some((first, at, other)) = seen.iter().find(|(_, _, a)| overlap(*a, *address)) {
                let earlier = (*first, *at, *other);
                mistakes.push(clash(places, earlier, (name, index, *address)));
            }
            seen.push((name, index, *address));
        }
    }
    mistakes
}

type Listener<'a> = (&'a str, usize, SocketAddr);

/// Blames the later of two listeners, unless that one is only a default.
fn clash(places: &Places, earlier: Listener<'_>, later: Listener<'_>) -> Mistake {
    let later_is_default = places.line("listen", later.0) == 0;
    let (other, blamed) = if later_is_default { (later, earlier) } else { (earlier, later) };
    let where_other = match places.line("listen", other.0) {
        0 => "a default".to_owned(),
        line => format!("line {line}"),
    };
    let verb = if other.2 == blamed.2 { "is taken by" } else { "overlaps" };
    let what = format!(
        "{} {verb} {} of listen.{} ({where_other}); give each listener its own port",
        blamed.2, other.2, other.0
    );
    places.mistake_at("listen", blamed.0, blamed.1, what)
}

/// Whether the system would refuse to open both. Port 0 means any free one.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    a.port() == b.port()
        && a.port() != 0
        && a.is_ipv4() == b.is_ipv4()
        && (a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified())
}

fn pairs(settings: &Settings, places: &Places, mistakes: &mut Vec<Mistake>) {
    let mut need = |section, has: bool, key: &str, lacks: bool, other: &str| {
        if has && lacks {
            mistakes.push(places.mistake(
                section,
                key,
                format!("it needs {section}.{other}; set both or neither"),
            ));
        }
    };
    let tls = &settings.tls;
    need("tls", tls.certificate.is_some(), "certificate", tls.key.is_none(), "key");
    need("tls", tls.key.is_some(), "key", tls.certificate.is_none(), "certificate");
    let mail = &settings.internet_mail;
    let (user, password) =
        (mail.smart_host_user.is_some(), mail.smart_host_password_file.is_some());
    need("internet-mail", user, "smart-host-user", !password, "smart-host-password-file");
    need("internet-mail", password, "smart-host-password-file", !user, "smart-host-user");
    need("internet-mail", user, "smart-host-user", mail.smart_host.is_none(), "smart-host");
    if user && matches!(mail.smart_host_tls, SmartHostTls::Opportunistic | SmartHostTls::Off) {
        mistakes.push(
            places.mistake(
                "internet-mail",
                "smart-host-user",
                "the password would cross the network unprotected; set \
             internet-mail.smart-host-tls to \"required\" or \"implicit\""
                    .to_owned(),
            ),
        );
    }
}

fn orders(settings: &Settings, places: &Places, mistakes: &mut Vec<Mistake>) {
    let controller = &settings.controller;
    if controller.back_off_min > controller.back_off_max {
        mistakes.push(places.mistake(
            "controller",
            "back-off-min",
            "it is longer than controller.back-off-max; make it shorter".to_owned(),
        ));
    }
    if settings.queue.delay_warning_after >= settings.queue.expire_after {
        mistakes.push(
            places.mistake(
                "queue",
                "delay-warning-after",
                "it is not shorter than queue.expire-after, so nobody would be warned; make it \
             shorter, or \"0 s\" for no warning"
                    .to_owned(),
            ),
        );
    }
}
