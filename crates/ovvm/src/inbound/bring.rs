//! One spool file that came.

use super::letter::Letter;
use crate::asked::Asked;
use crate::book::Known;
use crate::settings::{Acknowledge, MailForm};
use crate::shared::Shared;
use crate::telemetry::IN_FILES;
use concord_address::{SmtpAddress, encapsulate};
use concord_cms_mail::convert::{InboundRules, People as _, inbound};
use concord_cms_mail::netdata::{FileName, Netdata, Transmission};
use concord_cms_mail::note::{self, NoteAddress, NoteForm, NoteRules};
use concord_cms_mail::{Arrived, HostAddress, SpoolError, SpoolFile, read_lines};
use concord_connector::{ApiError, Submitted};
use concord_nje::Name;
use concord_smtp::Reply;
use std::sync::Arc;

/// A spool file, whole.
#[derive(Debug)]
pub(super) struct Arrival {
    /// By which it is known when it comes again.
    pub key: String,
    /// The neighbour that sent it.
    pub partner: Name,
    /// How often what is in it passed before.
    pub hops: u16,
    /// The file.
    pub file: SpoolFile,
    /// It was larger than messages may be; its records are not here.
    pub too_large: bool,
    /// It is a job to run, not a file.
    pub to_run: bool,
}

/// What became of a file, for the figures; or why it is to come later.
pub(super) type Brought = Result<&'static str, String>;

/// Takes a file.
pub(super) async fn bring(shared: &Arc<Shared>, arrival: &Arc<Arrival>) -> Brought {
    let deaths = shared.in_hand.deaths(&arrival.key);
    // A third death alone is evidence.
    let (_alone, _among_others) = match deaths {
        0 => (None, Some(shared.alone.read().await)),
        _ => (Some(shared.alone.write().await), None),
    };
    if !shared.in_hand.begin(&arrival.key) {
        // The link broke and the file came again; the first is still at work.
        return Err("it is in hand already".to_owned());
    }
    let (kind, brought) = taken(shared, arrival, deaths).await;
    shared.in_hand.end(&arrival.key);
    if brought == Ok("repeated") {
        tracing::info!(audience = "operator", key = arrival.key, "a file came again and was known");
    }
    if let Ok(outcome) = brought {
        metrics::counter!(IN_FILES, "kind" => kind, "outcome" => outcome).increment(1);
    }
    brought
}

async fn taken(
    shared: &Arc<Shared>,
    arrival: &Arc<Arrival>,
    attempts: u32,
) -> (&'static str, Brought) {
    if attempts >= super::in_hand::MAX_ATTEMPTS {
        let why = format!("the connector died {attempts} times while it was in hand");
        return ("bad", shared.put_aside(arrival, &why).await);
    }
    if arrival.to_run {
        let why = "it is a job to run, and nothing is run here";
        return ("job", shared.put_aside(arrival, why).await);
    }
    if arrival.too_large {
        let reply = Reply::new(552, (5, 3, 4), "the file is larger than messages may be here");
        return ("large", shared.refuse_all(arrival, &reply).await);
    }
    let (opener, settings) = (Arc::clone(arrival), shared.settings.clone());
    let opened =
        tokio::task::spawn_blocking(move || opener.file.open(settings.page, &settings.notes));
    match opened.await {
        Ok(Ok(arrived)) => (kind(&arrived), shared.open(arrival, arrived).await),
        Ok(Err(SpoolError::Netdata(error))) => {
            ("bad", shared.put_aside(arrival, &error.to_string()).await)
        }
        Ok(Err(SpoolError::Batch(error))) => {
            ("bad", shared.put_aside(arrival, &error.to_string()).await)
        }
        Err(_) => ("bad", shared.put_aside(arrival, "reading it failed; tell Concord").await),
    }
}

const fn kind(arrived: &Arrived) -> &'static str {
    match arrived {
        Arrived::Empty => "empty",
        Arrived::Netdata(Netdata::Transmission(_)) => "netdata",
        Arrived::Netdata(Netdata::Acknowledgements(_)) => "acknowledgement",
        Arrived::Batch(_) => "batch",
        Arrived::Message(_) => "message",
        Arrived::Note(_) => "note",
        Arrived::Files(_) => "files",
        Arrived::Listing(_) => "listing",
        Arrived::Cards => "cards",
    }
}

impl Shared {
    /// Deals with a file by what it is.
    async fn open(self: &Arc<Self>, arrival: &Arc<Arrival>, arrived: Arrived) -> Brought {
        let Some(destination) = &arrival.file.destination else {
            // RSCS takes SYSTEM away (Q221565).
            let reply = Reply::new(550, (5, 1, 1), "the file is for no user");
            return self.refuse_all(arrival, &reply).await;
        };
        let for_mailer = *destination == self.settings.mailer;
        match arrived {
            Arrived::Netdata(Netdata::Acknowledgements(all)) => {
                self.acknowledged(arrival, &all).await
            }
            arrived if *destination == self.settings.directory_user => {
                self.directory(arrival, &arrived).await
            }
            Arrived::Batch(batch) if for_mailer => self.batch(arrival, batch).await,
            // A batch that is no mailer's is a file like any other: whoever sent
            // it may not speak for others.
            Arrived::Batch(_) => self.message(arrival, destination, Arrived::Cards).await,
            Arrived::Netdata(Netdata::Transmission(sent)) if for_mailer => {
                match self.batch_within(&sent) {
                    Some(Ok(batch)) => self.batch(arrival, batch).await,
                    Some(Err(error)) => self.put_aside(arrival, &error.to_string()).await,
                    None => self.put_aside(arrival, "it is for the mailer and is no batch").await,
                }
            }
            _ if for_mailer => {
                self.put_aside(arrival, "it is for the mailer and is no batch").await
            }
            Arrived::Message(lines) => self.bare(arrival, destination, &lines).await,
            Arrived::Empty => {
                self.message(arrival, destination, Arrived::Listing(Vec::new())).await
            }
            arrived if self.has_addresses(destination) => {
                self.in_body(arrival, destination, arrived).await
            }
            arrived => match self.bad_news(arrival, &arrived) {
                said if said.is_empty() => self.message(arrival, destination, arrived).await,
                said => self.undelivered(arrival, destination, &said).await,
            },
        }
    }

    /// A file for its recipient.
    async fn message(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        destination: &HostAddress,
        arrived: Arrived,
    ) -> Brought {
        let recipient = match self.internet(destination).await {
            Ok(Some(recipient)) => recipient,
            Ok(None) => return self.refuse_all(arrival, &unknown(destination)).await,
            Err(error) => return Err(error.to_string()),
        };
        self.converted(arrival, arrived, vec![recipient]).await
    }

    /// A file as a message for the core.
    pub(super) async fn converted(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        arrived: Arrived,
        recipients: Vec<SmtpAddress>,
    ) -> Brought {
        let rules = self.note_rules(arrival);
        let people = self.people(&self.named(arrival, &arrived, &rules)).await;
        let people = people.map_err(|error| error.to_string())?;
        let (shared, arrival_of) = (Arc::clone(self), Arc::clone(arrival));
        let asked = Self::asked(&arrived);
        let made = tokio::task::spawn_blocking(move || {
            let rules = InboundRules {
                people: &people,
                domain: &shared.host,
                zone: &shared.settings.zone,
                page: shared.settings.page,
                types: &shared.settings.types,
                notes: &rules,
            };
            inbound(&arrival_of.file, &arrived, &rules, &arrival_of.key, shared.instant())
        });
        let made = match made.await {
            Ok(Some(made)) => made,
            Ok(None) => return self.put_aside(arrival, "it cannot be a message").await,
            Err(_) => {
                return self.put_aside(arrival, "its conversion failed; tell Concord").await;
            }
        };
        crate::fault::abort_over(&String::from_utf8_lossy(&made.message));
        let wanted = made.acknowledge.is_some()
            && self.settings.acknowledge != Acknowledge::Never
            && made.sender.is_some();
        let envelope_id = asked.filter(|_| wanted).and_then(|asked| asked.to_id());
        let at_once = wanted && self.settings.acknowledge == Acknowledge::AtOnce;
        let letter = Letter {
            sender: made.sender.filter(|_| reports_are_wanted(arrival)),
            recipients,
            notify_success: envelope_id.is_some() && !at_once,
            envelope_id: envelope_id.clone().filter(|_| !at_once),
            octets: made.message,
            ..Letter::of(arrival)
        };
        let brought = self.send(arrival, letter).await?;
        if at_once && let Some(id) = envelope_id {
            self.acknowledge_at_once(arrival, &id).await?;
        }
        Ok(brought)
    }

    /// A message of the Internet without an envelope.
    async fn bare(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        destination: &HostAddress,
        lines: &[String],
    ) -> Brought {
        let recipient = match self.internet(destination).await {
            Ok(Some(recipient)) => recipient,
            Ok(None) => return self.refuse_all(arrival, &unknown(destination)).await,
            Err(error) => return Err(error.to_string()),
        };
        let sender = self.sender(arrival).await.map_err(|error| error.to_string())?;
        let mut octets = lines.join("\r\n").into_bytes();
        octets.extend_from_slice(b"\r\n");
        let letter = Letter { sender, recipients: vec![recipient], octets, ..Letter::of(arrival) };
        self.send(arrival, letter).await
    }

    /// Hands a letter over, and tells the sender who does not get it.
    pub(super) async fn send(self: &Arc<Self>, arrival: &Arc<Arrival>, letter: Letter) -> Brought {
        match self.submit(arrival, &letter).await {
            Submitted::Later(why) | Submitted::Broken(why) => Err(why),
            Submitted::Taken { repeated: true, .. } => Ok("repeated"),
            Submitted::Taken { replies, .. } => {
                let refused = letter.refused(&replies);
                if refused.is_empty() {
                    return Ok("taken");
                }
                self.refuse(arrival, &refused, "/r").await
            }
            Submitted::Refused(replies) => {
                self.refuse(arrival, &letter.refused(&replies), "").await
            }
        }
    }

    /// How notes of the file's node are read.
    pub(super) fn note_rules(&self, arrival: &Arrival) -> NoteRules {
        let node = arrival.file.origin.as_ref().map(HostAddress::node).unwrap_or_default();
        let form = match self.settings.nodes.of(node).form {
            MailForm::Profs => NoteForm::Profs,
            MailForm::Cms | MailForm::Mailer => NoteForm::Cms,
        };
        NoteRules { form, ..self.settings.notes.clone() }
    }

    /// Lines of the note in a transmission.
    pub(super) fn note_lines(&self, sent: &Transmission) -> Option<Vec<String>> {
        let note = sent.files.iter().find(|file| file.name == FileName::Note)?;
        Some(read_lines(&note.data(), self.settings.page))
    }

    /// Users of hosts whom a file names.
    fn named(&self, arrival: &Arrival, arrived: &Arrived, rules: &NoteRules) -> Vec<HostAddress> {
        let note = match arrived {
            Arrived::Note(note) => Some((**note).clone()),
            Arrived::Netdata(Netdata::Transmission(sent)) => {
                self.note_lines(sent).and_then(|lines| note::read(&lines, rules).ok())
            }
            _ => None,
        };
        let mut all: Vec<HostAddress> = arrival.file.origin.iter().cloned().collect();
        let people = note.iter().flat_map(|note| {
            note.from.iter().chain(&note.reply_to).chain(&note.to).chain(&note.copies)
        });
        all.extend(people.filter_map(|one| match &one.address {
            Some(NoteAddress::Host(host)) => Some(host.clone()),
            _ => None,
        }));
        all
    }

    /// What an acknowledgement of a file would bring back.
    fn asked(arrived: &Arrived) -> Option<Asked> {
        match arrived {
            Arrived::Netdata(Netdata::Transmission(sent)) => Some(Asked {
                sent: sent.sent,
                subject: sent.files.first().map_or(FileName::Note, |file| file.name.clone()),
                echo: sent.acknowledge.clone().unwrap_or_default(),
            }),
            Arrived::Note(_) => {
                Some(Asked { sent: None, subject: FileName::Note, echo: Vec::new() })
            }
            _ => None,
        }
    }

    /// The Internet address of a file's sender, to whom reports go.
    pub(super) async fn sender(&self, arrival: &Arrival) -> Result<Option<SmtpAddress>, ApiError> {
        let Some(origin) = arrival.file.origin.as_ref().filter(|_| reports_are_wanted(arrival))
        else {
            return Ok(None);
        };
        let known = self.people(std::slice::from_ref(origin)).await?;
        let inside = || encapsulate(&origin.typed()?, &self.host);
        Ok(known.internet(origin).or_else(inside))
    }

    /// The Internet address of a file's recipient: the directory's; for a user of
    /// this node the sender of a message of that name; for one of another node the
    /// address itself. None if this node has no such user.
    pub(super) async fn internet(
        &self,
        destination: &HostAddress,
    ) -> Result<Option<SmtpAddress>, ApiError> {
        let known: Known = self.people(std::slice::from_ref(destination)).await?;
        if let Some(address) = known.internet(destination) {
            return Ok(Some(address));
        }
        if *destination == self.settings.postmaster {
            return Ok(format!("postmaster@{}", self.host).parse().ok());
        }
        if self.settings.is_own(destination.node()) {
            return Ok(None);
        }
        Ok(destination.typed().and_then(|typed| encapsulate(&typed, &self.host)))
    }
}

/// Users who are programs: a report to one makes the next (D3 of RSCS's and
/// FUNET's names).
const PROGRAMS: [&str; 7] = ["MAILER", "XMAILER", "SMTP", "POSTMAST", "VMNET", "RSCS", "SYSTEM"];

/// Whether a file's sender is somebody who is told.
pub(super) fn reports_are_wanted(arrival: &Arrival) -> bool {
    let origin = arrival.file.origin.as_ref();
    origin.is_some_and(|origin| !PROGRAMS.contains(&origin.user()))
}

/// What is said of a user whom this node does not have (Q186580).
pub(super) fn unknown(destination: &HostAddress) -> Reply {
    let text = format!("{} unknown at {}", destination.user(), destination.node());
    Reply::new(550, (5, 1, 1), text)
}
