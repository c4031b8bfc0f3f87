//! Reports to senders (RFC 3461 to 3464): who gets one, and what it says.

use crate::filing;
use crate::routing::destination;
use crate::submission::{Submission as Shared, meaning};
use crate::times::hears_of_success;
use concord_address::{SmtpAddress, TypedAddress};
use concord_base::{MessageId, QueueId, Timestamp};
use concord_directory::{DirectoryError, Resolution, expand};
use concord_mail_policy::Policy;
use concord_message::{Original, Report, ReportKind, ReportRecipient, Stamp, render};
use concord_store::{Body, MAX_READ, Store};
use concord_transport::{
    Arrival, Destination, EnvelopeOptions, Notify, PeerAnswer, QueuedMessage, ReturnContent,
    ReversePath, RoutedRecipient, Submission,
};
use std::sync::atomic::{AtomicU64, Ordering};

/// Octets of the original that are read for a report; what goes back is cut
/// further by the report itself.
const MAX_ORIGINAL: u64 = MAX_READ;

/// Makes reports unlike each other within a millisecond.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// What one recipient is reported with.
pub(crate) struct Reported<'a> {
    pub address: &'a TypedAddress,
    pub original: Option<&'a str>,
    pub kind: ReportKind,
    pub answer: Option<&'a PeerAnswer>,
    pub will_retry_until: Option<Timestamp>,
}

/// The message that a report is about.
pub(crate) struct About<'a> {
    pub message: MessageId,
    pub received: Timestamp,
    pub sender: &'a SmtpAddress,
    pub options: &'a EnvelopeOptions,
    pub header_message_id: &'a str,
    pub subject: &'a str,
    pub octets: u64,
    pub return_path_octets: u32,
}

impl<'a> About<'a> {
    /// `None` if nobody is to be told.
    pub fn queued(message: &'a QueuedMessage, reader: &'a ReversePath) -> Option<Self> {
        Some(Self {
            message: message.message,
            received: message.received,
            sender: reader.0.as_ref()?,
            options: &message.options,
            header_message_id: &message.header_message_id,
            subject: &message.subject,
            octets: message.octets,
            return_path_octets: message.return_path_octets,
        })
    }
}

/// Where a message of the core's own goes: to whoever has the address.
pub(crate) async fn route_to(
    shared: &Shared,
    sender: &SmtpAddress,
) -> Result<Vec<RoutedRecipient>, DirectoryError> {
    let table = shared.routing.table().await?;
    let (directory, routes) = (&*shared.directory, &*table.routes);
    let situation = shared.routing.situation(&table, None);
    let given = TypedAddress::from(sender.clone());
    let to = |address: TypedAddress, destination| RoutedRecipient {
        address,
        given: given.clone(),
        original: None,
        // A report about a report is a loop (RFC 3461 section 5.1).
        notify: Notify::NEVER,
        destination,
        reports_to: None,
        filing: None,
    };
    Ok(match meaning(shared, routes, &given).await? {
        Resolution::Elsewhere(address) | Resolution::Carried(address) => {
            let destination = destination(routes, &address, &situation);
            destination.map(|c| to(address, c)).into_iter().collect()
        }
        Resolution::Recipient(object) => {
            let members = expand(directory, object).await?;
            members
                .iter()
                .filter_map(|reached| {
                    let object = &reached.object;
                    if object.kind().has_folders() {
                        return Some(to(given.clone(), Destination::Mailbox(object.id.into())));
                    }
                    let target = object.target()?;
                    Some(to(target.clone(), destination(routes, target, &situation)?))
                })
                .collect()
        }
        Resolution::Unknown => Vec::new(),
    })
}

/// Writes a report as a message to its sender; `None` if there is nobody to
/// send it to.
pub(crate) async fn write(
    about: &About<'_>,
    recipients: &[Reported<'_>],
    now: Timestamp,
    shared: &Shared,
) -> Result<Option<Submission>, DirectoryError> {
    let Some(kind) = recipients.first().map(|r| r.kind) else { return Ok(None) };
    let mut routed = route_to(shared, about.sender).await?;
    let hostname = &shared.config.hostname;
    if routed.is_empty() {
        tracing::warn!(sender = %about.sender, "a report has nobody to go to");
        return Ok(None);
    }
    let report = Report {
        kind,
        reporting_mta: hostname.clone(),
        arrival: Some(about.received),
        queue_id: Some(QueueId(about.message).to_string()),
        envelope_id: about.options.envelope_id.clone(),
        sender: Some(about.sender.clone()),
        message_id: about.header_message_id.to_owned(),
        subject: about.subject.to_owned(),
        recipients: recipients.iter().map(|r| recipient(r, now)).collect(),
        original: original(about, kind, &*shared.store).await,
        smtputf8: about.options.smtputf8,
    };
    let unique = format!("{}.{}", now.0, COUNT.fetch_add(1, Ordering::Relaxed));
    let message_id = format!("report.{}.{unique}@{hostname}", QueueId(about.message));
    let from = format!("MAILER-DAEMON@{hostname}").parse().ok();
    let from = from.or_else(|| "MAILER-DAEMON@localhost".parse().ok());
    let Some(from): Option<SmtpAddress> = from else { return Ok(None) };
    let boundary = format!("report-{unique}");
    let stamp = Stamp { message_id: &message_id, date: now, from: &from, boundary: &boundary };
    let mut octets = b"Return-Path: <>\r\n".to_vec();
    let return_path_octets = u32::try_from(octets.len()).unwrap_or(0);
    octets.append(&mut render(&report, &stamp));
    filing::file_own(shared, &mut routed, &octets).await?;
    let eight_bit = !octets.is_ascii();
    Ok(Some(Submission {
        arrival: Arrival { connector: "core".to_owned(), ..Arrival::default() },
        received: now,
        sender: ReversePath(None),
        options: EnvelopeOptions {
            smtputf8: about.options.smtputf8,
            eight_bit,
            // RFC 8689 section 5: a report is as confidential as what it is about.
            tls: about.options.tls,
            ..EnvelopeOptions::default()
        },
        recipients: routed,
        header_message_id: message_id,
        subject: format!("Report on: {}", about.subject),
        body: Body::from_bytes(octets),
        return_path_octets,
        hold: None,
    }))
}

fn recipient(r: &Reported<'_>, now: Timestamp) -> ReportRecipient {
    let status = r.answer.map(PeerAnswer::enhanced_status);
    let generic = match r.kind {
        ReportKind::Failed => (5, 0, 0),
        ReportKind::Delayed => (4, 0, 0),
        _ => (2, 0, 0),
    };
    ReportRecipient {
        final_recipient: r.address.clone(),
        original: r.original.map(ToOwned::to_owned),
        action: r.kind,
        status: status
            .unwrap_or(concord_base::EnhancedStatus::new(generic.0, generic.1, generic.2)),
        remote_mta: r.answer.and_then(|a| a.host.clone()),
        diagnostic: r.answer.map(|a| format!("{} {} {}", a.code, a.enhanced_status(), a.text)),
        last_attempt: Some(now),
        will_retry_until: r.will_retry_until,
    }
}

/// What of the original goes back: all of it only if the sender asked so and
/// the news is bad (RFC 3461 section 4.3).
async fn original(about: &About<'_>, kind: ReportKind, store: &dyn Store) -> Original {
    let from = u64::from(about.return_path_octets);
    let whole = about.options.return_content == Some(ReturnContent::Full)
        && kind == ReportKind::Failed
        && about.octets <= MAX_ORIGINAL;
    match store.read(about.message, from..from + MAX_ORIGINAL).await {
        Ok(octets) if whole => Original::Message(octets.to_vec()),
        Ok(octets) => {
            let header = concord_message::HeaderScan::scan(&octets).body_at;
            Original::Header(
                octets.get(..header.unwrap_or(octets.len())).unwrap_or_default().to_vec(),
            )
        }
        Err(error) => {
            tracing::warn!(%error, "the original could not be read for its report");
            Original::Header(Vec::new())
        }
    }
}

/// What a report of delivery needs to know of a message before it is handed
/// over to the queue.
pub(crate) struct LocalSuccess {
    sender: SmtpAddress,
    options: EnvelopeOptions,
    received: Timestamp,
    header_message_id: String,
    subject: String,
    octets: u64,
    return_path_octets: u32,
    recipients: Vec<(TypedAddress, Option<String>)>,
}

/// If the sender asked to hear of success and some recipients are here.
pub(crate) fn of_local_success(submission: &Submission, policy: &Policy) -> Option<LocalSuccess> {
    let sender = submission.sender.0.clone()?;
    if !hears_of_success(policy, &sender) {
        return None;
    }
    let recipients: Vec<_> = submission
        .recipients
        .iter()
        .filter(|r| r.notify.success && matches!(r.destination, Destination::Mailbox(_)))
        .map(|r| (r.given.clone(), r.original.clone()))
        .collect();
    (!recipients.is_empty()).then(|| LocalSuccess {
        sender,
        options: submission.options.clone(),
        received: submission.received,
        header_message_id: submission.header_message_id.clone(),
        subject: submission.subject.clone(),
        octets: submission.body.octets,
        return_path_octets: submission.return_path_octets,
        recipients,
    })
}

impl LocalSuccess {
    pub async fn finish(self, queue_id: QueueId, shared: &Shared) -> Option<Submission> {
        let about = About {
            message: queue_id.0,
            received: self.received,
            sender: &self.sender,
            options: &self.options,
            header_message_id: &self.header_message_id,
            subject: &self.subject,
            octets: self.octets,
            return_path_octets: self.return_path_octets,
        };
        let recipients: Vec<_> = self
            .recipients
            .iter()
            .map(|(address, original)| Reported {
                address,
                original: original.as_deref(),
                kind: ReportKind::Delivered,
                answer: None,
                will_retry_until: None,
            })
            .collect();
        let written = write(&about, &recipients, shared.clock.now(), shared).await;
        written.unwrap_or_else(|error| {
            tracing::error!(%error, %queue_id, "a report of delivery could not be written");
            None
        })
    }
}
