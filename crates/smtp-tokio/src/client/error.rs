//! How a client session fails. A refusal of MAIL, RCPT or the message is no
//! error: it is a reply.

use concord_base::{EnhancedStatus, Fault, Retry};
use concord_smtp::{Reply, ReplyError};
use std::fmt;

/// What the client was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Waiting for the greeting.
    Greeting,
    /// EHLO, LHLO or HELO.
    Hello,
    /// STARTTLS
    StartTls,
    /// AUTH
    Auth,
    /// XFORWARD, MAIL and RCPT
    Envelope,
    /// DATA or BDAT and the message.
    Body,
    /// Waiting for the answer to the message. If this breaks, nobody knows
    /// whether the peer has it.
    Final,
    /// RSET, NOOP or QUIT
    Closing,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "waiting for the greeting",
            Self::Hello => "saying hello",
            Self::StartTls => "starting TLS",
            Self::Auth => "authenticating",
            Self::Envelope => "sending the envelope",
            Self::Body => "sending the message",
            Self::Final => "waiting for the answer to the message",
            Self::Closing => "ending the session",
        })
    }
}

/// The session is of no further use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The connection broke.
    #[error("the connection broke while {phase}: {cause}")]
    Io {
        /// What the client was doing.
        phase: Phase,
        /// The system's words.
        cause: String,
    },
    /// The peer closed the connection.
    #[error("the peer closed the connection while {0}")]
    Closed(Phase),
    /// The peer was too slow.
    #[error("the peer took too long while {0}")]
    TimedOut(Phase),
    /// The peer does not speak SMTP.
    #[error("{cause}, while {phase}")]
    Protocol {
        /// What the client was doing.
        phase: Phase,
        /// What does not fit.
        cause: ReplyError,
    },
    /// The peer refused what a session needs: greeting, hello, STARTTLS, AUTH,
    /// XFORWARD.
    #[error("the peer refused while {phase}: {reply}")]
    Refused {
        /// What the client was doing.
        phase: Phase,
        /// The peer's words.
        reply: Reply,
    },
    /// Octets came between the answer to STARTTLS and the handshake.
    #[error("the peer sent plain text after its answer to STARTTLS")]
    TlsInjection,
    /// The peer offers no SASL mechanism that we have.
    #[error("the peer offers none of AUTH PLAIN and LOGIN")]
    NoMechanism,
    /// The message could not be read while it was sent.
    #[error("cannot read the message to send: {0}")]
    Source(String),
    /// A call that does not fit the session's state.
    #[error("internal error: {0}")]
    Misuse(&'static str),
}

impl ClientError {
    /// The peer's words, if it is a refusal.
    pub const fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Refused { reply, .. } => Some(reply),
            _ => None,
        }
    }
}

impl Fault for ClientError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "smtp-client.broken",
            Self::Closed(_) => "smtp-client.closed",
            Self::TimedOut(_) => "smtp-client.timed-out",
            Self::Protocol { .. } => "smtp-client.protocol",
            Self::Refused { .. } => "smtp-client.refused",
            Self::TlsInjection => "smtp-client.tls-injection",
            Self::NoMechanism => "smtp-client.no-mechanism",
            Self::Source(_) => "smtp-client.source",
            Self::Misuse(_) => "smtp-client.misuse",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Refused { reply, .. } if reply.is_permanent() => Retry::Permanent,
            Self::NoMechanism => Retry::Operator,
            Self::Misuse(_) => Retry::Bug,
            _ => Retry::Temporary,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            // RFC 3463: X.4.2 bad connection, X.5.0 protocol, X.7.0 security.
            Self::Io { .. } | Self::Closed(_) | Self::TimedOut(_) => EnhancedStatus::new(4, 4, 2),
            Self::Protocol { .. } => EnhancedStatus::new(4, 5, 0),
            Self::Refused { reply, .. } => reply.status_or_generic(),
            Self::TlsInjection | Self::NoMechanism => EnhancedStatus::new(4, 7, 0),
            Self::Source(_) | Self::Misuse(_) => EnhancedStatus::new(4, 3, 0),
        }
    }
}
