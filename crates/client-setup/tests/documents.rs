//! What each program reads from its document.

#![allow(clippy::unwrap_used)] // in helpers, too, a panic is a failed test

use concord_client_setup::{
    AutodiscoverError, AutodiscoverRequest, MAX_REQUEST, MailService, Protocol, Server, Socket,
    autoconfig, autodiscover, autodiscover_error, profile, redirect,
};
use quick_xml::Reader;
use quick_xml::events::Event;

fn service() -> MailService {
    let server = |protocol, port, socket| Server {
        protocol,
        host: "mail.example.com".to_owned(),
        port,
        socket,
    };
    MailService {
        name: Some("Example & Sons".to_owned()),
        servers: vec![
            server(Protocol::Imap, 993, Socket::Tls),
            server(Protocol::Imap, 143, Socket::StartTls),
            server(Protocol::Pop3, 995, Socket::Tls),
            server(Protocol::Submission, 465, Socket::Tls),
            server(Protocol::Submission, 587, Socket::StartTls),
        ],
    }
}

/// Every text with the path to it, as a program would look it up.
fn texts(document: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(document);
    let (mut path, mut found, mut value) = (Vec::<String>::new(), Vec::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let mut name = start.name().as_ref().to_owned();
                if let Some(kind) = start.try_get_attribute("type").unwrap() {
                    name.push(':');
                    name.push_str(&kind.value);
                }
                path.push(name);
                value.clear();
            }
            Event::Empty(empty) => {
                let name = empty.name().as_ref().to_owned();
                found.push((format!("{}/{name}", path.join("/")), String::new()));
            }
            Event::Text(text) => value.push_str(&text.xml10_content()),
            Event::GeneralRef(name) if name.xml10_content() == "amp" => value.push('&'),
            Event::End(_) => {
                if !value.trim().is_empty() {
                    found.push((path.join("/"), value.trim().to_owned()));
                }
                value.clear();
                path.pop();
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn values(document: &str, path: &str) -> Vec<String> {
    texts(document).into_iter().filter(|(at, _)| at == path).map(|(_, value)| value).collect()
}

#[test]
fn thunderbird_finds_servers_in_the_order_of_preference() {
    let document = autoconfig(&service(), "example.com");
    let provider = "clientConfig/emailProvider";
    assert_eq!(values(&document, &format!("{provider}/domain")), ["example.com"]);
    assert_eq!(values(&document, &format!("{provider}/displayName")), ["Example & Sons"]);
    let imap = format!("{provider}/incomingServer:imap");
    assert_eq!(values(&document, &format!("{imap}/port")), ["993", "143"]);
    assert_eq!(values(&document, &format!("{imap}/socketType")), ["SSL", "STARTTLS"]);
    assert_eq!(values(&document, &format!("{imap}/username")), ["%EMAILADDRESS%"; 2]);
    let smtp = format!("{provider}/outgoingServer:smtp");
    assert_eq!(values(&document, &format!("{smtp}/port")), ["465", "587"]);
    assert_eq!(values(&document, &format!("{smtp}/authentication")), ["password-cleartext"; 2]);
    assert!(document.contains("<clientConfig version=\"1.1\">"));
}

fn request(address: &str, schema: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover \
         xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">\
         <Request><EMailAddress>{address}</EMailAddress>\
         <AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    )
}

const OUTLOOK: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

#[test]
fn outlook_gets_one_server_of_each_protocol() {
    let asked = AutodiscoverRequest::parse(request("alice@example.com", OUTLOOK).as_bytes());
    let document = autodiscover(&service(), &asked.unwrap());
    let protocol = "Autodiscover/Response/Account/Protocol";
    assert_eq!(values(&document, &format!("{protocol}/Type")), ["IMAP", "POP3", "SMTP"]);
    assert_eq!(values(&document, &format!("{protocol}/Port")), ["993", "995", "465"]);
    assert_eq!(values(&document, &format!("{protocol}/Encryption")), ["SSL"; 3]);
    assert_eq!(values(&document, &format!("{protocol}/LoginName")), ["alice@example.com"; 3]);
    assert_eq!(values(&document, "Autodiscover/Response/Account/Action"), ["settings"]);
}

#[test]
fn requests_that_are_none_have_an_answer_too() {
    let parse = |text: &str| AutodiscoverRequest::parse(text.as_bytes()).unwrap_err();
    let mobile =
        "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";
    assert_eq!(parse(&request("a@example.com", mobile)), AutodiscoverError::OtherSchema);
    for text in [
        "",
        "<Autodiscover>",
        "{}",
        "<Autodiscover><Request/></Autodiscover>",
        &request("nobody", OUTLOOK),
        &request("a&b;@example.com", OUTLOOK),
        &format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{}", request("a@example.com", OUTLOOK)),
        &"<a>".repeat(1_000),
        &format!("{}{}", request("a@example.com", OUTLOOK), " ".repeat(MAX_REQUEST)),
    ] {
        assert_eq!(parse(text), AutodiscoverError::Invalid, "{text}");
    }
    let document = autodiscover_error(AutodiscoverError::Invalid, "10:20:30.000", "7");
    assert_eq!(values(&document, "Autodiscover/Response/Error/ErrorCode"), ["600"]);
}

#[test]
fn version_two_leads_to_version_one() {
    let answer = redirect("autodiscoverv1", "mail.example.com").unwrap();
    assert!(answer.contains("\"https://mail.example.com/autodiscover/autodiscover.xml\""));
    assert_eq!(redirect("ActiveSync", "mail.example.com"), None);
}

/// The values of a property list by their keys, whatever their depth.
fn property(document: &str, key: &str) -> Vec<String> {
    let all = texts(document);
    all.iter()
        .zip(all.iter().skip(1))
        .filter(|((at, name), _)| at.ends_with("/key") && name == key)
        .map(|(_, (at, value))| {
            if value.is_empty() { at.rsplit('/').next().unwrap().to_owned() } else { value.clone() }
        })
        .collect()
}

#[test]
fn an_apple_device_gets_an_account_with_tls() {
    let address = "alice@example.com".parse().unwrap();
    let document = profile(&service(), &address).unwrap();
    for (key, value) in [
        ("EmailAccountType", "EmailTypeIMAP"),
        ("EmailAddress", "alice@example.com"),
        ("IncomingMailServerHostName", "mail.example.com"),
        ("IncomingMailServerPortNumber", "993"),
        ("IncomingMailServerUseSSL", "true"),
        ("IncomingMailServerUsername", "alice@example.com"),
        ("OutgoingMailServerPortNumber", "465"),
        ("OutgoingMailServerUseSSL", "true"),
        ("OutgoingPasswordSameAsIncomingPassword", "true"),
        ("PayloadDisplayName", "Example & Sons"),
    ] {
        assert_eq!(property(&document, key), [value], "{key}");
    }
    assert_eq!(property(&document, "PayloadType"), ["com.apple.mail.managed", "Configuration"]);
    let ids = property(&document, "PayloadUUID");
    assert!(ids.len() == 2 && ids[0] != ids[1] && ids[0].len() == 36, "{ids:?}");
    assert_eq!(profile(&service(), &address), Some(document), "the same again");
}

#[test]
fn a_service_that_cannot_send_has_no_profile() {
    let mut service = service();
    service.servers.retain(|server| server.protocol != Protocol::Submission);
    assert_eq!(profile(&service, &"a@example.com".parse().unwrap()), None);
}

proptest::proptest! {
    #[test]
    fn no_octets_make_it_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = AutodiscoverRequest::parse(&body);
    }

    #[test]
    fn no_address_breaks_a_document(local in "[a-z!#$%&'*+/=?^_`{|}~-]{1,20}") {
        let address = format!("{local}@example.com").parse().unwrap();
        let document = profile(&service(), &address).unwrap();
        let document = document.replace("&apos;", "'").replace("&lt;", "<").replace("&gt;", ">");
        proptest::prop_assert!(!texts(&document).is_empty());
    }
}
