//! Mail and status.

use super::pen::{Lines, Pen};
use crate::model::{Attachment, Body, Item, ItemKind, Status, StatusEvent};
use crate::vocabulary::{
    ACTIONS, Keyword, MESSAGE_TYPES, MessageType, PRIORITIES, SECURITIES, Sub, status_request_word,
    word,
};

pub(super) fn write(pen: &mut Pen, item: &Item) {
    pen.word(Keyword::MsgType, type_word(item.kind));
    pen.addresses(Keyword::From, item.from.as_slice());
    pen.text(Keyword::FromText, &item.from_text);
    pen.addresses(Keyword::To, &item.to);
    pen.addresses(Keyword::ToCc, &item.copies);
    pen.addresses(Keyword::ToBc, &item.blind_copies);
    pen.addresses(Keyword::AllTo, &item.all_to);
    pen.addresses(Keyword::AllToCc, &item.all_copies);
    pen.text(Keyword::ToText, &item.to_text);
    pen.text(Keyword::ToCcText, &item.copies_text);
    body(pen, item.body.as_ref());
    attachments(pen, &item.attachments);
    pen.text(Keyword::Subject, &item.subject);
    pen.text(Keyword::MsgId, &item.id);
    pen.text(Keyword::OrigMsgId, &item.answers);
    pen.date(Keyword::DateSent, item.sent);
    pen.date(Keyword::DistributeDate, item.distribute);
    pen.date(Keyword::BeginTime, item.begin);
    pen.date(Keyword::EndTime, item.end);
    pen.date(Keyword::RespondBy, item.respond_by);
    pen.text(Keyword::Location, &item.location);
    kind_fields(pen, item);
    pen.word(Keyword::Security, word(SECURITIES, &item.security));
    pen.word(Keyword::MsgPriority, word(PRIORITIES, &item.priority));
    pen.word(Keyword::StatusRequest, status_request_word(item.status_request));
}

fn type_word(kind: ItemKind) -> &'static str {
    word(MESSAGE_TYPES, &MessageType::Item(kind))
}

fn kind_fields(pen: &mut Pen, item: &Item) {
    if let Some(call) = &item.phone {
        pen.text(Keyword::CallAction, &call.action);
        pen.text(Keyword::CallerName, &call.caller);
        pen.text(Keyword::CallerCompany, &call.company);
        pen.text(Keyword::CallerPhone, &call.telephone);
    }
    if let Some(task) = &item.task {
        if let Some(category) = task.category {
            pen.text(Keyword::TaskCategory, &category.to_string());
        }
        if let Some(priority) = task.priority {
            pen.word(Keyword::TaskPriority, &priority.to_string());
        }
    }
}

fn body(pen: &mut Pen, body: Option<&Body>) {
    if let Some(body) = body {
        pen.page(body.page);
        pen.text(Keyword::MsgFile, &body.stored);
    }
}

fn attachments(pen: &mut Pen, attachments: &[Attachment]) {
    if !attachments.is_empty() {
        pen.blocks(Keyword::AttachFile, attachments.iter().map(attachment).collect());
    }
}

fn attachment(attachment: &Attachment) -> Lines {
    let mut lines = vec![(Sub::CurrentFile, attachment.stored.clone())];
    if let Some(size) = attachment.size {
        lines.push((Sub::Size, size.to_string()));
    }
    if !attachment.name.is_empty() {
        lines.push((Sub::OriginalFile, attachment.name.clone()));
    }
    if let Some(modified) = attachment.modified {
        lines.push((Sub::Date, modified.to_string()));
    }
    if attachment.conversion_allowed {
        lines.push((Sub::ConversionAllowed, String::new()));
    }
    lines
}

/// A status message has the type of its item, the id of its item, and the
/// blocks of `Status-Report`. Derived: no file of this kind is known, but the
/// list of types has none for it and both keywords exist.
pub(super) fn write_status(pen: &mut Pen, status: &Status) {
    pen.word(Keyword::MsgType, type_word(status.kind));
    pen.addresses(Keyword::From, status.from.as_slice());
    pen.text(Keyword::FromText, &status.from_text);
    pen.addresses(Keyword::To, &status.to);
    body(pen, status.body.as_ref());
    pen.text(Keyword::Subject, &status.subject);
    pen.text(Keyword::MsgId, &status.id);
    pen.text(Keyword::OrigMsgId, &status.of);
    pen.date(Keyword::DateSent, status.sent);
    pen.blocks(Keyword::StatusReport, status.events.iter().map(event).collect());
}

fn event(event: &StatusEvent) -> Lines {
    let mut lines = vec![(Sub::Action, word(ACTIONS, &event.action).to_owned())];
    if let Some(time) = event.time {
        lines.push((Sub::Time, time.to_string()));
    }
    if !event.detail.is_empty() {
        lines.push((Sub::Detail, event.detail.clone()));
    }
    lines
}
