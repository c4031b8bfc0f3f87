//! Addresses, in both styles.

use super::values::Values;
use crate::model::Address;
use crate::outcome::Notice;
use crate::syntax::{Element, SubField};
use crate::vocabulary::{Keyword, Sub};

/// Every address behind a keyword.
pub(super) fn all(values: &mut Values, keyword: Keyword) -> Vec<Address> {
    let mut found = Vec::new();
    let mut dotted = None;
    for (line, element) in values.take_lists(keyword) {
        let address = match element {
            Element::Block(block) => from_block(values, &block),
            Element::Plain(text) => {
                dotted.get_or_insert(line);
                Address::from_dotted(&values.decode(&text))
            }
        };
        found.extend(Some(address).filter(|a| !a.is_empty()));
    }
    if let Some(line) = dotted {
        values.notice(Notice::DottedAddresses { line });
    }
    found
}

/// The one address behind a keyword.
pub(super) fn one(values: &mut Values, keyword: Keyword) -> Option<Address> {
    all(values, keyword).into_iter().next()
}

fn from_block(values: &Values, block: &[SubField]) -> Address {
    let mut address = Address::default();
    for (sub, _, text) in values.texts(block) {
        let field = match sub {
            Sub::Domain => &mut address.domain,
            Sub::PostOffice => &mut address.post_office,
            Sub::Object => &mut address.object,
            Sub::PostOfficeNumber => &mut address.post_office_number,
            Sub::ObjectNumber => &mut address.object_number,
            Sub::Token => &mut address.token,
            Sub::Foreign => &mut address.foreign,
            Sub::GivenName => &mut address.given_name,
            Sub::Surname => &mut address.surname,
            Sub::Department => &mut address.department,
            Sub::Title => &mut address.title,
            Sub::Telephone => &mut address.telephone,
            Sub::Fax => &mut address.fax,
            _ => continue,
        };
        if field.is_empty() {
            *field = text;
        }
    }
    address
}
