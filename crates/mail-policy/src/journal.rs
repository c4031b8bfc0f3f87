//! Copies of mail that are kept.

use crate::pattern::AddressPattern;
use concord_address::SmtpAddress;
use serde::Deserialize;

/// A row `[[journal]]`: each message that fits goes also to `to`, with its
/// envelope. The copy is on disk before the message is answered for; if it
/// cannot be, the message is not taken either (Q188772).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Journal {
    /// What it is called in reports and traces.
    pub name: String,
    /// Where the copies go: a mailbox, or an address anywhere.
    pub to: SmtpAddress,
    /// Which mail, by its way.
    #[serde(default)]
    pub direction: JournalDirection,
    /// Only mail that has one of these as sender or recipient; empty is all.
    #[serde(default)]
    pub of: Vec<AddressPattern>,
}

/// Mail by its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JournalDirection {
    /// All mail.
    #[default]
    All,
    /// From outside to somebody here.
    Inbound,
    /// From somebody here to outside.
    Outbound,
    /// From somebody here to somebody here.
    Internal,
}

impl Journal {
    /// Whether a message is to be kept: by its sender, its recipients, whether
    /// the sender is proven to be of ours, and whether some recipient is here
    /// or elsewhere.
    pub fn fits(
        &self,
        from: Option<&SmtpAddress>,
        to: &[SmtpAddress],
        ours: bool,
        (here, elsewhere): (bool, bool),
    ) -> bool {
        let way = match self.direction {
            JournalDirection::All => true,
            JournalDirection::Inbound => !ours && here,
            JournalDirection::Outbound => ours && elsewhere,
            JournalDirection::Internal => ours && here,
        };
        let named = |pattern: &AddressPattern| {
            from.is_some_and(|from| pattern.fits(Some(from)))
                || to.iter().any(|to| pattern.fits(Some(to)))
        };
        way && (self.of.is_empty() || self.of.iter().any(named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direction_and_people_choose() {
        let journal = |text: &str| -> Journal {
            toml::from_str(&format!("name = 'j'\nto = 'keep@a.test'\n{text}")).unwrap()
        };
        let from: SmtpAddress = "x@b.test".parse().unwrap();
        let to = ["y@a.test".parse().unwrap()];
        let fits = |text: &str, ours| journal(text).fits(Some(&from), &to, ours, (true, false));
        assert!(fits("", false));
        assert!(fits("direction = 'inbound'", false));
        assert!(!fits("direction = 'inbound'", true));
        assert!(!fits("direction = 'outbound'", true));
        assert!(fits("direction = 'internal'", true));
        assert!(fits("of = ['@a.test']", false));
        assert!(fits("of = ['x@b.test']", false));
        assert!(!fits("of = ['z@b.test']", false));
    }
}
