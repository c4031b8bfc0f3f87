//! Bounds. Each stands here with its reason.

use std::time::Duration;

/// Subjects that a row `[[limit]]` counts at once. Each takes about 100 octets,
/// so a row takes at most 1.6 MB. Beyond it the one that was quiet for longest
/// is forgotten.
pub const MAX_SUBJECTS: usize = 16_384;

/// Triplets that wait to come again. Each takes about 80 octets, so all take
/// at most 10 MB. A server that asks a thousand strangers an hour to come again
/// has 48,000 within [`RETRY_WINDOW`].
pub const MAX_WAITING: usize = 131_072;

/// Networks that have come again and pass. As many as a large server hears from
/// in a month; about 80 octets each.
pub const MAX_KNOWN: usize = 65_536;

/// Within this time a client has to come again. RFC 5321 section 4.5.4.1 lets
/// clients try for 4 or 5 days; those that come only after two days have tried
/// before.
pub const RETRY_WINDOW: Duration = Duration::from_secs(2 * 24 * 3600);

/// If all places are taken, one that waits for longer than this is given up for
/// a new one. RFC 5321 section 4.5.4.1 wants a second attempt after 30 minutes;
/// whoever has not come after four times of that will hardly come. If nobody
/// waits for that long, the table is being flooded, and new ones pass.
pub const GIVEN_UP_AFTER: Duration = Duration::from_secs(2 * 3600);

/// Questions to all lists for one client, together. A list answers within
/// 100 ms; RFC 5321 section 4.5.3.2.3 gives us 5 minutes for the answer to RCPT,
/// but a client that waits holds a session of ours.
pub const LIST_TIME: Duration = Duration::from_secs(5);

/// The question why a host is listed; without an answer the client hears only
/// that it is.
pub const REASON_TIME: Duration = Duration::from_secs(2);

/// Lists that are asked at once; with more the rest waits for the first.
pub const LISTS_AT_ONCE: usize = 16;

/// After so many questions without an answer, one after the other, a list is
/// left alone for [`SILENT_FOR`]: a list that is gone must not make every client
/// wait for [`LIST_TIME`].
pub const SILENT_AFTER: u32 = 3;

/// See [`SILENT_AFTER`].
pub const SILENT_FOR: Duration = Duration::from_secs(60);

/// Characters of a list's reason that are kept: it goes into our reply, which
/// has 512 octets (RFC 5321 section 4.5.3.1.5).
pub const MAX_REASON: usize = 200;
