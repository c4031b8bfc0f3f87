//! Senders that are refused, or put aside (the original's turf list).

use crate::pattern::AddressPattern;
use concord_address::SmtpAddress;
use serde::Deserialize;

/// A row `[[sender]]`; the first that fits decides. It is asked for the
/// reverse-path and, once the header is there, for its `From` (Q193926); never
/// for users who have logged in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SenderRule {
    /// Whom it is about.
    pub from: AddressPattern,
    /// Only for these recipients; empty is all.
    #[serde(default)]
    pub to: Vec<AddressPattern>,
    /// What is done.
    #[serde(default)]
    pub action: SenderAction,
    /// What a refused client hears.
    #[serde(default)]
    pub reply: Option<String>,
}

/// What is done with a sender's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SenderAction {
    /// It is refused; the client hears so.
    #[default]
    Refuse,
    /// It is taken and put aside until an administrator looks at it. Nothing is
    /// ever deleted unseen (Q197289).
    Quarantine,
    /// It passes, whatever later rows say.
    Accept,
}

impl SenderRule {
    /// Whether it is about this sender, and this recipient.
    pub fn fits(&self, from: Option<&SmtpAddress>, to: Option<&SmtpAddress>) -> bool {
        self.from.fits(from)
            && (self.to.is_empty() || self.to.iter().any(|p| to.is_some() && p.fits(to)))
    }
}
