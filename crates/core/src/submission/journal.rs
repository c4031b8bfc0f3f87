//! Journal copies: the message as it came, with its envelope.
//!
//! A copy is written beside the message, and committed before it: a crash
//! between the two leaves a copy of a message that its sender sends again, never
//! a message without its copy.

use super::meaning::meaning;
use super::recipients::{From, Recipients};
use super::serve::Submission as Shared;
use crate::filing::{self, Ruled};
use crate::report;
use bytes::Bytes;
use concord_address::{SmtpAddress, TypedAddress};
use concord_base::Fault as _;
use concord_directory::Resolution;
use concord_mail_policy::Journal;
use concord_message::date;
use concord_rules::Reader;
use concord_smtp::Reply;
use concord_store::{BodyWriter, StoreError};
use concord_transport::{
    Arrival, Destination, EnvelopeOptions, ReversePath, RoutedRecipient, Submission,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// What journal copies come from; nothing that has it is journaled again
/// (Q239427).
pub(crate) const JOURNAL: &str = "journal";

/// Makes copies unlike each other within a millisecond.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// A copy that is being written.
pub(super) struct Copy {
    journal: Journal,
    to: Vec<RoutedRecipient>,
    ruled: Ruled,
    /// If the journal's mailbox has rules.
    rules: Option<Reader>,
    writer: Box<dyn BodyWriter>,
    boundary: String,
    message_id: String,
    return_path_octets: u32,
}

/// What is known of a message when its octets begin.
pub(super) struct Facts<'a> {
    pub from: &'a From,
    pub sender: &'a ReversePath,
    pub recipients: &'a Recipients,
    pub arrival: &'a Arrival,
    pub octets: Option<u64>,
}

/// The copies that the policy wants of a message.
///
/// # Errors
/// The reply: the message is not taken if a copy cannot be made.
pub(super) async fn begin(shared: &Shared, facts: &Facts<'_>) -> Result<Vec<Copy>, Reply> {
    let policy = shared.config.policy.current();
    if policy.journals.is_empty() || facts.arrival.connector == JOURNAL {
        return Ok(Vec::new());
    }
    let routed = facts.recipients.route(shared, facts.from, facts.octets.unwrap_or(0)).await?;
    let routed = routed.copies;
    let here = routed.iter().any(|r| matches!(r.destination, Destination::Mailbox(_)));
    let elsewhere = routed.iter().any(|r| matches!(r.destination, Destination::Connector { .. }));
    let mut to: Vec<SmtpAddress> = routed.iter().filter_map(|r| r.address.smtp()).collect();
    to.extend(routed.iter().filter_map(|r| r.given.smtp()));
    let mut copies = Vec::new();
    for journal in &policy.journals {
        let from = facts.sender.0.as_ref();
        if journal.fits(from, &to, facts.from.proven, (here, elsewhere)) {
            copies.push(one(shared, journal, facts, &routed).await?);
        }
    }
    Ok(copies)
}

fn unwritten(journal: &Journal, error: &StoreError) -> Reply {
    tracing::error!(%error, journal = journal.name, "a journal copy cannot be written");
    Reply::new(451, (4, 3, 0), "the message cannot be kept as it must be, try again later")
}

/// The message stands in its copy as it is, and is not known yet when the boundary
/// is written: whoever wrote it must not be able to guess what ends it.
fn boundary() -> String {
    format!("journal-{:032x}", rand::random::<u128>())
}

async fn one(
    shared: &Shared,
    journal: &Journal,
    facts: &Facts<'_>,
    routed: &[RoutedRecipient],
) -> Result<Copy, Reply> {
    let to = target(shared, journal).await?;
    let ruled = filing::ruled(shared, &to).await.map_err(|error| Reply::from_fault(&error))?;
    let now = shared.clock.now();
    let unique = format!("{}.{}", now.0, COUNT.fetch_add(1, Ordering::Relaxed));
    let hostname = &shared.config.hostname;
    let mut copy = Copy {
        journal: journal.clone(),
        to,
        rules: (!ruled.is_empty()).then(Reader::new),
        ruled,
        writer: shared.store.begin_body(None).await.map_err(|e| unwritten(journal, &e))?,
        boundary: boundary(),
        message_id: format!("journal.{unique}@{hostname}"),
        return_path_octets: 0,
    };
    let return_path = "Return-Path: <>\r\n";
    copy.return_path_octets = u32::try_from(return_path.len()).unwrap_or(0);
    let mut head = return_path.to_owned();
    let date = date::rfc5322(now);
    let (boundary, id) = (&copy.boundary, &copy.message_id);
    // Writing to a string does not fail.
    let _ = write!(
        head,
        "From: Journal <postmaster@{hostname}>\r\nTo: <{}>\r\nSubject: Journal {}\r\nDate: \
         {date}\r\nMessage-ID: <{id}>\r\nAuto-Submitted: auto-generated\r\nX-Concord-Journal: \
         {}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; \
         boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\nContent-Type: text/plain; \
         charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n--{boundary}\r\n\
         Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n",
        journal.to,
        journal.name,
        journal.name,
        envelope(facts, routed),
    );
    copy.write(Bytes::from(head)).await?;
    Ok(copy)
}

/// Where copies go; an address that nobody has is an alarm and holds mail up
/// (Q188772).
async fn target(shared: &Shared, journal: &Journal) -> Result<Vec<RoutedRecipient>, Reply> {
    let fault = |error: concord_directory::DirectoryError| Reply::from_fault(&error);
    let routes = shared.routing.routes().await.map_err(fault)?;
    let given = TypedAddress::from(journal.to.clone());
    let known = meaning(shared, &routes, &given).await.map_err(fault)? != Resolution::Unknown;
    let to = report::route_to(shared, &journal.to).await.map_err(fault)?;
    if known && !to.is_empty() {
        return Ok(to);
    }
    tracing::error!(
        journal = journal.name, to = %journal.to,
        "nobody has the journal's address; mail that it is to keep is not taken"
    );
    metrics::counter!("journal_failures_total").increment(1);
    Err(Reply::new(451, (4, 3, 5), "the message cannot be kept as it must be, try again later"))
}

/// The envelope, a line for each fact. Recipients that a list stands for are
/// named behind it.
fn envelope(facts: &Facts<'_>, routed: &[RoutedRecipient]) -> String {
    let mut text = String::new();
    let sender = facts.sender.0.as_ref().map(ToString::to_string).unwrap_or_default();
    let _ = write!(text, "Sender: {sender}\r\n");
    let arrival = facts.arrival;
    for (name, value) in [
        ("Client", &arrival.client),
        ("Hello", &arrival.helo),
        ("Protocol", &arrival.protocol),
        ("Login", &arrival.login),
    ] {
        if let Some(value) = value {
            let _ = write!(text, "{name}: {value}\r\n");
        }
    }
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for recipient in routed {
        let address = recipient.address.value().to_owned();
        given.entry(recipient.given.value().to_owned()).or_default().push(address);
    }
    for (recipient, reached) in given {
        let _ = write!(text, "Recipient: {recipient}\r\n");
        for address in reached.iter().filter(|address| **address != recipient) {
            let _ = write!(text, "  Expanded: {address}\r\n");
        }
    }
    text
}

impl Copy {
    /// Adds octets of the message.
    ///
    /// # Errors
    /// The reply.
    pub(super) async fn write(&mut self, piece: Bytes) -> Result<(), Reply> {
        if let Some(reader) = &mut self.rules {
            reader.feed(&piece);
        }
        self.writer.write(piece).await.map_err(|e| unwritten(&self.journal, &e))
    }

    /// Commits the copy.
    ///
    /// # Errors
    /// The reply to the message itself.
    pub(super) async fn finish(mut self, shared: &Shared) -> Result<(), Reply> {
        let end = format!("\r\n--{}--\r\n", self.boundary);
        self.write(Bytes::from(end)).await?;
        let body = self.writer.finish().await.map_err(|e| unwritten(&self.journal, &e))?;
        if let Some(reader) = self.rules {
            let filed = filing::file(shared, &mut self.to, &self.ruled, &reader.finish()).await;
            filed.map_err(|error| Reply::from_fault(&error))?;
        }
        let submission = Submission {
            arrival: Arrival { connector: JOURNAL.to_owned(), ..Arrival::default() },
            received: shared.clock.now(),
            sender: ReversePath(None),
            options: EnvelopeOptions { eight_bit: true, ..EnvelopeOptions::default() },
            recipients: self.to,
            header_message_id: self.message_id,
            subject: format!("Journal {}", self.journal.name),
            body,
            return_path_octets: self.return_path_octets,
            hold: None,
        };
        shared.queue.take_in(submission).await.map_err(|error| {
            tracing::error!(code = error.code(), %error, "a journal copy cannot be written");
            Reply::new(451, (4, 3, 0), "the message cannot be kept as it must be, try again later")
        })?;
        metrics::counter!("journal_copies_total").increment(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn nobody_can_foresee_the_boundary_of_a_copy() {
        let starts: HashSet<String> =
            (0..100).map(|_| boundary().chars().take(24).collect()).collect();
        assert_eq!(starts.len(), 100, "neither the time nor a count stands in it");
    }
}
