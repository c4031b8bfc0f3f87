//! Messages for the core.

use super::bring::Arrival;
use crate::shared::Shared;
use bytes::Bytes;
use concord_address::{SmtpAddress, TypedAddress, decapsulate};
use concord_message::{date, is_eight_bit};
use concord_smtp::{BodyType, MailCommand, Notify, RcptCommand, Reply, Xforward};
use sha2::{Digest, Sha256};

/// Characters of what the core is told of a file.
const MAX_IDENT: usize = 100;

/// A message for the core.
#[derive(Debug, Clone, Default)]
pub(super) struct Letter {
    /// The reverse-path.
    pub sender: Option<SmtpAddress>,
    /// The forward-paths.
    pub recipients: Vec<SmtpAddress>,
    /// Whether success is to be reported.
    pub notify_success: bool,
    /// What reports bring back.
    pub envelope_id: Option<String>,
    /// RFC 5322 octets, without this hop's trace.
    pub octets: Vec<u8>,
    /// By which the core knows it when it comes again.
    pub key: String,
    /// Why it is put aside.
    pub hold: Option<String>,
    /// Whether it is a report, which nobody is told about.
    pub is_report: bool,
}

impl Letter {
    /// A letter with a file's key and nothing else.
    pub fn of(arrival: &Arrival) -> Self {
        Self { key: arrival.key.clone(), ..Self::default() }
    }

    /// Recipients who were refused, as reports name them.
    pub fn refused(&self, replies: &[Reply]) -> Vec<(TypedAddress, Reply)> {
        let all = self.recipients.iter().zip(replies).filter(|(_, reply)| !reply.is_ok());
        let typed = |address: &SmtpAddress| {
            decapsulate(address).unwrap_or_else(|| TypedAddress::from(address.clone()))
        };
        all.map(|(address, reply)| (typed(address), reply.clone())).collect()
    }

    pub(super) fn mail(&self, octets: &Bytes) -> MailCommand {
        let utf8 = !self.recipients.iter().chain(&self.sender).all(SmtpAddress::is_ascii);
        MailCommand {
            size: u64::try_from(octets.len()).ok(),
            body: is_eight_bit(octets).then_some(BodyType::EightBit),
            smtputf8: utf8,
            envid: self.envelope_id.clone(),
            ..MailCommand::new(self.sender.clone())
        }
    }

    pub(super) fn rcpts(&self) -> Vec<RcptCommand> {
        let notify = match self.is_report || self.sender.is_none() {
            true => Notify { success: false, failure: false, delay: false },
            false => {
                Notify { success: self.notify_success, failure: true, delay: self.notify_success }
            }
        };
        let rcpt = |address: &SmtpAddress| RcptCommand {
            notify: Some(notify),
            orcpt: decapsulate(address).map(|typed| {
                format!("{};{}", typed.kind().as_str().to_ascii_lowercase(), typed.value())
            }),
            ..RcptCommand::new(address.clone())
        };
        self.recipients.iter().map(rcpt).collect()
    }

    pub(super) fn forward(&self, arrival: &Arrival) -> Xforward {
        let file = &arrival.file;
        let from = file.origin.as_ref().map(ToString::to_string).unwrap_or_default();
        let ident = format!("{from} {} {}", file.name.trim(), file.kind.trim());
        Xforward {
            helo: Some(arrival.partner.to_string()),
            proto: Some("NJE".to_owned()),
            ident: Some(ident.chars().take(MAX_IDENT).collect()),
            source: Some("REMOTE".to_owned()),
            hold: self.hold.clone(),
            key: Some(self.key.clone()),
            ..Xforward::default()
        }
    }
}

impl Shared {
    /// The trace line of this hop, behind one for each that went before; so that
    /// the core ends loops that lead over hosts. A report, or a file that is put
    /// aside, begins its own way here: it must not be refused for what it is about.
    pub(super) fn trace(&self, arrival: &Arrival, letter: &Letter) -> Vec<u8> {
        let plain = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
        };
        let origin = arrival.file.origin.as_ref();
        let user = origin.map(|origin| plain(origin.user())).unwrap_or_default();
        let node = origin.map_or_else(|| plain(&arrival.partner.to_string()), |o| plain(o.node()));
        let date = date::rfc5322(self.clock.now());
        let mut lines = format!(
            "Received: from {node} ({user} by way of {})\r\n\tby {} (Concord {}) with NJE;\r\n\t{date}\r\n",
            plain(&arrival.partner.to_string()),
            self.host,
            self.name
        );
        let hops = if letter.is_report { 0 } else { arrival.hops.min(crate::spool::MAX_HOPS) };
        for hop in (1..=hops).rev() {
            lines.push_str(&format!(
                "Received: by {node} (hop {hop} before {});\r\n\t{date}\r\n",
                self.host
            ));
        }
        lines.into_bytes()
    }
}

/// A short name for octets.
pub(super) fn digest_of(octets: &[u8]) -> String {
    let digest = Sha256::digest(octets);
    digest.iter().take(16).map(|octet| format!("{octet:02x}")).collect()
}
