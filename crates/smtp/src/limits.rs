//! The bounds of the protocol, each with its source.

/// A command line with its CRLF. RFC 5321 section 4.5.3.1.4 asks for at least
/// 512, and each extension adds to it (DSN alone 500 for ORCPT); 2,048 holds
/// them all.
pub const MAX_COMMAND_LINE: usize = 2048;

/// An AUTH line with its CRLF: RFC 4954 section 4.
pub const MAX_AUTH_LINE: usize = 12_288;

/// A line of a message without its CRLF. RFC 5322 section 2.1.1 says 998, but
/// programs that send a web page as one line are common, and a message is
/// passed on as it came; beyond this it is no text.
pub const DEFAULT_MAX_DATA_LINE: usize = 65_536;

/// What a BDAT command may announce: more than any size limit, small enough
/// that sums never overflow. RFC 3030 sets no bound.
pub const MAX_BDAT: u64 = 1 << 40;

/// Lines of one reply. RFC 5321 sets none; EHLO answers of busy servers have
/// about 20.
pub const MAX_REPLY_LINES: usize = 128;

/// A line of a reply that is read, with its CRLF. RFC 5321 section 4.5.3.1.5
/// says 512; peers exceed it.
pub const MAX_REPLY_LINE: usize = 4096;

/// All lines of one reply that is read.
pub const MAX_REPLY: usize = 65_536;

/// A reply line that is written, with its CRLF: RFC 5321 section 4.5.3.1.5.
pub const MAX_WRITTEN_REPLY_LINE: usize = 512;

/// RFC 3461 section 4.4: ENVID has at most 100 characters.
pub const MAX_ENVID: usize = 100;

/// RFC 3461 section 4.2: ORCPT has at most 500 characters.
pub const MAX_ORCPT: usize = 500;

/// RFC 5321 section 4.5.3.1.3: a path with its brackets has 256 octets; a
/// source route, which is ignored, may stand before it.
pub const MAX_PATH: usize = 1024;

/// RFC 5321 section 4.5.3.1.2: a domain; also what a client calls itself.
pub const MAX_HELLO: usize = 255;

/// RFC 5321 section 4.5.3.1.8: a server takes at least 100 recipients.
pub const MIN_RECIPIENTS: usize = 100;

/// Postfix's XFORWARD_README: a value has at most 255 characters.
pub const MAX_XFORWARD_VALUE: usize = 255;

/// A SASL mechanism's name: RFC 4422 section 3.1.
pub const MAX_MECHANISM: usize = 20;
