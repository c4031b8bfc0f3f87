//! The text and the files of a message.

use super::{Loss, MAX_DEPTH, MAX_FILES};
use mail_parser::{Address, Message, MimeHeaders, PartType};

/// A file of a message.
#[derive(Debug)]
pub(super) struct File {
    pub name: String,
    pub octets: Vec<u8>,
    pub is_text: bool,
}

#[derive(Debug, Default)]
pub(super) struct Parts {
    pub text: Vec<String>,
    pub files: Vec<File>,
    pub losses: Vec<Loss>,
}

impl Parts {
    pub fn lose(&mut self, loss: Loss) {
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    fn add(&mut self, file: File) {
        if self.files.len() >= MAX_FILES {
            return self.lose(Loss::TooManyFiles);
        }
        self.files.push(file);
    }
}

/// Takes a message apart; messages within it become files of the outermost one.
pub(super) fn take_apart(message: &Message<'_>) -> Parts {
    let mut parts = Parts { text: text(message), ..Parts::default() };
    files(message, &mut parts, 1);
    parts
}

/// Every text part a reader would see, as lines of plain text.
fn text(message: &Message<'_>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for at in 0..message.text_body_count() {
        let Some(text) = message.body_text(at).filter(|text| !text.trim().is_empty()) else {
            continue;
        };
        if !all.is_empty() {
            all.push(String::new());
        }
        all.extend(crate::lines(text.trim_end()).map(|line| line.trim_end().to_owned()));
    }
    all
}

fn files(message: &Message<'_>, parts: &mut Parts, depth: usize) {
    for part in message.attachments() {
        match &part.body {
            PartType::Message(inner) if depth < MAX_DEPTH => {
                parts.lose(Loss::Flattened);
                let mut lines = heading(inner);
                lines.extend(text(inner));
                let subject = inner.subject().unwrap_or("message");
                let name = format!("{}.NOTE", subject.replace('.', " "));
                parts.add(File { name, octets: lines.join("\n").into_bytes(), is_text: true });
                files(inner, parts, depth.saturating_add(1));
            }
            PartType::Message(_) => parts.lose(Loss::TooDeep),
            body => parts.add(File {
                name: part.attachment_name().unwrap_or_default().to_owned(),
                octets: part.contents().to_vec(),
                is_text: matches!(body, PartType::Text(_)),
            }),
        }
    }
}

fn heading(inner: &Message<'_>) -> Vec<String> {
    let fields = [
        ("From", people(inner.from())),
        ("To", people(inner.to())),
        ("cc", people(inner.cc())),
        ("Date", inner.date().map(|date| date.to_rfc822()).unwrap_or_default()),
        ("Subject", inner.subject().unwrap_or_default().to_owned()),
    ];
    let filled = fields.iter().filter(|(_, value)| !value.is_empty());
    let mut lines: Vec<String> = filled.map(|(label, value)| format!("{label}: {value}")).collect();
    lines.push(String::new());
    lines
}

fn people(addresses: Option<&Address<'_>>) -> String {
    let all = addresses.into_iter().flat_map(|all| all.iter()).map(|one| {
        match (one.name().filter(|name| !name.is_empty()), one.address()) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (name, address) => name.or(address).unwrap_or_default().to_owned(),
        }
    });
    all.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}
