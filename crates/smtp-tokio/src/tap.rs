//! A place where the octets of a conversation can be looked at.

use bytes::Bytes;

/// Which way octets went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// To the other side.
    Sent,
    /// From the other side.
    Received,
}

/// Is told what passes between the two sides, above TLS. Octets of messages are
/// not shown, only those of commands and replies; passwords are among them.
pub trait Tap: Send + Sync + std::fmt::Debug {
    /// Whether anybody looks at the moment; nothing is copied otherwise.
    fn is_open(&self) -> bool;
    /// Octets in the order in which they passed.
    fn pass(&self, way: Way, octets: Bytes);
}
