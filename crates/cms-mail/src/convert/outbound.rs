//! A message of the Internet as a note and files.

use super::{BINARY_RECORD, Loss, People, TEXT_RECORD, parts, told};
use crate::limits::MAX_HEADING_PEOPLE;
use crate::netdata::{FileName, NetdataFile, Transmission};
use crate::note::{Layout, Note, NoteAddress, NoteDate, Person};
use crate::{
    CmsName, Content, FileTypes, HostAddress, Records, TextRules, WrittenText, write_lines,
};
use concord_address::SmtpAddress;
use concord_ebcdic::{EbcdicError, Unsaid};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_parser::{Address, Message, MessageParser};
use std::collections::BTreeSet;

/// What the queue knows of one delivery.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The sender's host address; the NJE header has the same (Q128468).
    pub sender: HostAddress,
    /// The recipient's. Each recipient has transmissions of their own (Q233319).
    pub recipient: HostAddress,
    /// What an acknowledgement is to bring back, if the sender wants one; without
    /// it the host is asked for none (Q216474).
    pub acknowledge: Option<Vec<u8>>,
    /// What ties the note and its files; a note whose files go by themselves names
    /// them then.
    pub reference: Option<String>,
    /// When the message was taken, for one that does not say when it was sent.
    pub accepted: Timestamp,
}

/// How a message's files travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum FileManner {
    /// Each is a transmission of its own behind the note (Q215494, Q118532).
    #[default]
    Separate,
    /// All are in the note's own transmission. Of CMS it is not known whether it
    /// takes more than one.
    Together,
}

/// What the link says about notes.
#[derive(Debug, Clone)]
pub struct OutboundRules {
    /// How files travel.
    pub manner: FileManner,
    /// Code page, and what stands for what it does not have. Its columns are those
    /// of the note's text.
    pub text: TextRules,
    /// The layout of notes.
    pub layout: Layout,
    /// The host's zone.
    pub zone: TimeZone,
    /// What files hold.
    pub types: FileTypes,
}

/// A message as transmissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// The note first, then each file.
    pub transmissions: Vec<Transmission>,
    /// What could not be carried over; the note says so at its end.
    pub losses: Vec<Loss>,
    /// Characters of the note that the code page does not have.
    pub unsaid: Unsaid,
}

/// Turns a message into transmissions for one recipient; `None` if the octets are
/// no message.
///
/// # Errors
/// A character that the page does not have, if the rules refuse any.
pub fn outbound(
    message: &[u8],
    envelope: &Envelope,
    people: &dyn People,
    rules: &OutboundRules,
) -> Option<Result<Outbound, EbcdicError>> {
    let message = MessageParser::new().parse(message)?;
    Some(carry(&message, envelope, people, rules))
}

fn carry(
    message: &Message<'_>,
    envelope: &Envelope,
    people: &dyn People,
    rules: &OutboundRules,
) -> Result<Outbound, EbcdicError> {
    let mut taken = parts::take_apart(message);
    let sent = sent(message).unwrap_or(envelope.accepted);
    let mut note = Note {
        date: Some(NoteDate::write(sent, &rules.zone)),
        from: Some(Person {
            name: sender_name(message.from(), people, &envelope.sender),
            ..Person::host(envelope.sender.clone())
        }),
        to: heading(message.to(), people),
        copies: heading(message.cc(), people),
        reply_to: reply_to(message, people),
        subject: one_line(message.subject().unwrap_or_default()),
        text: std::mem::take(&mut taken.text),
        ..Note::default()
    };
    let written = |note: &Note| -> Result<WrittenText, EbcdicError> {
        let lines = note.write(&rules.layout);
        write_lines(lines.iter().map(String::as_str), &rules.text)
    };
    // Written once to learn what it loses, and again to say so.
    let unsaid = written(&note)?.unsaid;
    if !unsaid.is_empty() {
        taken.lose(Loss::Characters);
    }
    let mut files = Vec::new();
    let mut names = BTreeSet::new();
    for file in &taken.files {
        files.push(host_file(file, &mut names, rules)?);
    }
    if rules.manner == FileManner::Separate && envelope.reference.is_some() {
        note.text.extend(named(&files));
    }
    note.text.extend(told(&taken.losses));
    let body = NetdataFile::varying(FileName::Note, written(&note)?.records);
    let carried: Vec<Vec<NetdataFile>> = match rules.manner {
        FileManner::Separate => std::iter::once(body).chain(files).map(|one| vec![one]).collect(),
        FileManner::Together => vec![std::iter::once(body).chain(files).collect()],
    };
    let transmissions = carried
        .into_iter()
        .enumerate()
        .map(|(number, files)| Transmission {
            origin: Some(envelope.sender.clone()),
            recipients: vec![envelope.recipient.clone()],
            sent: Some(sent),
            // The note's stands for all.
            acknowledge: envelope.acknowledge.clone().filter(|_| number == 0),
            reference: envelope.reference.clone(),
            files,
        })
        .collect();
    Ok(Outbound { transmissions, losses: taken.losses, unsaid })
}

/// Text becomes lines in the host's page; other octets stay what they are.
fn host_file(
    file: &parts::File,
    names: &mut BTreeSet<CmsName>,
    rules: &OutboundRules,
) -> Result<NetdataFile, EbcdicError> {
    let name = CmsName::from_attachment(&file.name, names);
    let text = file.is_text && rules.types.content(name.kind(), None) == Content::HostText;
    let records: Records = if text {
        let lines = String::from_utf8_lossy(&file.octets);
        let columns = TextRules { columns: TEXT_RECORD, ..rules.text };
        write_lines(crate::lines(&lines), &columns)?.records
    } else {
        file.octets.chunks(BINARY_RECORD).collect()
    };
    Ok(NetdataFile::varying(FileName::Cms(name), records))
}

/// The people of a heading: with host addresses where the directory has them.
/// Blind copies are not in it (Q178082).
fn heading(addresses: Option<&Address<'_>>, people: &dyn People) -> Vec<Person> {
    let all = addresses.into_iter().flat_map(|all| all.iter()).take(MAX_HEADING_PEOPLE);
    all.map(|one| {
        let text = one.address().unwrap_or_default();
        let known = text.parse::<SmtpAddress>().ok().and_then(|smtp| people.host(&smtp));
        let address = match known {
            Some(host) => Some(NoteAddress::Host(host)),
            None if text.contains('@') => Some(NoteAddress::Internet(one_line(text))),
            None => None,
        };
        Person { name: one_line(one.name().unwrap_or_default()), address }
    })
    .filter(|one| one.address.is_some() || !one.name.is_empty())
    .collect()
}

/// Where answers are to go, if not to the sender.
fn reply_to(message: &Message<'_>, people: &dyn People) -> Option<Person> {
    let asked =
        heading(message.reply_to(), people).into_iter().find(|one| one.address.is_some())?;
    let sender = heading(message.from(), people);
    (!sender.iter().any(|one| one.is_same(&asked))).then_some(asked)
}

/// The sender's name; with their address if the host address that stands behind it
/// is not theirs, so that the reader sees who it is.
fn sender_name(
    addresses: Option<&Address<'_>>,
    people: &dyn People,
    sender: &HostAddress,
) -> String {
    let Some(first) = addresses.and_then(|all| all.first()) else { return String::new() };
    let (name, address) = (first.name().unwrap_or_default(), first.address().unwrap_or_default());
    let known = address.parse().ok().and_then(|smtp| people.host(&smtp));
    match known.as_ref() == Some(sender) {
        true => one_line(name),
        false => one_line(&format!("{name} {address}")),
    }
}

/// Lines that name files which follow a note.
fn named(files: &[NetdataFile]) -> Vec<String> {
    let names: Vec<String> = files
        .iter()
        .filter_map(|file| match &file.name {
            FileName::Cms(cms) => Some(format!("{} {}", cms.name(), cms.kind())),
            FileName::Note | FileName::DataSet(_) => None,
        })
        .collect();
    if names.is_empty() {
        return Vec::new();
    }
    let first = String::from("[Files sent with this note:]");
    std::iter::once(first).chain(names.into_iter().map(|name| format!("[  {name}]"))).collect()
}

/// Names and subjects are one line whatever they were.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn sent(message: &Message<'_>) -> Option<Timestamp> {
    let date = message.date().filter(|date| date.is_valid())?;
    Timestamp::from_second(date.to_timestamp()).ok()
}
