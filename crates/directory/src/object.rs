//! Directory objects.

use crate::{
    Attributes, Connector, Contact, DistributionList, Generator, Mailbox, Policy, PublicFolder,
    Resource, Role,
};
use concord_address::{AddressType, SmtpAddress, TypedAddress};
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
    /// A folder that many read and mail can be sent to.
    PublicFolder,
    /// A room or a thing that meetings are held in or with.
    Resource,
    /// A part of the site's recipients.
    Container,
    /// Who may change which containers.
    Role,
    /// A way to another mail system.
    Connector,
    /// Gives recipients their addresses of one type.
    Generator,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Organisation,
        Self::Site,
        Self::Server,
        Self::Domain,
        Self::Mailbox,
        Self::Contact,
        Self::List,
        Self::PublicFolder,
        Self::Resource,
        Self::Container,
        Self::Role,
        Self::Connector,
        Self::Generator,
    ];

    /// The kinds that mail can be sent to. Their names are unique together.
    pub const RECIPIENTS: [Self; 5] =
        [Self::Mailbox, Self::Contact, Self::List, Self::PublicFolder, Self::Resource];

    /// Whether mail can be sent to it.
    pub fn is_recipient(self) -> bool {
        Self::RECIPIENTS.contains(&self)
    }

    /// Whether it has folders of its own in the information store.
    pub fn has_folders(self) -> bool {
        matches!(self, Self::Mailbox | Self::PublicFolder | Self::Resource)
    }

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
            Self::PublicFolder => "public-folder",
            Self::Resource => "resource",
            Self::Container => "container",
            Self::Role => "role",
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
    /// See [`Kind::PublicFolder`].
    PublicFolder(PublicFolder),
    /// See [`Kind::Resource`].
    Resource(Resource),
    /// See [`Kind::Container`].
    Container,
    /// See [`Kind::Role`].
    Role(Role),
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
            Self::PublicFolder(_) => Kind::PublicFolder,
            Self::Resource(_) => Kind::Resource,
            Self::Container => Kind::Container,
            Self::Role(_) => Kind::Role,
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
    /// What address books and other directories know of it.
    #[serde(default)]
    pub attributes: Attributes,
    /// Where it stands and what holds for it.
    #[serde(default)]
    pub policy: Policy,
}

impl NewObject {
    /// An object with a name and nothing else.
    pub fn new(name: impl Into<String>, details: Details) -> Self {
        Self {
            name: name.into(),
            display_name: String::new(),
            proxies: Vec::new(),
            details,
            attributes: Attributes::default(),
            policy: Policy::default(),
        }
    }
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
    /// What address books and other directories know of it.
    #[serde(default)]
    pub attributes: Attributes,
    /// Where it stands and what holds for it.
    #[serde(default)]
    pub policy: Policy,
    /// Its update sequence number: rises with every change in the directory, so
    /// that what has changed since a moment can be asked for.
    #[serde(default)]
    pub usn: u64,
}

/// What is asked for with an object that was made up beforehand.
impl From<Object> for NewObject {
    fn from(object: Object) -> Self {
        Self {
            name: object.name,
            display_name: object.display_name,
            proxies: object.proxies,
            details: object.details,
            attributes: object.attributes,
            policy: object.policy,
        }
    }
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
            attributes: new.attributes,
            policy: new.policy,
            usn: 0,
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

    /// Where mail for it goes, if it is a contact.
    pub fn target(&self) -> Option<&TypedAddress> {
        match &self.details {
            Details::Contact(contact) => Some(&contact.target),
            _ => None,
        }
    }

    /// The address of a type that stands for it towards the systems of that
    /// type: its primary one, or a contact's target.
    pub fn address_of(&self, kind: &AddressType) -> Option<&TypedAddress> {
        self.primary(kind).or_else(|| self.target().filter(|target| target.kind() == kind))
    }

    /// The list part, if it is one.
    pub fn list(&self) -> Option<&DistributionList> {
        match &self.details {
            Details::List(list) => Some(list),
            _ => None,
        }
    }

    /// Octets that its folders may hold; none is no limit.
    pub fn quota(&self) -> Option<ByteSize> {
        match &self.details {
            Details::Mailbox(mailbox) => mailbox.quota,
            Details::PublicFolder(folder) => folder.quota,
            Details::Resource(resource) => resource.quota,
            _ => None,
        }
    }

    /// Mailboxes that answer for it: its owners.
    pub fn owners(&self) -> &[ObjectId] {
        match &self.details {
            Details::List(list) => &list.owners,
            Details::PublicFolder(folder) => &folder.owners,
            Details::Resource(resource) => &resource.owners,
            _ => &[],
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
