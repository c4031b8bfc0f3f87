//! Batches from mailers (BSMTP).

use super::bring::{Arrival, Brought};
use super::letter::Letter;
use crate::shared::Shared;
use concord_address::{Domain, SmtpAddress, TypedAddress};
use concord_cms_mail::bsmtp::{self, Batch, BatchError, BatchMessage};
use concord_cms_mail::netdata::{FileName, Transmission};
use concord_cms_mail::{HostAddress, read_lines};
use concord_smtp::Reply;
use std::sync::Arc;

/// How mailers of BITNET write the node of an address.
const BITNET: &str = "bitnet";

impl Shared {
    /// The batch in a transmission, if it is one.
    pub(super) fn batch_within(&self, sent: &Transmission) -> Option<Result<Batch, BatchError>> {
        let file = sent.files.iter().find(|file| file.name != FileName::Note)?;
        let lines = read_lines(&file.data(), self.settings.page);
        bsmtp::is_batch(&lines).then(|| bsmtp::read(&lines))
    }

    /// Each message of a batch for itself; a message that comes again is known.
    pub(super) async fn batch(self: &Arc<Self>, arrival: &Arc<Arrival>, batch: Batch) -> Brought {
        for (place, line) in &batch.odd {
            tracing::info!(key = arrival.key, %place, line, "a command of a batch is not understood");
        }
        if batch.messages.is_empty() {
            return Ok("dropped");
        }
        let mut outcome = "repeated";
        for (number, message) in batch.messages.iter().enumerate() {
            let brought = self.of_batch(arrival, number, message).await?;
            if brought != "repeated" {
                outcome = brought;
            }
        }
        Ok(outcome)
    }

    async fn of_batch(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        number: usize,
        message: &BatchMessage,
    ) -> Brought {
        let key = format!("{}/{number}", arrival.key);
        let mut recipients = Vec::new();
        let mut nobody = Vec::new();
        for path in &message.recipients {
            match self.path(path).await? {
                Some(address) => recipients.push(address),
                None => nobody.push(self.refusal(path)),
            }
        }
        let sender = match message.sender.is_empty() {
            true => None,
            false => self.path(&message.sender).await?,
        };
        let mut octets = message.lines.join("\r\n").into_bytes();
        octets.extend_from_slice(b"\r\n");
        let mut outcome = "refused";
        if !recipients.is_empty() {
            let letter =
                Letter { sender, recipients, octets, key: key.clone(), ..Letter::default() };
            outcome = self.send(arrival, letter).await?;
        }
        let nobody: Vec<(TypedAddress, Reply)> = nobody.into_iter().flatten().collect();
        if !nobody.is_empty() {
            self.refuse_to(arrival, message, &nobody, &format!("{key}/n")).await?;
        }
        Ok(outcome)
    }

    fn refusal(&self, path: &str) -> Option<(TypedAddress, Reply)> {
        let smtp: SmtpAddress = path.parse().ok()?;
        let host = host_of(&smtp);
        let text = format!("<{path}> is nobody here");
        let typed = host.and_then(|host| host.typed()).unwrap_or_else(|| smtp.into());
        Some((typed, Reply::new(550, (5, 1, 1), text)))
    }

    /// Tells the sender of a message of a batch, who may be anybody.
    async fn refuse_to(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        message: &BatchMessage,
        refused: &[(TypedAddress, Reply)],
        key: &str,
    ) -> Brought {
        let sender = match message.sender.is_empty() {
            true => None,
            false => self.path(&message.sender).await?,
        };
        let Some(sender) = sender else { return Ok("dropped") };
        let octets = self.report_of(key, arrival, refused, &sender);
        let letter = Letter {
            recipients: vec![sender],
            octets: octets.ok_or("a report cannot be written")?,
            key: key.to_owned(),
            is_report: true,
            ..Letter::default()
        };
        self.send(arrival, letter).await
    }

    /// A path of a batch as an address here: one at a node is a user of a host,
    /// others are the Internet's. None for nobody.
    async fn path(&self, path: &str) -> Result<Option<SmtpAddress>, String> {
        let Ok(smtp) = path.parse::<SmtpAddress>() else { return Ok(None) };
        match host_of(&smtp) {
            Some(host) => self.internet(&host).await.map_err(|error| error.to_string()),
            None => Ok(Some(smtp)),
        }
    }
}

/// The user of a node that an address is: its domain has one part, or is of
/// BITNET.
fn host_of(address: &SmtpAddress) -> Option<HostAddress> {
    let Domain::Name(domain) = address.domain() else { return None };
    let node = match domain.rsplit_once('.') {
        None => domain.as_str(),
        Some((node, top)) if top.eq_ignore_ascii_case(BITNET) => node,
        Some(_) => return None,
    };
    HostAddress::new(node, address.local_part()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_at_nodes_are_users_of_hosts() {
        let host = |text: &str| host_of(&text.parse().unwrap()).map(|host| host.to_string());
        assert_eq!(host("bob@VMSP6").as_deref(), Some("VMSP6(BOB)"));
        assert_eq!(host("bob@nodeb.bitnet").as_deref(), Some("NODEB(BOB)"));
        assert_eq!(host("bob@example.com"), None);
        assert_eq!(host("a.long.name@VMSP6"), None);
    }
}
