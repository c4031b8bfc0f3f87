//! What a plan asks of the rest of the directory.

use crate::entry::RecipientKind;
use concord_address::TypedAddress;
use concord_base::ObjectId;
use concord_mapping::Attributes;

/// The object that holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Which.
    pub id: ObjectId,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: RecipientKind,
    /// The connector that brought it, if one did.
    pub origin: Option<String>,
    /// As they are now.
    pub attributes: Attributes,
}

/// The directory as it is. Pure look-ups; the same question has the same answer
/// for as long as a plan is made.
pub trait Surroundings {
    /// The object that has the address: as a proxy, or a contact as its target.
    fn address_holder(&self, address: &TypedAddress) -> Option<Holder>;

    /// The recipient of this name, without regard to case.
    fn name_holder(&self, name: &str) -> Option<ObjectId>;
}
