//! Outlook's Autodiscover (MS-OXDSCLI): a POST with an address, an answer with
//! servers; and the JSON of its second version, which leads to the first.

use crate::service::{MailService, Protocol, Server, Socket};
use crate::xml::{Xml, document, inside, text};
use concord_address::SmtpAddress;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::io;

/// A request is some hundred octets.
pub const MAX_REQUEST: usize = 16 << 10;
/// `Autodiscover/Request/EMailAddress` are three.
const MAX_DEPTH: usize = 16;

/// What an answer is in.
const ANSWER: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
/// What settings of accounts are in (MS-OXDSCLI section 2.2.4).
const OUTLOOK: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

/// What Outlook asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutodiscoverRequest {
    /// The account's address.
    pub address: SmtpAddress,
}

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AutodiscoverError {
    /// It is no request, or has no address that can be one.
    #[error("Invalid Request")]
    Invalid,
    /// It wants an answer of another kind, for example for ActiveSync.
    #[error("Provider is not available")]
    OtherSchema,
}

impl AutodiscoverError {
    /// MS-OXDSCLI section 2.2.4.1.2.
    fn code(self) -> &'static str {
        match self {
            Self::Invalid => "600",
            Self::OtherSchema => "601",
        }
    }
}

impl AutodiscoverRequest {
    /// Reads the body of a request, at most [`MAX_REQUEST`] octets.
    ///
    /// # Errors
    /// As [`AutodiscoverError`].
    pub fn parse(body: &[u8]) -> Result<Self, AutodiscoverError> {
        let text = std::str::from_utf8(body).map_err(|_| AutodiscoverError::Invalid)?;
        if text.len() > MAX_REQUEST {
            return Err(AutodiscoverError::Invalid);
        }
        let found = fields(text).ok_or(AutodiscoverError::Invalid)?;
        if found.schema.is_some_and(|schema| schema != OUTLOOK) {
            return Err(AutodiscoverError::OtherSchema);
        }
        let address = found.address.ok_or(AutodiscoverError::Invalid)?;
        let address = address.parse().map_err(|_| AutodiscoverError::Invalid)?;
        Ok(Self { address })
    }
}

#[derive(Default)]
struct Fields {
    address: Option<String>,
    schema: Option<String>,
}

/// What stands in `Autodiscover/Request`; none if that is not well formed.
fn fields(text: &str) -> Option<Fields> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let mut value = String::new();
    let mut found = Fields::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                open.push(start.local_name().as_ref().to_owned());
                if open.len() > MAX_DEPTH {
                    return None;
                }
                value.clear();
            }
            Event::Text(part) => value.push_str(&part.xml10_content()),
            Event::GeneralRef(part) => {
                // The five of XML itself; a document type could define others.
                value.push_str(match part.xml10_content().as_ref() {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "apos" => "'",
                    "quot" => "\"",
                    _ => return None,
                });
            }
            Event::End(_) => {
                let path: Vec<&str> = open.iter().map(String::as_str).collect();
                match path.as_slice() {
                    ["Autodiscover", "Request", "EMailAddress"] => {
                        found.address = Some(value.trim().to_owned());
                    }
                    ["Autodiscover", "Request", "AcceptableResponseSchema"] => {
                        found.schema = Some(value.trim().to_owned());
                    }
                    _ => {}
                }
                open.pop();
            }
            Event::DocType(_) => return None,
            Event::Eof => return open.is_empty().then_some(found),
            _ => {}
        }
    }
}

/// The answer to a request.
pub fn autodiscover(service: &MailService, request: &AutodiscoverRequest) -> String {
    let address = request.address.to_string();
    document("", |xml| {
        inside(xml, "Autodiscover", &[("xmlns", ANSWER)], |xml| {
            inside(xml, "Response", &[("xmlns", OUTLOOK)], |xml| {
                inside(xml, "User", &[], |xml| text(xml, "DisplayName", &address))?;
                inside(xml, "Account", &[], |xml| {
                    text(xml, "AccountType", "email")?;
                    text(xml, "Action", "settings")?;
                    for (protocol, kind) in [
                        (Protocol::Imap, "IMAP"),
                        (Protocol::Pop3, "POP3"),
                        (Protocol::Submission, "SMTP"),
                    ] {
                        // Outlook reads one of each.
                        if let Some(server) = service.of(protocol).next() {
                            one(xml, kind, server, &address)?;
                        }
                    }
                    Ok(())
                })
            })
        })
    })
}

fn one(xml: &mut Xml, kind: &str, server: &Server, login: &str) -> io::Result<()> {
    inside(xml, "Protocol", &[], |xml| {
        text(xml, "Type", kind)?;
        text(xml, "Server", &server.host)?;
        text(xml, "Port", &server.port.to_string())?;
        text(xml, "DomainRequired", "off")?;
        text(xml, "LoginName", login)?;
        text(xml, "SPA", "off")?;
        text(xml, "SSL", "on")?;
        // "Encryption" overrides "SSL" where it is known.
        let encryption = match server.socket {
            Socket::Tls => "SSL",
            Socket::StartTls => "TLS",
        };
        text(xml, "Encryption", encryption)?;
        text(xml, "AuthRequired", "on")?;
        if server.protocol == Protocol::Submission {
            text(xml, "UsePOPAuth", "off")?;
            text(xml, "SMTPLast", "off")?;
        }
        Ok(())
    })
}

/// The answer to a request that has none. `time` is the time of day,
/// `HH:MM:SS.mmm`; `id` any number that a log may have too.
pub fn autodiscover_error(error: AutodiscoverError, time: &str, id: &str) -> String {
    document("", |xml| {
        inside(xml, "Autodiscover", &[("xmlns", ANSWER)], |xml| {
            inside(xml, "Response", &[], |xml| {
                inside(xml, "Error", &[("Time", time), ("Id", id)], |xml| {
                    text(xml, "ErrorCode", error.code())?;
                    text(xml, "Message", &error.to_string())?;
                    text(xml, "DebugData", "")
                })
            })
        })
    })
}

/// Version 2, `GET /autodiscover/autodiscover.json?Protocol=...`: where the
/// first version is. None for protocols that are not here.
pub fn redirect(protocol: &str, host: &str) -> Option<String> {
    protocol.eq_ignore_ascii_case("AutodiscoverV1").then(|| {
        serde_json::json!({
            "Protocol": "AutodiscoverV1",
            "Url": format!("https://{host}/autodiscover/autodiscover.xml"),
        })
        .to_string()
    })
}
