//! What objects of one kind have that others do not.

use concord_address::{AddressSpace, TypedAddress};
use concord_base::{ByteSize, ObjectId};
use concord_rules::Rule;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A SCRAM verifier (RFC 5802 section 3): enough to check a proof, not to log in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScramVerifier {
    /// Random salt.
    pub salt: Vec<u8>,
    /// PBKDF2 iterations.
    pub iterations: u32,
    /// `H(ClientKey)`.
    pub stored_key: Vec<u8>,
    /// `HMAC(SaltedPassword, "Server Key")`.
    pub server_key: Vec<u8>,
}

impl fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramVerifier")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// What a password was turned into. The password itself is never kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Argon2id in PHC string format.
    pub argon2id: String,
    /// For SCRAM-SHA-256 (RFC 7677).
    pub scram_sha_256: ScramVerifier,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// What only mailboxes have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Bytes that its folders may hold; none is no limit.
    pub quota: Option<ByteSize>,
    /// None: nobody can log in.
    pub credentials: Option<Credentials>,
    /// A disabled mailbox still receives, but nobody can log in.
    pub login_disabled: bool,
    /// What becomes of mail for it, in the order in which they are asked. Not
    /// written if there are none, so that older releases read what they can.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// What only contacts have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Where mail for it goes.
    pub target: TypedAddress,
}

/// Who hears of it when a message to a list cannot be delivered (Q173510).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportTo {
    /// Who sent the message.
    #[default]
    Sender,
    /// The list's first owner that has an Internet address.
    Owner,
    /// Nobody.
    Nobody,
}

/// What only distribution lists have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionList {
    /// Recipients of any kind.
    pub members: Vec<ObjectId>,
    /// Mailboxes that may change its members.
    #[serde(default)]
    pub owners: Vec<ObjectId>,
    /// Only owners and administrators see the members.
    #[serde(default)]
    pub hide_members: bool,
    /// Who gets reports.
    #[serde(default)]
    pub report_to: ReportTo,
}

/// What only public folders have. Mail for it lies in its INBOX.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicFolder {
    /// Mailboxes that may open it, with their own passwords.
    pub owners: Vec<ObjectId>,
    /// Octets that it may hold; none is no limit.
    pub quota: Option<ByteSize>,
}

/// What a resource is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceKind {
    /// A room.
    #[default]
    Room,
    /// A thing: a projector, a car.
    Equipment,
}

/// What only resources have. Mail for it lies in its INBOX.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is.
    pub resource: ResourceKind,
    /// People that it is for.
    pub capacity: Option<u32>,
    /// Mailboxes that may open it, with their own passwords.
    pub owners: Vec<ObjectId>,
    /// Octets that it may hold; none is no limit.
    pub quota: Option<ByteSize>,
}

/// What a role lets its members do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// See everything, hidden recipients and restrictions too.
    #[default]
    View,
    /// Change recipients, and passwords of mailboxes.
    Recipients,
    /// Change containers, roles and configuration as well.
    Full,
}

/// Where a role counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// In these containers and those below them; none is nowhere.
    Containers(Vec<ObjectId>),
    /// Everywhere.
    #[default]
    Organisation,
}

/// What only roles have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Mailboxes, and lists of them.
    pub members: Vec<ObjectId>,
    /// What they may do.
    pub right: Right,
    /// Where.
    pub scope: Scope,
}

/// What only connectors have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    /// The program that it is: the name of its package.
    pub component: String,
    /// A disabled connector carries nothing, and brings nothing.
    pub enabled: bool,
    /// What it carries.
    pub address_spaces: Vec<AddressSpace>,
    /// Settings of its own, which the core only keeps.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// What only address generators have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generator {
    /// The package that brought it.
    pub component: String,
    /// See [`concord_address::GeneratorRule`].
    pub rule: String,
}
