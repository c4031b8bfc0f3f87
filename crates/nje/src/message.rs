//! Nodal message records (NMR, RCB X'9A'): messages and commands that travel
//! beside the files.

use crate::error::{WireCause, WireError};
use crate::limits::MAX_MESSAGE;
use crate::reader::Reader;
use crate::text::{self, Name, TextError};

/// NMRFLAG: the text is a command.
pub const COMMAND: u8 = 0x80;
/// NMRFLAG: NMROUT names a user.
pub const OUT_IS_USER: u8 = 0x20;
/// NMRTYPE: the text begins with control information, the user id of the sender.
pub const HAS_SENDER: u8 = 0x08;
/// NMRTYPE: nothing but text.
pub const TEXT_ONLY: u8 = 0x04;
/// NMRLEVEL that is in use.
const LEVEL: u8 = 0x77;
/// Octets of the sender's user id at the start of the text.
const SENDER: usize = 8;

/// A nodal message record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// NMRFLAG; see [`COMMAND`] and [`OUT_IS_USER`].
    pub flags: u8,
    /// NMRLEVEL: importance and level, X'77'.
    pub level: u8,
    /// NMRTYPE; see [`HAS_SENDER`] and [`TEXT_ONLY`].
    pub kind: u8,
    /// NMRTONOD: the node that it is for.
    pub to_node: Name,
    /// NMRTOQUL.
    pub to_member: u8,
    /// NMROUT: who gets a message, or who gives a command.
    pub user: Name,
    /// NMRFMNOD: the node that it is from.
    pub from_node: Name,
    /// NMRFMQUL.
    pub from_member: u8,
    /// NMRMSG: the text in EBCDIC, with the sender's id if [`HAS_SENDER`] says
    /// so. At most [`MAX_MESSAGE`] octets and eight for the id.
    pub text: Vec<u8>,
}

impl Message {
    /// A message of a node to a user: a notice, or the answer to a command.
    pub fn notice(from: Name, to_node: Name, to_user: Name, text: &str) -> Self {
        Self::build(OUT_IS_USER, TEXT_ONLY, from, to_node, to_user, Vec::new(), text)
    }

    /// A message of one user to another.
    pub fn from_user(from: (Name, Name), to: (Name, Name), text: &str) -> Self {
        let sender = from.1.octets().to_vec();
        Self::build(OUT_IS_USER, HAS_SENDER, from.0, to.0, to.1, sender, text)
    }

    /// A command of a user to a node.
    pub fn command(from: (Name, Name), to_node: Name, text: &str) -> Self {
        Self::build(COMMAND | OUT_IS_USER, 0, from.0, to_node, from.1, Vec::new(), text)
    }

    /// The answer to a command, as a notice of this node to who gave it.
    #[must_use]
    pub fn answer(&self, text: &str) -> Self {
        Self::notice(self.to_node, self.from_node, self.user, text)
    }

    fn build(
        flags: u8,
        kind: u8,
        from_node: Name,
        to_node: Name,
        user: Name,
        mut octets: Vec<u8>,
        text: &str,
    ) -> Self {
        octets.extend(text::encode(text).into_iter().take(MAX_MESSAGE));
        let (to_member, from_member) = (0, 0);
        let text = octets;
        Self { flags, level: LEVEL, kind, to_node, to_member, user, from_node, from_member, text }
    }

    /// Whether it is a command.
    pub const fn is_command(&self) -> bool {
        self.flags & COMMAND != 0
    }

    /// The user who sent it, if it says so.
    pub fn sender(&self) -> Option<Name> {
        let octets = (self.kind & HAS_SENDER != 0).then(|| self.text.first_chunk::<SENDER>());
        octets.flatten().map(|octets| Name::from_octets(*octets))
    }

    /// The words, for people.
    pub fn words(&self) -> String {
        let words = if self.sender().is_some() { self.text.get(SENDER..) } else { None };
        text::decode(words.unwrap_or(&self.text))
    }

    /// Reads a record.
    pub fn parse(octets: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(octets, "a message");
        let (flags, level, kind) = (reader.u8()?, reader.u8()?, reader.u8()?);
        let length = usize::from(reader.u8()?);
        let message = Self {
            flags,
            level,
            kind,
            to_node: Name::from_octets(reader.array()?),
            to_member: reader.u8()?,
            user: Name::from_octets(reader.array()?),
            from_node: Name::from_octets(reader.array()?),
            from_member: reader.u8()?,
            text: Vec::new(),
        };
        if length > MAX_MESSAGE.saturating_add(SENDER) {
            return Err(WireCause::MessageLength(length).at(3));
        }
        Ok(Self { text: reader.take(length)?.to_vec(), ..message })
    }

    /// Its octets, before compression.
    pub fn octets(&self) -> Vec<u8> {
        let most = MAX_MESSAGE.saturating_add(SENDER);
        let text = self.text.get(..most).unwrap_or(&self.text);
        let mut out = vec![self.flags, self.level, self.kind];
        out.push(u8::try_from(text.len()).unwrap_or_default());
        out.extend_from_slice(self.to_node.octets());
        out.push(self.to_member);
        out.extend_from_slice(self.user.octets());
        out.extend_from_slice(self.from_node.octets());
        out.push(self.from_member);
        out.extend_from_slice(text);
        out
    }
}

/// A user at a node, from their names.
pub fn user_at(node: &str, user: &str) -> Result<(Name, Name), TextError> {
    Ok((Name::new(node)?, Name::new(user)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_message_names_its_sender() {
        let from = user_at("NODEA", "ALICE").unwrap();
        let to = user_at("NODEB", "BOB").unwrap();
        let message = Message::from_user(from, to, "Good morning");
        let again = Message::parse(&message.octets()).unwrap();
        assert_eq!(again, message);
        assert_eq!(again.sender(), Some(from.1));
        assert_eq!(again.words(), "Good morning");
        assert!(!again.is_command());
    }

    #[test]
    fn a_command_is_answered_to_who_gave_it() {
        let command = Message::command(user_at("NODEA", "ALICE").unwrap(), to_node(), "CPQ TIME");
        assert!(command.is_command());
        let answer = command.answer("CPQ: TIME IS NOW");
        assert_eq!((answer.to_node, answer.from_node), (command.from_node, to_node()));
        assert_eq!(answer.user.to_string(), "ALICE");
        let long = command.answer(&"x".repeat(500));
        assert_eq!(long.text.len(), MAX_MESSAGE);
    }

    fn to_node() -> Name {
        Name::new("NODEB").unwrap()
    }

    #[test]
    fn a_text_longer_than_the_record_is_refused() {
        let mut octets = Message::notice(to_node(), to_node(), to_node(), "x").octets();
        octets[3] = 2;
        assert_eq!(Message::parse(&octets), Err(WireCause::EndsEarly("a message").at(31)));
        octets[3] = 200;
        assert_eq!(Message::parse(&octets), Err(WireCause::MessageLength(200).at(3)));
    }
}
