//! What can be known of a change before it is made: everything but what other
//! entries decide.

use super::plan;
use crate::dn::Rdn;
use crate::result::{Code, Outcome, Refusal};
use crate::schema::Attr;
use crate::write::{
    Edit, alone, attribute, foreign_domain, kind, new_addresses, one_name, same_classes, store,
};
use concord_directory::{Object, Proxy};
use ldap3_proto::proto::{LdapModify, LdapPartialAttribute};

/// What there is beside the entry.
pub(super) struct Around<'a> {
    /// The organisation's mail domains.
    pub domains: &'a [String],
    /// The id of the object whose name is a value of an attribute.
    pub find: &'a dyn Fn(&str, &[u8]) -> Outcome<u64>,
}

impl Around<'_> {
    /// The object that an entry would become.
    pub fn add(&self, rdn: &Rdn, attributes: &[LdapPartialAttribute]) -> Outcome<Object> {
        one_name(rdn)?;
        let object = alone(rdn, attributes, self.domains, self.find)?;
        self.own_domains(&object, &[])?;
        Ok(object)
    }

    /// What an entry that is there would become.
    pub fn modify(
        &self,
        rdn: &Rdn,
        present: &[LdapPartialAttribute],
        changes: &[LdapModify],
    ) -> Outcome<Object> {
        if one_name(rdn).is_err() {
            let message = "this entry is part of every directory";
            return Err(Refusal::new(Code::UnwillingToPerform, message));
        }
        let kind = kind(present)?;
        let had = plan::values(present, Some(kind))?;
        let had: Vec<_> = had.into_iter().map(|(attr, vals)| plan::partial(attr, vals)).collect();
        let mut object = alone(rdn, &had, self.domains, self.find)?;
        let known = object.proxies.clone();
        let before = Edit::of(&object);
        let mut after = before.clone();
        for change in changes {
            let attr = attribute(&change.modification.atype, kind)?;
            if attr == Attr::ObjectClass {
                same_classes(kind, change)?;
                continue;
            }
            after.apply(self.find, &change.operation, attr, &change.modification.vals)?;
        }
        store(&mut object, &before, &after)?;
        self.own_domains(&object, &known)?;
        object.check()?;
        Ok(object)
    }

    fn own_domains(&self, object: &Object, known: &[Proxy]) -> Outcome<()> {
        let own = |name: &str| self.domains.iter().any(|own| own.eq_ignore_ascii_case(name));
        let foreign = new_addresses(object, known)
            .into_iter()
            .find(|address| !address.domain().name().is_some_and(own));
        foreign.map_or(Ok(()), |address| Err(foreign_domain(&address)))
    }
}
