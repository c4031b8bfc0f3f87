//! Shapes of the directory.

use concord_address::AddressSpace;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// Where mail for a recipient goes on to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardView {
    /// The other recipient's name.
    pub to: String,
    /// Whether the first one keeps a copy.
    pub keep: bool,
}

/// Who made an object that directory synchronisation keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginView {
    /// The connector that brought it.
    pub connector: String,
    /// What the foreign system knows it by.
    pub key: String,
}

/// An object of the directory. What a kind does not have is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectView {
    /// `mailbox`, `contact`, `list`, `public-folder`, `resource`, `container`, `role`, `domain`,
    /// `connector` or `generator`.
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
    /// Recipient: what address books know of it, by LDAP name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Vec<String>>,
    /// The container that it is in, when shown alone; none is Recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Its LDAP name, when shown alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// Recipient: address books do not show it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// Recipient: exported to containers of this trust and above; at 100 never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<u8>,
    /// Recipient: the connector whose directory synchronisation keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginView>,
    /// Recipient: octets of a message to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_limit: Option<u64>,
    /// Recipient: octets of a message from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_limit: Option<u64>,
    /// Recipient: only who has logged in may send to it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub authenticated_only: bool,
    /// Recipient, when shown alone: only these may send to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept_from: Vec<String>,
    /// Recipient, when shown alone: these may not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reject_from: Vec<String>,
    /// Recipient, when shown alone: mailboxes that may send on its behalf.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegates: Vec<String>,
    /// Recipient, when shown alone: where its mail goes on to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<ForwardView>,
    /// List, public folder and resource, when shown alone: who answers for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// List: only owners and administrators see the members.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hide_members: bool,
    /// List: who hears of failures: `sender`, `owner` or `nobody`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_to: Option<String>,
    /// Resource: `room` or `equipment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Resource: people that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Role: `view`, `recipients` or `full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
    /// Role, when shown alone: containers in which it counts; `*` is everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// Connector, when shown alone: what an administrator should see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<super::NoticeView>,
}

fn is_false(flag: &bool) -> bool {
    !flag
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

/// Where mail is to go on to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardPatch {
    /// Name or address of the other recipient.
    pub to: String,
    /// Whether the first one keeps a copy.
    #[serde(default)]
    pub keep: bool,
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
    /// Attributes by LDAP name; no values take one away, the others stay.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Vec<String>>,
    /// The container that it moves to; `null` is Recipients.
    #[serde(deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub container: Option<Option<String>>,
    /// Whether address books hide it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
    /// Its trust, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<u8>,
    /// Octets of a message to it; `null` takes the limit away.
    #[serde(deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub receive_limit: Option<Option<u64>>,
    /// Octets of a message from it; `null` takes the limit away.
    #[serde(deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub send_limit: Option<Option<u64>>,
    /// Whether only those may send to it who have logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticated_only: Option<bool>,
    /// In place of those who alone may send to it; empty is everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_from: Option<Vec<String>>,
    /// In place of those who may not send to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_from: Option<Vec<String>>,
    /// In place of those who may send on its behalf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegates: Option<Vec<String>>,
    /// Where its mail goes on to; `null` is nowhere.
    #[serde(deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub forward: Option<Option<ForwardPatch>>,
    /// List, public folder, resource: in place of its owners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owners: Option<Vec<String>>,
    /// List: whether only owners and administrators see the members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_members: Option<bool>,
    /// List: who hears of failures: `sender`, `owner` or `nobody`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_to: Option<String>,
    /// Resource: `room` or `equipment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Resource: people that it is for; `null` takes it away.
    #[serde(deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Option<u32>>,
    /// Role: `view`, `recipients` or `full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
    /// Role: containers in which it counts; `*` is everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// Mailbox, public folder, resource: octets; `null` takes the limit away.
    #[serde(deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub quota: Option<Option<u64>>,
    /// Mailbox: whether logging in is barred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_disabled: Option<bool>,
    /// Contact: where its mail goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// List and role: names or addresses to add.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_members: Vec<String>,
    /// List and role: names or addresses to take away.
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
