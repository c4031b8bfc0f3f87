//! Busy searches and answers.

use super::values::Values;
use super::{address, missing};
use crate::model::{BusyAnswer, BusySearch, Message, Span};
use crate::outcome::Defect;
use crate::vocabulary::{Keyword, Sub};

pub(super) fn read(values: &mut Values) -> Result<Message, Defect> {
    let answer = values.has(Keyword::BusyReport)
        || values.has(Keyword::BusyFor)
        || values.has(Keyword::OrigMsgId);
    if answer { read_answer(values) } else { read_search(values) }
}

fn read_search(values: &mut Values) -> Result<Message, Defect> {
    let id = values.id(Keyword::MsgId);
    if id.is_empty() {
        return Err(missing(Keyword::MsgId));
    }
    Ok(Message::Search(BusySearch {
        id,
        from: address::one(values, Keyword::From).ok_or_else(|| missing(Keyword::From))?,
        about: address::one(values, Keyword::To).ok_or_else(|| missing(Keyword::To))?,
        begin: values.date(Keyword::BeginTime).ok_or_else(|| missing(Keyword::BeginTime))?,
        end: values.date(Keyword::EndTime).ok_or_else(|| missing(Keyword::EndTime))?,
    }))
}

fn read_answer(values: &mut Values) -> Result<Message, Defect> {
    let answers = values.id(Keyword::OrigMsgId);
    if answers.is_empty() {
        return Err(missing(Keyword::OrigMsgId));
    }
    Ok(Message::BusyAnswer(BusyAnswer {
        id: values.id(Keyword::MsgId),
        answers,
        to: address::all(values, Keyword::To),
        about: address::one(values, Keyword::BusyFor),
        busy: spans(values),
    }))
}

fn spans(values: &mut Values) -> Vec<Span> {
    let mut spans = Vec::new();
    for block in values.blocks(Keyword::BusyReport) {
        let (mut begin, mut end) = (None, None);
        for (sub, line, text) in values.texts(&block) {
            let moment = values.moment(line, Keyword::BusyReport, &text);
            match sub {
                Sub::Begin => begin = moment,
                Sub::End => end = moment,
                _ => {}
            }
        }
        if let (Some(begin), Some(end)) = (begin, end)
            && (begin.offset != end.offset || begin.local <= end.local)
        {
            spans.push(Span { begin, end });
        }
    }
    spans
}
