//! Bounds. Each stands here with its reason.

use std::time::Duration;

/// Octets of an MTA-STS policy (RFC 8461 section 3.3 suggests 64 KB).
pub const MAX_POLICY: usize = 64 * 1024;
/// A fetch from connecting to the last octet. Section 3.3 suggests one minute;
/// a message waits for it, and with several hosts to try half of that is left.
pub const FETCH_TIME: Duration = Duration::from_secs(30);
/// After a fetch that failed the same policy is not asked for again so soon
/// (section 3.3: five minutes or longer).
pub const FETCH_PAUSE: Duration = Duration::from_secs(300);
/// A kept policy is fetched again when it is older than this, though its id is
/// the same: who uses a domain daily then never finds it at its end (section
/// 3.3 wants policies refreshed before they expire).
pub const REFRESH: Duration = Duration::from_secs(86_400);
/// The longest that a policy is kept, in seconds (section 3.2: about a year);
/// a larger `max_age` counts as this.
pub const MAX_AGE: u64 = 31_557_600;
/// Host patterns of a policy. Domains have a handful; the size of a policy
/// would allow thousands, and each host is compared with each.
pub const MAX_PATTERNS: usize = 256;
/// Policies that are kept. A large site writes to some thousand domains a day,
/// of which few have one; beyond it the one that ends first makes room.
pub const MAX_POLICIES: usize = 10_000;
/// Characters of a policy's id (section 3.1).
pub const MAX_ID: usize = 32;
/// TLSA records of a host that are looked at. Real hosts have two to six.
pub const MAX_TLSA: usize = 64;
/// Certificates of a chain that are compared with TLSA records.
pub const MAX_CHAIN: usize = 16;
/// Policy domains of one UTC day of which sessions are counted; each becomes a
/// report message.
pub const MAX_REPORT_DOMAINS: usize = 4_096;
/// Different policies of one domain and day. A domain changes it once or twice.
pub const MAX_REPORT_POLICIES: usize = 16;
/// Different failures of one policy and day; beyond it a failure counts with
/// the first of its kind.
pub const MAX_REPORT_FAILURES: usize = 256;
/// Days of counts that are kept. Reports go out the day after; a sender that
/// was broken for a week still finds them.
pub const MAX_REPORT_DAYS: i64 = 10;
/// Characters of the words of a failure in a report.
pub const MAX_REASON: usize = 200;
