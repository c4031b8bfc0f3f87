//! Which attributes a search gives (RFC 4511 section 4.5.1.8, RFC 3673).

use crate::schema::{ATTRIBUTES, Attr, Usage};
use ldap3_proto::proto::LdapSearchRequest;

/// The attributes of an answer, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selection {
    pub attributes: u128,
    pub types_only: bool,
}

fn all(usage: Usage) -> u128 {
    let of = ATTRIBUTES.iter().filter(|definition| definition.usage == usage);
    of.fold(0, |set, definition| set | definition.attr.bit())
}

impl Selection {
    pub fn of(asked: &LdapSearchRequest) -> Self {
        let mut attributes = 0;
        if asked.attrs.is_empty() {
            attributes = all(Usage::User);
        }
        for name in &asked.attrs {
            attributes |= match name.as_str() {
                "*" => all(Usage::User),
                "+" => all(Usage::Operational),
                "1.1" => 0,
                name => class_or_attribute(name),
            };
        }
        Self { attributes, types_only: asked.typesonly }
    }

    pub fn has(&self, attr: Attr) -> bool {
        self.attributes & attr.bit() != 0
    }
}

/// What is unknown selects nothing (RFC 4511 section 4.5.1.8).
fn class_or_attribute(name: &str) -> u128 {
    Attr::from_name(name).map_or(0, Attr::bit)
}
