//! A message as the files that its recipient's node gets.

use super::batch;
use crate::book::Known;
use crate::settings::{MailForm, OvvmSettings};
use concord_address::SmtpAddress;
use concord_base::Fault;
use concord_cms_mail::convert::{Envelope, OutboundRules, outbound};
use concord_cms_mail::{HostAddress, SpoolFile, TextRules, outgoing};
use concord_connector::Outcome;
use jiff::Timestamp;
use std::sync::Arc;

/// A message, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The core's queue id.
    pub queue_id: String,
    /// RFC 5322 octets.
    pub octets: Arc<[u8]>,
    /// The reverse-path.
    pub reverse_path: Option<SmtpAddress>,
    /// The sender as hosts know them, and write to them.
    pub sender: HostAddress,
    /// Everybody whom it names.
    pub people: Arc<Known>,
    /// Its own time.
    pub at: Timestamp,
    /// Whether it asks for a read receipt.
    pub asks_receipt: bool,
    /// `Received` lines.
    pub hops: u16,
    /// The server's name.
    pub domain: String,
}

/// A recipient.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    /// Where they are.
    pub host: HostAddress,
    /// Whether the sender wants to hear of success.
    pub notify_success: bool,
}

/// What an acknowledgement is to bring back: the queue id, and what its sender
/// wants to hear.
pub(crate) fn acknowledgement_of(queue_id: &str, asks_receipt: bool) -> Vec<u8> {
    let wish = if asks_receipt { READ } else { DELIVERED };
    concord_nje::encode(&format!("{queue_id}{wish}"))
}

/// Behind the queue id in what acknowledgements bring back.
const READ: char = '+';
const DELIVERED: char = '-';

/// The queue id in what an acknowledgement brought back, and whether a read
/// receipt was asked for.
pub(crate) fn acknowledged(echo: &[u8]) -> Option<(String, bool)> {
    let text = concord_nje::decode(echo);
    let text = text.trim();
    let read = text.strip_suffix(READ);
    let queue_id = read.or_else(|| text.strip_suffix(DELIVERED))?;
    queue_id.parse::<concord_base::QueueId>().ok()?;
    Some((queue_id.to_owned(), read.is_some()))
}

/// The files of a message for a recipient. Takes its time: not for a thread that
/// others wait for.
pub(super) fn files(
    source: &Source,
    recipient: &Recipient,
    settings: &OvvmSettings,
) -> Result<Vec<SpoolFile>, Outcome> {
    let node = settings.nodes.of(recipient.host.node());
    if node.form == MailForm::Mailer {
        return batch::files(source, recipient, node, settings);
    }
    let wants = recipient.notify_success || source.asks_receipt;
    let envelope = Envelope {
        sender: source.sender.clone(),
        recipient: recipient.host.clone(),
        acknowledge: wants.then(|| acknowledgement_of(&source.queue_id, source.asks_receipt)),
        reference: Some(source.queue_id.clone()),
        accepted: source.at,
    };
    let layout = settings.layout(node.form);
    let rules = OutboundRules {
        manner: node.files,
        text: TextRules { columns: layout.margin, ..settings.text() },
        layout,
        zone: settings.zone.clone(),
        types: settings.types.clone(),
    };
    let made = outbound(&source.octets, &envelope, &*source.people, &rules);
    let made = made
        .ok_or_else(|| Outcome::own(554, (5, 6, 0), "this is no message that can be converted"));
    let made = made?.map_err(|error| unwritable(&error))?;
    made.transmissions
        .iter()
        .map(|one| outgoing::transmission(one, &recipient.host, source.at))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unwritable(&error))
}

/// What the core hears of a message that no file can hold.
pub(super) fn unwritable(error: &dyn Fault) -> Outcome {
    let status = error.enhanced_status();
    Outcome::own(554, (5, status.subject, status.detail), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_brings_back_which_message_it_is_of() {
        for read in [true, false] {
            let echo = acknowledgement_of("Q000012F", read);
            assert_eq!(acknowledged(&echo), Some(("Q000012F".to_owned(), read)));
        }
        assert_eq!(acknowledged(b"other"), None);
        assert_eq!(acknowledged(&concord_nje::encode("SOMETHING+")), None);
    }
}
