//! Directory objects.

use crate::DirectoryError;
use concord_address::{AddressType, Domain, SmtpAddress, TypedAddress};
use concord_base::{ByteSize, ObjectId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;

/// A name is shown in lists and typed at prompts; the original's limit for
/// directory names was 64 too.
const MAX_NAME: usize = 64;
/// What address books show; the original's limit.
const MAX_DISPLAY_NAME: usize = 256;
/// A recipient with more addresses than this is a mistake in a script.
const MAX_PROXIES: usize = 1_000;

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
}

impl Kind {
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

    /// Checks the rules that hold for an object by itself.
    ///
    /// # Errors
    /// The first rule that it breaks. Uniqueness in the organisation is the
    /// engine's to check, in the commit.
    pub fn check(&self) -> Result<(), DirectoryError> {
        let bad = |cause: String| DirectoryError::Invalid { name: self.name.clone(), cause };
        if self.name.is_empty() || self.name.len() > MAX_NAME {
            return Err(bad("a name has 1 to 64 bytes".into()));
        }
        if self.name.chars().any(|c| c.is_control() || c.is_whitespace() && c != ' ') {
            return Err(bad("a name has no control characters".into()));
        }
        if self.name.trim() != self.name {
            return Err(bad("a name does not begin or end with a space".into()));
        }
        if self.display_name.len() > MAX_DISPLAY_NAME
            || self.display_name.chars().any(char::is_control)
        {
            return Err(bad(
                "a display name has at most 256 bytes and no control characters".into()
            ));
        }
        if self.proxies.len() > MAX_PROXIES {
            return Err(bad("it has more than 1000 addresses".into()));
        }
        let mut primaries = HashSet::new();
        let mut keys = HashSet::new();
        for proxy in &self.proxies {
            if !keys.insert(proxy.address.key()) {
                return Err(bad(format!("the address {} is given twice", proxy.address)));
            }
            if proxy.primary && !primaries.insert(proxy.address.kind()) {
                return Err(bad(format!(
                    "it has two primary addresses of type {}",
                    proxy.address.kind().as_str()
                )));
            }
        }
        if let Some(lone) =
            self.proxies.iter().find(|proxy| !primaries.contains(proxy.address.kind()))
        {
            return Err(bad(format!(
                "it has no primary address of type {}",
                lone.address.kind().as_str()
            )));
        }
        match &self.details {
            Details::Domain => {
                let domain: Result<Domain, _> = self.name.parse();
                match domain {
                    Ok(Domain::Name(name)) if name == self.name => Ok(()),
                    Ok(Domain::Name(name)) => Err(bad(format!("write the domain as '{name}'"))),
                    _ => Err(bad("the name of a domain object is a DNS name".into())),
                }
            }
            Details::Mailbox(_) if self.primary_smtp().is_none() => {
                Err(bad("a mailbox has an Internet address".into()))
            }
            Details::List(list) if list.members.contains(&self.id) => {
                Err(bad("a list cannot be its own member".into()))
            }
            _ => Ok(()),
        }
    }
}
