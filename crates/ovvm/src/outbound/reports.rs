//! Reports for people of hosts: acknowledgements, and notes in the hosts' words.

use super::files::{Recipient, Source, unwritable};
use crate::asked::Asked;
use crate::book::Known;
use crate::settings::{MailForm, OvvmSettings};
use concord_address::{AddressType, SmtpAddress, TypedAddress};
use concord_cms_mail::convert::{People as _, undelivered_note};
use concord_cms_mail::netdata::{
    Acknowledgement, FileName, NetdataFile, Outcome as Told, Transmission, write_acknowledgement,
};
use concord_cms_mail::note::{DateOrder, Note, Person};
use concord_cms_mail::{HostAddress, SpoolFile, TextRules, outgoing, write_lines};
use concord_connector::Outcome;
use concord_message::{
    Disposition, ParsedDisposition, ParsedReport, ReportKind, parse, parse_disposition,
};
use jiff::Timestamp;
use mail_parser::MessageParser;

/// The name of an acknowledgement in the reader, as CMS has it.
const ACKNOWLEDGEMENT: &str = "ACKNOWLG";

/// A report, read.
pub(super) enum Report {
    /// What became of a message.
    Delivery(Box<ParsedReport>, String),
    /// What its reader did with it.
    Read(ParsedDisposition, String),
}

/// The report in a message, with its subject; none if it is none.
pub(super) fn read(octets: &[u8]) -> Option<Report> {
    let subject = || {
        let message = MessageParser::new().parse(octets);
        message.and_then(|message| message.subject().map(str::to_owned)).unwrap_or_default()
    };
    match parse(octets) {
        Some(report) => Some(Report::Delivery(Box::new(report), subject())),
        None => Some(Report::Read(parse_disposition(octets)?, subject())),
    }
}

impl Report {
    /// Internet addresses of those that it is about, whose host addresses are
    /// looked up.
    pub(super) fn about(&self) -> Vec<SmtpAddress> {
        let all: Vec<&(String, String)> = match self {
            Self::Delivery(report, _) => report
                .recipients
                .iter()
                .flat_map(|one| one.original_recipient.iter().chain([&one.final_recipient]))
                .collect(),
            Self::Read(receipt, _) => vec![&receipt.reader],
        };
        all.into_iter().filter_map(|(_, address)| address.parse().ok()).collect()
    }

    /// As files for a host's user.
    pub(super) fn files(
        &self,
        source: &Source,
        recipient: &Recipient,
        settings: &OvvmSettings,
    ) -> Result<Vec<SpoolFile>, Outcome> {
        match self {
            Self::Delivery(report, subject) => {
                let asked = report.envelope_id.as_deref().and_then(Asked::from_id);
                let mut files = match &asked {
                    Some(asked) => acknowledgements(report, asked, source, recipient)?,
                    None => Vec::new(),
                };
                files.extend(bad_news(report, subject, source, recipient, settings)?);
                Ok(files)
            }
            Self::Read(receipt, subject) => {
                let what = match receipt.disposition {
                    Some(Disposition::Displayed) => "was read",
                    Some(Disposition::Deleted) => "was deleted unread",
                    None => return Ok(Vec::new()),
                };
                let text = vec![format!("Your note {what} by {}.", receipt.reader.1)];
                note(text, subject, source, recipient, settings).map(|file| vec![file])
            }
        }
    }
}

/// The host address of somebody in a report: what it says itself, or the
/// directory.
fn host_of((kind, address): &(String, String), people: &Known) -> Option<HostAddress> {
    if let Ok(smtp) = address.parse::<SmtpAddress>() {
        return people.host(&smtp);
    }
    // RFC 3464 has private types begin with `x-`.
    let kind = kind.to_ascii_uppercase();
    let kind: AddressType = kind.strip_prefix("X-").unwrap_or(&kind).parse().ok()?;
    HostAddress::from_typed(&TypedAddress::new(&kind, address).ok()?)
}

/// An acknowledgement for each recipient who has the message.
fn acknowledgements(
    report: &ParsedReport,
    asked: &Asked,
    source: &Source,
    recipient: &Recipient,
) -> Result<Vec<SpoolFile>, Outcome> {
    let done = [ReportKind::Delivered, ReportKind::Relayed, ReportKind::Expanded];
    let good = report.recipients.iter().filter(|one| done.contains(&one.action));
    good.map(|one| {
        let from = one
            .original_recipient
            .iter()
            .chain([&one.final_recipient])
            .find_map(|address| host_of(address, &source.people));
        let from = from.unwrap_or_else(|| source.sender.clone());
        let said = Acknowledgement {
            from: Some(from.clone()),
            to: Some(recipient.host.clone()),
            sent: asked.sent,
            acknowledged: Some(source.at),
            subject: asked.subject.clone(),
            outcome: Told::Received,
            echo: Some(asked.echo.clone()),
        };
        let records = write_acknowledgement(&said).map_err(|error| unwritable(&error))?;
        Ok(SpoolFile {
            origin: Some(from.clone()),
            destination: Some(recipient.host.clone()),
            entered: Some(source.at),
            class: 'A',
            form: "QUIET".to_owned(),
            name: from.user().to_owned(),
            kind: ACKNOWLEDGEMENT.to_owned(),
            records,
            ..SpoolFile::default()
        })
    })
    .collect()
}

/// A note on those who do not have it; none if all have.
fn bad_news(
    report: &ParsedReport,
    subject: &str,
    source: &Source,
    recipient: &Recipient,
    settings: &OvvmSettings,
) -> Result<Option<SpoolFile>, Outcome> {
    let bad = [ReportKind::Failed, ReportKind::Delayed];
    let mut about = report.clone();
    about.recipients.retain(|one| bad.contains(&one.action));
    if about.recipients.is_empty() {
        return Ok(None);
    }
    let hosts: Vec<Option<HostAddress>> = about
        .recipients
        .iter()
        .map(|one| {
            let mut named = one.original_recipient.iter().chain([&one.final_recipient]);
            named.find_map(|address| host_of(address, &source.people))
        })
        .collect();
    let arrival = about.arrival.and_then(|at| Timestamp::from_millisecond(at.0).ok());
    let when = when(arrival.unwrap_or(source.at), settings);
    let said = undelivered_note(&about, &hosts, &source.sender, &recipient.host, subject, &when);
    written(said, source, recipient, settings).map(Some)
}

/// Date and time as the hosts write them in their sentences: `05/13/93 22:27`.
fn when(at: Timestamp, settings: &OvvmSettings) -> String {
    let form = match settings.notes.order {
        DateOrder::MonthFirst => "%m/%d/%y %H:%M",
        DateOrder::DayFirst => "%d/%m/%y %H:%M",
        DateOrder::YearFirst => "%y/%m/%d %H:%M",
    };
    at.to_zoned(settings.zone.clone()).strftime(form).to_string()
}

fn note(
    text: Vec<String>,
    subject: &str,
    source: &Source,
    recipient: &Recipient,
    settings: &OvvmSettings,
) -> Result<SpoolFile, Outcome> {
    let note = Note {
        from: Some(Person::host(source.sender.clone())),
        to: vec![Person::host(recipient.host.clone())],
        subject: subject.to_owned(),
        text,
        ..Note::default()
    };
    written(note, source, recipient, settings)
}

fn written(
    mut note: Note,
    source: &Source,
    recipient: &Recipient,
    settings: &OvvmSettings,
) -> Result<SpoolFile, Outcome> {
    note.date = Some(concord_cms_mail::note::NoteDate::write(source.at, &settings.zone));
    let form = match settings.nodes.of(recipient.host.node()).form {
        MailForm::Mailer => MailForm::Cms,
        form => form,
    };
    let layout = settings.layout(form);
    let lines = note.write(&layout);
    let rules = TextRules { columns: layout.margin, ..settings.text() };
    let records = write_lines(lines.iter().map(String::as_str), &rules);
    let records = records.map_err(|error| unwritable(&error))?.records;
    let sent = Transmission {
        origin: Some(source.sender.clone()),
        recipients: vec![recipient.host.clone()],
        sent: Some(source.at),
        files: vec![NetdataFile::varying(FileName::Note, records)],
        ..Transmission::default()
    };
    outgoing::transmission(&sent, &recipient.host, source.at).map_err(|error| unwritable(&error))
}
