//! What a remote host's answer means beyond its first digit. Decided by codes
//! and enhanced statuses; words are for people.

use concord_smtp::Reply;
use concord_smtp_tokio::ClientError;

/// Recipients that every host takes (RFC 5321 section 4.5.3.1.8).
const EVERY_HOST_TAKES: usize = 100;

/// Whether the host says that it gets too much at the moment, rather than that
/// something is wrong with a message: RFC 5321 section 3.8 (421), RFC 3463
/// X.3.2 (not accepting messages) and X.4.5 (congestion).
pub(super) fn is_complaint(reply: &Reply) -> bool {
    if !reply.is_temporary() {
        return false;
    }
    let status = reply.status_or_generic();
    reply.code == 421 || matches!((status.subject, status.detail), (3, 2) | (4, 5))
}

/// The same of a session that did not come about.
pub(super) fn complains(cause: &ClientError) -> bool {
    cause.reply().is_some_and(is_complaint)
}

/// The answer to a RCPT after so many that were taken. RFC 5321 section
/// 4.5.3.1.10: 552 for too many recipients is the old form of 452, and the rest
/// is to be sent later (Q176477). A 552 that says anything else is about its one
/// recipient (Q260741).
pub(super) fn of_recipient(reply: Reply, taken: usize) -> Reply {
    // RFC 3463 X.5.3: too many recipients.
    let told = reply.status.map(|status| (status.subject, status.detail));
    let too_many = match told {
        Some((5, 3)) => true,
        None | Some((0, 0)) => taken >= EVERY_HOST_TAKES,
        _ => false,
    };
    if !reply.is_permanent() || reply.code != 552 || !too_many {
        return reply;
    }
    Reply::new(452, (4, 5, 3), reply.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_told_from_other_troubles() {
        for (code, status, complaint) in [
            (421, (4, 3, 0), true),
            (421, (4, 7, 0), true),
            (451, (4, 3, 2), true),
            (450, (4, 4, 5), true),
            (450, (4, 2, 1), false),
            (451, (4, 7, 1), false),
            (452, (4, 3, 1), false),
            (554, (5, 3, 2), false),
        ] {
            assert_eq!(is_complaint(&Reply::new(code, status, "")), complaint, "{code} {status:?}");
        }
    }

    #[test]
    fn too_many_recipients_is_no_verdict_on_one() {
        let full = Reply::new(552, (5, 2, 2), "mailbox full");
        assert_eq!(of_recipient(full.clone(), 500), full);
        let plain = Reply::plain(552, "too much");
        assert_eq!(of_recipient(plain.clone(), 1), plain);
        assert_eq!(of_recipient(plain, 100).code, 452);
        let told = Reply::new(552, (5, 5, 3), "too many");
        assert_eq!(of_recipient(told, 3), Reply::new(452, (4, 5, 3), "too many"));
    }
}
