//! Settings and bounds of the server.

use std::time::Duration;

/// Octets of one request before a login: a bind or a search of an address book
/// has some hundreds, a SASL exchange a few thousand.
pub const MAX_REQUEST_BEFORE_LOGIN: usize = 64 * 1024;
/// Octets of one request: a list of 20,000 members fits.
pub const MAX_REQUEST: usize = 4 * 1024 * 1024;
/// Elements of one request. Each becomes some 50 octets when it is decoded.
pub const MAX_ELEMENTS: usize = 100_000;
/// Elements within elements of one request; a filter takes two for each level.
pub const MAX_NESTING: usize = 80;
/// Requests of one connection that wait for their turn; then no more are read, nor
/// when together they are as large as one may be.
pub const MAX_WAITING: usize = 64;
/// Controls of one request.
pub const MAX_CONTROLS: usize = 16;
/// Searches of one connection that are read page by page at once.
pub const MAX_PAGED: usize = 8;
/// Entries that are sorted for one search: each takes some hundred octets.
pub const MAX_SORTED: usize = 200_000;
/// Keys that entries are sorted by.
pub const MAX_SORT_KEYS: usize = 8;
/// Refused binds on one connection; a person mistypes twice.
pub const MAX_FAILED_BINDS: u32 = 4;
/// Requests in a row that made no sense, before the connection is closed.
pub const MAX_BAD_REQUESTS: u32 = 20;
/// Who has not logged in may be silent for so long: connections are few.
pub const IDLE_BEFORE_LOGIN: Duration = Duration::from_secs(120);
/// Answers are written in pieces of about this many octets.
pub const WRITE_CHUNK: usize = 64 * 1024;
/// Entries that a search looks at before others get their turn.
pub const LOOK_AT_ONCE: usize = 1_000;

/// Settings of an [`crate::LdapServer`]. The defaults serve a real organisation.
#[derive(Debug, Clone)]
pub struct LdapConfig {
    /// Whether passwords may cross a connection without TLS. Only for loopback
    /// and demonstrations.
    pub allow_plaintext_login: bool,
    /// Whether nobody in particular may read the address book.
    pub anonymous_read: bool,
    /// Entries that one search or one page gives to others than administrators.
    pub result_size: usize,
    /// How long one search may take.
    pub search_time: Duration,
    /// After this much silence a connection is closed.
    pub idle_timeout: Duration,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long the client may take to read one piece of an answer.
    pub write_timeout: Duration,
    /// How long a refused bind waits for its answer, so that guessing is slow.
    pub failed_login_delay: Duration,
    /// Connections at once; the next is told so and closed.
    pub max_connections: usize,
}

impl Default for LdapConfig {
    fn default() -> Self {
        Self {
            allow_plaintext_login: false,
            anonymous_read: false,
            result_size: 1_000,
            search_time: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(900),
            handshake_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(120),
            failed_login_delay: Duration::from_secs(2),
            max_connections: 2_000,
        }
    }
}
