//! Spool files as they arrive, and what is in them.

use crate::bsmtp::{self, Batch, BatchError};
use crate::netdata::{self, Netdata, NetdataError};
use crate::note::{self, Note, NoteForm, NoteRules};
use crate::punch::{self, PunchedFile};
use crate::{CarriageControl, HostAddress, Records, listing, read_lines};
use concord_ebcdic::CodePage;
use jiff::Timestamp;

/// The device that a file was spooled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Device {
    /// Cards.
    #[default]
    Punch,
    /// A printer.
    Print,
}

/// A file as NJE delivers it: what its headers say, and its records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpoolFile {
    /// Who sent it (NJHGORGN, NJHGORGR); none if that is no user.
    pub origin: Option<HostAddress>,
    /// Whom it is for (NDHGNODE, NDHGRMT); none if there is no user. RSCS takes the
    /// user id SYSTEM away (Q221565), so that such a file has nobody to go to.
    pub destination: Option<HostAddress>,
    /// When it was spooled (NJHGETS).
    pub entered: Option<Timestamp>,
    /// Punch or printer.
    pub device: Device,
    /// What stands before the data of print records.
    pub carriage: CarriageControl,
    /// The class; `M` is mail.
    pub class: char,
    /// The form: `QUMAIL`, `STANDARD`.
    pub form: String,
    /// The file's name.
    pub name: String,
    /// The file's type.
    pub kind: String,
    /// The records, blanks behind them as they were.
    pub records: Records,
}

/// What a spool file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// No records at all (Q193122: the connector stopped).
    Empty,
    /// NETDATA.
    Netdata(Netdata),
    /// A batch of mail.
    Batch(Batch),
    /// A message of the Internet without an envelope, in lines.
    Message(Vec<String>),
    /// A note, in cards or in print.
    Note(Box<Note>),
    /// Punched files with their names.
    Files(Vec<PunchedFile>),
    /// A listing, in lines; it is delivered as text.
    Listing(Vec<String>),
    /// Cards that say nothing of themselves; the headers have the file's name.
    Cards,
}

/// Why a spool file cannot be read. It is put aside whole, and those behind it go
/// on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpoolError {
    /// It is NETDATA, and broken.
    #[error(transparent)]
    Netdata(#[from] NetdataError),
    /// It is a batch, and broken.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

impl concord_base::Fault for SpoolError {
    fn code(&self) -> &'static str {
        match self {
            Self::Netdata(error) => error.code(),
            Self::Batch(error) => error.code(),
        }
    }

    fn retry(&self) -> concord_base::Retry {
        match self {
            Self::Netdata(error) => error.retry(),
            Self::Batch(error) => error.retry(),
        }
    }

    fn enhanced_status(&self) -> concord_base::EnhancedStatus {
        match self {
            Self::Netdata(error) => error.enhanced_status(),
            Self::Batch(error) => error.enhanced_status(),
        }
    }
}

impl SpoolFile {
    /// Finds out what the file is, from its records first and its headers second,
    /// as RECEIVE does.
    ///
    /// # Errors
    /// The file says what it is, and is broken.
    pub fn open(&self, page: CodePage, rules: &NoteRules) -> Result<Arrived, SpoolError> {
        if self.records.is_empty() {
            return Ok(Arrived::Empty);
        }
        if netdata::is_netdata(&self.records) {
            return Ok(Arrived::Netdata(netdata::read(&self.records)?));
        }
        if self.device == Device::Punch && punch::has_header(&self.records) {
            return Ok(Arrived::Files(punch::read(&self.records)));
        }
        let lines = match (self.device, self.carriage) {
            (Device::Punch, _) | (_, CarriageControl::None) => read_lines(&self.records, page),
            (Device::Print, carriage) => listing::print(&self.records, carriage, page),
        };
        if lines.iter().all(|line| line.trim().is_empty()) {
            return Ok(if self.device == Device::Print {
                Arrived::Listing(lines)
            } else {
                Arrived::Cards
            });
        }
        if bsmtp::is_batch(&lines) {
            return Ok(Arrived::Batch(bsmtp::read(&lines)?));
        }
        match kind_of_text(&lines) {
            Text::Message => return Ok(Arrived::Message(unfolded_cards(lines))),
            Text::Note(form) => {
                let rules = NoteRules { form, ..rules.clone() };
                if let Ok(note) = note::read(&lines, &rules) {
                    return Ok(Arrived::Note(Box::new(note)));
                }
            }
            Text::Other => {}
        }
        Ok(if self.device == Device::Print { Arrived::Listing(lines) } else { Arrived::Cards })
    }

    /// Whether the file has mail's class or a form of mail.
    pub fn is_mail(&self) -> bool {
        self.class == 'M' || self.form.trim() == "QUMAIL"
    }
}

enum Text {
    Message,
    Note(NoteForm),
    Other,
}

/// Lines of a heading that are looked at to tell notes from messages.
const LOOKED_AT: usize = 50;

/// Notes name users of nodes, messages addresses of the Internet.
fn kind_of_text(lines: &[String]) -> Text {
    let mut lines = lines.iter().skip_while(|line| line.trim().is_empty());
    let head: Vec<String> = lines
        .by_ref()
        .take(LOOKED_AT)
        .take_while(|line| !line.trim().is_empty())
        .cloned()
        .collect();
    let field = |name: &str| {
        head.iter().find_map(|line| {
            let start = line.get(..name.len())?;
            start.eq_ignore_ascii_case(name).then(|| line.get(name.len()..)).flatten()
        })
    };
    if head.first().is_some_and(|line| line.to_ascii_uppercase().starts_with("MSG:FROM:")) {
        return Text::Note(NoteForm::Profs);
    }
    let from = field("From:");
    let marked = ["Received:", "Message-ID:", "MIME-Version:", "Return-Path:"]
        .iter()
        .any(|name| field(name).is_some());
    if marked || from.is_some_and(|from| from.contains('@')) {
        return Text::Message;
    }
    let (Some(from), true) = (from, field("To:").is_some() || field("Date:").is_some()) else {
        return Text::Other;
    };
    if from.to_ascii_lowercase().contains(" at ") {
        Text::Note(NoteForm::Cms)
    } else if from.contains(" -") {
        Text::Note(NoteForm::Profs)
    } else {
        Text::Other
    }
}

/// A message's lines; blanks behind them filled cards and are gone already. Lines
/// that fill a card to its end stay as they are: what they were before nobody
/// knows.
fn unfolded_cards(lines: Vec<String>) -> Vec<String> {
    let start = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(0);
    lines.into_iter().skip(start).collect()
}

/// A message's lines for a user or mailer that takes messages without an
/// envelope: none longer than `columns`.
///
/// # Errors
/// [`BatchError::LineTooLong`]
pub fn bare_message(lines: &[String], columns: usize) -> Result<Vec<String>, BatchError> {
    let folded = bsmtp::fold(lines, columns);
    bsmtp::fits(&folded, columns)?;
    Ok(folded)
}
