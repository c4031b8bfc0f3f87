//! What `concord up` prints when everything runs: where to connect, and what
//! to try first.

use crate::setup::DEMO_PASSWORD;
use concord_controller::ServiceStatus;
use concord_settings::{Root, Settings};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Listener, what it is called, and how it is protected.
const ENDPOINTS: [(&str, &str, &str); 11] = [
    ("smtp", "SMTP", "mail from other servers, STARTTLS"),
    ("submission", "submission", "mail from users, STARTTLS"),
    ("submissions", "submissions", "mail from users, TLS"),
    ("imap", "IMAP", "mailboxes, STARTTLS"),
    ("imaps", "IMAPS", "mailboxes, TLS"),
    ("pop3", "POP3", "mailboxes, STLS"),
    ("pop3s", "POP3S", "mailboxes, TLS"),
    ("ldap", "LDAP", "the directory, STARTTLS"),
    ("ldaps", "LDAPS", "the directory, TLS"),
    ("http", "HTTP", "certificates, set-up of mail programs"),
    ("https", "HTTPS", "the same, and the MTA-STS policy"),
];

/// The table of endpoints, and for a demonstration what to try.
pub fn text(root: &Root, settings: &Settings, services: &[ServiceStatus], demo: bool) -> String {
    let mut out = String::from("\n");
    for (name, label, what) in ENDPOINTS {
        let sockets = services.iter().flat_map(|s| &s.sockets).filter(|s| s.name == name);
        let addresses: Vec<_> = sockets.map(|s| s.address.as_str()).collect();
        if !addresses.is_empty() {
            let _ = writeln!(out, "  {label:<11} {:<28} {what}", addresses.join(" "));
        }
    }
    let admin = root.admin_socket();
    let _ = writeln!(out, "  {:<11} {}", "admin API", admin.display());
    if demo {
        demonstration(&mut out, settings);
    } else {
        out.push_str(
            "\n  'concord mailbox add' makes a mailbox, 'concord service list' shows what runs.\n",
        );
    }
    out.push_str("\nCtrl-C stops.\n");
    out
}

fn demonstration(out: &mut String, settings: &Settings) {
    let listen = &settings.listen;
    let (Some(smtp), Some(imap)) = (reachable(&listen.smtp), reachable(&listen.imap)) else {
        return;
    };
    let _ = write!(
        out,
        "\n  mailboxes   alice@example.test and bob@example.test, password {DEMO_PASSWORD}\n\n\
         Send and read a message:\n\
         \x20 swaks --server {smtp} --from bob@example.test --to alice@example.test\n\
         \x20 curl -sk --user alice@example.test:{DEMO_PASSWORD} 'imap://{imap}/INBOX;MAILINDEX=1'\n"
    );
    if let Some(ldap) = reachable(&listen.ldap) {
        let _ = write!(
            out,
            "\nLook into the directory:\n\
             \x20 ldapsearch -x -H ldap://{ldap} -D alice@example.test -w {DEMO_PASSWORD} -b '' '(mail=*)'\n"
        );
    }
}

/// The first address, as a client on this machine would write it.
fn reachable(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let mut address = *addresses.first()?;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    Some(address)
}
