//! Envelopes.

use concord_address::{SmtpAddress, TypedAddress};
use concord_base::{MailboxId, Timestamp};
use concord_message::Urgency;
use concord_store::{Body, FolderName, SystemFlags};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The reverse-path: who gets reports; `None` is `<>`, nobody.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReversePath(pub Option<SmtpAddress>);

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(address) => write!(f, "<{address}>"),
            None => f.write_str("<>"),
        }
    }
}

/// RFC 3461 NOTIFY of one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Notify {
    /// Report successful delivery.
    pub success: bool,
    /// Report failure.
    pub failure: bool,
    /// Report delay.
    pub delay: bool,
}

impl Default for Notify {
    /// What a sender who said nothing gets (RFC 3461 section 4.1).
    fn default() -> Self {
        Self { success: false, failure: true, delay: true }
    }
}

impl Notify {
    /// `NOTIFY=NEVER`
    pub const NEVER: Self = Self { success: false, failure: false, delay: false };
}

/// RFC 3461 RET.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum ReturnContent {
    /// The whole message goes with a failure report.
    Full,
    /// Only its header; the default, so that a report stays small.
    #[default]
    Headers,
}

/// What a sender says of TLS on the message's whole way (RFC 8689).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TlsWish {
    /// `REQUIRETLS`: not without.
    Require,
    /// `TLS-Required: No` in the header: rather without than not at all.
    Optional,
}

/// What MAIL said beside the reverse-path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EnvelopeOptions {
    /// RFC 3461 ENVID, decoded.
    pub envelope_id: Option<String>,
    /// RFC 3461 RET.
    pub return_content: Option<ReturnContent>,
    /// RFC 6531 SMTPUTF8.
    pub smtputf8: bool,
    /// RFC 6152 BODY=8BITMIME.
    pub eight_bit: bool,
    /// RFC 8689.
    #[serde(default)]
    pub tls: Option<TlsWish>,
    /// What the header says of its urgency (RFC 2156); urgent mail goes first.
    #[serde(default)]
    pub urgency: Urgency,
}

/// How a message came to the core.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Arrival {
    /// The connector that brought it (`internet-mail`), or `core`.
    pub connector: String,
    /// The client's IP address, as text.
    pub client: Option<String>,
    /// What the client called itself.
    pub helo: Option<String>,
    /// `ESMTP`, `ESMTPSA`, ...
    pub protocol: Option<String>,
    /// The login name, if it was authenticated.
    pub login: Option<String>,
    /// What the connector knows the message by. One that it brings again under a
    /// key, within [`KEYS_KEPT`], is taken once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// How long the keys of messages are remembered: a partner that could not hear
/// that its file was taken comes again with it, and may have been away for long.
pub const KEYS_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// How many keys are remembered, those of all connectors together: some 100 MiB.
pub const MAX_KEYS: u64 = 1_000_000;

/// Where a recipient's copy goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// Into a mailbox here: its INBOX, or where [`RoutedRecipient::filing`] says.
    Mailbox(MailboxId),
    /// To another system through a connector.
    Connector {
        /// The connector.
        connector: String,
        /// What deliveries are grouped by: one LMTP transaction has one group,
        /// and concurrency is bounded per group. For Internet mail the domain.
        group: String,
    },
}

/// A recipient after resolution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutedRecipient {
    /// Where it goes, after lists and forwarding.
    pub address: TypedAddress,
    /// What RCPT said; many routed recipients may come from one.
    pub given: TypedAddress,
    /// RFC 3461 ORCPT, as `type;address`, decoded.
    pub original: Option<String>,
    /// RFC 3461 NOTIFY.
    pub notify: Notify,
    /// The route.
    pub destination: Destination,
    /// Who gets reports of this copy, if not the message's sender: a list can
    /// have them go to its owner, or to nobody.
    #[serde(default)]
    pub reports_to: Option<ReversePath>,
    /// What the mailbox's rules say of this copy; none is the inbox, unread. Not
    /// written if there is nothing to say, so that older releases read the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filing: Option<Filing>,
}

/// Where a copy lies in its mailbox, and with which flags: decided when the message
/// was taken, so that applying the record again gives the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Filing {
    /// The folder, made if it is missing; none is the inbox, and so is one that
    /// cannot be made.
    pub folder: Option<FolderName>,
    /// Flags that it begins with.
    pub flags: SystemFlags,
    /// Names of the rules that said so, the first ones, for tracking.
    pub rules: Vec<String>,
}

/// A message whose recipients are resolved and routed: ready to be committed.
#[derive(Debug)]
pub struct Submission {
    /// How it came.
    pub arrival: Arrival,
    /// When it came.
    pub received: Timestamp,
    /// Who gets reports.
    pub sender: ReversePath,
    /// What MAIL said beside.
    pub options: EnvelopeOptions,
    /// The recipients; at least one.
    pub recipients: Vec<RoutedRecipient>,
    /// `Message-ID` of its header without brackets, as found, or empty.
    pub header_message_id: String,
    /// `Subject` as found, shortened, or empty; for queue listings.
    pub subject: String,
    /// The message as it is stored: a `Return-Path:` line first, then as it came.
    pub body: Body,
    /// Octets of that `Return-Path:` line; connectors get what follows it.
    pub return_path_octets: u32,
    /// Why all of it is quarantined until an administrator lets it go. Then no
    /// recipient is a mailbox: who keeps it must be able to deliver later.
    pub hold: Option<String>,
}
