//! Looking into a message before the core gets it: who wrote it, and what the
//! filters say.

use super::examiner::{applied, enforcement};
use super::session::Front;
use bytes::{Bytes, BytesMut};
use concord_mail_authentication::{Arrival, Results, Verdict, forged_fields};
use concord_mail_filter::{Action, AddedRecipient, Note, QueueFacts};
use concord_mail_policy::{Dmarc, Policy, SenderAction};
use concord_smtp::{RcptCommand, Reply};
use metrics::counter;
use std::fmt::Write as _;

/// What goes to the core instead of what came.
pub(super) struct Examined {
    pub(super) message: Bytes,
    pub(super) hold: Option<String>,
    /// Another envelope, if a filter wants one.
    pub(super) envelope: Option<NewEnvelope>,
}

/// What a filter changes of the envelope.
pub(super) struct NewEnvelope {
    pub(super) sender: Option<String>,
    pub(super) add: Vec<AddedRecipient>,
    pub(super) remove: Vec<String>,
}

/// Symbols of a filter that are logged; the message's own field has them all.
const MAX_SYMBOLS: usize = 30;

/// RFC 7372: message failed a check that the domain's owner wants enforced.
const DMARC_REFUSED: (u8, u16, u16) = (5, 7, 26);

impl Front {
    /// Everything that is asked of a message as a whole. `trace` is the
    /// `Received` field in front of it.
    ///
    /// # Errors
    /// What the client hears instead of 250.
    pub(super) async fn examine(&mut self, message: Bytes, trace: &str) -> Result<Examined, Reply> {
        let (policy, _) = self.service.config.policy.with_generation();
        let mut hold = self.hold.take();
        let mut head = trace.to_owned();
        let mut message = message;
        let mut to_seal = None;
        if self.is_stranger() {
            self.check_author_field(&policy, &message, &mut hold)?;
            if policy.authentication.enabled {
                let results = self.who_wrote(&message).await;
                if policy.authentication.send_reports {
                    let applied = applied(&policy.authentication, &results);
                    self.service.reports.count(&results, applied);
                }
                let said = results.one_line();
                self.found("authentication", &said);
                self.judge(&policy, &results, &mut hold)?;
                let us = &self.service.config.hostname;
                message = without(&message, &forged_fields(&message, us));
                head.push_str(&results.authentication_results(us));
                head.push_str(&not_logged_in(us));
                head.push_str(&results.received_spf());
                to_seal = policy.authentication.seal.then_some(results);
            }
        }
        let own_fields = head.lines().filter(|line| !line.starts_with([' ', '\t'])).count();
        let whole = joined(head.as_bytes(), &message);
        let (mut message, envelope) = self.ask_filters(whole, own_fields, &mut hold).await?;
        if let Some(fields) = to_seal.and_then(|results| self.seal(&message, &results)) {
            message = joined(fields.as_bytes(), &message);
        }
        Ok(Examined { message, hold, envelope })
    }

    /// Notes what is logged when the message is answered, beside its queue id.
    fn found(&mut self, who: &str, what: &str) {
        if !self.findings.is_empty() {
            self.findings.push_str("; ");
        }
        // Writing to a String cannot fail.
        let _ = write!(self.findings, "{who}: {what}");
    }

    async fn who_wrote(&self, message: &[u8]) -> Results {
        let from = self.mail.as_ref().and_then(|mail| mail.from.0.as_ref());
        let reverse_path = from.map(ToString::to_string).unwrap_or_default();
        let arrival = Arrival {
            ip: self.client.ip(),
            helo: self.helo(),
            reverse_path: &reverse_path,
            message,
        };
        self.service.examiner.checker.check(&arrival).await
    }

    fn judge(
        &self,
        policy: &Policy,
        results: &Results,
        hold: &mut Option<String>,
    ) -> Result<(), Reply> {
        let refused = |code, status, text: String| {
            counter!("concord_authentication_total", "result" => "refused").increment(1);
            tracing::info!(client = %self.client, text, "the author is not proven: refused");
            Err(Reply::new(code, status, text))
        };
        match results.verdict(&enforcement(&policy.authentication)) {
            Verdict::Accept => {
                counter!("concord_authentication_total", "result" => "accepted").increment(1);
            }
            Verdict::Quarantine(why) => {
                counter!("concord_authentication_total", "result" => "quarantined").increment(1);
                hold.get_or_insert(why);
            }
            Verdict::Refuse(refusal) | Verdict::TempRefuse(refusal) => {
                let status = refusal.status;
                let status = (status.class, status.subject, status.detail);
                if status == DMARC_REFUSED && policy.authentication.dmarc == Dmarc::Quarantine {
                    hold.get_or_insert(refusal.text);
                } else {
                    return refused(refusal.code, status, refusal.text);
                }
            }
        }
        Ok(())
    }

    /// Rows `[[sender]]` are asked of `From` too (Q193926).
    fn check_author_field(
        &self,
        policy: &Policy,
        message: &[u8],
        hold: &mut Option<String>,
    ) -> Result<(), Reply> {
        if policy.senders.is_empty() {
            return Ok(());
        }
        let parsed = mail_parser::MessageParser::default().parse_headers(message);
        let from = parsed.as_ref().and_then(|message| message.from());
        let addresses = from.into_iter().flat_map(|from| from.iter());
        let authors = addresses.filter_map(|a| a.address.as_deref()?.parse().ok());
        for author in authors {
            let Some(rule) = policy.sender(Some(&author), None) else { continue };
            match rule.action {
                SenderAction::Accept => {}
                SenderAction::Quarantine => {
                    hold.get_or_insert_with(|| format!("[[sender]] {} says so", rule.from));
                }
                SenderAction::Refuse => {
                    let text = format!("mail of <{author}> is not welcome here");
                    return Err(Reply::new(550, (5, 7, 1), rule.reply.clone().unwrap_or(text)));
                }
            }
        }
        Ok(())
    }

    async fn ask_filters(
        &mut self,
        message: Bytes,
        own_fields: usize,
        hold: &mut Option<String>,
    ) -> Result<(Bytes, Option<NewEnvelope>), Reply> {
        let Some(filters) = &mut self.filters else { return Ok((message, None)) };
        let facts = QueueFacts { queue_id: String::new(), own_fields };
        let verdict = filters.message(&message, &facts).await;
        for note in &verdict.notes {
            self.found(&note.filter, &shown(note));
        }
        match verdict.action {
            Action::Accept => {}
            Action::Refuse(reply) | Action::Defer(reply) => return Err(reply),
            Action::Quarantine { reason } => {
                hold.get_or_insert(reason);
            }
            // Whoever has heard 250 is promised that nothing is lost.
            Action::Discard => {
                hold.get_or_insert("a filter wants it discarded".to_owned());
            }
        }
        let (add, remove) = (verdict.add_recipients, verdict.remove_recipients);
        let changed = verdict.sender.is_some() || !add.is_empty() || !remove.is_empty();
        let envelope = changed.then_some(NewEnvelope { sender: verdict.sender, add, remove });
        Ok((verdict.message, envelope))
    }

    /// Puts a filter's envelope in the place of the client's.
    ///
    /// # Errors
    /// What the client hears.
    pub(super) async fn change_envelope(&mut self, new: NewEnvelope) -> Result<(), Reply> {
        self.drop_transaction().await;
        if let (Some(sender), Some(mail)) = (&new.sender, &mut self.mail) {
            mail.from.0 = sender.parse().ok();
        }
        let removed = |rcpt: &RcptCommand| {
            let path = rcpt.to.to_string();
            let bare = path.trim_matches(['<', '>']);
            new.remove.iter().any(|gone| gone.eq_ignore_ascii_case(bare))
        };
        let mut rcpts = std::mem::take(&mut self.accepted);
        rcpts.retain(|rcpt| !removed(rcpt));
        for added in &new.add {
            match added.path.parse() {
                Ok(address) => rcpts.push(RcptCommand::new(address)),
                Err(error) => tracing::warn!(path = added.path, %error, "a filter adds no address"),
            }
        }
        if rcpts.is_empty() {
            return Err(Reply::new(550, (5, 7, 1), "no recipient is left"));
        }
        let replies = match self.ask(&rcpts).await {
            Ok(replies) => replies,
            Err(error) => return Err(self.lost(&error)),
        };
        for (rcpt, reply) in rcpts.iter().zip(&replies).filter(|(_, reply)| !reply.is_ok()) {
            tracing::warn!(to = %rcpt.to, %reply, "a recipient that a filter wants is refused");
        }
        match replies.into_iter().find(Reply::is_ok) {
            Some(_) => Ok(()),
            None => Err(Reply::new(550, (5, 7, 1), "no recipient is left")),
        }
    }
}

/// Tells mail of strangers from mail of users, whatever `From` says (RFC 8601
/// section 2.7.4, Q155683).
fn not_logged_in(us: &str) -> String {
    format!("Authentication-Results: {us}; auth=none\r\n")
}

/// A filter's words with its score and what it went by.
fn shown(note: &Note) -> String {
    let mut text = note.what.clone();
    if let Some(score) = note.score {
        // Writing to a String cannot fail.
        let _ = write!(text, " (score {score})");
    }
    for symbol in note.symbols.iter().take(MAX_SYMBOLS) {
        text.push(' ');
        text.push_str(&symbol.name);
    }
    text
}

fn joined(head: &[u8], rest: &[u8]) -> Bytes {
    let mut all = BytesMut::with_capacity(head.len().saturating_add(rest.len()));
    all.extend_from_slice(head);
    all.extend_from_slice(rest);
    all.freeze()
}

/// The message without these octets; ranges in order, none over another.
fn without(message: &Bytes, ranges: &[std::ops::Range<usize>]) -> Bytes {
    if ranges.is_empty() {
        return message.clone();
    }
    let mut left = BytesMut::with_capacity(message.len());
    let mut at = 0;
    for range in ranges {
        left.extend_from_slice(message.get(at..range.start).unwrap_or_default());
        at = range.end;
    }
    left.extend_from_slice(message.get(at..).unwrap_or_default());
    left.freeze()
}
