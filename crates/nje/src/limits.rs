//! Every bound of the crate, with its reason.

/// Octets of a TTC control record: it has no other length (a peer that sends 36
/// pads them; see [`MAX_PADDING`]).
pub const TTC_LENGTH: usize = 33;
/// Octets of padding that may follow a control record: some peers send 36
/// octets in all.
pub const MAX_PADDING: usize = 3;
/// Octets of the shortest TTB: its header and a TTR that closes it.
pub const MIN_TTB: usize = 12;
/// Octets of the longest TTB: its length field has 16 bits.
pub const MAX_TTB: usize = 65_535;
/// Octets up to which several blocks are put into one TTB: what FUNET fills
/// (its TCP-SIZE); more brings nothing on a stream.
pub const TTB_FILL: usize = 8_192;
/// Octets of a transmission record once its strings are decoded. Pieces of
/// headers and of data have at most 256 with their prefixes, a message 170; JES2
/// was never seen above 256. A record that never ends is found out here.
pub const MAX_RECORD: usize = 1_024;
/// Octets of a header whose pieces are joined: IBM's length fields say 32 K at
/// most.
pub const MAX_HEADER: usize = 32_767;
/// Octets of a data record that is sent in several pieces (HASA600, spanned
/// data).
pub const MAX_SPANNED: usize = 32_760;
/// Octets of a data record in one piece: its length has 8 bits.
pub const MAX_PIECE: usize = 255;
/// Octets of the first piece of a spanned record; with the two of its length
/// they are as many as in the others (HASA600, spanned data).
pub const MAX_FIRST_PIECE: usize = 253;
/// Octets of a piece of a header, its prefix included: what RSCS and FUNET cut
/// at.
pub const HEADER_PIECE: usize = 256;
/// Octets of text in a nodal message record.
pub const MAX_MESSAGE: usize = 132;
/// The smallest buffer that a link works with: RSCS allows no less (Q240439), and
/// every record of this crate fits in.
pub const MIN_BUFFER: u16 = 300;
/// The largest buffer that is announced: FUNET keeps the number in 16 bits with
/// a sign, and RSCS takes 32765 at most (Q240439).
pub const MAX_BUFFER: u16 = 32_760;
/// Streams of each kind that a link has.
pub const MAX_STREAMS: u8 = 7;
/// Octets of records that wait to be sent (the partner may hold a link as long as
/// it likes); with more, writes are refused until some went out.
pub const MAX_PENDING: usize = 256 * 1024;
/// How often the partner may ask for the enquiry again while a link opens; a
/// peer that only ever refuses would keep it open until the time is over.
pub const MAX_ENQUIRIES: u8 = 8;
/// Characters of a line of a capture: a TTB in hexadecimal and its time.
pub const MAX_CAPTURE_LINE: usize = 2 * MAX_TTB + 64;
