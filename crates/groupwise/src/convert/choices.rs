//! Urgency and confidentiality, in the words of both sides.

use concord_groupwise_api::model::{Priority, Security};
use mail_parser::Message;

/// Confidentiality and `Sensitivity` (RFC 2156 section 5.3.4). The first row
/// with a meaning is the one that is written.
const SENSITIVITIES: &[(Security, &str)] = &[
    (Security::Proprietary, "Company-Confidential"),
    (Security::Confidential, "Private"),
    (Security::ForYourEyesOnly, "Personal"),
    (Security::Secret, "Private"),
    (Security::TopSecret, "Private"),
];

pub(super) fn sensitivity(security: Security) -> Option<&'static str> {
    SENSITIVITIES.iter().find(|(s, _)| *s == security).map(|(_, word)| *word)
}

/// Whether a degree comes back as another one.
pub(super) fn is_approximate(security: Security) -> bool {
    matches!(security, Security::Secret | Security::TopSecret)
}

pub(super) fn security(message: &Message<'_>) -> Security {
    let word = header(message, "Sensitivity");
    let found = SENSITIVITIES.iter().find(|(_, text)| text.eq_ignore_ascii_case(&word));
    found.map_or(Security::Normal, |(security, _)| *security)
}

/// `Importance` (RFC 2156), `Priority`, or the mail programs' `X-Priority`
/// from 1 to 5.
pub(super) fn priority(message: &Message<'_>) -> Priority {
    match header(message, "Importance").to_ascii_lowercase().as_str() {
        "high" => return Priority::High,
        "low" => return Priority::Low,
        "normal" => return Priority::Normal,
        _ => {}
    }
    match header(message, "X-Priority").chars().next() {
        Some('1' | '2') => return Priority::High,
        Some('4' | '5') => return Priority::Low,
        Some('3') => return Priority::Normal,
        _ => {}
    }
    match header(message, "Priority").to_ascii_lowercase().as_str() {
        "urgent" => Priority::High,
        "non-urgent" => Priority::Low,
        _ => Priority::Normal,
    }
}

pub(super) const fn importance(priority: Priority) -> Option<&'static str> {
    match priority {
        Priority::High => Some("high"),
        Priority::Normal => None,
        Priority::Low => Some("low"),
    }
}

/// A header's value as text, trimmed; empty if there is none.
pub(super) fn header(message: &Message<'_>, name: &str) -> String {
    message.header_raw(name.to_owned()).map(|raw| raw.trim().to_owned()).unwrap_or_default()
}
