//! Entries outside of the tree: the root DSE (RFC 4512 section 5.1) and the
//! subschema entry (section 4.2).

use super::encode::{attribute, message};
use super::selection::Selection;
use super::{page, sort, window};
use crate::ber::Writer;
use crate::bind::EXTERNAL;
use crate::catalogue::value::SUBSCHEMA;
use crate::client::Client;
use crate::dn;
use crate::extended;
use crate::operation::MANAGE_DSA_IT;
use crate::result::{Code, Outcome, Refusal};
use crate::schema::{ATTRIBUTES, Attr, Usage, lines};
use crate::server::Way;
use concord_sasl::Mechanism;
use ldap3_proto::proto::{LdapFilter, LdapSearchRequest, LdapSearchScope};

/// Features (RFC 3673 all operational attributes, RFC 4526 absolute filters,
/// RFC 4529 is not among them).
const FEATURES: [&str; 2] = ["1.3.6.1.4.1.4203.1.5.1", "1.3.6.1.4.1.4203.1.5.3"];

/// An entry that stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alone {
    Root,
    Subschema,
}

impl Alone {
    /// The one that a search asks for, if it does.
    pub fn of(asked: &LdapSearchRequest) -> Outcome<Option<Self>> {
        let base = asked.base.trim();
        if base.is_empty() {
            return Ok((asked.scope == LdapSearchScope::Base).then_some(Self::Root));
        }
        let bad = || Refusal::new(Code::InvalidDnSyntax, format!("'{base}' is not a DN"));
        let rdns = dn::parse(base).ok_or_else(bad)?;
        let subschema = matches!(
            rdns.as_slice(),
            [one] if one.attribute == "cn" && one.value.eq_ignore_ascii_case("subschema")
        );
        Ok(subschema.then_some(Self::Subschema))
    }

    fn values(self, client: &Client, attr: Attr) -> Vec<String> {
        let owned = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
        match (self, attr) {
            (_, Attr::SubschemaSubentry) => owned(&[SUBSCHEMA]),
            (Self::Subschema, Attr::ObjectClass) => owned(&["top", "subschema"]),
            (Self::Subschema, Attr::Cn) => owned(&["Subschema"]),
            (Self::Subschema, Attr::EntryDn) => owned(&[SUBSCHEMA]),
            (Self::Subschema, attr) => lines(attr),
            (Self::Root, Attr::ObjectClass) => owned(&["top"]),
            (Self::Root, Attr::NamingContexts) => {
                let catalogue = client.server.follower.read();
                catalogue.organisation().map(|slot| catalogue.dn(slot)).into_iter().collect()
            }
            (Self::Root, Attr::SupportedLdapVersion) => owned(&["3"]),
            (Self::Root, Attr::SupportedControl) => {
                owned(&[page::OID, sort::OID, window::OID, MANAGE_DSA_IT])
            }
            (Self::Root, Attr::SupportedExtension) => owned(&extended::SUPPORTED),
            (Self::Root, Attr::SupportedFeatures) => owned(&FEATURES),
            (Self::Root, Attr::SupportedSaslMechanisms) => mechanisms(client),
            (Self::Root, Attr::VendorName) => owned(&["Concord"]),
            (Self::Root, Attr::VendorVersion) => owned(&[env!("CARGO_PKG_VERSION")]),
            (Self::Root, _) => Vec::new(),
        }
    }
}

/// What this client may use now.
fn mechanisms(client: &Client) -> Vec<String> {
    let mut names: Vec<String> = Mechanism::ALL
        .into_iter()
        .filter(|mechanism| *mechanism != Mechanism::Login)
        .filter(|mechanism| !mechanism.shows_password() || client.may_send_passwords())
        .map(|mechanism| mechanism.name().to_owned())
        .collect();
    if client.way == (Way::Local { administrator: true }) {
        names.push(EXTERNAL.to_owned());
    }
    names
}

/// Whether the filter lets an entry of this class through: others than presence
/// and class are of no use here.
fn matches(filter: &LdapFilter, alone: Alone) -> bool {
    match filter {
        LdapFilter::Present(name) => name.eq_ignore_ascii_case("objectClass"),
        LdapFilter::Equality(name, value) => {
            let class = if alone == Alone::Root { "top" } else { "subschema" };
            name.eq_ignore_ascii_case("objectClass")
                && (value == "*" || ["top", class].iter().any(|c| value.eq_ignore_ascii_case(c)))
        }
        LdapFilter::And(filters) => filters.iter().all(|inner| matches(inner, alone)),
        LdapFilter::Or(filters) => filters.iter().any(|inner| matches(inner, alone)),
        _ => false,
    }
}

/// Writes the entry, if the filter lets it through.
pub(crate) fn write(
    writer: &mut Writer,
    id: i32,
    asked: &LdapSearchRequest,
    alone: Alone,
    client: &Client,
) {
    if !matches(&asked.filter, alone) || asked.scope == LdapSearchScope::OneLevel {
        return;
    }
    let mut selection = Selection::of(asked);
    let everything = Attr::HasSubordinates.bit() | Attr::Co.bit();
    if alone == Alone::Root && selection.attributes & everything != 0 {
        // "+" (RFC 4512 section 5.1), and those who ask for nothing in particular
        let server = ATTRIBUTES.iter().filter(|definition| definition.usage == Usage::Server);
        selection.attributes |= server.fold(0, |set, definition| set | definition.attr.bit());
    }
    let dn = if alone == Alone::Root { "" } else { SUBSCHEMA };
    message(writer, id, dn, |writer| {
        for definition in ATTRIBUTES.iter().filter(|definition| selection.has(definition.attr)) {
            let values = alone.values(client, definition.attr);
            attribute(writer, definition.name(), selection.types_only, |writer| {
                values.iter().for_each(|value| writer.text(value));
                !values.is_empty()
            });
        }
    });
}
