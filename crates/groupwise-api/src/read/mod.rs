//! Fields to what they mean.

mod address;
mod directory;
mod item;
mod search;
mod values;

use crate::charset::Characters;
use crate::diagnostics;
use crate::limits::MAX_NOTICES;
use crate::model::{Action, StatusEvent};
use crate::model::{Message, Status};
use crate::outcome::{Defect, Header, Notice, Reading, Reason};
use crate::syntax::{self, Fields, Framed};
use crate::vocabulary::{ACTIONS, Keyword, MESSAGE_TYPES, MessageType, meaning};
use values::Values;

/// Reads one header file.
///
/// `characters` says what the link's files are written in. The whole file is
/// given; reading it again after it grew is cheap as long as `-END-` is
/// missing. Sources: Q222506, Q199302, Q222538, Q222550, Q234585, Q244467,
/// Q253349 and files that are known to have been accepted.
pub fn read(file: &[u8], characters: Characters) -> Reading {
    let frame = match syntax::frame(file) {
        Framed::Whole(frame) => frame,
        Framed::NotReady(why) => return Reading::NotReady(why),
        Framed::Bad(defect) => return Reading::Bad(defect),
    };
    let header = syntax::scan(frame.header).and_then(|fields| understand(fields, characters));
    match header {
        Ok(mut header) => {
            header.diagnostics = diagnostics::read(frame.trailer, characters.page);
            Reading::Complete(Box::new(header))
        }
        Err(defect) => Reading::Bad(defect),
    }
}

fn understand(fields: Fields, characters: Characters) -> Result<Header, Defect> {
    let mut values = Values::new(fields, characters);
    let message = message(&mut values)?;
    let mut notices = values.into_notices();
    notices.truncate(MAX_NOTICES);
    Ok(Header { message, notices, diagnostics: Vec::new() })
}

fn message(values: &mut Values) -> Result<Message, Defect> {
    let kind = match values.text_with_line(Keyword::MsgType) {
        None if values.has_objects() || values.has(Keyword::GetDirectory) => MessageType::Admin,
        None => {
            values.notice(Notice::NoMessageType);
            MessageType::Item(Default::default())
        }
        Some((line, word)) => meaning(MESSAGE_TYPES, &word).unwrap_or_else(|| {
            values.unknown_value(line, Keyword::MsgType, &word);
            MessageType::Item(Default::default())
        }),
    };
    match kind {
        MessageType::Admin => Ok(Message::Directory(directory::read(values)?)),
        MessageType::Search => search::read(values),
        MessageType::Item(kind) => {
            let item = item::read(values, kind);
            match events(values, item.answers.is_empty()) {
                events if events.is_empty() => Ok(Message::Item(item)),
                _ if item.answers.is_empty() => Err(missing(Keyword::OrigMsgId)),
                events => Ok(Message::Status(Status {
                    kind,
                    id: item.id,
                    of: item.answers,
                    from: item.from,
                    from_text: item.from_text,
                    to: item.to,
                    subject: item.subject,
                    sent: item.sent,
                    events,
                    body: item.body,
                })),
            }
        }
    }
}

/// What happened to an item: the blocks of `Status-Report`, or `Set-Status`
/// if the file answers another.
fn events(values: &mut Values, answers_nothing: bool) -> Vec<StatusEvent> {
    let mut events: Vec<StatusEvent> = Vec::new();
    for block in values.blocks(Keyword::StatusReport) {
        let mut event = StatusEvent { action: Action::Delayed, time: None, detail: String::new() };
        let mut known = false;
        for (sub, line, text) in values.texts(&block) {
            match sub {
                crate::vocabulary::Sub::Action => match meaning(ACTIONS, &text) {
                    Some(action) => (event.action, known) = (action, true),
                    None => values.unknown_value(line, Keyword::StatusReport, &text),
                },
                crate::vocabulary::Sub::Time => {
                    event.time = values.moment(line, Keyword::StatusReport, &text);
                }
                _ if event.detail.is_empty() => event.detail = text,
                _ => {}
            }
        }
        events.extend(Some(event).filter(|_| known));
    }
    if events.is_empty()
        && !answers_nothing
        && let Some((line, word)) = values.text_with_line(Keyword::SetStatus)
    {
        match meaning(ACTIONS, &word) {
            Some(action) => {
                events.push(StatusEvent { action, time: None, detail: String::new() });
            }
            None => values.unknown_value(line, Keyword::SetStatus, &word),
        }
    }
    events
}

fn missing(keyword: Keyword) -> Defect {
    Defect { reason: Reason::Missing(keyword.name()), line: 0 }
}
