//! Bounds. Each stands here with its reason.

use std::time::Duration;

/// All checks of one message together. RFC 7208 section 4.6.4 wants at least
/// 20 s for SPF alone where it is needed; a client waits 10 minutes for the
/// answer to its final dot (RFC 5321 section 4.5.3.2.6), so this is far from it.
pub const MAX_CHECK_TIME: Duration = Duration::from_secs(30);
/// Questions to the DNS for one mechanism and identity. SPF may need 10 terms,
/// and 10 addresses for each `mx`; ARC has a key for each of 50 sets; DMARC walks
/// at most 8 names for each domain. Real messages stay below 20 in all.
pub const MAX_LOOKUPS: usize = 60;
/// For one question to one name server; with [`DNS_ATTEMPTS`] one lookup ends
/// in 6 s, so that one dead server of a sender does not use up the whole time.
pub const DNS_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a question is asked.
pub const DNS_ATTEMPTS: usize = 2;
/// Answers that are kept. A busy day has some thousand sending domains, with
/// about five names each; an answer takes some hundred octets.
pub const CACHE_ENTRIES: u64 = 16_384;
/// The longest that an answer is kept, whatever its TTL says: who revokes a key
/// must not wait for us longer than this.
pub const CACHE_TTL: Duration = Duration::from_secs(3_600);
/// The longest that it is remembered that there is no answer: who publishes a
/// missing record wants to see it work soon.
pub const CACHE_NEGATIVE_TTL: Duration = Duration::from_secs(300);
/// Signatures of one message that are verified, from the top. Each costs a DNS
/// lookup and a public key operation, and whoever sends decides how many there
/// are (RFC 6376 section 6.1 leaves the limit to the verifier).
pub const MAX_SIGNATURES: usize = 16;
/// Lookups of SPF without an answer (RFC 7208 section 4.6.4 recommends two).
pub const MAX_VOID_LOOKUPS: usize = 2;
/// Octets of an SPF explanation that are kept; it comes from the sender's DNS
/// and goes into an answer of ours (RFC 7208 section 6.2).
pub const MAX_EXPLANATION: usize = 200;
/// Policy domains of one UTC day of which rows are collected. Each is a report
/// message; beyond it new domains of that day are counted and get none.
pub const MAX_REPORT_DOMAINS: usize = 4_096;
/// Different rows of one domain and day; beyond it messages are counted only,
/// and the report says how many (its `error` element).
pub const MAX_REPORT_ROWS: usize = 4_096;
/// Rows of all domains and days that are not over, together: about 10 MB. Whoever
/// sends from many addresses under many names must not fill our memory.
pub const MAX_REPORT_ROWS_IN_ALL: usize = 32_768;
/// Octets of a received report as it came. The largest providers' reports on a
/// large domain are some MB.
pub const MAX_REPORT_COMPRESSED: usize = 16 * 1024 * 1024;
/// Octets of a received report unpacked. XML of this kind shrinks to a
/// fiftieth, so an honest one of the size above may not fit; one of 64 MiB has
/// 100,000 rows, more than a person reads.
pub const MAX_REPORT_UNPACKED: usize = 64 * 1024 * 1024;
/// Files in a received zip archive that are looked at (RFC 7489 section 7.2.1.1
/// wants exactly one).
pub const MAX_REPORT_FILES: usize = 4;
/// Addresses of `rua=` that a report is sent to. RFC 7489 section 6.2 obliges
/// to two at least.
pub const MAX_REPORT_ADDRESSES: usize = 8;
/// Keys in the directory of keys. Ten states of rotation for a hundred domains.
pub const MAX_KEYS: usize = 1_024;
/// Octets of a key file. A PKCS#8 file of RSA 4096 has 3.3 KB.
pub const MAX_KEY_FILE: u64 = 16 * 1024;
