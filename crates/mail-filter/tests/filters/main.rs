//! The filters with real peers (rspamd, ClamAV, a Python milter) and with a
//! milter that dies at every point of the protocol.

// Clippy takes only the functions marked as tests for tests; all of this is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod chains;
mod clamav;
mod configuration;
mod failures;
mod fake;
mod opendkim;
mod python;
mod rspamd;

use bytes::Bytes;
use concord_mail_filter::{
    Chain, ClientFacts, FilterConfig, FilterSession, QueueFacts, TlsFacts, Traffic, Verdict,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    filter: Vec<FilterConfig>,
}

fn configs(text: &str) -> Vec<FilterConfig> {
    toml::from_str::<Policy>(text).unwrap().filter
}

fn chain(text: &str) -> Chain {
    Chain::new(&configs(text), Traffic::Inbound).unwrap()
}

fn client() -> ClientFacts {
    ClientFacts {
        ip: Some([192, 0, 2, 7].into()),
        port: 4711,
        name: Some("client.example.com".into()),
        helo: String::new(),
        tls: None,
        hostname: "mail.example.test".into(),
    }
}

fn tls() -> Option<TlsFacts> {
    let (version, cipher) = ("TLSv1.3".into(), "TLS_AES_256_GCM_SHA384".into());
    Some(TlsFacts { version, cipher, bits: 256 })
}

fn queue() -> QueueFacts {
    QueueFacts { queue_id: "Q1A2".into(), own_fields: 1 }
}

/// As a server has it: its own trace field on top.
fn message(subject: &str, body: &str) -> Bytes {
    Bytes::from(format!(
        "Received: from client.example.com by mail.example.test; Sat, 28 Nov 2026 10:00:00 +0000\r\n\
         From: Ann <ann@example.com>\r\nTo: bob@example.test\r\nSubject: {subject}\r\n\
         Message-ID: <1@example.com>\r\nDate: Sat, 28 Nov 2026 10:00:00 +0000\r\n\r\n{body}\r\n"
    ))
}

/// HELO, MAIL and one RCPT, none of which is refused.
async fn begin(session: &mut FilterSession) {
    assert_eq!(session.helo("client.example.com", tls()).await, None);
    let parameters = ["SIZE=1000".to_owned()];
    assert_eq!(session.mail("ann@example.com", &parameters, None).await, None);
    assert_eq!(session.rcpt("bob@example.test", &[]).await, None);
}

/// A whole session with one message.
async fn judged(chain: &Chain, message: &Bytes) -> Verdict {
    let mut session = chain.session(client());
    begin(&mut session).await;
    let verdict = session.message(message, &queue()).await;
    session.end().await;
    verdict
}

fn text(message: &Bytes) -> String {
    String::from_utf8_lossy(message).into_owned()
}
