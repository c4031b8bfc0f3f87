//! Batch SMTP: the commands and messages of a session as lines of a file, which
//! mailers of hosts send each other.
//!
//! Sources: captures of such files; FUNET-NJE's receiver. Replies come back, if at
//! all, as another file; `TICK` lets the sender match it.

use crate::Place;
use crate::limits::{CARD, MAX_BATCH, MAX_BATCH_RECIPIENTS};
use concord_base::{EnhancedStatus, Fault, Retry};

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// What `HELO` said.
    pub hello: String,
    /// What `TICK` said, before the first message.
    pub tick: Option<String>,
    /// The messages.
    pub messages: Vec<BatchMessage>,
    /// Commands that were not understood, and recipients before any `MAIL`; they
    /// are told to the administrator.
    pub odd: Vec<(Place, String)>,
}

/// A message of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchMessage {
    /// The reverse-path without its brackets; empty is the null path.
    pub sender: String,
    /// The forward-paths, without brackets.
    pub recipients: Vec<String>,
    /// Lines of the message, dots taken off.
    pub lines: Vec<String>,
}

/// Why a file is no batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The file ends in a message.
    #[error("the batch ends at {0} within a message; part of it is missing")]
    Truncated(Place),
    /// `DATA` without a recipient before it.
    #[error("the message at {0} has no recipient")]
    NoRecipient(Place),
    /// `DATA` without a `MAIL` before it.
    #[error("the message at {0} has no sender, not even the null path")]
    NoSender(Place),
    /// More messages than [`MAX_BATCH`].
    #[error("the batch has more than {MAX_BATCH} messages at {0}")]
    TooManyMessages(Place),
    /// More recipients than [`MAX_BATCH_RECIPIENTS`].
    #[error("the message has more than {MAX_BATCH_RECIPIENTS} recipients at {0}")]
    TooManyRecipients(Place),
    /// A line that does not fit into a record.
    #[error(
        "line {line} has {columns} columns, and records {most}; send it as NETDATA, or encode it"
    )]
    LineTooLong {
        /// The line of the batch, from 0.
        line: usize,
        /// Its columns.
        columns: usize,
        /// A record's.
        most: usize,
    },
}

impl Fault for BatchError {
    fn code(&self) -> &'static str {
        match self {
            Self::Truncated(_) => "bsmtp.truncated",
            Self::NoRecipient(_) => "bsmtp.no-recipient",
            Self::NoSender(_) => "bsmtp.no-sender",
            Self::TooManyMessages(_) => "bsmtp.too-many-messages",
            Self::TooManyRecipients(_) => "bsmtp.too-many-recipients",
            Self::LineTooLong { .. } => "bsmtp.line-too-long",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::LineTooLong { .. } => EnhancedStatus::new(5, 6, 3),
            Self::TooManyRecipients(_) => EnhancedStatus::new(5, 5, 3),
            _ => EnhancedStatus::new(5, 5, 2),
        }
    }
}

/// Whether lines are a batch: the first command is one that opens it.
pub fn is_batch(lines: &[String]) -> bool {
    let first = lines.iter().map(|line| line.trim()).find(|line| !line.is_empty());
    first.and_then(|line| line.split_ascii_whitespace().next()).is_some_and(|word| {
        ["HELO", "EHLO", "TICK"].iter().any(|known| word.eq_ignore_ascii_case(known))
    })
}

/// Reads a batch from its lines (see [`crate::read_lines`]).
///
/// # Errors
/// [`BatchError`]; a batch that is cut off delivers none of its messages, for the
/// file can be sent again.
pub fn read(lines: &[String]) -> Result<Batch, BatchError> {
    let mut batch = Batch::default();
    let mut open: Option<BatchMessage> = None;
    let mut rest = lines.iter().enumerate();
    while let Some((at, line)) = rest.next() {
        let place = Place::start(at);
        let line = line.trim();
        let (word, value) = line.split_once(' ').unwrap_or((line, ""));
        match word.to_ascii_uppercase().as_str() {
            "" | "VERB" | "NOOP" => {}
            "HELO" | "EHLO" => batch.hello = value.trim().to_owned(),
            "TICK" if batch.tick.is_none() && batch.messages.is_empty() => {
                batch.tick = Some(value.trim().to_owned());
            }
            "TICK" => {}
            "RSET" => open = None,
            "QUIT" => return Ok(batch),
            "MAIL" => {
                let sender = path(value, "FROM:").unwrap_or_default();
                open = Some(BatchMessage { sender, ..BatchMessage::default() });
            }
            "RCPT" => match (&mut open, path(value, "TO:")) {
                (Some(message), Some(path)) if !path.is_empty() => {
                    if message.recipients.len() >= MAX_BATCH_RECIPIENTS {
                        return Err(BatchError::TooManyRecipients(place));
                    }
                    message.recipients.push(path);
                }
                _ => odd(&mut batch, place, line),
            },
            "DATA" => {
                let mut message = open.take().ok_or(BatchError::NoSender(place))?;
                if message.recipients.is_empty() {
                    return Err(BatchError::NoRecipient(place));
                }
                if batch.messages.len() >= MAX_BATCH {
                    return Err(BatchError::TooManyMessages(place));
                }
                loop {
                    let Some((_, line)) = rest.next() else {
                        return Err(BatchError::Truncated(Place::start(lines.len())));
                    };
                    match line.strip_prefix('.') {
                        Some("") => break,
                        Some(undoubled) => message.lines.push(undoubled.to_owned()),
                        None => message.lines.push(line.clone()),
                    }
                }
                batch.messages.push(message);
            }
            _ => odd(&mut batch, place, line),
        }
    }
    match open {
        Some(_) => Err(BatchError::Truncated(Place::start(lines.len()))),
        // Without QUIT, all of it is there.
        None => Ok(batch),
    }
}

/// Commands that were odd and are kept; more are only more of the same.
const MAX_ODD: usize = 20;

fn odd(batch: &mut Batch, place: Place, line: &str) {
    if batch.odd.len() < MAX_ODD {
        batch.odd.push((place, line.chars().take(CARD).collect()));
    }
}

fn path(value: &str, label: &str) -> Option<String> {
    let value = value.trim_start();
    let head = value.get(..label.len()).filter(|head| head.eq_ignore_ascii_case(label))?;
    let rest = value.get(head.len()..)?.trim();
    let inner = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    let path = inner
        .map_or_else(|| rest.split_ascii_whitespace().next().unwrap_or_default(), |(path, _)| path);
    Some(path.to_owned())
}

impl Batch {
    /// The batch's lines, none longer than `columns`: those of headers are folded
    /// at blanks, others refused, since receivers cut them off.
    ///
    /// # Errors
    /// [`BatchError::LineTooLong`] and [`BatchError::NoRecipient`].
    pub fn write(&self, columns: usize) -> Result<Vec<String>, BatchError> {
        let mut lines = vec![format!("HELO {}", self.hello)];
        lines.extend(self.tick.iter().map(|tick| format!("TICK {tick}")));
        for message in &self.messages {
            if message.recipients.is_empty() {
                return Err(BatchError::NoRecipient(Place::start(lines.len())));
            }
            lines.push(format!("MAIL FROM:<{}>", message.sender));
            lines.extend(message.recipients.iter().map(|one| format!("RCPT TO:<{one}>")));
            lines.push("DATA".to_owned());
            for line in fold(&message.lines, columns.saturating_sub(1)) {
                lines.push(if line.starts_with('.') { format!(".{line}") } else { line });
            }
            lines.push(".".to_owned());
        }
        lines.push("QUIT".to_owned());
        fits(&lines, columns)?;
        Ok(lines)
    }
}

/// Checks that no line is longer than a record.
pub(crate) fn fits(lines: &[String], most: usize) -> Result<(), BatchError> {
    let long = lines.iter().enumerate().find_map(|(line, text)| {
        let columns = text.chars().count();
        (columns > most).then_some(BatchError::LineTooLong { line, columns, most })
    });
    long.map_or(Ok(()), Err)
}

/// A message's lines with its header folded at blanks, so that none is longer
/// than `columns` if that can be. An encoded word has no blanks, so none is cut.
pub(crate) fn fold(message: &[String], columns: usize) -> Vec<String> {
    let mut lines = Vec::with_capacity(message.len());
    let mut header = true;
    for line in message {
        header &= !line.is_empty();
        let mut rest = line.as_str();
        while header && rest.chars().count() > columns {
            let reach =
                rest.char_indices().nth(columns.saturating_add(1)).map_or(rest.len(), |c| c.0);
            let text = rest.len().saturating_sub(rest.trim_start().len());
            let within = rest.get(..reach).unwrap_or(rest);
            let blank = within.rfind(' ').filter(|at| *at > text);
            let Some(at) = blank else { break };
            lines.push(rest.get(..at).unwrap_or_default().to_owned());
            rest = rest.get(at..).unwrap_or_default();
        }
        lines.push(rest.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn message(sender: &str, recipients: &[&str], text: &[&str]) -> BatchMessage {
        let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        BatchMessage {
            sender: sender.to_owned(),
            recipients: owned(recipients),
            lines: owned(text),
        }
    }

    #[test]
    fn several_messages_with_several_recipients_are_read_and_written() {
        let batch = Batch {
            hello: "concord.example".into(),
            tick: Some("1234".into()),
            messages: vec![
                message("a@x.example", &["b@y", "c@y"], &["Subject: 1", "", ".dot", ".", "..", ""]),
                message("", &["b@y"], &[]),
            ],
            odd: Vec::new(),
        };
        let written = batch.write(CARD).unwrap();
        assert_eq!(read(&written), Ok(batch));
    }

    #[test]
    fn commands_in_any_case_noop_rset_and_no_quit_are_understood() {
        let text = "helo x\nverb on\nMAIL FROM:<wrong>\nRSET\nmail from: <a@b>\nNOOP\n\
                    rcpt to: <c@d>\nXYZ what\nRCPT nonsense\ndata\nhello\n.";
        let batch = read(&lines(text)).unwrap();
        assert_eq!(batch.messages, [message("a@b", &["c@d"], &["hello"])]);
        assert_eq!(batch.odd.len(), 2);
        assert!(is_batch(&lines(text)));
    }

    #[test]
    fn a_batch_that_is_cut_off_anywhere_delivers_nothing_by_halves() {
        let text = "HELO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nhello\n.";
        let all = lines(text);
        for end in 2..all.len() {
            assert!(matches!(read(&all[..end]), Err(BatchError::Truncated(_))), "{end}");
        }
        assert!(matches!(read(&lines("HELO x\nDATA\n.")), Err(BatchError::NoSender(_))));
        let nobody = lines("HELO x\nMAIL FROM:<>\nDATA\n.");
        assert!(matches!(read(&nobody), Err(BatchError::NoRecipient(_))));
    }

    #[test]
    fn long_headers_are_folded_at_blanks_and_other_long_lines_refused() {
        let subject = format!("Subject: {}", "word ".repeat(40).trim_end());
        let encoded = format!("X: =?utf-8?q?{}?= =?utf-8?q?{}?=", "a".repeat(50), "b".repeat(50));
        let batch = |text: &[&str]| Batch {
            messages: vec![message("a@b", &["c@d"], text)],
            ..Batch::default()
        };
        let written = batch(&[&subject, &encoded, "", "body"]).write(CARD).unwrap();
        assert!(written.iter().all(|line| line.len() <= CARD));
        assert!(written.iter().filter(|line| line.contains("=?")).count() == 2);
        let joined: String = read(&written).unwrap().messages[0].lines.join("");
        assert!(joined.starts_with(&subject));
        let long = "x".repeat(81);
        assert!(matches!(
            batch(&["Subject: y", "", &long]).write(CARD),
            Err(BatchError::LineTooLong { columns: 81, .. })
        ));
    }
}
