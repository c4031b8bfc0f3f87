//! What is meant to octets.
//!
//! The form is that of the Exchange connectors, which gateways are known to
//! take: lines end with CR LF, one sub-keyword to a line, four blanks in front
//! of it, a block's last line closed by one more `;` or `,`. No value is
//! continued in another line, since a reader is known that could not go on
//! (Q244467).

mod directory;
mod item;
mod pen;

use crate::charset::Characters;
use crate::model::{BusyAnswer, BusySearch, Message};
use crate::vocabulary::{Keyword, Sub};
use pen::Pen;

/// The version that every known file gives.
const VERSION: &str = "1.2";

/// A header file, ready to be put under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub octets: Vec<u8>,
    /// Characters that the code page does not have and that a `?` or a
    /// look-alike stands for.
    pub replaced: usize,
    /// Texts that had controls or blanks at their ends, which files cannot
    /// carry; they were taken away.
    pub tidied: usize,
}

/// Writes one header file in the link's own code page.
///
/// [`read`](crate::read) gives the same message back, as long as nothing was
/// replaced or tidied.
pub fn write(message: &Message, characters: Characters) -> Written {
    let mut pen = Pen::new(characters);
    pen.word(Keyword::WpcApi, VERSION);
    pen.word(Keyword::HeaderChar, characters.name_of(characters.page));
    match message {
        Message::Item(item) => item::write(&mut pen, item),
        Message::Status(status) => item::write_status(&mut pen, status),
        Message::Search(search) => write_search(&mut pen, search),
        Message::BusyAnswer(answer) => write_answer(&mut pen, answer),
        Message::Directory(directory) => directory::write(&mut pen, directory),
    }
    pen.finish()
}

fn write_search(pen: &mut Pen, search: &BusySearch) {
    pen.word(Keyword::MsgType, "Search");
    pen.text(Keyword::MsgId, &search.id);
    pen.addresses(Keyword::From, std::slice::from_ref(&search.from));
    pen.addresses(Keyword::To, std::slice::from_ref(&search.about));
    pen.date(Keyword::BeginTime, Some(search.begin));
    pen.date(Keyword::EndTime, Some(search.end));
}

fn write_answer(pen: &mut Pen, answer: &BusyAnswer) {
    pen.word(Keyword::MsgType, "Search");
    pen.text(Keyword::MsgId, &answer.id);
    pen.text(Keyword::OrigMsgId, &answer.answers);
    pen.addresses(Keyword::To, &answer.to);
    pen.addresses(Keyword::BusyFor, answer.about.as_slice());
    let times = answer
        .busy
        .iter()
        .map(|span| vec![(Sub::Begin, span.begin.to_string()), (Sub::End, span.end.to_string())]);
    pen.blocks(Keyword::BusyReport, times.collect());
    pen.word(Keyword::SendOptions, "None");
}
