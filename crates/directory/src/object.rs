//! Directory objects.

use concord_address::{AddressSpace, AddressType, SmtpAddress, TypedAddress};
use concord_base::{ByteSize, ObjectId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The whole; exactly one.
    Organisation,
    /// A part of the organisation.
    Site,
    /// A machine that runs Concord.
    Server,
    /// A mail domain whose recipients are in this directory.
    Domain,
    /// A recipient with a mailbox here.
    Mailbox,
    /// A recipient elsewhere ("custom recipient").
    Contact,
    /// A distribution list.
    List,
    /// A way to another mail system.
    Connector,
    /// Gives recipients their addresses of one type.
    Generator,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Organisation,
        Self::Site,
        Self::Server,
        Self::Domain,
        Self::Mailbox,
        Self::Contact,
        Self::List,
        Self::Connector,
        Self::Generator,
    ];

    /// Stable name, as in JSON and in the index.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Site => "site",
            Self::Server => "server",
            Self::Domain => "domain",
            Self::Mailbox => "mailbox",
            Self::Contact => "contact",
            Self::List => "list",
            Self::Connector => "connector",
            Self::Generator => "generator",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An address by which mail reaches an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxy {
    /// The address.
    pub address: TypedAddress,
    /// Whether it stands for the object towards others; one per address type.
    pub primary: bool,
}

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
}

/// What only contacts have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Where mail for it goes.
    pub target: TypedAddress,
}

/// What only distribution lists have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionList {
    /// Mailboxes, contacts and lists.
    pub members: Vec<ObjectId>,
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

/// What differs between kinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Details {
    /// See [`Kind::Organisation`].
    Organisation,
    /// See [`Kind::Site`].
    Site,
    /// See [`Kind::Server`].
    Server,
    /// See [`Kind::Domain`]; the object's name is the domain.
    Domain,
    /// See [`Kind::Mailbox`].
    Mailbox(Mailbox),
    /// See [`Kind::Contact`].
    Contact(Contact),
    /// See [`Kind::List`].
    List(DistributionList),
    /// See [`Kind::Connector`]; the object's name is a word in kebab case.
    Connector(Connector),
    /// See [`Kind::Generator`]; the object's name is the address type.
    Generator(Generator),
}

impl Details {
    /// The kind that these details belong to.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Organisation => Kind::Organisation,
            Self::Site => Kind::Site,
            Self::Server => Kind::Server,
            Self::Domain => Kind::Domain,
            Self::Mailbox(_) => Kind::Mailbox,
            Self::Contact(_) => Kind::Contact,
            Self::List(_) => Kind::List,
            Self::Connector(_) => Kind::Connector,
            Self::Generator(_) => Kind::Generator,
        }
    }
}

/// An object before the engine gave it an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewObject {
    /// Unique within its kind, without regard to case. For mailboxes it is the
    /// alias, which is also a login name.
    pub name: String,
    /// What address books show.
    pub display_name: String,
    /// Addresses; at most one primary per type.
    pub proxies: Vec<Proxy>,
    /// The rest.
    pub details: Details,
}

/// A directory object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Given once, never changed or used again.
    pub id: ObjectId,
    /// See [`NewObject::name`].
    pub name: String,
    /// What address books show.
    pub display_name: String,
    /// Addresses; at most one primary per type.
    pub proxies: Vec<Proxy>,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last changed.
    pub changed: Timestamp,
    /// The rest.
    pub details: Details,
}

impl Object {
    /// An object from what was asked for.
    pub fn from_new(id: ObjectId, new: NewObject, now: Timestamp) -> Self {
        Self {
            id,
            name: new.name,
            display_name: new.display_name,
            proxies: new.proxies,
            created: now,
            changed: now,
            details: new.details,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.details.kind()
    }

    /// The primary address of a type.
    pub fn primary(&self, kind: &AddressType) -> Option<&TypedAddress> {
        self.proxies.iter().find(|p| p.primary && p.address.kind() == kind).map(|p| &p.address)
    }

    /// The primary Internet address.
    pub fn primary_smtp(&self) -> Option<SmtpAddress> {
        self.primary(&AddressType::smtp()).and_then(TypedAddress::smtp)
    }

    /// The mailbox part, if it is one.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match &self.details {
            Details::Mailbox(mailbox) => Some(mailbox),
            _ => None,
        }
    }

    /// The connector part, if it is one.
    pub fn connector(&self) -> Option<&Connector> {
        match &self.details {
            Details::Connector(connector) => Some(connector),
            _ => None,
        }
    }

    /// The generator part, if it is one.
    pub fn generator(&self) -> Option<&Generator> {
        match &self.details {
            Details::Generator(generator) => Some(generator),
            _ => None,
        }
    }
}
