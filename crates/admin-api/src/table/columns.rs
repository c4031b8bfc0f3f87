//! The columns that there are.

use concord_directory::{ATTRIBUTES, attribute_type};

/// What a cell is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Class,
    Mode,
    Name,
    NewName,
    DisplayName,
    Container,
    Addresses,
    Target,
    Members,
    Owners,
    Hidden,
    Trust,
    ReceiveLimit,
    SendLimit,
    Quota,
    AuthenticatedOnly,
    AcceptFrom,
    RejectFrom,
    Delegates,
    ForwardTo,
    KeepCopy,
    Password,
    Attribute(&'static str),
}

/// Columns with names of their own, in the order in which they are written.
pub(super) const NAMED: &[(Column, &str)] = &[
    (Column::Class, "Obj-Class"),
    (Column::Mode, "Mode"),
    (Column::Name, "Directory Name"),
    (Column::NewName, "New Name"),
    (Column::DisplayName, "Display Name"),
    (Column::Container, "Container"),
    (Column::Addresses, "E-mail Addresses"),
    (Column::Target, "Target Address"),
    (Column::Members, "Members"),
    (Column::Owners, "Owners"),
    (Column::Hidden, "Hide From Address Book"),
    (Column::Trust, "Trust Level"),
    (Column::ReceiveLimit, "Receive Limit"),
    (Column::SendLimit, "Send Limit"),
    (Column::Quota, "Quota"),
    (Column::AuthenticatedOnly, "Authenticated Only"),
    (Column::AcceptFrom, "Accept From"),
    (Column::RejectFrom, "Reject From"),
    (Column::Delegates, "Delegates"),
    (Column::ForwardTo, "Forward To"),
    (Column::KeepCopy, "Keep Copy"),
    (Column::Password, "Password"),
];

impl Column {
    /// The column of this name.
    pub fn find(name: &str) -> Option<Self> {
        let name = name.trim();
        let named = NAMED.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        named.map(|(column, _)| *column).or_else(|| {
            // What the original's tables call it.
            match name.to_ascii_lowercase().as_str() {
                "first name" => Some(Self::Attribute("givenName")),
                "last name" => Some(Self::Attribute("sn")),
                "phone number" => Some(Self::Attribute("telephoneNumber")),
                "office" => Some(Self::Attribute("physicalDeliveryOfficeName")),
                _ => attribute_type(name).map(|known| Self::Attribute(known.name)),
            }
        })
    }

    /// Every name that could have been meant.
    pub fn names() -> Vec<&'static str> {
        let attributes = ATTRIBUTES.iter().map(|attribute| attribute.name);
        NAMED.iter().map(|(_, name)| *name).chain(attributes).collect()
    }

    /// Whether a cell may have several values.
    pub fn is_many(self) -> bool {
        match self {
            Self::Addresses
            | Self::Members
            | Self::Owners
            | Self::AcceptFrom
            | Self::RejectFrom
            | Self::Delegates => true,
            Self::Attribute(name) => attribute_type(name).is_some_and(|known| known.many),
            _ => false,
        }
    }
}
