//! Bounds of what is converted.

/// Messages within messages that are flattened; deeper ones are left out.
pub(super) const MAX_DEPTH: usize = 5;

/// Files of one item. The names of attachments have room for 4,096.
pub(super) const MAX_FILES: usize = 1_000;

/// People in a heading; a list can have many more members, and nobody reads
/// them (Q256865).
pub(super) const MAX_HEADING: usize = 500;

/// Octets of an id that stands as it is in a Message-ID; each becomes two.
pub(super) const MAX_PLAIN_ID: usize = 240;

/// Octets of a meeting's UID that go into an item's id. Known programs make
/// some of 112.
pub(super) const MAX_UID: usize = 255;
