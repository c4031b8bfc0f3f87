//! What lies in mailboxes.

use super::directory::GwName;

/// A file of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GwFile {
    /// The name that the reader sees.
    pub name: String,
    /// Its octets.
    pub octets: Vec<u8>,
}

/// An item that came from the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GwMail {
    /// Counts up in each mailbox.
    pub number: usize,
    /// `Msg-Type` in capitals.
    pub kind: String,
    /// `Msg-Id`.
    pub id: String,
    /// `Orig-Msg-Id`.
    pub answers: String,
    /// The sender.
    pub from: GwName,
    /// The sender's token, which an answer hands back.
    pub token: String,
    /// `From-Text`.
    pub from_text: String,
    /// The heading as it was given.
    pub all_to: Vec<GwName>,
    /// Likewise for copies.
    pub all_copies: Vec<GwName>,
    /// `To-Text`.
    pub to_text: String,
    /// `Subject`.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The files.
    pub files: Vec<GwFile>,
    /// `Msg-Priority`.
    pub priority: String,
    /// `Security`.
    pub security: String,
    /// `Status-Request`.
    pub status_request: String,
    /// `Begin-Time`, `End-Time`, `Location`, `Date-Sent`.
    pub begin: String,
    /// When it ends.
    pub end: String,
    /// Where it is.
    pub location: String,
    /// When it was sent.
    pub sent: String,
    /// Whether its reader has opened it.
    pub opened: bool,
}

/// An item to be sent to the other side.
#[derive(Debug, Clone, Default)]
pub struct GwOutgoing {
    /// `Msg-Type`; mail if empty.
    pub kind: String,
    /// `DOMAIN.POSTOFFICE.OBJECT`.
    pub to: Vec<String>,
    /// Of copies.
    pub copies: Vec<String>,
    /// Of blind copies.
    pub blind_copies: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The files.
    pub files: Vec<GwFile>,
    /// `High`, `Low`; normal if empty.
    pub priority: String,
    /// `Confidential` and the like; normal if empty.
    pub security: String,
    /// `Delivered`, `Opened`, `All Information`; none if empty.
    pub status_request: String,
    /// Begin of an appointment, `DD/MM/YYYY HH:MM`.
    pub begin: String,
    /// Its end.
    pub end: String,
    /// Its place.
    pub location: String,
    /// Names of people in the heading who are members of a distribution list;
    /// the gateway writes them into `All-To` (Q256865).
    pub list_members: Vec<String>,
}

/// What was told of an item that somebody sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GwStatus {
    /// The recipient it is about.
    pub from: GwName,
    /// What happened, as written.
    pub action: String,
    /// When, as written.
    pub time: String,
    /// The reason, if one was given.
    pub reason: String,
}

/// A file in `GWPROB`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GwProblem {
    /// Its name.
    pub file: String,
    /// What the gateway complains of, as appended: `Line 3 Unknown keyword: X`.
    pub complaints: Vec<String>,
}
