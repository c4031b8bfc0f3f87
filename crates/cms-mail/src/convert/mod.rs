//! Messages of the Internet and notes with files, each as the other.
//!
//! To the host, a message is one transmission for the note and one for each of
//! its files, the note first (Q215494, Q118532); from there, a spool file is one
//! message.

mod inbound;
mod outbound;
mod parts;
mod report;

pub use inbound::{Inbound, InboundRules, inbound};
pub use outbound::{Envelope, FileManner, Outbound, OutboundRules, outbound};
pub use report::{Told, undelivered_note};

use crate::HostAddress;
use concord_address::{Domain, SmtpAddress, encapsulate};

/// Messages within messages that are flattened; deeper ones are left out.
const MAX_DEPTH: usize = 5;
/// Files of one message. Each is a spool file of its own for a host's user.
const MAX_FILES: usize = 100;
/// Octets of a record of a binary file; CMS reads them whatever their length.
const BINARY_RECORD: usize = 1_024;
/// Columns of a file of text: CMS's own limit of a record.
const TEXT_RECORD: usize = 65_535;

/// The directory, as far as a conversion needs it. Both ways answer `None` for
/// people it does not know.
pub trait People {
    /// The host address of somebody with this Internet address.
    fn host(&self, address: &SmtpAddress) -> Option<HostAddress>;
    /// The Internet address of somebody with this host address.
    fn internet(&self, address: &HostAddress) -> Option<SmtpAddress>;
}

/// The Internet address of a host's user: the directory's, or the address itself
/// encapsulated at `domain`, to which an answer finds its way.
fn internet(people: &dyn People, address: &HostAddress, domain: &Domain) -> Option<SmtpAddress> {
    people.internet(address).or_else(|| encapsulate(&address.typed()?, domain))
}

/// Something that could not be carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// A message within the message became a text file and files of its own.
    Flattened,
    /// Messages were nested too deeply; the inner ones are left out.
    TooDeep,
    /// There were too many files; the rest is left out.
    TooManyFiles,
    /// Characters that the host's code page does not have were replaced.
    Characters,
    /// A partitioned or packed file of the host came as it is.
    Opaque,
}

impl Loss {
    /// What the reader of the message is told.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Flattened => "An attached message was turned into text and separate files.",
            Self::TooDeep => "Messages attached within attached messages were left out.",
            Self::TooManyFiles => "There were too many files; some were left out.",
            Self::Characters => "Characters that the other system does not have were replaced.",
            Self::Opaque => "A file is packed or partitioned and has to be unpacked on the host.",
        }
    }
}

/// Lines that tell of losses, to stand at the end of a text.
fn told(losses: &[Loss]) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, loss) in losses.iter().enumerate() {
        if number == 0 {
            lines.push("--".to_owned());
        }
        lines.push(format!("[{}]", loss.sentence()));
    }
    lines
}
