//! Recipients that nobody can take: the core settles them by itself, under its
//! own name and for one of these reasons.

use concord_directory::{INTERNET_MAIL, Refusal, Routes};
use concord_mail_policy::Policy;
use concord_transport::{Destination, RoutedRecipient};

/// The connector name of such deliveries.
pub(crate) const CORE: &str = "core";
/// The address went, or no connector carries it.
pub(crate) const UNROUTABLE: &str = "unroutable";
/// An administrator has let go what was put aside.
pub(crate) const PUT_ASIDE: &str = "put-aside";
const NOT_ACCEPTED: &str = "not-accepted";
const NOT_PROVEN: &str = "not-proven";
const TOO_LARGE: &str = "too-large";
const AUTOMATIC: &str = "automatic";
/// Followed by the limit in octets.
const OVER_LIMIT: &str = "over-limit";

/// Where a copy goes that cannot be delivered.
pub(crate) fn of(reason: &str) -> Destination {
    Destination::Connector { connector: CORE.to_owned(), group: reason.to_owned() }
}

/// Copies for mailboxes, kept by the core until an administrator decides; those
/// for connectors stay theirs.
pub(crate) fn put_aside(mut routed: Vec<RoutedRecipient>) -> Vec<RoutedRecipient> {
    for recipient in &mut routed {
        if matches!(recipient.destination, Destination::Mailbox(_)) {
            recipient.destination = of(PUT_ASIDE);
        }
    }
    routed
}

/// Where a copy goes that its recipient does not take.
pub(crate) fn refused(refusal: Refusal) -> Destination {
    of(match refusal {
        Refusal::NotAccepted => NOT_ACCEPTED,
        Refusal::NotProven => NOT_PROVEN,
        Refusal::TooLarge { .. } => TOO_LARGE,
    })
}

/// Where a copy goes that is larger than mail to its domain may be.
pub(crate) fn over_limit(limit: u64) -> Destination {
    of(&format!("{OVER_LIMIT} {limit}"))
}

/// An automatic answer does not go to domains that want none; who wrote the rule
/// hears of it, if he is named as its sender.
pub(crate) fn automatic_reply(
    mut routed: Vec<RoutedRecipient>,
    policy: &Policy,
    routes: &Routes,
) -> Vec<RoutedRecipient> {
    for recipient in &mut routed {
        if let Destination::Connector { connector, group } = &recipient.destination
            && routes.component(connector) == Some(INTERNET_MAIL)
            && policy.outbound_for(group).refuse_automatic_replies == Some(true)
        {
            recipient.destination = of(AUTOMATIC);
        }
    }
    routed
}

/// Status (RFC 3463) and words of a reason.
pub(crate) fn words(reason: &str) -> ((u8, u16, u16), String) {
    if let Some(limit) = reason.strip_prefix(OVER_LIMIT) {
        return ((5, 3, 4), format!("messages to this domain have at most{limit} octets"));
    }
    let (status, text) = match reason {
        NOT_ACCEPTED => ((5, 7, 1), "the recipient does not take mail from this sender"),
        NOT_PROVEN => ((5, 7, 1), "the recipient takes mail of senders only who have logged in"),
        AUTOMATIC => ((5, 7, 1), "automatic answers do not go to this domain"),
        TOO_LARGE => ((5, 2, 3), "the message is larger than the recipient takes"),
        _ => ((5, 1, 1), "nobody here has this address any more, and no connector carries it"),
    };
    (status, text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_address::SmtpAddress;
    use concord_transport::Notify;

    /// T58, Q192982
    #[test]
    fn automatic_answers_do_not_go_where_nobody_wants_them() {
        let text = "[[domain]]\nname = 'quiet.test'\nrefuse-automatic-replies = true\n";
        let policy = Policy::parse(text).unwrap();
        let routes = Routes::new(&[]);
        let to = |address: &str| {
            let address: SmtpAddress = address.parse().unwrap();
            let group = address.domain().to_string();
            let connector = INTERNET_MAIL.to_owned();
            RoutedRecipient {
                given: address.clone().into(),
                address: address.into(),
                original: None,
                notify: Notify::default(),
                destination: Destination::Connector { connector, group },
                reports_to: None,
                filing: None,
            }
        };
        let routed = vec![to("a@quiet.test"), to("b@other.test")];
        let judged = automatic_reply(routed.clone(), &policy, &routes);
        assert_eq!(judged[0].destination, of(AUTOMATIC));
        assert_eq!(judged[1], routed[1]);
        assert!(words(AUTOMATIC).1.contains("automatic"));
    }
}
