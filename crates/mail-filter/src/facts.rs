//! What filters are told about a client and a message.

use bytes::Bytes;
use std::net::IpAddr;
use std::ops::Range;

/// How the client's connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.3`
    pub version: String,
    /// The cipher suite's name.
    pub cipher: String,
    /// Bits of the cipher's key.
    pub bits: u16,
}

/// The client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFacts {
    /// Its address; `None` on a Unix socket.
    pub ip: Option<IpAddr>,
    /// Its port; 0 if not known.
    pub port: u16,
    /// The name of its address, if that has been looked up and leads back.
    pub name: Option<String>,
    /// What it said in HELO or EHLO; empty before that.
    pub helo: String,
    /// TLS, if there is any.
    pub tls: Option<TlsFacts>,
    /// The name of this server.
    pub hostname: String,
}

/// What the server knows of a message besides what the client said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueFacts {
    /// The queue id, or what stands for it in the log; may be empty.
    pub queue_id: String,
    /// Header fields at the top that this server itself put there
    /// (`Received`). Milters do not see them, as with Sendmail and Postfix;
    /// rspamd does.
    pub own_fields: usize,
}

/// A message as the filters before have left it.
pub(crate) struct CurrentMessage<'a> {
    /// With CRLF and without stuffed dots.
    pub message: &'a Bytes,
    /// As in [`QueueFacts`].
    pub queue_id: &'a str,
    /// Which of its fields are the server's own; fields of earlier filters may
    /// stand before them.
    pub own: Range<usize>,
}

/// What the client said of a message before its content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Envelope {
    /// The reverse-path without brackets.
    pub sender: String,
    /// Who logged in.
    pub user: Option<String>,
    /// Forward-paths without brackets.
    pub recipients: Vec<String>,
}
