//! A spool file as a message of the Internet.

use super::{Loss, People, internet, told};
use crate::netdata::{FileName, Netdata, NetdataFile};
use crate::note::{self, CopiesFrom, Note, NoteAddress, NoteRules, Person};
use crate::{Arrived, Attachment, CmsName, Content, FileTypes, SpoolFile, attachment, read_lines};
use concord_address::{Domain, SmtpAddress};
use concord_ebcdic::CodePage;
use concord_message::free_boundary;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::mime::MimePart;

/// What stands for the subject of files that came without a note (Q192932).
const NO_SUBJECT: &str = "NO SUBJECT";

/// What a conversion has to know of the link.
pub struct InboundRules<'a> {
    /// The directory.
    pub people: &'a dyn People,
    /// The domain of Message-IDs and encapsulated addresses.
    pub domain: &'a Domain,
    /// The host's zone.
    pub zone: &'a TimeZone,
    /// The host's code page.
    pub page: CodePage,
    /// What files hold.
    pub types: &'a FileTypes,
    /// How notes are.
    pub notes: &'a NoteRules,
}

/// A spool file as a message for the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// RFC 5322 octets.
    pub message: Vec<u8>,
    /// The reverse-path; `None` is the null path, where the sender has no name.
    pub sender: Option<SmtpAddress>,
    /// What an acknowledgement has to bring back, if the sender wants one.
    pub acknowledge: Option<Vec<u8>>,
    /// What could not be carried over; the text says so at its end.
    pub losses: Vec<Loss>,
}

/// What a message is made of.
#[derive(Default)]
struct Pieces {
    note: Note,
    files: Vec<Attachment>,
    sent: Option<Timestamp>,
    losses: Vec<Loss>,
    acknowledge: Option<Vec<u8>>,
    reference: Option<String>,
    has_note: bool,
}

/// Turns a file that was opened into a message. The same file always gives the
/// same octets. `id` is one that no other file has, for the Message-ID, unless the
/// transmission has a reference: then a note is named by it, and files that came by
/// themselves refer to that note. `found` is when it was found, for one that says nothing of its time. `None` for what is no
/// message for the recipient: nothing at all, acknowledgements, batches and
/// messages that have an envelope or header of their own.
pub fn inbound(
    file: &SpoolFile,
    arrived: &Arrived,
    rules: &InboundRules<'_>,
    id: &str,
    found: Timestamp,
) -> Option<Inbound> {
    let mut pieces = match arrived {
        Arrived::Netdata(Netdata::Transmission(transmission)) => {
            let mut pieces = Pieces {
                sent: transmission.sent,
                acknowledge: transmission.acknowledge.clone(),
                reference: transmission.reference.clone(),
                has_note: transmission.files.iter().any(|one| one.name == FileName::Note),
                ..Pieces::default()
            };
            for one in &transmission.files {
                take(&mut pieces, one, rules);
            }
            pieces
        }
        Arrived::Note(note) => Pieces { note: (**note).clone(), ..Pieces::default() },
        Arrived::Listing(lines) => {
            Pieces { note: Note { text: lines.clone(), ..Note::default() }, ..Pieces::default() }
        }
        Arrived::Files(files) => {
            let mut pieces = Pieces::default();
            for one in files {
                let name = one.name.clone().or_else(|| named(file));
                cards(&mut pieces, name, &one.records, rules);
            }
            pieces
        }
        Arrived::Cards => {
            let mut pieces = Pieces::default();
            cards(&mut pieces, named(file), &file.records, rules);
            pieces
        }
        Arrived::Empty
        | Arrived::Netdata(Netdata::Acknowledgements(_))
        | Arrived::Batch(_)
        | Arrived::Message(_) => return None,
    };
    if pieces.note.subject.is_empty() {
        pieces.note.subject = NO_SUBJECT.to_owned();
    }
    Some(build(file, pieces, rules, id, found))
}

/// The spool file's own name.
fn named(file: &SpoolFile) -> Option<CmsName> {
    CmsName::new(file.name.trim(), file.kind.trim())
}

fn take(pieces: &mut Pieces, file: &NetdataFile, rules: &InboundRules<'_>) {
    if file.name == FileName::Note {
        let lines = read_lines(&file.data(), rules.page);
        pieces.note = match note::read(&lines, rules.notes) {
            Ok(note) => note,
            Err(_) => Note { text: lines, ..Note::default() },
        };
        return;
    }
    if file.partitioned || file.format.is_packed() || file.format.is_compressed() {
        pieces.losses.push(Loss::Opaque);
        pieces.losses.dedup();
    }
    pieces.files.push(attachment(file, rules.types, None, rules.page));
}

fn cards(
    pieces: &mut Pieces,
    name: Option<CmsName>,
    records: &crate::Records,
    rules: &InboundRules<'_>,
) {
    let name = name.map_or(FileName::DataSet(vec!["CARDS".into(), "TXT".into()]), FileName::Cms);
    let file = NetdataFile::varying(name, records.clone());
    pieces.files.push(attachment(&file, rules.types, None, rules.page));
}

fn build(
    file: &SpoolFile,
    pieces: Pieces,
    rules: &InboundRules<'_>,
    id: &str,
    found: Timestamp,
) -> Inbound {
    let note = &pieces.note;
    let said = note.date.as_ref().and_then(|date| date.instant(rules.zone));
    let at = said.or(pieces.sent).or(file.entered).unwrap_or(found);
    let sender = file.origin.as_ref().and_then(|one| internet(rules.people, one, rules.domain));
    let reference = pieces.reference.as_ref().map(|reference| {
        let from = file.origin.as_ref().map(ToString::to_string).unwrap_or_default();
        hex(&format!("{from}/{reference}"))
    });
    let hex = reference.clone().filter(|_| pieces.has_note).unwrap_or_else(|| hex(id));
    let mut builder = MessageBuilder::new()
        .message_id(format!("vm.{hex}@{}", rules.domain))
        .date(Date::new(at.as_second()))
        .subject(note.subject.clone());
    if let Some(reference) = reference.filter(|_| !pieces.has_note) {
        let note = format!("vm.{reference}@{}", rules.domain);
        builder = builder.in_reply_to(note.clone()).references(note);
    }
    // Who sent it is what NJE says, and a name is what the note says.
    if let Some(address) = &sender {
        let name = note.from.as_ref().map(|one| one.name.clone()).filter(|name| !name.is_empty());
        builder = builder.from(Address::new_address(name, address.to_string()));
    }
    let copies: &[Person] = match note.copies_from {
        CopiesFrom::Heading => &note.copies,
        CopiesFrom::Foot => &[],
    };
    if let Some(list) = heading(&note.to, rules) {
        builder = builder.to(list);
    }
    if let Some(list) = heading(copies, rules) {
        builder = builder.cc(list);
    }
    if let Some(list) =
        note.reply_to.as_ref().and_then(|one| heading(std::slice::from_ref(one), rules))
    {
        builder = builder.reply_to(list);
    }
    // An editor's `OPTIONS: ACK` asks as INMFACK does, and has nothing to bring back.
    let asked = (note.acknowledge == Some(true)).then(Vec::new);
    let text = text(note, &pieces.losses);
    let body = MimePart::new("text/plain", text.clone());
    builder = builder.body(match pieces.files.is_empty() {
        true => body,
        false => {
            let kind = ContentType::new("multipart/mixed")
                .attribute("boundary", boundary(&hex, &text, &pieces.files));
            let files = pieces.files.into_iter().map(part);
            MimePart::new(kind, std::iter::once(body).chain(files).collect::<Vec<_>>())
        }
    });
    Inbound {
        // Writing to memory does not fail.
        message: builder.write_to_vec().unwrap_or_default(),
        sender,
        acknowledge: pieces.acknowledge.or(asked),
        losses: pieces.losses,
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|octet| format!("{octet:02x}")).collect()
}

/// People without an address are a group without members, which readers show and
/// nobody answers (Q236335).
fn heading(people: &[Person], rules: &InboundRules<'_>) -> Option<Address<'static>> {
    let one = |person: &Person| {
        let name = Some(person.name.clone()).filter(|name| !name.is_empty());
        let address = match &person.address {
            Some(NoteAddress::Host(host)) => internet(rules.people, host, rules.domain),
            Some(NoteAddress::Internet(text)) => text.parse().ok(),
            None => None,
        };
        match address {
            Some(address) => Some(Address::new_address(name, address.to_string())),
            None => Some(Address::new_group(Some(name?), Vec::<Address<'_>>::new())),
        }
    };
    let all: Vec<Address<'static>> = people.iter().filter_map(one).collect();
    (!all.is_empty()).then(|| Address::new_list(all))
}

/// The note's text; a list at its foot stays there, since it may be another
/// note's (Q182279).
fn text(note: &Note, losses: &[Loss]) -> String {
    let mut lines = note.text.clone();
    if note.copies_from == CopiesFrom::Foot {
        lines.push(String::new());
        let shown: Vec<String> = note.copies.iter().map(ToString::to_string).collect();
        lines.push(format!("cc: {}", shown.join(", ")));
    }
    lines.extend(told(losses));
    let mut text = lines.join("\r\n");
    text.push_str("\r\n");
    text
}

fn part(file: Attachment) -> MimePart<'static> {
    let made = match file.content {
        Content::HostText => {
            MimePart::new("text/plain", String::from_utf8_lossy(&file.octets).into_owned())
        }
        Content::Binary | Content::PcText => MimePart::new("application/octet-stream", file.octets),
    };
    made.attachment(file.name)
}

/// Binary files are base64 and cannot contain it; texts are looked at.
fn boundary(hex: &str, text: &str, files: &[Attachment]) -> String {
    let short: String = hex.chars().take(32).collect();
    let texts = files.iter().filter(|file| file.content == Content::HostText);
    let texts = texts.map(|file| file.octets.as_slice());
    free_boundary(&format!("=_vm_{short}_"), std::iter::once(text.as_bytes()).chain(texts))
}
