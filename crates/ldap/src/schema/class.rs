//! The object classes.

use super::{ARC, Attr};
use concord_directory::Kind;

/// How a class is used (RFC 4512 section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Abstract,
    Structural,
    Auxiliary,
}

/// An object class.
#[derive(Debug)]
pub(crate) struct Class {
    pub name: &'static str,
    /// One that begins with a dot is below [`ARC`].
    number: &'static str,
    superior: Option<&'static str>,
    pub sort: Sort,
    must: &'static [Attr],
    may: &'static [Attr],
}

use Attr as A;

const PERSON: &[Attr] = &[A::UserPassword, A::TelephoneNumber, A::Description];
const ORGANIZATIONAL: &[Attr] = &[
    A::Title,
    A::FacsimileTelephoneNumber,
    A::Street,
    A::PostalCode,
    A::PhysicalDeliveryOfficeName,
    A::Ou,
    A::St,
    A::L,
];
const INET: &[Attr] = &[
    A::DisplayName,
    A::EmployeeNumber,
    A::EmployeeType,
    A::GivenName,
    A::HomePhone,
    A::Initials,
    A::LabeledUri,
    A::Mail,
    A::Mobile,
    A::O,
    A::Pager,
    A::PreferredLanguage,
    A::Uid,
];
const RECIPIENT: &[Attr] = &[
    A::DisplayName,
    A::Uid,
    A::Mail,
    A::MailNickname,
    A::ProxyAddresses,
    A::GivenName,
    A::Sn,
    A::Initials,
    A::Title,
    A::Company,
    A::Department,
    A::O,
    A::Ou,
    A::TelephoneNumber,
    A::Mobile,
    A::FacsimileTelephoneNumber,
    A::HomePhone,
    A::Pager,
    A::PhysicalDeliveryOfficeName,
    A::Street,
    A::L,
    A::St,
    A::PostalCode,
    A::C,
    A::Co,
    A::EmployeeNumber,
    A::EmployeeType,
    A::PreferredLanguage,
    A::Description,
    A::LabeledUri,
    A::Info,
    A::Custom1,
    A::Custom2,
    A::Custom3,
    A::Custom4,
    A::Custom5,
    A::Custom6,
    A::Custom7,
    A::Custom8,
    A::Custom9,
    A::Custom10,
    A::Custom11,
    A::Custom12,
    A::Custom13,
    A::Custom14,
    A::Custom15,
    A::Hidden,
    A::Trust,
    A::ReceiveLimit,
    A::SendLimit,
    A::AuthenticatedOnly,
    A::AcceptFrom,
    A::RejectFrom,
    A::Delegate,
    A::ForwardTo,
    A::ForwardKeep,
    A::OriginConnector,
];

const fn class(
    name: &'static str,
    number: &'static str,
    superior: Option<&'static str>,
    sort: Sort,
    must: &'static [Attr],
    may: &'static [Attr],
) -> Class {
    Class { name, number, superior, sort, must, may }
}

const TOP: Option<&str> = Some("top");

/// Every class; their places are the bits of sets of them.
pub(crate) static CLASSES: &[Class] = &[
    class("top", "2.5.6.0", None, Sort::Abstract, &[A::ObjectClass], &[]),
    class("organization", "2.5.6.4", TOP, Sort::Structural, &[A::O], &[A::Description]),
    class("organizationalUnit", "2.5.6.5", TOP, Sort::Structural, &[A::Ou], &[A::Description]),
    class("person", "2.5.6.6", TOP, Sort::Structural, &[A::Sn, A::Cn], PERSON),
    class("organizationalPerson", "2.5.6.7", Some("person"), Sort::Structural, &[], ORGANIZATIONAL),
    class(
        "inetOrgPerson",
        "2.16.840.1.113730.3.2.2",
        Some("organizationalPerson"),
        Sort::Structural,
        &[],
        INET,
    ),
    class(
        "subschema",
        "2.5.20.1",
        None,
        Sort::Auxiliary,
        &[],
        &[A::AttributeTypes, A::ObjectClasses, A::MatchingRules],
    ),
    class("concordContainer", ".2.1", TOP, Sort::Structural, &[A::Cn], &[A::Description]),
    class("concordRecipient", ".2.2", TOP, Sort::Auxiliary, &[], RECIPIENT),
    class("concordMailbox", ".2.3", TOP, Sort::Auxiliary, &[], &[A::Quota, A::LoginDisabled]),
    class("concordContact", ".2.4", TOP, Sort::Auxiliary, &[A::TargetAddress], &[]),
    class(
        "concordDistributionList",
        ".2.5",
        TOP,
        Sort::Structural,
        &[A::Cn],
        &[A::Member, A::Owner, A::HideMembers, A::ReportTo],
    ),
    class("concordPublicFolder", ".2.6", TOP, Sort::Structural, &[A::Cn], &[A::Owner, A::Quota]),
    class(
        "concordResource",
        ".2.7",
        TOP,
        Sort::Structural,
        &[A::Cn],
        &[A::Owner, A::Quota, A::Capacity, A::ResourceKind],
    ),
    class(
        "concordRole",
        ".2.8",
        TOP,
        Sort::Structural,
        &[A::Cn],
        &[A::Member, A::RoleRight, A::RoleScope],
    ),
    class(
        "concordConnector",
        ".2.9",
        TOP,
        Sort::Structural,
        &[A::Cn],
        &[A::Component, A::Enabled, A::AddressSpace],
    ),
    class(
        "concordGenerator",
        ".2.10",
        TOP,
        Sort::Structural,
        &[A::Cn],
        &[A::Component, A::GeneratorRule],
    ),
    class("concordDomain", ".2.11", TOP, Sort::Structural, &[A::Cn], &[]),
    class("concordServer", ".2.12", TOP, Sort::Structural, &[A::Cn], &[]),
];

impl Class {
    pub fn oid(&self) -> String {
        if self.number.starts_with('.') {
            format!("{ARC}{}", self.number)
        } else {
            self.number.to_owned()
        }
    }

    /// The class of a name or number.
    pub fn from_name(name: &str) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.name.eq_ignore_ascii_case(name) || class.oid() == name)
    }

    /// The classes of an object, superiors first; none is a container of the
    /// configuration, which is no object.
    pub fn of(kind: Option<Kind>) -> &'static [&'static str] {
        match kind {
            None | Some(Kind::Container) => &["top", "concordContainer"],
            Some(Kind::Organisation) => &["top", "organization"],
            Some(Kind::Site) => &["top", "organizationalUnit"],
            Some(Kind::Mailbox) => &[
                "top",
                "person",
                "organizationalPerson",
                "inetOrgPerson",
                "concordRecipient",
                "concordMailbox",
            ],
            Some(Kind::Contact) => &[
                "top",
                "person",
                "organizationalPerson",
                "inetOrgPerson",
                "concordRecipient",
                "concordContact",
            ],
            Some(Kind::List) => &["top", "concordDistributionList", "concordRecipient"],
            Some(Kind::PublicFolder) => &["top", "concordPublicFolder", "concordRecipient"],
            Some(Kind::Resource) => &["top", "concordResource", "concordRecipient"],
            Some(Kind::Role) => &["top", "concordRole"],
            Some(Kind::Connector) => &["top", "concordConnector"],
            Some(Kind::Generator) => &["top", "concordGenerator"],
            Some(Kind::Domain) => &["top", "concordDomain"],
            Some(Kind::Server) => &["top", "concordServer"],
        }
    }

    /// The structural class among [`Self::of`].
    pub fn structural(kind: Option<Kind>) -> &'static str {
        match kind {
            Some(Kind::Mailbox | Kind::Contact) => "inetOrgPerson",
            kind => Self::of(kind).get(1).copied().unwrap_or("top"),
        }
    }

    /// Its description (RFC 4512 section 4.1.1).
    pub fn description(&self) -> String {
        let mut text = format!("( {} NAME '{}'", self.oid(), self.name);
        if let Some(superior) = self.superior {
            text.push_str(&format!(" SUP {superior}"));
        }
        text.push_str(match self.sort {
            Sort::Abstract => " ABSTRACT",
            Sort::Structural => " STRUCTURAL",
            Sort::Auxiliary => " AUXILIARY",
        });
        for (word, attributes) in [("MUST", self.must), ("MAY", self.may)] {
            let names: Vec<_> = attributes.iter().map(|attr| attr.definition().name()).collect();
            match names.as_slice() {
                [] => {}
                [one] => text.push_str(&format!(" {word} {one}")),
                many => text.push_str(&format!(" {word} ( {} )", many.join(" $ "))),
            }
        }
        text.push_str(" )");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_classes_that_are_described() {
        for kind in Kind::ALL.into_iter().map(Some).chain([None]) {
            for name in Class::of(kind) {
                assert!(Class::from_name(name).is_some(), "{name}");
            }
            let structural = Class::from_name(Class::structural(kind)).unwrap();
            assert_eq!(structural.sort, Sort::Structural, "{kind:?}");
        }
    }
}
