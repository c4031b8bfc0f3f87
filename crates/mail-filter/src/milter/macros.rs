//! Macros: facts about a session under the names that Sendmail gave them
//! (`doc/op` section 5.1.2, `libmilter/docs`, Postfix's MILTER_README).

use crate::facts::{ClientFacts, Envelope};

/// Pairs of name and value.
pub(super) type Pairs = Vec<(&'static str, String)>;

pub(super) fn of_client(facts: &ClientFacts) -> Pairs {
    let address = facts.ip.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string());
    let name = facts.name.clone().unwrap_or_else(|| format!("[{address}]"));
    vec![
        ("j", facts.hostname.clone()),
        ("_", format!("{name} [{address}]")),
        ("v", concat!("Concord ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("daemon_name", facts.hostname.clone()),
        ("client_addr", address),
        ("client_name", name.clone()),
        ("client_ptr", name),
        ("client_port", facts.port.to_string()),
        ("client_resolve", if facts.name.is_some() { "OK" } else { "FAIL" }.to_owned()),
    ]
}

pub(super) fn of_tls(facts: &ClientFacts) -> Pairs {
    let Some(tls) = &facts.tls else { return Vec::new() };
    vec![
        ("tls_version", tls.version.clone()),
        ("cipher", tls.cipher.clone()),
        ("cipher_bits", tls.bits.to_string()),
    ]
}

pub(super) fn of_sender(envelope: &Envelope) -> Pairs {
    let mut pairs = vec![
        ("mail_addr", envelope.sender.clone()),
        ("mail_host", host(&envelope.sender)),
        ("mail_mailer", "esmtp".to_owned()),
    ];
    if let Some(user) = &envelope.user {
        pairs.push(("auth_authen", user.clone()));
        // The mechanism is not told; Postfix's filters look for its presence.
        pairs.push(("auth_type", "SASL".to_owned()));
    }
    pairs
}

pub(super) fn of_recipient(path: &str) -> Pairs {
    vec![
        ("rcpt_addr", path.to_owned()),
        ("rcpt_host", host(path)),
        ("rcpt_mailer", "esmtp".to_owned()),
    ]
}

pub(super) fn of_queue(queue_id: &str) -> Pairs {
    if queue_id.is_empty() { Vec::new() } else { vec![("i", queue_id.to_owned())] }
}

fn host(path: &str) -> String {
    path.rsplit_once('@').map(|(_, host)| host.to_owned()).unwrap_or_default()
}
