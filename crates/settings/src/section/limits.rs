//! `[limits]`

use crate::schema::{Key, Kind, Section};
use concord_base::ByteSize;

/// `[limits]`: bounds on what clients may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Largest message, in bytes as transferred.
    pub message_size: ByteSize,
    /// Most recipients of one message.
    pub recipients: u64,
    /// Most sessions at once, per protocol listener.
    pub sessions: u64,
    /// Most sessions at once from one client address.
    pub sessions_per_client: u64,
    /// Memory for messages that are being taken in.
    pub intake_memory: ByteSize,
    /// Most `Received` lines before a message counts as looping.
    pub max_hops: u64,
    /// Longest line of a message in bytes, line end included.
    pub line_length: ByteSize,
}

pub(crate) const SECTION: Section = Section {
    name: "limits",
    doc: "Bounds on what clients may do.",
    keys: &[
        Key::new(
            "message-size",
            "\"50 MiB\"",
            Kind::Size(ByteSize::kib(64), ByteSize::mib(2048), |s, v| s.limits.message_size = v),
            "Largest message, as transferred (an attachment grows by a third in transfer).",
        ),
        Key::new(
            "recipients",
            "1000",
            // RFC 5321 section 4.5.3.1.8 asks for at least 100
            Kind::Count(100, 100_000, |s, v| s.limits.recipients = v),
            "Most recipients of one message. Senders divide what is over it.",
        ),
        Key::new(
            "sessions",
            "2000",
            Kind::Count(1, 100_000, |s, v| s.limits.sessions = v),
            "Most sessions at once for each protocol.",
        ),
        Key::new(
            "sessions-per-client",
            "100",
            Kind::Count(1, 100_000, |s, v| s.limits.sessions_per_client = v),
            "Most sessions at once from one client address, for each protocol.",
        )
        .demo("2000"),
        Key::new(
            "intake-memory",
            "\"64 MiB\"",
            Kind::Size(ByteSize::mib(4), ByteSize::mib(65_536), |s, v| s.limits.intake_memory = v),
            "Memory for messages that are being taken in. Intake slows before it is exceeded; \
             large messages stream to disk and do not need it.",
        ),
        Key::new(
            "max-hops",
            "100",
            // RFC 5321 section 6.3: "a large rejection threshold, normally at least 100"
            Kind::Count(10, 1_000, |s, v| s.limits.max_hops = v),
            "A message with more Received lines than this is looping and is refused.",
        ),
        Key::new(
            "line-length",
            "\"64 KiB\"",
            // RFC 5321 section 4.5.3.1.6 asks for at least 1,000 octets
            Kind::Size(ByteSize(1_000), ByteSize::mib(1), |s, v| s.limits.line_length = v),
            "Longest line of a message. The standard allows 1,000 bytes; many programs \
             write longer ones.",
        ),
    ],
};
