//! Bounds, each with its reason. What is beyond one is refused with
//! [`Reason`](crate::Reason), never cut.

/// Octets of a header file. A whole directory is one file; 100,000 users with
/// every field filled are about 50 MB.
pub const MAX_FILE: usize = 64 * 1024 * 1024;

/// Octets of a line. Gateways wrap far below; a file without line ends is not
/// one of theirs.
pub const MAX_LINE: usize = 64 * 1024;

/// Octets of one value. Subjects of 2,000 characters occur (Q249861), and a
/// `To-Text` names every recipient.
pub const MAX_VALUE: usize = 256 * 1024;

/// Elements of one list: the members of a large distribution list stand in
/// `All-To` one by one (Q256865).
pub const MAX_LIST: usize = 20_000;

/// Directory objects in a file.
pub const MAX_OBJECTS: usize = 200_000;

/// Fields in one block. The largest known block, `DS-User`, has 17; each
/// repetition or unknown field counts too.
pub const MAX_BLOCK: usize = 256;

/// Notices kept from a file; later ones are counted.
pub const MAX_NOTICES: usize = 100;

/// Comment lines kept from a file, and diagnostics behind `-END-`.
pub const MAX_COMMENTS: usize = 200;

/// Octets kept of a comment, a diagnostic or a quoted value in a notice.
pub const MAX_QUOTE: usize = 200;
