//! Every bound of the crate, with its reason.

/// Columns of a card.
pub const CARD: usize = 80;
/// Octets of one file as it comes from the spool. VM's own limit for a spool file
/// is far above; a message of this size is taken by no mail system of the time.
/// What is decoded needs at most some five times as much memory.
pub const MAX_SPOOL_OCTETS: usize = 256 * 1024 * 1024;
/// Octets of one record of a file. CMS has 65,535 for variable records; fixed
/// ones can be longer.
pub const MAX_RECORD: usize = 1024 * 1024;
/// Octets of a control record of NETDATA. Senders write some 200; this is room
/// for [`MAX_RECIPIENTS`].
pub const MAX_CONTROL_RECORD: usize = 64 * 1024;
/// Recipients in one NETDATA header. RSCS and JES make one file each long before.
pub const MAX_RECIPIENTS: usize = 1_000;
/// Files in one NETDATA transmission. CMS sends one, TSO two.
pub const MAX_FILES: usize = 1_000;
/// Characters of what ties a note and its files; a name of ours has some 30.
pub const MAX_REFERENCE: usize = 64;
/// Qualifiers of a data set's name: MVS allows 44 characters, so 22.
pub const MAX_QUALIFIERS: usize = 22;
/// Data octets of a NETDATA segment: its length octet counts two more.
pub const MAX_SEGMENT: usize = 253;
/// Columns of a line of a note in NETDATA, as CMS sends them.
pub const NOTE_LINE: usize = 132;
/// Columns of a line of a note's heading that are looked at; more is text.
pub const MAX_HEADING_LINE: usize = 1_000;
/// Lines of a note's heading: a list of a thousand recipients, one a line, and
/// the other fields.
pub const MAX_HEADING_LINES: usize = 1_100;
/// Recipients in a heading that are kept; nobody reads more (as in Q256865).
pub const MAX_HEADING_PEOPLE: usize = 1_000;
/// Entries of a NAMES or NODES file. The EARN NODES file of 1993 had some 3,000.
pub const MAX_ENTRIES: usize = 100_000;
/// Tags of one entry.
pub const MAX_TAGS: usize = 1_000;
/// Octets of one tag's value. Lists of a hundred nicknames have some 1,000.
pub const MAX_TAG_VALUE: usize = 64 * 1024;
/// Messages in one BSMTP batch.
pub const MAX_BATCH: usize = 10_000;
/// Recipients of one message in a batch; RFC 5321 asks for 100.
pub const MAX_BATCH_RECIPIENTS: usize = 10_000;
/// Addresses that a body may name (in-body addressing). A host user types them.
pub const MAX_BODY_ADDRESSES: usize = 500;
/// Widest stop that a tab is expanded to.
pub const TAB: usize = 8;
/// Right margin of a note to OfficeVision (`hostnoterightmargin`, Q200472).
pub const RIGHT_MARGIN: usize = 78;
