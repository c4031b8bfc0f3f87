//! Shapes of the directory.

use concord_address::AddressSpace;
use serde::{Deserialize, Serialize};

/// A proxy address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// `TYPE:value`.
    pub address: String,
    /// Whether it stands for the object towards others.
    pub primary: bool,
}

/// A member of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// `mailbox`, `contact` or `list`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A mailbox, contact, list, domain, connector or generator. What a kind does not have is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectView {
    /// `mailbox`, `contact`, `list`, `domain`, `connector` or `generator`.
    pub kind: String,
    /// Never changes.
    pub id: u64,
    /// The alias; unique within its kind.
    pub name: String,
    /// What address books show.
    pub display_name: String,
    /// Addresses, primary ones first.
    #[serde(default)]
    pub addresses: Vec<Address>,
    /// When it was added.
    pub created: String,
    /// When it was last changed.
    pub changed: String,
    /// Mailbox: octets it may hold; none is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    /// Mailbox, when shown alone: octets in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// Mailbox, when shown alone: messages in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Mailbox: nobody can log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_disabled: Option<bool>,
    /// Mailbox: whether it has a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_set: Option<bool>,
    /// Contact: where its mail goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// List: its members, when shown alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Member>>,
    /// List: how many members it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_count: Option<u64>,
    /// Connector and generator: the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Connector: whether it carries mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Connector: what it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_spaces: Option<Vec<AddressSpace>>,
    /// Connector: settings of its own, secrets among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Map<String, serde_json::Value>>,
    /// Generator: its rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// Adds a mailbox.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMailbox {
    /// The alias, also a login name.
    pub name: String,
    /// As the name if not given.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The first of each type is its primary one. If none is given and there is
    /// one mail domain, it is the name in that domain.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Octets; none is no limit.
    #[serde(default)]
    pub quota: Option<u64>,
    /// Without one nobody can log in.
    #[serde(default)]
    pub password: Option<String>,
    /// Nobody can log in even with the password.
    #[serde(default)]
    pub login_disabled: bool,
}

/// Adds a contact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    /// The alias.
    pub name: String,
    /// As the name if not given.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Where its mail goes.
    pub target: String,
    /// Addresses by which it is reached here; may be none.
    #[serde(default)]
    pub addresses: Vec<String>,
}

/// Adds a distribution list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewList {
    /// The alias.
    pub name: String,
    /// As the name if not given.
    #[serde(default)]
    pub display_name: Option<String>,
    /// As for a mailbox.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Names or addresses of mailboxes, contacts and lists.
    #[serde(default)]
    pub members: Vec<String>,
}

/// Adds a mail domain.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDomain {
    /// The DNS name.
    pub name: String,
}

/// Changes an object, in one commit. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Patch {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Addresses to add; one whose type has none yet becomes primary.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_addresses: Vec<String>,
    /// Addresses to take away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_addresses: Vec<String>,
    /// Addresses that become primary for their type; added if not there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub primary_addresses: Vec<String>,
    /// Mailbox: octets; `null` takes the limit away.
    #[serde(deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub quota: Option<Option<u64>>,
    /// Mailbox: whether logging in is barred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_disabled: Option<bool>,
    /// Contact: where its mail goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// List: names or addresses to add.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_members: Vec<String>,
    /// List: names or addresses to take away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_members: Vec<String>,
}

/// Sets a mailbox's password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPassword {
    /// The password; `null` takes it away, and nobody can log in.
    pub password: Option<String>,
}

/// Sets up a new directory. What is there already stays as it is.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    /// The organisation's name.
    pub organisation: String,
    /// The site's name.
    pub site: String,
    /// The server's name.
    pub server: String,
    /// The first mail domain.
    pub domain: String,
    /// Mailboxes to begin with.
    #[serde(default)]
    pub mailboxes: Vec<BootstrapMailbox>,
}

/// A mailbox of [`Bootstrap`].
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapMailbox {
    /// The alias.
    pub name: String,
    /// The name in the first mail domain if not given.
    #[serde(default)]
    pub address: Option<String>,
    /// As the name if not given.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Without one nobody can log in.
    #[serde(default)]
    pub password: Option<String>,
}

/// What [`Bootstrap`] made, and what was there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bootstrapped {
    /// New.
    pub made: Vec<MadeObject>,
    /// As it was.
    pub kept: Vec<MadeObject>,
}

/// An object by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeObject {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: u64,
}
