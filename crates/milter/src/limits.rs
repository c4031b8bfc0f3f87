//! Every bound of the crate, with its reason.

/// Octets of data in a packet that we send: `MILTER_MAX_DATA_SIZE` of
/// libmilter. A filter ends the connection at a longer one.
pub const MAX_SENT_DATA: usize = 65_535;
/// Octets of the body in one packet: 64 KiB less one, as libmilter's
/// `MILTER_CHUNK_SIZE`.
pub const BODY_CHUNK: usize = MAX_SENT_DATA;
/// Octets of a packet of the filter, its letter included. libmilter's largest
/// data size (`MILTER_MDS_1M`); filters send new bodies in pieces of 64 KiB.
pub const MAX_RECEIVED_PACKET: usize = 1024 * 1024;
/// Changes that a filter may ask for in one message, pieces of a new body not
/// counted. Filters in the field stay below a hundred; a list server that adds
/// recipients stays below this.
pub const MAX_EDITS: usize = 10_000;
/// Octets of all changes in one message without the new body: they are held
/// until the filter is done.
pub const MAX_EDIT_OCTETS: usize = 4 * 1024 * 1024;
/// Lines of a reply: libmilter's `smfi_setmlreply` takes 32.
pub const MAX_REPLY_LINES: usize = 32;
/// Octets of a reply's line that are kept: an SMTP reply line has at most 512
/// with code and status (RFC 5321 section 4.5.3.1.5), libmilter allows 980.
pub const MAX_REPLY_LINE: usize = 980;
/// Stages for which a filter may name the macros that it wants: the protocol
/// has seven.
pub const MAX_STAGES: usize = 7;
/// Macros that a filter may name for one stage: libmilter's own limit is below
/// (`MAX_MACROS_ENTRIES` and strings of 1 KiB).
pub const MAX_MACROS: usize = 64;
