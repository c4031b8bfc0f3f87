//! What connectors ask: of themselves, of addresses, of messages.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Addresses that one request asks about.
pub const MAX_ADDRESSES: usize = 1_000;
/// Octets of what a connector keeps under one name; the core is no file store.
pub const MAX_STATE: usize = 256 << 10;

/// A connector's own object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnObject {
    /// Its name.
    pub name: String,
    /// Whether it carries mail.
    pub enabled: bool,
    /// Its settings, as the administrator set them; defaults are the connector's
    /// to know.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The server's name, at which foreign addresses are put inside Internet ones.
    pub host: String,
    /// The organisation's name.
    pub organisation: String,
    /// The site's name.
    pub site: String,
}

/// `POST /v1/addresses`: whose they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressQuery {
    /// Typed addresses; at most [`MAX_ADDRESSES`].
    pub addresses: Vec<String>,
}

/// The answer to [`AddressQuery`], in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AddressAnswers {
    /// One for each address.
    pub answers: Vec<AddressAnswer>,
}

/// Whose an address is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AddressAnswer {
    /// As it was asked.
    pub address: String,
    /// None: nobody's here.
    pub recipient: Option<RecipientFacts>,
}

/// A recipient of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecipientFacts {
    /// `mailbox`, `contact`, `list`, `public-folder` or `resource`.
    pub kind: String,
    /// The alias.
    pub name: String,
    /// What address books show.
    pub display_name: String,
    /// The primary address of each type, by type; a contact's target if it has
    /// none of that type.
    pub addresses: BTreeMap<String, String>,
    /// A contact: where its mail goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Given name, surname and the rest, by LDAP name.
    #[serde(default)]
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// `GET /v1/messages/{queue id}`: a message that the core took in, for reports
/// on it. Known as long as tracking remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SentMessage {
    /// Its queue id.
    pub queue_id: String,
    /// The reverse-path without brackets; empty for `<>`.
    pub sender: String,
    /// `Message-ID` of its header, without brackets.
    pub message_id: String,
    /// Its subject, shortened.
    pub subject: String,
    /// When it came.
    pub received: String,
    /// RFC 3461 ENVID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope_id: Option<String>,
}

/// `POST /v1/connectors/{name}/notices`: something that an administrator should
/// see, kept with the connector.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Stable, dotted kebab case: the same cause is one notice that is counted.
    pub code: String,
    /// For people: what was seen, and what to do.
    pub text: String,
}
