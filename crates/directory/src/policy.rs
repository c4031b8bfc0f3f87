//! Where an object stands in the directory, and what holds for mail to and from
//! it.

use concord_base::{ByteSize, ObjectId};
use serde::{Deserialize, Serialize};

/// Trust of an object if nothing is said; the original's. Containers that are
/// exported name the highest trust that leaves (Q152935, Q198789).
pub const USUAL_TRUST: u8 = 20;
/// At this trust an object is never exported.
pub const NEVER_EXPORTED: u8 = 100;
/// Mailboxes and lists that one restriction names: it is read at every message.
pub const MAX_RESTRICTIONS: usize = 1_000;

/// Who made an object that directory synchronisation keeps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The connector that brought it; no other changes or removes it.
    pub connector: String,
    /// What the foreign system knows it by; unique within the connector.
    pub key: String,
}

/// Mail for a recipient goes to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// The other recipient.
    pub to: ObjectId,
    /// Whether the first one gets a copy as well.
    pub keep: bool,
}

/// Where an object stands and what holds for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The container that it is in; none is the site's Recipients.
    pub container: Option<ObjectId>,
    /// Address books do not show it.
    pub hidden: bool,
    /// See [`USUAL_TRUST`].
    pub trust: u8,
    /// None: an administrator made it.
    pub origin: Option<Origin>,
    /// Octets of a message to it, its header among them; none is no limit.
    pub receive_limit: Option<ByteSize>,
    /// Octets of a message from it.
    pub send_limit: Option<ByteSize>,
    /// Only these, and members of these, may send to it; none is everybody.
    pub accept_from: Vec<ObjectId>,
    /// These, and members of these, may not.
    pub reject_from: Vec<ObjectId>,
    /// Only who has logged in may send to it.
    pub authenticated_only: bool,
    /// Mail for it goes elsewhere.
    pub forward: Option<Forward>,
    /// Mailboxes that may send on its behalf (RFC 5322 section 3.6.2), and open it.
    pub delegates: Vec<ObjectId>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            container: None,
            hidden: false,
            trust: USUAL_TRUST,
            origin: None,
            receive_limit: None,
            send_limit: None,
            accept_from: Vec::new(),
            reject_from: Vec::new(),
            authenticated_only: false,
            forward: None,
            delegates: Vec::new(),
        }
    }
}

impl Policy {
    /// Whether there are rules of who may send to it.
    pub fn restricts_senders(&self) -> bool {
        self.authenticated_only || !self.accept_from.is_empty() || !self.reject_from.is_empty()
    }
}
