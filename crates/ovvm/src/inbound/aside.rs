//! Files that cannot be read, or that nobody can be told about: they go into the
//! core's queue with the reason, as they came, and an administrator lets them go or
//! deletes them. Those behind them go on.

use super::bring::{Arrival, Brought};
use super::letter::{Letter, digest_of};
use crate::shared::Shared;
use concord_connector::{Submitted, on_one_line};
use mail_builder::MessageBuilder;

impl Shared {
    /// Puts a file aside.
    pub(super) async fn put_aside(&self, arrival: &Arrival, why: &str) -> Brought {
        let recipient = match &arrival.file.destination {
            Some(destination) => {
                self.internet(destination).await.map_err(|error| error.to_string())?
            }
            None => None,
        };
        let octets = self.wrapped(arrival, why).ok_or("a file cannot be put aside")?;
        for to in recipient.into_iter().chain(self.postmaster()) {
            let letter = Letter {
                recipients: vec![to],
                octets: octets.clone(),
                hold: Some(why.to_owned()),
                is_report: true,
                ..Letter::of(arrival)
            };
            match self.submit(arrival, &letter).await {
                Submitted::Later(why) | Submitted::Broken(why) => return Err(why),
                Submitted::Taken { repeated: true, .. } => return Ok("repeated"),
                Submitted::Taken { .. } => {
                    let text = format!(
                        "a file from {} was put aside: {why}; look at it with 'concord queue list \
                         --quarantined', then let it go or delete it",
                        arrival.partner
                    );
                    self.notice("ovvm.put-aside", &text).await;
                    return Ok("quarantined");
                }
                Submitted::Refused(replies) => {
                    let said = replies.first().map(on_one_line).unwrap_or_default();
                    tracing::warn!(
                        key = arrival.key,
                        said,
                        "a file cannot be put aside for this one"
                    );
                }
            }
        }
        let text = format!(
            "a file from {} cannot be put aside ({why}), because nobody takes mail for \
             postmaster@{}; the partner keeps it, and nothing behind it comes",
            arrival.partner, self.host
        );
        self.notice("ovvm.no-postmaster", &text).await;
        Err("nobody takes mail for the postmaster".to_owned())
    }

    /// A message with the file's records in it.
    fn wrapped(&self, arrival: &Arrival, why: &str) -> Option<Vec<u8>> {
        let file = &arrival.file;
        let user = |one: &Option<concord_cms_mail::HostAddress>| {
            one.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string)
        };
        let (from, to) = (user(&file.origin), user(&file.destination));
        let (name, kind) = (file.name.trim(), file.kind.trim());
        let text = format!(
            "A spool file from {from} for {to} was put aside.\r\n\r\nReason: {why}\r\n\r\nFile: \
             {name} {kind}, class {}, form {}, {} records, the longest of {} octets.\r\nThe file \
             is attached as it came: its records one behind another, in EBCDIC.\r\n",
            file.class,
            file.form.trim(),
            file.records.len(),
            file.records.longest()
        );
        let id = format!("vm-aside.{}@{}", digest_of(arrival.key.as_bytes()), self.host);
        let message = MessageBuilder::new()
            .message_id(id)
            .date(self.clock.now().seconds())
            .from(self.postmaster()?.to_string())
            .to(self.postmaster()?.to_string())
            .subject(format!("File {name} {kind} from {from}"))
            .text_body(text)
            .attachment(
                "application/octet-stream",
                format!("{name}.{kind}"),
                file.records.joined().to_vec(),
            );
        message.write_to_vec().ok()
    }
}
