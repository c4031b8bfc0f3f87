//! Mozilla's autoconfiguration file, format 1.1.

use crate::service::{MailService, Protocol, Server, Socket};
use crate::xml::{Xml, document, inside, text};
use std::io;

/// Thunderbird puts the address that its user typed there.
const LOGIN: &str = "%EMAILADDRESS%";

/// The document for `/mail/config-v1.1.xml` and
/// `/.well-known/autoconfig/mail/config-v1.1.xml`, for accounts of a domain.
pub fn autoconfig(service: &MailService, domain: &str) -> String {
    let name = service.name(domain);
    document("", |xml| {
        inside(xml, "clientConfig", &[("version", "1.1")], |xml| {
            inside(xml, "emailProvider", &[("id", domain)], |xml| {
                text(xml, "domain", domain)?;
                text(xml, "displayName", &name)?;
                text(xml, "displayShortName", &name)?;
                for (protocol, kind) in [(Protocol::Imap, "imap"), (Protocol::Pop3, "pop3")] {
                    for server in service.of(protocol) {
                        one(xml, "incomingServer", kind, server)?;
                    }
                }
                for server in service.of(Protocol::Submission) {
                    one(xml, "outgoingServer", "smtp", server)?;
                }
                Ok(())
            })
        })
    })
}

fn one(xml: &mut Xml, element: &str, kind: &str, server: &Server) -> io::Result<()> {
    inside(xml, element, &[("type", kind)], |xml| {
        text(xml, "hostname", &server.host)?;
        text(xml, "port", &server.port.to_string())?;
        let socket = match server.socket {
            Socket::Tls => "SSL",
            Socket::StartTls => "STARTTLS",
        };
        text(xml, "socketType", socket)?;
        // Within TLS; the name is the format's.
        text(xml, "authentication", "password-cleartext")?;
        text(xml, "username", LOGIN)
    })
}
