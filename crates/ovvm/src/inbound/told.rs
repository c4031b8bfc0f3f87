//! What hosts tell of our messages: acknowledgements, and notes that say that a
//! user is unknown. They become reports for the senders.

use super::bring::{Arrival, Brought};
use super::letter::{Letter, digest_of};
use crate::outbound::acknowledged;
use crate::shared::Shared;
use concord_address::{SmtpAddress, encapsulate};
use concord_base::EnhancedStatus;
use concord_cms_mail::convert::{People as _, Told};
use concord_cms_mail::netdata::{Acknowledgement, Netdata};
use concord_cms_mail::{Arrived, HostAddress, Undelivered, note};
use concord_connector::wire::SentMessage;
use concord_connector::{ApiError, Submitted, on_one_line};
use concord_message::{
    Disposition, DispositionReport, Original, Report, ReportKind, ReportRecipient, Stamp, render,
    render_disposition,
};
use std::sync::Arc;

/// Lines behind a host's sentence on an unknown user: our own notes say why there.
const MAX_LINES_BEHIND: usize = 4;

impl Shared {
    /// What a message of ours was; none if it is not remembered.
    async fn story(&self, queue_id: &str) -> Result<Option<SentMessage>, ApiError> {
        match self.api.message(queue_id).await {
            Err(ApiError::Refused { status: 400..500, .. }) => Ok(None),
            story => story,
        }
    }

    /// Acknowledgements (INMR07).
    pub(super) async fn acknowledged(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        all: &[Acknowledgement],
    ) -> Brought {
        let mut outcome = "dropped";
        for (number, said) in all.iter().enumerate() {
            let key = format!("{}/{number}", arrival.key);
            // One that brings nothing back is of a message for which none was
            // wanted, or nobody's.
            let echo = said.echo.as_deref().and_then(acknowledged);
            let Some((queue_id, asked_receipt)) = echo else { continue };
            let story = self.story(&queue_id).await.map_err(|error| error.to_string())?;
            let Some(story) = story else { continue };
            let Ok(to) = story.sender.parse::<SmtpAddress>() else { continue };
            let Some(told) = Told::acknowledged(said) else { continue };
            let told = if asked_receipt { told } else { delivered(told) };
            let octets = self.told(&key, told, &story, &to).await?;
            let Some(octets) = octets else { continue };
            outcome = self.report(arrival, key, to, octets).await?;
        }
        Ok(outcome)
    }

    /// What a host's note says of users who are unknown; nothing if the note is
    /// anything else.
    pub(super) fn bad_news(&self, arrival: &Arrival, arrived: &Arrived) -> Vec<BadNews> {
        let note = match arrived {
            Arrived::Note(note) => Some((**note).clone()),
            Arrived::Netdata(Netdata::Transmission(sent)) if sent.files.len() == 1 => {
                let lines = self.note_lines(sent).unwrap_or_default();
                note::read(&lines, &self.note_rules(arrival)).ok()
            }
            _ => None,
        };
        let node = arrival.file.origin.as_ref().map(HostAddress::node).unwrap_or_default();
        note.and_then(|note| bad_news(&note.text, node)).unwrap_or_default()
    }

    /// Tells the note's addressee, who sent a message to somebody unknown. Which
    /// one it was the sentences do not say.
    pub(super) async fn undelivered(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        destination: &HostAddress,
        said: &[BadNews],
    ) -> Brought {
        let to = match self.internet(destination).await {
            Ok(Some(to)) => to,
            Ok(None) => return Ok("dropped"),
            Err(error) => return Err(error.to_string()),
        };
        let recipients: Vec<ReportRecipient> = said.iter().filter_map(BadNews::report).collect();
        let subject = said.first().map(|one| one.said.note.clone()).unwrap_or_default();
        let story = SentMessage { subject, ..SentMessage::default() };
        match self.delivery_report(&arrival.key, recipients, &story, &to) {
            Some(octets) => self.report(arrival, arrival.key.clone(), to, octets).await,
            None => Ok("dropped"),
        }
    }

    /// Asks the core to acknowledge a file to its sender: a report of success that
    /// goes the way of reports, so that it is not lost.
    pub(super) async fn acknowledge_at_once(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        envelope_id: &str,
    ) -> Brought {
        let sender = self.sender(arrival).await.map_err(|error| error.to_string())?;
        let whom = arrival.file.destination.as_ref().and_then(HostAddress::typed);
        let (Some(sender), Some(whom)) = (sender, whom) else { return Ok("dropped") };
        let key = format!("{}/k", arrival.key);
        let story =
            SentMessage { envelope_id: Some(envelope_id.to_owned()), ..SentMessage::default() };
        let recipient = ReportRecipient {
            final_recipient: whom,
            original: None,
            action: ReportKind::Delivered,
            status: EnhancedStatus::new(2, 1, 5),
            remote_mta: None,
            diagnostic: None,
            last_attempt: None,
            will_retry_until: None,
        };
        match self.delivery_report(&key, vec![recipient], &story, &sender) {
            Some(octets) => self.report(arrival, key, sender, octets).await,
            None => Ok("dropped"),
        }
    }

    async fn report(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        key: String,
        to: SmtpAddress,
        octets: Vec<u8>,
    ) -> Brought {
        let letter =
            Letter { recipients: vec![to], octets, key, is_report: true, ..Letter::default() };
        match self.submit(arrival, &letter).await {
            Submitted::Later(why) | Submitted::Broken(why) => Err(why),
            Submitted::Taken { repeated: false, .. } => Ok("taken"),
            Submitted::Taken { repeated: true, .. } => Ok("repeated"),
            // Who does not take reports gets none: a report has no sender to be
            // told (RFC 5321 section 6.1).
            Submitted::Refused(replies) => {
                let said = replies.first().map(on_one_line).unwrap_or_default();
                tracing::warn!(key = arrival.key, said, "a report was refused");
                Ok("dropped")
            }
        }
    }

    /// A delivery report in octets; none without a recipient.
    fn delivery_report(
        &self,
        key: &str,
        recipients: Vec<ReportRecipient>,
        story: &SentMessage,
        to: &SmtpAddress,
    ) -> Option<Vec<u8>> {
        let arrival = story.received.parse::<jiff::Timestamp>().ok();
        let report = Report {
            kind: recipients.first()?.action,
            reporting_mta: self.host.to_string(),
            arrival: arrival.map(|at| concord_base::Timestamp::from_seconds(at.as_second())),
            queue_id: Some(story.queue_id.clone()).filter(|id| !id.is_empty()),
            envelope_id: story.envelope_id.clone(),
            sender: Some(to.clone()),
            message_id: story.message_id.clone(),
            subject: story.subject.clone(),
            recipients,
            original: Original::None,
            smtputf8: !to.is_ascii(),
        };
        self.stamped(key, |stamp| render(&report, stamp))
    }

    /// Writes a report that is this file's whenever it is written.
    fn stamped(&self, key: &str, write: impl FnOnce(&Stamp<'_>) -> Vec<u8>) -> Option<Vec<u8>> {
        let from = self.postmaster()?;
        let digest = digest_of(key.as_bytes());
        let (id, boundary) = (format!("vm-report.{digest}@{}", self.host), format!("=_{digest}"));
        let date = self.clock.now();
        Some(write(&Stamp { message_id: &id, date, from: &from, boundary: &boundary }))
    }

    /// What an acknowledgement tells, in octets; none if nobody can be named.
    async fn told(
        &self,
        key: &str,
        told: Told,
        story: &SentMessage,
        to: &SmtpAddress,
    ) -> Result<Option<Vec<u8>>, String> {
        let (recipient, disposition) = match told {
            Told::Delivery(recipient) => {
                return Ok(self.delivery_report(key, vec![*recipient], story, to));
            }
            Told::Read { recipient, disposition } => (recipient, disposition),
        };
        let people = self.people(std::slice::from_ref(&recipient)).await;
        let people = people.map_err(|error| error.to_string())?;
        let inside = || encapsulate(&recipient.typed()?, &self.host);
        let Some(reader) = people.internet(&recipient).or_else(inside) else { return Ok(None) };
        let receipt = DispositionReport {
            disposition,
            reader,
            original_recipient: None,
            to: to.clone(),
            message_id: story.message_id.clone(),
            subject: story.subject.clone(),
            reporting_agent: format!("{}; Concord {}", self.host, self.name),
            when: String::new(),
        };
        Ok(self.stamped(key, |stamp| render_disposition(&receipt, stamp)))
    }
}

/// What a host says of one user, and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadNews {
    said: Undelivered,
    detail: String,
}

impl BadNews {
    fn report(&self) -> Option<ReportRecipient> {
        let Told::Delivery(recipient) = Told::undelivered(&self.said)? else { return None };
        let mut recipient = *recipient;
        if let Some(status) = status(&self.detail) {
            recipient.status = status;
        }
        let all = format!("{} {}", self.said, self.detail);
        recipient.diagnostic = Some(all.trim_end().to_owned());
        Some(recipient)
    }
}

/// Reads a note whose text is nothing but sentences of a node about users who are
/// unknown, each with a few words behind it. Somebody's note that quotes one is
/// another's, or has more text.
fn bad_news(text: &[String], node: &str) -> Option<Vec<BadNews>> {
    let mut all: Vec<BadNews> = Vec::new();
    let mut lines_behind = 0_usize;
    for line in text.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
        if let Some(said) = Undelivered::read(line) {
            if !said.recipient.node().eq_ignore_ascii_case(node) {
                return None;
            }
            all.push(BadNews { said, detail: String::new() });
            lines_behind = 0;
            continue;
        }
        let last = all.last_mut()?;
        lines_behind = lines_behind.saturating_add(1);
        if lines_behind > MAX_LINES_BEHIND {
            return None;
        }
        last.detail = format!("{} {line}", last.detail).trim_start().to_owned();
    }
    (!all.is_empty()).then_some(all)
}

/// The enhanced status that words begin with, as our own notes have it.
fn status(words: &str) -> Option<EnhancedStatus> {
    let mut numbers = words.split_whitespace().next()?.split('.');
    let class = numbers.next()?.parse().ok().filter(|class| *class == 5)?;
    let (subject, detail) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    numbers.next().is_none().then_some(EnhancedStatus::new(class, subject, detail))
}

/// An acknowledgement for a sender who asked for no read receipt: the file is with
/// its recipient.
fn delivered(told: Told) -> Told {
    match told {
        Told::Read { recipient, disposition: Disposition::Displayed } => match recipient.typed() {
            Some(typed) => Told::Delivery(Box::new(ReportRecipient {
                final_recipient: typed,
                original: None,
                action: ReportKind::Delivered,
                status: EnhancedStatus::new(2, 1, 5),
                remote_mta: None,
                diagnostic: Some("the host acknowledged it".to_owned()),
                last_attempt: None,
                will_retry_until: None,
            })),
            None => Told::Read { recipient, disposition: Disposition::Displayed },
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    /// T73: both sentences mean the same (Q188819).
    #[test]
    fn a_hosts_sentences_are_read_with_what_stands_behind_them() {
        let text = "BADUSER unknown at NODE1; 05/13/93 22:27 not received.\n  5.1.1 550 5.1.1\n\
                    BADUSER unknown at NODE1\n\nNODE1 cannot deliver 05/13/93 22:27 to OTHER.";
        let said = bad_news(&lines(text), "node1").unwrap();
        assert_eq!(said.len(), 2);
        let first = said[0].report().unwrap();
        assert_eq!(first.status, EnhancedStatus::new(5, 1, 1));
        assert!(first.diagnostic.unwrap().ends_with("550 5.1.1 BADUSER unknown at NODE1"));
        assert_eq!(said[1].report().unwrap().action, ReportKind::Failed);
    }

    #[test]
    fn a_note_that_only_quotes_such_a_sentence_stays_a_note() {
        let sentence = "BADUSER unknown at NODE1; 05/13/93 22:27 not received.";
        assert_eq!(bad_news(&lines(sentence), "NODE2"), None, "another node");
        assert_eq!(bad_news(&lines(&format!("Look:\n{sentence}")), "NODE1"), None);
        let long = format!("{sentence}\na\nb\nc\nd\ne");
        assert_eq!(bad_news(&lines(&long), "NODE1"), None);
        assert_eq!(bad_news(&lines(""), "NODE1"), None);
    }
}
