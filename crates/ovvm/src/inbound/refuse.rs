//! Files that the core does not take: their senders are told.

use super::bring::{Arrival, Brought};
use super::letter::{Letter, digest_of};
use crate::shared::Shared;
use concord_address::{SmtpAddress, TypedAddress};
use concord_connector::{Submitted, on_one_line};
use concord_message::{Original, Report, ReportKind, ReportRecipient, Stamp, render};
use concord_smtp::Reply;

impl Shared {
    /// Nobody gets the file.
    pub(super) async fn refuse_all(&self, arrival: &Arrival, reply: &Reply) -> Brought {
        let whom = arrival.file.destination.as_ref().and_then(|one| one.typed());
        let postmaster = || Some(TypedAddress::from(self.postmaster()?));
        match whom.or_else(postmaster) {
            Some(whom) => self.refuse(arrival, &[(whom, reply.clone())], "").await,
            None => self.put_aside(arrival, &on_one_line(reply)).await,
        }
    }

    /// Tells the sender who does not get the file: a report that the core keeps
    /// under the file's key, with `suffix` behind it if another letter has the key.
    pub(super) async fn refuse(
        &self,
        arrival: &Arrival,
        refused: &[(TypedAddress, Reply)],
        suffix: &str,
    ) -> Brought {
        let sender = self.sender(arrival).await.map_err(|error| error.to_string())?;
        let Some(sender) = sender else {
            let why = refused.first().map(|(_, reply)| on_one_line(reply)).unwrap_or_default();
            return self.put_aside(arrival, &format!("nobody is told of it: {why}")).await;
        };
        let key = format!("{}{suffix}", arrival.key);
        let octets = self.report_of(&key, arrival, refused, &sender);
        let letter = Letter {
            recipients: vec![sender],
            octets: octets.ok_or("a report cannot be written")?,
            key,
            is_report: true,
            ..Letter::default()
        };
        match self.submit(arrival, &letter).await {
            Submitted::Later(why) | Submitted::Broken(why) => Err(why),
            Submitted::Taken { repeated: true, .. } => Ok("repeated"),
            Submitted::Taken { .. } => {
                tracing::info!(
                    audience = "operator",
                    key = arrival.key,
                    count = refused.len(),
                    reply = refused.first().map(|(_, reply)| on_one_line(reply)),
                    "recipients of a file were refused; its sender is told"
                );
                Ok("refused")
            }
            Submitted::Refused(replies) => {
                let said = replies.first().map(on_one_line).unwrap_or_default();
                self.put_aside(arrival, &format!("its sender does not take reports: {said}")).await
            }
        }
    }

    pub(super) fn postmaster(&self) -> Option<SmtpAddress> {
        format!("postmaster@{}", self.host).parse().ok()
    }

    pub(super) fn report_of(
        &self,
        key: &str,
        arrival: &Arrival,
        refused: &[(TypedAddress, Reply)],
        sender: &SmtpAddress,
    ) -> Option<Vec<u8>> {
        let recipient = |(whom, reply): &(TypedAddress, Reply)| {
            let status = reply.status_or_generic();
            ReportRecipient {
                final_recipient: whom.clone(),
                original: None,
                action: ReportKind::Failed,
                status,
                remote_mta: None,
                diagnostic: Some(on_one_line(reply)),
                last_attempt: None,
                will_retry_until: None,
            }
        };
        let entered = arrival.file.entered;
        let report = Report {
            kind: ReportKind::Failed,
            reporting_mta: self.host.to_string(),
            arrival: entered.map(|at| concord_base::Timestamp::from_seconds(at.as_second())),
            queue_id: None,
            envelope_id: None,
            sender: Some(sender.clone()),
            message_id: String::new(),
            subject: format!("{} {}", arrival.file.name.trim(), arrival.file.kind.trim()),
            recipients: refused.iter().map(recipient).collect(),
            original: Original::None,
            smtputf8: !sender.is_ascii(),
        };
        let from = self.postmaster()?;
        let digest = digest_of(key.as_bytes());
        let (id, boundary) = (format!("vm-report.{digest}@{}", self.host), format!("=_{digest}"));
        let date = self.clock.now();
        let stamp = Stamp { message_id: &id, date, from: &from, boundary: &boundary };
        Some(render(&report, &stamp))
    }
}
