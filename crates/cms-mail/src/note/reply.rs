//! Answers to notes.

use super::{CopiesFrom, Note, Person};

/// Whom an answer goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The sender, or where the note asks answers to go.
    Sender,
    /// Everybody in the heading as well. A list at the foot of the text is not
    /// known to be this note's, and is left out.
    Everybody,
    /// Everybody whom the note names.
    EverybodyAndFoot,
}

impl Note {
    /// An answer by `author`, without text. Names without an address are left
    /// out (Q236335), as is the author.
    pub fn reply(&self, author: &Person, whom: Answer) -> Self {
        let sender = self.reply_to.as_ref().or(self.from.as_ref());
        let mut to = Vec::new();
        let mut copies = Vec::new();
        let known = |to: &[Person], copies: &[Person], one: &Person| {
            one.address.is_none()
                || one.is_same(author)
                || to.iter().chain(copies).any(|other| other.is_same(one))
        };
        to.extend(sender.filter(|one| one.address.is_some()).cloned());
        if whom != Answer::Sender {
            let foot = self.copies_from == CopiesFrom::Heading || whom == Answer::EverybodyAndFoot;
            let listed = self.copies.iter().filter(|_| foot);
            for one in self.to.iter().chain(listed) {
                if !known(&to, &copies, one) {
                    copies.push(one.clone());
                }
            }
        }
        let answered = self.subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
        let subject = match answered || self.subject.is_empty() {
            true => self.subject.clone(),
            false => format!("Re: {}", self.subject),
        };
        Self { from: Some(author.clone()), to, copies, subject, ..Self::default() }
    }
}
