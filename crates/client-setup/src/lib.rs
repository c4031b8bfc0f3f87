//! Documents from which mail programs set an account up by its address alone.
//!
//! | program | document | source |
//! |---|---|---|
//! | Thunderbird and others | [`autoconfig`] | Mozilla's autoconfiguration file format 1.1 |
//! | Outlook | [`autodiscover`], [`redirect`] | MS-OXDSCLI; Autodiscover version 2 |
//! | Apple Mail | [`profile`] | Apple's Configuration Profile Reference |
//!
//! Pure: addresses, hosts, ports and kinds of sockets in, documents out. No
//! I/O, no clock. It says nothing of passwords, and whether an address exists
//! is nothing that a document depends on: nobody can ask who has a mailbox.
//!
//! Invariants: only sockets with TLS are ever told; the first server of a
//! protocol is the one to prefer (RFC 8314: TLS from the first octet); no input
//! makes it panic.

mod apple;
mod autoconfig;
mod autodiscover;
mod service;
mod xml;

pub use apple::profile;
pub use autoconfig::autoconfig;
pub use autodiscover::{
    AutodiscoverError, AutodiscoverRequest, MAX_REQUEST, autodiscover, autodiscover_error, redirect,
};
pub use service::{MailService, Protocol, Server, Socket};

/// What the fuzzer calls with any octets.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let service = MailService {
        name: None,
        servers: vec![Server {
            protocol: Protocol::Imap,
            host: "mail.example.com".to_owned(),
            port: 993,
            socket: Socket::Tls,
        }],
    };
    if let Ok(request) = AutodiscoverRequest::parse(data) {
        let answer = autodiscover(&service, &request);
        let again = AutodiscoverRequest::parse(answer.as_bytes());
        assert!(again.is_err(), "an answer is no request");
        let _ = profile(&service, &request.address);
        let _ = autoconfig(&service, &request.address.domain().to_string());
    }
}
