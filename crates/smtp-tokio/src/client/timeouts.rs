//! How long a client waits (RFC 5321 section 4.5.3.2).

use std::time::Duration;

/// Time-outs of a client session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTimeouts {
    /// For the greeting.
    pub greeting: Duration,
    /// For the answer to hello, STARTTLS, AUTH, RSET and QUIT.
    pub command: Duration,
    /// For the answer to MAIL.
    pub mail: Duration,
    /// For the answer to RCPT.
    pub rcpt: Duration,
    /// For the answer to DATA.
    pub data_start: Duration,
    /// For one block of the message to be taken off our hands.
    pub data_block: Duration,
    /// For the answer to the whole message.
    pub data_end: Duration,
}

impl ClientTimeouts {
    /// Section 4.5.3.2.1
    pub const GREETING: Duration = Duration::from_secs(300);
    /// Section 4.5.3.2.2, which names MAIL; the others as long.
    pub const MAIL: Duration = Duration::from_secs(300);
    /// Section 4.5.3.2.3
    pub const RCPT: Duration = Duration::from_secs(300);
    /// Section 4.5.3.2.4
    pub const DATA_START: Duration = Duration::from_secs(120);
    /// Section 4.5.3.2.5
    pub const DATA_BLOCK: Duration = Duration::from_secs(180);
    /// Section 4.5.3.2.6
    pub const DATA_END: Duration = Duration::from_secs(600);

    /// The same time for everything; for peers on this machine.
    pub const fn all(time: Duration) -> Self {
        Self {
            greeting: time,
            command: time,
            mail: time,
            rcpt: time,
            data_start: time,
            data_block: time,
            data_end: time,
        }
    }
}

impl Default for ClientTimeouts {
    fn default() -> Self {
        Self {
            greeting: Self::GREETING,
            command: Self::MAIL,
            mail: Self::MAIL,
            rcpt: Self::RCPT,
            data_start: Self::DATA_START,
            data_block: Self::DATA_BLOCK,
            data_end: Self::DATA_END,
        }
    }
}
