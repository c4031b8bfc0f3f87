//! The part for people: what happened, to whom, what was said, what to do.

use super::{Report, ReportKind, ReportRecipient};
use crate::date;
use crate::text::clean;
use concord_base::EnhancedStatus;

/// Recipients told of one by one; the rest stand in the second part only.
const MAX_TOLD: usize = 100;
/// Characters of a peer's answer that are quoted.
const MAX_QUOTED: usize = 500;
/// Where lines are broken (RFC 5322 section 2.1.1 recommends 78).
const WIDTH: usize = 72;

/// What a status means and what the sender can do about it.
struct Meaning {
    what: &'static str,
    advice: &'static str,
}

/// RFC 3463 codes by subject and detail, in plain words.
const MEANINGS: [((u16, u16), Meaning); 16] = [
    (
        (1, 1),
        Meaning {
            what: "There is no such mailbox.",
            advice: "Check the spelling of the address, or ask the recipient for the right one.",
        },
    ),
    (
        (1, 2),
        Meaning {
            what: "The part after the @ is not the name of a mail system.",
            advice: "Check the spelling of the address.",
        },
    ),
    (
        (1, 3),
        Meaning {
            what: "The address is not well formed.",
            advice: "Check the spelling of the address.",
        },
    ),
    (
        (1, 10),
        Meaning {
            what: "The domain says that it takes no mail.",
            advice: "Ask the recipient for another address.",
        },
    ),
    (
        (2, 1),
        Meaning { what: "The mailbox is disabled.", advice: "Reach the recipient in another way." },
    ),
    (
        (2, 2),
        Meaning {
            what: "The mailbox is full.",
            advice: "Try again once the recipient has made room.",
        },
    ),
    (
        (2, 3),
        Meaning {
            what: "The message is larger than the mailbox takes.",
            advice: "Send a smaller message.",
        },
    ),
    (
        (3, 1),
        Meaning { what: "The recipient's mail system has no room.", advice: "Try again later." },
    ),
    (
        (3, 4),
        Meaning {
            what: "The message is larger than the recipient's mail system takes.",
            advice: "Send a smaller message.",
        },
    ),
    (
        (4, 1),
        Meaning {
            what: "The recipient's mail system did not answer.",
            advice: "Try again later, or reach the recipient in another way.",
        },
    ),
    (
        (4, 3),
        Meaning {
            what: "A name server did not answer.",
            advice: "Try again later; if it goes on, tell your mail administrator.",
        },
    ),
    (
        (4, 4),
        Meaning {
            what: "No way to the recipient's mail system could be found.",
            advice: "Check the part after the @ in the address.",
        },
    ),
    (
        (4, 6),
        Meaning {
            what: "The message went in a circle between mail systems.",
            advice: "Tell your mail administrator; the recipient's forwarding is likely at fault.",
        },
    ),
    (
        (4, 7),
        Meaning {
            what: "It could not be delivered in time.",
            advice: "Try again later, or reach the recipient in another way.",
        },
    ),
    (
        (7, 1),
        Meaning {
            what: "The recipient's mail system does not allow it.",
            advice: "Reach the recipient in another way, or tell your mail administrator.",
        },
    ),
    (
        (6, 7),
        Meaning {
            what: "The recipient's mail system cannot take addresses beyond plain letters.",
            advice: "Send from, or to, an address in plain letters.",
        },
    ),
];

fn meaning(status: EnhancedStatus) -> Option<&'static Meaning> {
    let key = (status.subject, status.detail);
    MEANINGS.iter().find(|(code, _)| *code == key).map(|(_, meaning)| meaning)
}

/// The words before the original's subject.
pub(super) const fn subject(kind: ReportKind) -> &'static str {
    match kind {
        ReportKind::Failed => "Undeliverable",
        ReportKind::Delayed => "Delivery delayed",
        ReportKind::Delivered => "Delivered",
        ReportKind::Relayed => "Relayed",
        ReportKind::Expanded => "Delivered to a list",
    }
}

const fn opening(kind: ReportKind) -> &'static str {
    match kind {
        ReportKind::Failed => {
            "Your message could not be delivered to the recipients below. \
             It will not be tried again."
        }
        ReportKind::Delayed => {
            "Your message could not be delivered to the recipients below yet. \
             You need not send it again: it is tried further on, and you will be told if it \
             cannot be delivered."
        }
        ReportKind::Delivered => "Your message was delivered to the recipients below.",
        ReportKind::Relayed => {
            "Your message was handed over for the recipients below, to a mail system that \
             sends no delivery reports. No news of it is good news."
        }
        ReportKind::Expanded => {
            "Your message was delivered to the lists below and goes on to their members. \
             There will be no reports on the members."
        }
    }
}

/// The whole first part; lines end in CRLF.
pub(super) fn human(report: &Report, shortened: bool) -> String {
    let mut out = String::with_capacity(1024);
    wrap(&mut out, "", opening(report.kind));
    out.push_str("\r\n");
    if !report.subject.is_empty() {
        wrap(&mut out, "", &format!("Subject: {}", clean(&report.subject, MAX_QUOTED)));
    }
    if let Some(at) = report.arrival {
        wrap(&mut out, "", &format!("Received: {}", date::rfc5322(at)));
    }
    if let Some(id) = &report.queue_id {
        wrap(&mut out, "", &format!("Queue id: {}", clean(id, MAX_QUOTED)));
    }
    for recipient in report.recipients.iter().take(MAX_TOLD) {
        one(&mut out, report.kind, recipient);
    }
    if let Some(more) = report.recipients.len().checked_sub(MAX_TOLD).filter(|more| *more > 0) {
        out.push_str("\r\n");
        wrap(&mut out, "", &format!("... and {more} more, listed in the details of this report."));
    }
    out.push_str("\r\n");
    if shortened {
        wrap(&mut out, "", "Your message is not returned whole; its header follows.");
    }
    wrap(
        &mut out,
        "",
        &format!(
            "This report was made by the mail system at {}. If you ask its administrator \
             for help, send this report along.",
            clean(&report.reporting_mta, MAX_QUOTED)
        ),
    );
    out
}

fn one(out: &mut String, kind: ReportKind, recipient: &ReportRecipient) {
    out.push_str("\r\n");
    let address = &recipient.final_recipient;
    let shown = match address.smtp() {
        Some(smtp) => format!("<{smtp}>"),
        None => address.to_string(),
    };
    wrap(out, "", &clean(&shown, MAX_QUOTED));
    let meaning = meaning(recipient.status);
    if let Some(meaning) = meaning.filter(|_| recipient.status.class != 2) {
        wrap(out, "    ", meaning.what);
    }
    if let Some(said) = recipient.diagnostic.as_deref().map(|said| clean(said, MAX_QUOTED)) {
        let who = match &recipient.remote_mta {
            Some(host) => format!("{} said:", clean(host, MAX_QUOTED)),
            None => "Details:".to_owned(),
        };
        wrap(out, "    ", &format!("{who} {said}"));
    }
    if let (ReportKind::Delayed, Some(until)) = (recipient.action, recipient.will_retry_until) {
        wrap(out, "    ", &format!("It is tried until {}.", date::rfc5322(until)));
    }
    if let (ReportKind::Failed, Some(meaning)) = (kind, meaning) {
        wrap(out, "    ", &format!("What you can do: {}", meaning.advice));
    }
}

/// Adds text as lines of at most [`WIDTH`] characters; a longer word is broken.
fn wrap(out: &mut String, indent: &str, text: &str) {
    let room = WIDTH.saturating_sub(indent.len());
    let mut used = 0;
    out.push_str(indent);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut length = word.chars().count();
        if used > 0 && used + 1 + length > room {
            out.push_str("\r\n");
            out.push_str(indent);
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        for c in word.chars() {
            if used >= room && length > 0 {
                out.push_str("\r\n");
                out.push_str(indent);
                used = 0;
            }
            out.push(c);
            used += 1;
            length = length.saturating_sub(1);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let mut out = String::new();
        wrap(&mut out, "  ", &format!("{} {}", "word ".repeat(30), "x".repeat(200)));
        assert!(out.lines().all(|line| line.starts_with("  ") && line.chars().count() <= WIDTH));
        assert!(out.ends_with("\r\n"));
    }

    #[test]
    fn every_meaning_is_there_once() {
        for (i, (code, _)) in MEANINGS.iter().enumerate() {
            assert!(MEANINGS.iter().skip(i + 1).all(|(other, _)| other != code), "{code:?}");
        }
    }
}
