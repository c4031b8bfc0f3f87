//! Settings and bounds of the server.

use std::time::Duration;

/// Octets of a command line; RFC 2449 section 4 asks for 255.
pub(crate) const MAX_LINE: usize = 1_024;
/// Octets of a line of an authentication exchange, in base64.
pub(crate) const MAX_SASL_LINE: usize = 8 * 1024;
/// Commands that we could not make sense of, before the connection is closed.
pub(crate) const MAX_BAD_COMMANDS: u32 = 20;
/// Refused logins on one connection.
pub(crate) const MAX_FAILED_LOGINS: u32 = 4;
/// Answers are written in pieces of about this many octets.
pub(crate) const WRITE_CHUNK: usize = 64 * 1024;

/// Settings of a [`crate::Pop3Server`].
#[derive(Debug, Clone)]
pub struct Pop3Config {
    /// The name in the greeting; the server's DNS name.
    pub host_name: String,
    /// Whether passwords may cross a connection without TLS. Only for loopback
    /// and demonstrations.
    pub allow_plaintext_login: bool,
    /// Without a login the connection is closed after this.
    pub login_timeout: Duration,
    /// With a login, after this much silence. RFC 1939 section 3: at least 10
    /// minutes.
    pub idle_timeout: Duration,
    /// How long a line may take from its first octet to its last.
    pub command_timeout: Duration,
    /// How long the client may take to read one piece of an answer.
    pub write_timeout: Duration,
    /// How long a refused login waits for its answer, so that guessing is slow.
    pub failed_login_delay: Duration,
    /// Connections at once; the next is refused.
    pub max_connections: usize,
}

impl Default for Pop3Config {
    fn default() -> Self {
        Self {
            host_name: "localhost".to_owned(),
            allow_plaintext_login: false,
            login_timeout: Duration::from_secs(180),
            idle_timeout: Duration::from_secs(10 * 60),
            command_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(120),
            failed_login_delay: Duration::from_secs(2),
            max_connections: 2_000,
        }
    }
}
