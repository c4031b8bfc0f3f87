//! Every bound of the crate, with its reason.

use std::time::Duration;

/// Filters in a list: each costs time in every message.
pub const MAX_FILTERS: usize = 32;
/// Wait for a connection unless set: a filter on this machine or beside it
/// takes milliseconds.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Wait for an answer unless set. Postfix waits 30 s for commands and 300 s for
/// the content.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// All the time of a filter for one message unless set. A client waits 10
/// minutes for the answer to its message (RFC 5321 section 4.5.3.2.6).
pub const TOTAL_TIME: Duration = Duration::from_secs(180);
/// The longest total time that may be set; behind it the client is gone.
pub const MAX_TOTAL_TIME: Duration = Duration::from_secs(540);
/// Header fields of a message that is filtered. Real ones stay below 500; each
/// costs an exchange with every milter.
pub const MAX_FIELDS: usize = 10_000;
/// Octets by which a new body may be larger than twice the message: twice
/// because an encoding may change, this much for what a filter adds.
pub const NEW_BODY_ROOM: usize = 1024 * 1024;
/// Connections to a milter that are kept for the next client.
pub const KEPT_CONNECTIONS: usize = 16;
/// How long a connection is kept. libmilter itself gives up after two hours;
/// some filters after a few minutes.
pub const KEPT_TIME: Duration = Duration::from_secs(60);
/// Octets written to a milter at once.
pub const WRITE_BUFFER: usize = 64 * 1024;
/// Octets of rspamd's answer. Real ones are a few KiB; one with every symbol
/// and URL of a long newsletter stays below this.
pub const MAX_RSPAMD_ANSWER: usize = 4 * 1024 * 1024;
/// Symbols of rspamd that are kept for the message's story, largest first.
pub const MAX_SYMBOLS: usize = 50;
/// Octets of a regular expression, compiled. The automaton of an honest
/// pattern has some KiB.
pub const MAX_REGEX: usize = 1024 * 1024;
/// Patterns in a rule.
pub const MAX_PATTERNS: usize = 100;
/// Octets of a header field's value that rules look at.
pub const MAX_MATCHED_VALUE: usize = 64 * 1024;
/// Parts of a message that rules look at; one with more fails the rule.
pub const MAX_PARTS: usize = 1_000;
/// Messages within messages that rules look into.
pub const MAX_NESTED_MESSAGES: usize = 8;
/// Archives within archives that may be set.
pub const MAX_ARCHIVE_DEPTH: u8 = 5;
/// Archives within archives unless set.
pub const ARCHIVE_DEPTH: u8 = 2;
/// Names in all archives of a message; one with more fails the rule.
pub const MAX_ARCHIVE_NAMES: usize = 10_000;
/// Octets of all inner archives of a message, unpacked; one with more fails
/// the rule.
pub const MAX_UNPACKED: usize = 64 * 1024 * 1024;
/// Octets of an entry that are unpacked to find its real type.
pub const TYPE_PROBE: usize = 8 * 1024;
/// Characters of a filter's words that are kept for the story.
pub const MAX_WORDS: usize = 500;
