//! Apple's configuration profile with one mail account.

use crate::service::{MailService, Protocol, Server, Socket};
use crate::xml::{Xml, document, inside, text};
use concord_address::SmtpAddress;
use sha2::{Digest, Sha256};
use std::io;

/// The document type that Apple's programs write.
const HEAD: &str = "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
                    \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n";

/// A profile (`.mobileconfig`) that adds the account of an address; the device
/// asks for the password. None if the service has nothing to read or to send
/// by.
///
/// The same address gets the same identifiers, so that a profile that is
/// installed again replaces the first.
pub fn profile(service: &MailService, address: &SmtpAddress) -> Option<String> {
    let incoming = service.of(Protocol::Imap).next().or(service.of(Protocol::Pop3).next())?;
    let outgoing = service.of(Protocol::Submission).next()?;
    let domain = address.domain().to_string();
    let name = service.name(&domain);
    let identifier = format!("{}.mail", reversed(&domain));
    let mail = address.to_string();
    Some(document(HEAD, |xml| {
        inside(xml, "plist", &[("version", "1.0")], |xml| {
            dict(xml, |xml| {
                text(xml, "key", "PayloadContent")?;
                inside(xml, "array", &[], |xml| {
                    dict(xml, |xml| {
                        account(xml, incoming, outgoing, &mail, &name)?;
                        payload(xml, "com.apple.mail.managed", &identifier, "account", &mail)
                    })
                })?;
                string(xml, "PayloadDisplayName", &name)?;
                string(xml, "PayloadDescription", &format!("Mail of {mail}"))?;
                payload(xml, "Configuration", &identifier, "profile", &mail)
            })
        })
    }))
}

fn account(
    xml: &mut Xml,
    incoming: &Server,
    outgoing: &Server,
    address: &str,
    name: &str,
) -> io::Result<()> {
    let kind = match incoming.protocol {
        Protocol::Pop3 => "EmailTypePOP",
        Protocol::Imap | Protocol::Submission => "EmailTypeIMAP",
    };
    string(xml, "EmailAccountType", kind)?;
    string(xml, "EmailAccountDescription", name)?;
    string(xml, "EmailAddress", address)?;
    for (prefix, server) in [("Incoming", incoming), ("Outgoing", outgoing)] {
        let key = |field: &str| format!("{prefix}MailServer{field}");
        string(xml, &key("Authentication"), "EmailAuthPassword")?;
        string(xml, &key("HostName"), &server.host)?;
        text(xml, "key", &key("PortNumber"))?;
        text(xml, "integer", &server.port.to_string())?;
        // With STARTTLS too: the device looks which one the port wants.
        debug_assert!(matches!(server.socket, Socket::Tls | Socket::StartTls));
        flag(xml, &key("UseSSL"), true)?;
        string(xml, &key("Username"), address)?;
    }
    flag(xml, "OutgoingPasswordSameAsIncomingPassword", true)
}

/// What every payload has.
fn payload(xml: &mut Xml, kind: &str, identifier: &str, part: &str, mail: &str) -> io::Result<()> {
    string(xml, "PayloadType", kind)?;
    string(xml, "PayloadIdentifier", &format!("{identifier}.{part}"))?;
    string(xml, "PayloadUUID", &uuid(part, mail))?;
    text(xml, "key", "PayloadVersion")?;
    text(xml, "integer", "1")
}

/// The domain as reverse-DNS identifiers have it.
fn reversed(domain: &str) -> String {
    domain.split('.').rev().collect::<Vec<_>>().join(".")
}

/// The same for the same part and address, and no address can be read from it.
fn uuid(part: &str, mail: &str) -> String {
    let hash = Sha256::digest(format!("concord mail profile {part} {mail}"));
    let mut octets = [0; 16];
    octets.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
    uuid::Builder::from_random_bytes(octets).into_uuid().hyphenated().to_string().to_uppercase()
}

fn dict(xml: &mut Xml, write: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<()> {
    inside(xml, "dict", &[], write)
}

fn string(xml: &mut Xml, key: &str, value: &str) -> io::Result<()> {
    text(xml, "key", key)?;
    text(xml, "string", value)
}

fn flag(xml: &mut Xml, key: &str, value: bool) -> io::Result<()> {
    text(xml, "key", key)?;
    xml.create_element(if value { "true" } else { "false" }).write_empty().map(|_| ())
}
