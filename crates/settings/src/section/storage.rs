//! `[storage]`

use crate::schema::{Key, Kind, Section};
use concord_base::ByteSize;

/// `[storage]`: the message log and its index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Storage {
    /// Size at which a segment of the message log is closed.
    pub segment_size: ByteSize,
    /// Free space that intake leaves on the file system.
    pub reserve: ByteSize,
    /// From this size on a message streams to a file of its own first.
    pub large_message_threshold: ByteSize,
    /// Percentage of live bytes under which a closed segment is compacted.
    pub compact_below: u64,
}

pub(crate) const SECTION: Section = Section {
    name: "storage",
    doc: "The message log and its index, under data/.",
    keys: &[
        Key::new(
            "segment-size",
            "\"64 MiB\"",
            Kind::Size(ByteSize::mib(1), ByteSize::mib(4_096), |s, v| s.storage.segment_size = v),
            "Size at which a segment of the message log is closed and the next one begun.",
        ),
        Key::new(
            "reserve",
            "\"256 MiB\"",
            Kind::Size(ByteSize::mib(1), ByteSize::mib(1_048_576), |s, v| s.storage.reserve = v),
            "Mail is put off (452) while less than this is free on the file system of data/, \
             so that the index can always be written.",
        ),
        Key::new(
            "large-message-threshold",
            "\"1 MiB\"",
            Kind::Size(ByteSize::kib(16), ByteSize::mib(1_024), |s, v| {
                s.storage.large_message_threshold = v;
            }),
            "Messages from this size on stream to disk while they arrive instead of waiting \
             in memory.",
        ),
        Key::new(
            "compact-below",
            "50",
            Kind::Count(0, 95, |s, v| s.storage.compact_below = v),
            "A closed segment in which less than this percentage is still needed is \
             rewritten. 0: only those in which nothing is.",
        ),
    ],
};
