//! Status of GroupWise as reports to senders of ours.

use super::Worked;
use super::item::reported;
use super::submit::Letter;
use crate::book::groupwise_of;
use crate::convert::{People as _, Reply, SentKey, Told, reply_calendar, told};
use crate::link::Link;
use bytes::Bytes;
use concord_address::{SmtpAddress, decapsulate};
use concord_connector::wire::SentMessage;
use concord_connector::{Submitted, on_one_line};
use concord_groupwise_api::model::{Action, Status};
use concord_message::{DispositionReport, Original, Report, Stamp, render, render_disposition};
use concord_smtp::{MailCommand, Notify, RcptCommand};
use mail_builder::MessageBuilder;
use mail_builder::mime::MimePart;
use sha2::{Digest, Sha256};

/// A message of ours that a status is about.
struct About {
    to: SmtpAddress,
    story: SentMessage,
    /// The recipient, as people know it here.
    who: SmtpAddress,
}

impl Link {
    /// Tells senders of ours what GroupWise says of their messages.
    pub(super) async fn report(&self, status: &Status) -> Worked {
        let done = |outcome| Worked::Done { paths: Vec::new(), outcome };
        let told = told(status, &self.settings.zone);
        let Some(key) = SentKey::parse(&status.of) else {
            tracing::info!(of = status.of, "status of no message of ours; dropped");
            return done("dropped");
        };
        let about = match self.about(&key, status).await {
            Ok(Some(about)) => about,
            Ok(None) => return done("dropped"),
            Err(error) => return Worked::Later(error.to_string()),
        };
        for (n, one) in told.into_iter().enumerate() {
            let id = format!("gw-report.{}@{}", digest(status, n), self.host);
            let Some(octets) = self.written(&id, one, &about) else { continue };
            match self.submit(self.letter_of_nobody(octets, &about.to, &id)).await {
                Submitted::Taken { .. } => {}
                // Who does not take reports gets none: a report has no sender
                // to be told (RFC 5321 section 6.1).
                Submitted::Refused(replies) => {
                    let said = replies.first().map(on_one_line).unwrap_or_default();
                    tracing::warn!(to = %about.to, said, "a report was refused");
                }
                Submitted::Later(why) => return Worked::Later(why),
                Submitted::Broken(why) => return Worked::Broken(why),
            }
        }
        done("taken")
    }

    pub(super) fn letter_of_nobody(&self, octets: Vec<u8>, to: &SmtpAddress, id: &str) -> Letter {
        let trace = format!(
            "Received: by {} (Concord {}) with GROUPWISE;\r\n\t{}\r\n",
            self.host,
            self.name,
            concord_message::date::rfc5322(self.clock.now())
        );
        let octets = [trace.into_bytes(), octets].concat();
        let never = Notify { success: false, failure: false, delay: false };
        let rcpt = RcptCommand { notify: Some(never), ..RcptCommand::new(to.clone()) };
        let mail = MailCommand { size: u64::try_from(octets.len()).ok(), ..MailCommand::new(None) };
        Letter { mail, rcpts: vec![rcpt], octets: Bytes::from(octets), ident: id.to_owned() }
    }

    /// Who is told, and what the core knows of the message. Tracking forgets;
    /// then the status itself says whom it is for.
    async fn about(
        &self,
        key: &SentKey,
        status: &Status,
    ) -> Result<Option<About>, concord_connector::ApiError> {
        let known = self.api.message(&key.queue_id).await;
        let story = match known {
            Ok(story) => story,
            // An id that the core cannot read is one that it does not know.
            Err(concord_connector::ApiError::Refused { status: 400..500, .. }) => None,
            Err(error) => return Err(error),
        };
        let recipient = decapsulate(&key.recipient).as_ref().and_then(groupwise_of);
        let recipient: Vec<_> = recipient.iter().collect();
        let known = self.book.on_the_internet(&recipient).await?;
        let who = recipient.first().and_then(|one| known.internet(one));
        let who = who.unwrap_or_else(|| key.recipient.clone());
        if let Some(story) = story {
            // It came from nobody: nobody is told.
            let to = story.sender.parse().ok();
            return Ok(to.map(|to| About { to, story, who }));
        }
        let named: Vec<_> = status.to.iter().collect();
        let people = self.book.on_the_internet(&named).await?;
        let to = named.iter().find_map(|address| {
            let carried = || address.object.trim_matches('"').parse::<SmtpAddress>().ok();
            people.internet(address).or_else(carried)
        });
        Ok(to.map(|to| {
            let subject = status.subject.clone();
            let queue_id = key.queue_id.clone();
            About { to, story: SentMessage { queue_id, subject, ..SentMessage::default() }, who }
        }))
    }

    fn written(&self, id: &str, told: Told, about: &About) -> Option<Vec<u8>> {
        let from: SmtpAddress = format!("postmaster@{}", self.host).parse().ok()?;
        let boundary = format!("=_{}", id.split('@').next().unwrap_or(id));
        let date = self.clock.now();
        let stamp = Stamp { message_id: id, date, from: &from, boundary: &boundary };
        let host = self.host.to_string();
        match told {
            Told::Delivery { recipient, .. } => {
                let mut recipient = *recipient;
                if let Some(address) = recipient.final_recipient.smtp() {
                    recipient.final_recipient = reported(&address);
                }
                let report = Report {
                    kind: recipient.action,
                    reporting_mta: host,
                    arrival: about
                        .story
                        .received
                        .parse::<jiff::Timestamp>()
                        .ok()
                        .map(|at| concord_base::Timestamp::from_seconds(at.as_second())),
                    queue_id: Some(about.story.queue_id.clone()),
                    envelope_id: about.story.envelope_id.clone(),
                    sender: Some(about.to.clone()),
                    message_id: about.story.message_id.clone(),
                    subject: about.story.subject.clone(),
                    recipients: vec![recipient],
                    original: Original::None,
                    smtputf8: !about.to.is_ascii(),
                };
                Some(render(&report, &stamp))
            }
            Told::Read { disposition, when, .. } => Some(render_disposition(
                &DispositionReport {
                    disposition,
                    reader: about.who.clone(),
                    original_recipient: None,
                    to: about.to.clone(),
                    message_id: about.story.message_id.clone(),
                    subject: about.story.subject.clone(),
                    reporting_agent: format!("{host}; Concord {}", self.name),
                    when,
                },
                &stamp,
            )),
            Told::Answered { key, action } => self.answer(id, &key, action, about, &boundary),
        }
    }

    /// An answer to a meeting, with the calendar object that changes the
    /// organizer's calendar (RFC 6047), or in words if it was no meeting.
    fn answer(
        &self,
        id: &str,
        key: &SentKey,
        action: Action,
        about: &About,
        boundary: &str,
    ) -> Option<Vec<u8>> {
        let word = match action {
            Action::Accepted => "Accepted",
            Action::Declined => "Declined",
            Action::Completed => "Completed",
            Action::Delegated => "Delegated",
            _ => return None,
        };
        let text = format!("{word}: {}\r\n", about.story.subject);
        let mut body = MimePart::new("text/plain", text);
        let uid = key.meeting.as_deref();
        let calendar = uid.and_then(|uid| {
            reply_calendar(&Reply {
                uid,
                organizer: &about.to,
                attendee: &about.who,
                action,
                stamp: self.instant(),
            })
        });
        if let Some(calendar) = calendar {
            use mail_builder::headers::content_type::ContentType;
            let kind = ContentType::new("multipart/alternative")
                .attribute("boundary", boundary.to_owned());
            let about = ContentType::new("text/calendar")
                .attribute("method", "REPLY")
                .attribute("charset", "utf-8");
            body = MimePart::new(kind, vec![body, MimePart::new(about, calendar)]);
        }
        let mut message = MessageBuilder::new()
            .message_id(id.to_owned())
            .date(self.clock.now().seconds())
            .from(about.who.to_string())
            .to(about.to.to_string())
            .subject(format!("{word}: {}", about.story.subject));
        if !about.story.message_id.is_empty() {
            message = message.in_reply_to(about.story.message_id.clone());
        }
        message.body(body).write_to_vec().ok()
    }
}

/// What makes a report this one: the same status gives the same Message-ID.
fn digest(status: &Status, n: usize) -> String {
    digest_of(&format!("{}{n}{:?}{:?}", status.of, status.events, status.from))
}

/// A short name for a long one.
pub(super) fn digest_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(12).map(|octet| format!("{octet:02x}")).collect()
}
