//! Who an address is.
//!
//! The original's rules compared directory names, and mail that the Internet Mail
//! Service brought for a mailbox of its own server still had addresses in it: the
//! rules never fired (Q259616, Q195583). Here both sides go through the same
//! question, whatever way the message came.

use crate::{Facts, Field, Party, Rule};
use concord_address::TypedAddress;
use concord_base::ObjectId;
use std::collections::{BTreeMap, HashMap};

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A recipient of the directory.
    Object(ObjectId),
    /// Nobody that the directory knows: the key of an address
    /// ([`TypedAddress::key`]).
    Address(String),
}

/// Who the addresses are that rules and a message name, and who the mailbox is.
#[derive(Debug, Clone)]
pub struct People {
    me: Identity,
    known: HashMap<String, Identity>,
}

impl People {
    /// Nobody is known yet but the mailbox itself.
    pub fn new(me: Identity) -> Self {
        Self { me, known: HashMap::new() }
    }

    /// Says whose rules are asked next.
    pub fn set_me(&mut self, me: Identity) {
        self.me = me;
    }

    /// Says who an address is.
    pub fn insert(&mut self, address: &TypedAddress, who: Identity) {
        self.known.insert(address.key(), who);
    }

    /// Whether it has been said who an address is.
    pub fn knows(&self, address: &TypedAddress) -> bool {
        self.known.contains_key(&address.key())
    }

    pub(crate) fn who(&self, address: &TypedAddress) -> Identity {
        let key = address.key();
        self.known.get(&key).cloned().unwrap_or(Identity::Address(key))
    }

    /// Whose rules are asked.
    pub(crate) fn me(&self) -> &Identity {
        &self.me
    }
}

/// The addresses that have to be told apart to judge a message by rules, each
/// once: none if no rule asks about people.
pub fn addresses<'a>(rules: &'a [Rule], facts: &'a Facts) -> Vec<&'a TypedAddress> {
    let mut found: BTreeMap<String, &TypedAddress> = BTreeMap::new();
    let enabled = || rules.iter().filter(|rule| rule.enabled).flat_map(Rule::conditions);
    for field in Field::ALL {
        if enabled().any(|condition| condition.fields().contains(&field)) {
            found.extend(facts.of_field(field).named.iter().map(|a| (a.key(), a)));
        }
    }
    for party in enabled().flat_map(|condition| condition.parties()) {
        if let Party::Address(address) = party {
            found.insert(address.key(), address);
        }
    }
    found.into_values().collect()
}
