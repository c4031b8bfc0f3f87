//! What hosts say about notes that could not be delivered.
//!
//! OfficeVision has two sentences for an unknown user, one of the node that knows
//! it at once and one of a node that finds the note going round (Q188819). Both
//! mean the same, and become the same reason here.

use crate::HostAddress;
use std::fmt;

/// Why a host did not deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detected {
    /// The user's own node has no such user.
    ByOwnNode,
    /// Another node could not pass the note on.
    ByOtherNode,
}

/// A note that was not delivered. Whichever node found out, the reason is that
/// there is no such user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Undelivered {
    /// Whom it was for. The node is the one that speaks.
    pub recipient: HostAddress,
    /// Date and time of the note, as the host has them.
    pub note: String,
    /// Which of the two sentences it was.
    pub detected: Detected,
}

impl Undelivered {
    /// Reads the sentence from a line; none if it says something else.
    pub fn read(line: &str) -> Option<Self> {
        let line = line.trim();
        own(line).or_else(|| other(line))
    }

    /// Reads the first sentence in the lines of a note.
    pub fn find(lines: &[String]) -> Option<Self> {
        lines.iter().find_map(|line| Self::read(line))
    }
}

/// `BADUSER unknown at NODE1; 05/13/93 22:27 not received.`
fn own(line: &str) -> Option<Undelivered> {
    let (user, rest) = line.split_once(" unknown at ")?;
    let (node, rest) = rest.split_once(';')?;
    let note = rest.trim().strip_suffix('.')?.strip_suffix("not received")?.trim();
    let recipient = HostAddress::new(node, user).ok()?;
    Some(Undelivered { recipient, note: note.to_owned(), detected: Detected::ByOwnNode })
}

/// `NODE2 cannot deliver 05/13/93 22:27 to BADUSER.`
fn other(line: &str) -> Option<Undelivered> {
    let (node, rest) = line.split_once(" cannot deliver ")?;
    let (note, user) = rest.strip_suffix('.')?.rsplit_once(" to ")?;
    let recipient = HostAddress::new(node, user).ok()?;
    Some(Undelivered { recipient, note: note.trim().to_owned(), detected: Detected::ByOtherNode })
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (node, user) = (self.recipient.node(), self.recipient.user());
        match self.detected {
            Detected::ByOwnNode => {
                write!(f, "{user} unknown at {node}; {} not received.", self.note)
            }
            Detected::ByOtherNode => write!(f, "{node} cannot deliver {} to {user}.", self.note),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Q188819, Q186580.
    #[test]
    fn an_unknown_user_is_reported_alike_at_its_own_node_and_at_another() {
        let own = "BADUSER unknown at NODE1; 05/13/93 22:27:06 not received.";
        let other = "NODE2 cannot deliver 05/13/93 22:27:06 to BADUSER.";
        for (line, node, detected) in
            [(own, "NODE1", Detected::ByOwnNode), (other, "NODE2", Detected::ByOtherNode)]
        {
            let said = Undelivered::read(line).unwrap();
            assert_eq!(said.recipient, HostAddress::new(node, "BADUSER").unwrap());
            assert_eq!((said.note.as_str(), said.detected), ("05/13/93 22:27:06", detected));
            assert_eq!(said.to_string(), line);
        }
    }

    #[test]
    fn other_sentences_are_no_reports() {
        for line in ["", "The user unknown at work; not received", "A cannot deliver B", "x"] {
            assert_eq!(Undelivered::read(line), None, "{line}");
        }
    }
}
