//! Mail, appointments, notes, tasks, phone messages.

use super::address;
use super::values::Values;
use crate::model::{Attachment, Body, Item, ItemKind, PhoneCall, Task};
use crate::syntax::{SubField, SubValue};
use crate::vocabulary::{Keyword, PRIORITIES, SECURITIES, Sub, meaning, status_request};

pub(super) fn read(values: &mut Values, kind: ItemKind) -> Item {
    let mut item = Item {
        kind,
        id: values.id(Keyword::MsgId),
        answers: values.id(Keyword::OrigMsgId),
        from: address::one(values, Keyword::From),
        from_text: values.text(Keyword::FromText),
        to: address::all(values, Keyword::To),
        copies: address::all(values, Keyword::ToCc),
        blind_copies: address::all(values, Keyword::ToBc),
        all_to: address::all(values, Keyword::AllTo),
        all_copies: address::all(values, Keyword::AllToCc),
        to_text: values.text(Keyword::ToText),
        copies_text: values.text(Keyword::ToCcText),
        subject: values.text(Keyword::Subject),
        sent: values.date(Keyword::DateSent),
        distribute: values.date(Keyword::DistributeDate),
        begin: values.date(Keyword::BeginTime),
        end: values.date(Keyword::EndTime),
        respond_by: values.date(Keyword::RespondBy),
        location: values.text(Keyword::Location),
        body: body(values),
        attachments: attachments(values),
        phone: phone(values),
        task: task(values),
        ..Item::default()
    };
    choices(values, &mut item);
    item
}

fn choices(values: &mut Values, item: &mut Item) {
    if let Some((line, word)) = values.text_with_line(Keyword::MsgPriority) {
        match meaning(PRIORITIES, &word) {
            Some(priority) => item.priority = priority,
            None => values.unknown_value(line, Keyword::MsgPriority, &word),
        }
    }
    if let Some((line, word)) = values.text_with_line(Keyword::Security) {
        match meaning(SECURITIES, &word) {
            Some(security) => item.security = security,
            None => values.unknown_value(line, Keyword::Security, &word),
        }
    }
    if let Some((line, words)) = values.text_with_line(Keyword::StatusRequest) {
        match status_request(&words) {
            Some(request) => item.status_request = request,
            None => values.unknown_value(line, Keyword::StatusRequest, &words),
        }
    }
}

fn body(values: &mut Values) -> Option<Body> {
    let stored = values.id(Keyword::MsgFile);
    if stored.is_empty() {
        return None;
    }
    Some(Body { stored, page: values.page_of(Keyword::MsgChar) })
}

fn attachments(values: &mut Values) -> Vec<Attachment> {
    let blocks = values.blocks(Keyword::AttachFile);
    blocks.iter().filter_map(|block| attachment(values, block)).collect()
}

fn attachment(values: &mut Values, block: &[SubField]) -> Option<Attachment> {
    let mut attachment = Attachment {
        stored: String::new(),
        name: String::new(),
        size: None,
        modified: None,
        conversion_allowed: block
            .iter()
            .any(|f| f.sub == Sub::ConversionAllowed && f.value == SubValue::Flag),
    };
    for (sub, line, text) in values.texts(block) {
        match sub {
            Sub::CurrentFile if attachment.stored.is_empty() => attachment.stored = text,
            Sub::OriginalFile if attachment.name.is_empty() => attachment.name = text,
            Sub::Size if !text.is_empty() => match text.parse() {
                Ok(size) => attachment.size = Some(size),
                Err(_) => values.unknown_value(line, Keyword::AttachFile, &text),
            },
            Sub::Date if !text.is_empty() => {
                attachment.modified = values.moment(line, Keyword::AttachFile, &text);
            }
            _ => {}
        }
    }
    (!attachment.stored.is_empty()).then_some(attachment)
}

fn phone(values: &mut Values) -> Option<PhoneCall> {
    let call = PhoneCall {
        action: values.text(Keyword::CallAction),
        caller: values.text(Keyword::CallerName),
        company: values.text(Keyword::CallerCompany),
        telephone: values.text(Keyword::CallerPhone),
    };
    (call != PhoneCall::default()).then_some(call)
}

fn task(values: &mut Values) -> Option<Task> {
    let mut task =
        Task { category: values.text(Keyword::TaskCategory).chars().next(), ..Task::default() };
    if let Some((line, text)) = values.text_with_line(Keyword::TaskPriority)
        && !text.is_empty()
    {
        task.priority = text.parse().ok();
        if task.priority.is_none() {
            values.unknown_value(line, Keyword::TaskPriority, &text);
        }
    }
    (task != Task::default()).then_some(task)
}
