//! The text and the files of a message.

use super::bounds::{MAX_DEPTH, MAX_FILES};
use super::{Loss, meeting};
use mail_parser::{Message, MessagePart, MimeHeaders, PartType};

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub name: String,
    pub octets: Vec<u8>,
    /// Whether it is the message's own calendar object.
    pub calendar: bool,
}

#[derive(Debug, Default)]
pub(super) struct Parts {
    pub text: String,
    pub files: Vec<File>,
    pub losses: Vec<Loss>,
}

impl Parts {
    fn lose(&mut self, loss: Loss) {
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    fn add(&mut self, name: String, octets: Vec<u8>, calendar: bool) {
        if self.files.len() >= MAX_FILES {
            self.lose(Loss::TooManyFiles);
            return;
        }
        self.files.push(File { name, octets, calendar });
    }
}

/// Takes a message apart: its texts joined, its files, and messages within it
/// as files of the outermost one, since GroupWise's files do not nest.
pub(super) fn take_apart(message: &Message<'_>) -> Parts {
    let mut parts = Parts { text: text(message), ..Parts::default() };
    files(message, &mut parts, 1);
    parts
}

/// Every text part a reader would see, as plain text with CR LF.
fn text(message: &Message<'_>) -> String {
    let mut texts = Vec::new();
    for at in 0..message.text_body_count() {
        if let Some(text) = message.body_text(at) {
            texts.push(text.trim_end().replace("\r\n", "\n").replace('\n', "\r\n"));
        }
    }
    texts.retain(|text| !text.is_empty());
    let mut joined = texts.join("\r\n\r\n");
    if !joined.is_empty() {
        joined.push_str("\r\n");
    }
    joined
}

fn files(message: &Message<'_>, parts: &mut Parts, depth: usize) {
    for (number, part) in message.attachments().enumerate() {
        match &part.body {
            PartType::Message(inner) if depth < MAX_DEPTH => flatten(inner, parts, depth),
            PartType::Message(_) => parts.lose(Loss::TooDeep),
            _ => parts.add(
                name(part, number),
                part.contents().to_vec(),
                depth == 1 && meeting::is_calendar(part),
            ),
        }
    }
}

fn flatten(inner: &Message<'_>, parts: &mut Parts, depth: usize) {
    parts.lose(Loss::Flattened);
    let mut text = String::new();
    for (label, value) in [
        ("From", people(inner.from())),
        ("To", people(inner.to())),
        ("Cc", people(inner.cc())),
        ("Date", inner.date().map(|d| d.to_rfc822()).unwrap_or_default()),
        ("Subject", inner.subject().unwrap_or_default().to_owned()),
    ] {
        if !value.is_empty() {
            text.push_str(&format!("{label}: {value}\r\n"));
        }
    }
    text.push_str("\r\n");
    text.push_str(&self::text(inner));
    let subject = inner.subject().unwrap_or_default();
    let name = format!("{}.txt", if subject.is_empty() { "message" } else { subject });
    parts.add(tidy_name(&name), text.into_bytes(), false);
    files(inner, parts, depth + 1);
}

/// People of a header as text.
pub(super) fn people(addresses: Option<&mail_parser::Address<'_>>) -> String {
    let Some(addresses) = addresses else { return String::new() };
    let one = |address: &mail_parser::Addr<'_>| match (address.name(), address.address()) {
        (Some(name), Some(mail)) if !name.is_empty() => format!("{name} <{mail}>"),
        (_, Some(mail)) => mail.to_owned(),
        (Some(name), None) => name.to_owned(),
        (None, None) => String::new(),
    };
    addresses.iter().map(one).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}

fn name(part: &MessagePart<'_>, number: usize) -> String {
    if let Some(name) = part.attachment_name().filter(|name| !name.trim().is_empty()) {
        return tidy_name(name);
    }
    let subtype = part.content_type().and_then(|kind| kind.subtype()).unwrap_or_default();
    let extension = match subtype.to_ascii_lowercase().as_str() {
        "plain" => "txt",
        "html" => "htm",
        "calendar" => "ics",
        "jpeg" => "jpg",
        "png" => "png",
        "gif" => "gif",
        "pdf" => "pdf",
        "zip" => "zip",
        _ => "bin",
    };
    format!("file{}.{extension}", number + 1)
}

/// A name without paths and controls. Names of mail programs are untrusted.
fn tidy_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let tidy: String = last
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|') {
                '_'
            } else {
                c
            }
        })
        .collect();
    let tidy = tidy.trim().trim_matches('.').to_owned();
    if tidy.is_empty() { "file".into() } else { tidy }
}
