//! Settings and bounds of the server.

use concord_base::ByteSize;
use std::time::Duration;

/// Octets of one command without the message of APPEND: lines and literals
/// together. A UID set of some 10,000 scattered messages fits.
pub const MAX_COMMAND: usize = 128 * 1024;
/// Literals in one command; SEARCH needs a few.
pub const MAX_LITERALS: usize = 64;
/// Commands in a row that we could not make sense of, before the connection is
/// closed: whoever sends more speaks another protocol.
pub const MAX_BAD_COMMANDS: u32 = 20;
/// Refused logins on one connection; a person mistypes twice.
pub const MAX_FAILED_LOGINS: u32 = 4;
/// Answers are written in pieces of about this many octets.
pub const WRITE_CHUNK: usize = 64 * 1024;
/// A buffer that has grown past this is given back when the session rests.
pub const IDLE_BUFFER: usize = 4 * 1024;

/// Settings of an [`crate::ImapServer`]. The defaults serve a real
/// organisation; tests shorten the times.
#[derive(Debug, Clone)]
pub struct ImapConfig {
    /// The name in the greeting and in the metrics; the server's DNS name.
    pub host_name: String,
    /// Whether passwords may cross a connection without TLS. Only for loopback
    /// and demonstrations.
    pub allow_plaintext_login: bool,
    /// Octets of a message that APPEND takes.
    pub message_size_limit: ByteSize,
    /// Without a login the connection is closed after this (RFC 3501 has no
    /// bound before the login).
    pub login_timeout: Duration,
    /// With a login, after this much silence. RFC 3501 section 5.4: at least 30
    /// minutes.
    pub idle_timeout: Duration,
    /// How long one command may take to arrive, and how long an APPEND may rest
    /// between two pieces.
    pub command_timeout: Duration,
    /// How long the client may take to read one piece of an answer.
    pub write_timeout: Duration,
    /// How long a refused login waits for its answer, so that guessing is slow.
    pub failed_login_delay: Duration,
    /// Octets of prepared envelopes and the like that are kept for all sessions
    /// together.
    pub cache: ByteSize,
    /// Octets of large messages that all sessions together may hold in memory
    /// to look into them.
    pub large_messages: ByteSize,
    /// Connections at once; the next is told BYE.
    pub max_connections: usize,
    /// Whether COMPRESS=DEFLATE is offered; each compressed session takes some
    /// 300 KiB.
    pub compress: bool,
}

impl Default for ImapConfig {
    fn default() -> Self {
        Self {
            host_name: "localhost".to_owned(),
            allow_plaintext_login: false,
            message_size_limit: ByteSize::mib(50),
            login_timeout: Duration::from_secs(180),
            idle_timeout: Duration::from_secs(30 * 60 + 30),
            command_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(120),
            failed_login_delay: Duration::from_secs(2),
            cache: ByteSize::mib(64),
            large_messages: ByteSize::mib(128),
            max_connections: 10_000,
            compress: true,
        }
    }
}
