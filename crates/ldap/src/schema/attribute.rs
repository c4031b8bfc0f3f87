//! The attributes.

use super::ARC;
use crate::text::Rule;
use concord_directory::Audience;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What values look like (RFC 4517 section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Text,
    Ia5,
    Telephone,
    Country,
    Dn,
    Boolean,
    Integer,
    Time,
    Oid,
    Uuid,
    Octets,
    AttributeType,
    ObjectClass,
    MatchingRule,
    LdapDescription,
}

/// What an attribute is for (RFC 4512 section 4.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// `userApplications`
    User,
    /// `directoryOperation`
    Operational,
    /// `dSAOperation`: of the root DSE.
    Server,
}

/// An attribute's definition.
#[derive(Debug)]
pub(crate) struct Definition {
    pub attr: Attr,
    /// Its number; one that begins with a dot is below [`ARC`].
    number: &'static str,
    /// The name by which it is answered first, then others that clients use.
    pub names: &'static [&'static str],
    pub syntax: Syntax,
    pub rule: Rule,
    pub many: bool,
    pub usage: Usage,
    pub audience: Audience,
    /// Whether clients may write it at all.
    pub writable: bool,
    /// Whether an index finds its values.
    pub indexed: bool,
    pub doc: &'static str,
}

impl Definition {
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    pub fn oid(&self) -> String {
        if self.number.starts_with('.') {
            format!("{ARC}{}", self.number)
        } else {
            self.number.to_owned()
        }
    }
}

/// Attributes are stored by this number, and sets of them are one word of 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Attr {
    ObjectClass,
    Cn,
    DisplayName,
    Sn,
    GivenName,
    Initials,
    Uid,
    Mail,
    Title,
    Company,
    Department,
    O,
    Ou,
    PhysicalDeliveryOfficeName,
    TelephoneNumber,
    Mobile,
    FacsimileTelephoneNumber,
    HomePhone,
    Pager,
    Street,
    L,
    St,
    PostalCode,
    C,
    Co,
    EmployeeNumber,
    EmployeeType,
    PreferredLanguage,
    Description,
    LabeledUri,
    Info,
    Custom1,
    Custom2,
    Custom3,
    Custom4,
    Custom5,
    Custom6,
    Custom7,
    Custom8,
    Custom9,
    Custom10,
    Custom11,
    Custom12,
    Custom13,
    Custom14,
    Custom15,
    MailNickname,
    ProxyAddresses,
    TargetAddress,
    Member,
    Owner,
    UserPassword,
    Hidden,
    Trust,
    ReceiveLimit,
    SendLimit,
    Quota,
    LoginDisabled,
    AuthenticatedOnly,
    AcceptFrom,
    RejectFrom,
    Delegate,
    ForwardTo,
    ForwardKeep,
    HideMembers,
    ReportTo,
    Capacity,
    ResourceKind,
    RoleRight,
    RoleScope,
    Component,
    Enabled,
    AddressSpace,
    GeneratorRule,
    OriginConnector,
    NamingContexts,
    SupportedControl,
    SupportedExtension,
    SupportedFeatures,
    SupportedLdapVersion,
    SupportedSaslMechanisms,
    VendorName,
    VendorVersion,
    AttributeTypes,
    ObjectClasses,
    MatchingRules,
    LdapSyntaxes,
    StructuralObjectClass,
    EntryDn,
    EntryUuid,
    CreateTimestamp,
    ModifyTimestamp,
    SubschemaSubentry,
    HasSubordinates,
    NumSubordinates,
    MemberOf,
    Usn,
}

static BY_NAME: LazyLock<HashMap<String, Attr>> = LazyLock::new(|| {
    let mut found = HashMap::new();
    for definition in ATTRIBUTES {
        found.insert(definition.oid(), definition.attr);
        for name in definition.names {
            found.insert(name.to_ascii_lowercase(), definition.attr);
        }
    }
    found
});

impl Attr {
    /// The attribute of a name or number. Those with options (`cn;lang-de`) are
    /// unknown: no entry here has one.
    pub fn from_name(name: &str) -> Option<Self> {
        match BY_NAME.get(name) {
            Some(attr) => Some(*attr),
            None => BY_NAME.get(&name.to_ascii_lowercase()).copied(),
        }
    }

    /// The attribute of a number of this enumeration.
    pub fn from_index(index: u8) -> Option<Self> {
        ATTRIBUTES.get(usize::from(index)).map(|definition| definition.attr)
    }

    pub fn definition(self) -> &'static Definition {
        // the table has a row for each; a test holds it to that
        ATTRIBUTES.get(self as usize).unwrap_or(&FIRST)
    }

    pub fn rule(self) -> Rule {
        self.definition().rule
    }

    /// Its bit in a set of attributes.
    pub fn bit(self) -> u128 {
        1 << (self as u8)
    }

    /// The attribute by which an object keeps it, if it is one of the table of
    /// [`concord_directory::ATTRIBUTES`].
    pub fn of_object(self) -> Option<&'static str> {
        concord_directory::attribute_type(self.definition().name()).map(|known| known.name)
    }
}

macro_rules! attribute {
    ($attr:ident, $number:expr, $names:expr, $syntax:ident, $rule:ident, $many:expr, $usage:ident, $audience:ident, $writable:expr, $indexed:expr, $doc:expr) => {
        Definition {
            attr: Attr::$attr,
            number: $number,
            names: $names,
            syntax: Syntax::$syntax,
            rule: Rule::$rule,
            many: $many,
            usage: Usage::$usage,
            audience: Audience::$audience,
            writable: $writable,
            indexed: $indexed,
            doc: $doc,
        }
    };
}

const FIRST: Definition = attribute!(
    ObjectClass,
    "2.5.4.0",
    &["objectClass"],
    Oid,
    Oid,
    true,
    User,
    Everybody,
    true,
    true,
    ""
);

/// Every attribute, in the order of [`Attr`], which is that of answers.
#[rustfmt::skip] // one row is one attribute
pub(crate) static ATTRIBUTES: &[Definition] = &[
    attribute!(ObjectClass, "2.5.4.0", &["objectClass"], Oid, Oid, true, User, Everybody, true, true, "RFC 4512"),
    attribute!(Cn, "2.5.4.3", &["cn", "commonName"], Text, CaseIgnore, true, User, Everybody, true, true, "display name and name"),
    attribute!(DisplayName, "2.16.840.1.113730.3.1.241", &["displayName"], Text, CaseIgnore, false, User, Everybody, true, true, "RFC 2798"),
    attribute!(Sn, "2.5.4.4", &["sn", "surname"], Text, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(GivenName, "2.5.4.42", &["givenName", "gn"], Text, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(Initials, "2.5.4.43", &["initials"], Text, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(Uid, "0.9.2342.19200300.100.1.1", &["uid", "userid"], Text, CaseIgnore, false, User, Users, true, true, "the alias, also a login name"),
    attribute!(Mail, "0.9.2342.19200300.100.1.3", &["mail", "rfc822Mailbox"], Ia5, CaseIgnore, false, User, Everybody, true, true, "the primary Internet address"),
    attribute!(Title, "2.5.4.12", &["title"], Text, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(Company, "1.2.840.113556.1.2.146", &["company"], Text, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(Department, "1.2.840.113556.1.2.141", &["department"], Text, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(O, "2.5.4.10", &["o", "organizationName"], Text, CaseIgnore, false, User, Everybody, true, true, "as company"),
    attribute!(Ou, "2.5.4.11", &["ou", "organizationalUnitName"], Text, CaseIgnore, false, User, Everybody, true, true, "as department"),
    attribute!(PhysicalDeliveryOfficeName, "2.5.4.19", &["physicalDeliveryOfficeName"], Text, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(TelephoneNumber, "2.5.4.20", &["telephoneNumber"], Telephone, Telephone, true, User, Everybody, true, true, ""),
    attribute!(Mobile, "0.9.2342.19200300.100.1.41", &["mobile", "mobileTelephoneNumber"], Telephone, Telephone, true, User, Users, true, true, ""),
    attribute!(FacsimileTelephoneNumber, "2.5.4.23", &["facsimileTelephoneNumber", "fax"], Telephone, Telephone, true, User, Everybody, true, true, ""),
    attribute!(HomePhone, "0.9.2342.19200300.100.1.20", &["homePhone", "homeTelephoneNumber"], Telephone, Telephone, true, User, Users, true, true, ""),
    attribute!(Pager, "0.9.2342.19200300.100.1.42", &["pager", "pagerTelephoneNumber"], Telephone, Telephone, true, User, Users, true, true, ""),
    attribute!(Street, "2.5.4.9", &["street", "streetAddress"], Text, CaseIgnore, false, User, Everybody, true, false, ""),
    attribute!(L, "2.5.4.7", &["l", "localityName"], Text, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(St, "2.5.4.8", &["st", "stateOrProvinceName"], Text, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(PostalCode, "2.5.4.17", &["postalCode"], Text, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(C, "2.5.4.6", &["c", "countryName"], Country, CaseIgnore, false, User, Everybody, true, true, ""),
    attribute!(Co, "0.9.2342.19200300.100.1.43", &["co", "friendlyCountryName"], Text, CaseIgnore, false, User, Everybody, true, true, "as c"),
    attribute!(EmployeeNumber, "2.16.840.1.113730.3.1.3", &["employeeNumber"], Text, CaseIgnore, false, User, Users, true, true, ""),
    attribute!(EmployeeType, "2.16.840.1.113730.3.1.4", &["employeeType"], Text, CaseIgnore, false, User, Users, true, true, ""),
    attribute!(PreferredLanguage, "2.16.840.1.113730.3.1.39", &["preferredLanguage"], Text, CaseIgnore, false, User, Users, true, true, ""),
    attribute!(Description, "2.5.4.13", &["description"], Text, CaseIgnore, true, User, Users, true, false, ""),
    attribute!(LabeledUri, "1.3.6.1.4.1.250.1.57", &["labeledURI"], Text, CaseExact, true, User, Users, true, false, ""),
    attribute!(Info, "0.9.2342.19200300.100.1.4", &["info"], Text, CaseIgnore, false, User, Users, true, false, ""),
    attribute!(Custom1, ".1.101", &["custom1"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom2, ".1.102", &["custom2"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom3, ".1.103", &["custom3"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom4, ".1.104", &["custom4"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom5, ".1.105", &["custom5"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom6, ".1.106", &["custom6"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom7, ".1.107", &["custom7"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom8, ".1.108", &["custom8"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom9, ".1.109", &["custom9"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom10, ".1.110", &["custom10"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom11, ".1.111", &["custom11"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom12, ".1.112", &["custom12"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom13, ".1.113", &["custom13"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom14, ".1.114", &["custom14"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(Custom15, ".1.115", &["custom15"], Text, CaseIgnore, false, User, Users, true, false, "for the administrator"),
    attribute!(MailNickname, "1.2.840.113556.1.2.447", &["mailNickname"], Text, CaseIgnore, false, User, Users, true, true, "as uid"),
    attribute!(ProxyAddresses, "1.2.840.113556.1.2.210", &["proxyAddresses"], Text, CaseIgnore, true, User, Users, true, true, "TYPE:value, the type in capitals for the primary one"),
    attribute!(TargetAddress, "1.2.840.113556.1.2.352", &["targetAddress"], Text, CaseIgnore, false, User, Users, true, true, "where mail for a contact goes"),
    attribute!(Member, "2.5.4.31", &["member"], Dn, Dn, true, User, Members, true, true, ""),
    attribute!(Owner, "2.5.4.32", &["owner"], Dn, Dn, true, User, Users, true, true, ""),
    attribute!(UserPassword, "2.5.4.35", &["userPassword"], Octets, Secret, true, User, Nobody, true, false, "written only"),
    attribute!(Hidden, ".1.1", &["concordHidden"], Boolean, Boolean, false, User, Administrators, true, false, "address books leave it out"),
    attribute!(Trust, ".1.2", &["concordTrust"], Integer, Integer, false, User, Administrators, true, false, "0 to 100; containers that are exported name the highest that leaves"),
    attribute!(ReceiveLimit, ".1.3", &["concordReceiveLimit"], Integer, Integer, false, User, Administrators, true, false, "octets of a message to it"),
    attribute!(SendLimit, ".1.4", &["concordSendLimit"], Integer, Integer, false, User, Administrators, true, false, "octets of a message from it"),
    attribute!(Quota, ".1.5", &["concordQuota"], Integer, Integer, false, User, Administrators, true, false, "octets that it may hold"),
    attribute!(LoginDisabled, ".1.6", &["concordLoginDisabled"], Boolean, Boolean, false, User, Administrators, true, false, "nobody can log in"),
    attribute!(AuthenticatedOnly, ".1.7", &["concordAuthenticatedOnly"], Boolean, Boolean, false, User, Administrators, true, false, "only who has logged in may send to it"),
    attribute!(AcceptFrom, ".1.8", &["concordAcceptFrom"], Dn, Dn, true, User, Administrators, true, true, "only these may send to it"),
    attribute!(RejectFrom, ".1.9", &["concordRejectFrom"], Dn, Dn, true, User, Administrators, true, true, "these may not"),
    attribute!(Delegate, ".1.10", &["concordDelegate"], Dn, Dn, true, User, Administrators, true, true, "may send on its behalf"),
    attribute!(ForwardTo, ".1.11", &["concordForwardTo"], Dn, Dn, false, User, Administrators, true, true, "mail for it goes there"),
    attribute!(ForwardKeep, ".1.12", &["concordForwardKeep"], Boolean, Boolean, false, User, Administrators, true, false, "it keeps a copy of what is forwarded"),
    attribute!(HideMembers, ".1.13", &["concordHideMembers"], Boolean, Boolean, false, User, Administrators, true, false, "only owners and administrators see the members"),
    attribute!(ReportTo, ".1.14", &["concordReportTo"], Text, CaseIgnore, false, User, Administrators, true, false, "sender, owner or nobody"),
    attribute!(Capacity, ".1.15", &["concordCapacity"], Integer, Integer, false, User, Users, true, false, "people that a room is for"),
    attribute!(ResourceKind, ".1.16", &["concordResourceKind"], Text, CaseIgnore, false, User, Users, true, true, "room or equipment"),
    attribute!(RoleRight, ".1.17", &["concordRight"], Text, CaseIgnore, false, User, Administrators, true, true, "view, recipients or full"),
    attribute!(RoleScope, ".1.18", &["concordScope"], Dn, Dn, true, User, Administrators, true, true, "containers; none is everywhere"),
    attribute!(Component, ".1.19", &["concordComponent"], Text, CaseIgnore, false, User, Administrators, false, true, "the package that a connector or generator belongs to"),
    attribute!(Enabled, ".1.20", &["concordEnabled"], Boolean, Boolean, false, User, Administrators, false, false, "whether a connector carries mail"),
    attribute!(AddressSpace, ".1.21", &["concordAddressSpace"], Text, CaseIgnore, true, User, Administrators, false, true, "TYPE:pattern;cost"),
    attribute!(GeneratorRule, ".1.22", &["concordGeneratorRule"], Text, CaseExact, false, User, Administrators, false, true, "how addresses of a type are made"),
    attribute!(OriginConnector, ".1.23", &["concordOrigin"], Text, CaseIgnore, false, User, Administrators, false, true, "the connector that brought it"),
    attribute!(NamingContexts, "1.3.6.1.4.1.1466.101.120.5", &["namingContexts"], Dn, Dn, true, Server, Everybody, false, false, ""),
    attribute!(SupportedControl, "1.3.6.1.4.1.1466.101.120.13", &["supportedControl"], Oid, Oid, true, Server, Everybody, false, false, ""),
    attribute!(SupportedExtension, "1.3.6.1.4.1.1466.101.120.7", &["supportedExtension"], Oid, Oid, true, Server, Everybody, false, false, ""),
    attribute!(SupportedFeatures, "1.3.6.1.4.1.4203.1.3.5", &["supportedFeatures"], Oid, Oid, true, Server, Everybody, false, false, ""),
    attribute!(SupportedLdapVersion, "1.3.6.1.4.1.1466.101.120.15", &["supportedLDAPVersion"], Integer, Integer, true, Server, Everybody, false, false, ""),
    attribute!(SupportedSaslMechanisms, "1.3.6.1.4.1.1466.101.120.14", &["supportedSASLMechanisms"], Text, CaseIgnore, true, Server, Everybody, false, false, ""),
    attribute!(VendorName, "1.3.6.1.1.4", &["vendorName"], Text, CaseExact, false, Server, Everybody, false, false, ""),
    attribute!(VendorVersion, "1.3.6.1.1.5", &["vendorVersion"], Text, CaseExact, false, Server, Everybody, false, false, ""),
    attribute!(AttributeTypes, "2.5.21.5", &["attributeTypes"], AttributeType, Oid, true, Operational, Everybody, false, false, ""),
    attribute!(ObjectClasses, "2.5.21.6", &["objectClasses"], ObjectClass, Oid, true, Operational, Everybody, false, false, ""),
    attribute!(MatchingRules, "2.5.21.4", &["matchingRules"], MatchingRule, Oid, true, Operational, Everybody, false, false, ""),
    attribute!(LdapSyntaxes, "1.3.6.1.4.1.1466.101.120.16", &["ldapSyntaxes"], LdapDescription, Oid, true, Operational, Everybody, false, false, ""),
    attribute!(StructuralObjectClass, "2.5.21.9", &["structuralObjectClass"], Oid, Oid, false, Operational, Everybody, false, false, "RFC 4512"),
    attribute!(EntryDn, "1.3.6.1.1.20", &["entryDN"], Dn, Dn, false, Operational, Everybody, false, false, "RFC 5020"),
    attribute!(EntryUuid, "1.3.6.1.1.16.4", &["entryUUID"], Uuid, Uuid, false, Operational, Everybody, false, false, "RFC 4530"),
    attribute!(CreateTimestamp, "2.5.18.1", &["createTimestamp"], Time, Time, false, Operational, Users, false, false, ""),
    attribute!(ModifyTimestamp, "2.5.18.2", &["modifyTimestamp"], Time, Time, false, Operational, Users, false, false, ""),
    attribute!(SubschemaSubentry, "2.5.18.10", &["subschemaSubentry"], Dn, Dn, false, Operational, Everybody, false, false, ""),
    attribute!(HasSubordinates, "2.5.18.9", &["hasSubordinates"], Boolean, Boolean, false, Operational, Everybody, false, false, ""),
    attribute!(NumSubordinates, ".1.30", &["numSubordinates"], Integer, Integer, false, Operational, Administrators, false, false, "entries directly below"),
    attribute!(MemberOf, ".1.31", &["memberOf"], Dn, Dn, true, Operational, Members, false, false, "lists and roles that it is a member of"),
    attribute!(Usn, ".1.32", &["concordUsn"], Integer, Integer, false, Operational, Users, false, false, "rises with every change in the directory"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_every_attribute_in_its_place() {
        for (place, definition) in ATTRIBUTES.iter().enumerate() {
            assert_eq!(definition.attr as usize, place, "{}", definition.name());
            assert_eq!(Attr::from_name(&definition.oid()), Some(definition.attr));
            assert_eq!(Attr::from_name(&definition.name().to_uppercase()), Some(definition.attr));
        }
        assert!(ATTRIBUTES.len() <= 128);
    }

    #[test]
    fn every_attribute_of_objects_is_one_of_ldap() {
        for known in concord_directory::ATTRIBUTES {
            let attr = Attr::from_name(known.name).unwrap();
            assert_eq!(attr.of_object(), Some(known.name));
            assert_eq!(attr.definition().many, known.many, "{}", known.name);
        }
    }
}
