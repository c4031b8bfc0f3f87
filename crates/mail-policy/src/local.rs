//! What our own domains are like beyond the directory.

use crate::pattern::AddressPattern;
use concord_address::{Domain, SmtpAddress};
use serde::Deserialize;

/// A row `[[local-domain]]`: a domain of the directory, and what is done with
/// local parts that nobody in it has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LocalDomain {
    /// The domain.
    pub name: Domain,
    /// It is another name of this domain: the same local parts (Q307628).
    #[serde(default)]
    pub alias_of: Option<Domain>,
    /// Who gets what nobody has.
    #[serde(default)]
    pub catch_all: Option<SmtpAddress>,
    /// Part of its mailboxes are on another system, which gets what nobody here
    /// has (Q258203).
    #[serde(default)]
    pub elsewhere: Option<Elsewhere>,
    /// What separates a user's name from a tag; empty is none.
    #[serde(default = "plus")]
    pub separator: String,
    /// Who gets mail to postmaster and abuse, if nobody has those addresses.
    #[serde(default)]
    pub postmaster: Option<SmtpAddress>,
    /// Whom mail from outside is taken from; empty is anybody.
    #[serde(default)]
    pub accept_from: Vec<AddressPattern>,
}

/// The other system of a split domain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Elsewhere {
    /// Its hosts, `host` or `host:port`, in the order in which they are tried.
    pub hosts: Vec<crate::NextHop>,
}

fn plus() -> String {
    "+".to_owned()
}

/// What becomes of a local part that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalPart {
    /// Look this address up instead.
    Instead(SmtpAddress),
    /// It is on the other system of a split domain.
    Elsewhere,
    /// Nobody has it.
    Unknown,
}

impl LocalDomain {
    /// The address at the domain that this one is another name of.
    pub fn aliased(&self, address: &SmtpAddress) -> Option<SmtpAddress> {
        let domain = self.alias_of.as_ref()?;
        format!("{}@{domain}", quoted(address)).parse().ok()
    }

    /// The address without its tag.
    pub fn untagged(&self, address: &SmtpAddress) -> Option<SmtpAddress> {
        let separator = self.separator.chars().next()?;
        let (user, _tag) = address.local_part().split_once(separator)?;
        if user.is_empty() {
            return None;
        }
        format!("{user}@{}", address.domain()).parse().ok()
    }

    /// What becomes of an address that nobody has, under any of its forms.
    pub fn unknown(&self, address: &SmtpAddress) -> LocalPart {
        if is_role(address.local_part())
            && let Some(postmaster) = &self.postmaster
        {
            return LocalPart::Instead(postmaster.clone());
        }
        if self.elsewhere.is_some() {
            return LocalPart::Elsewhere;
        }
        match &self.catch_all {
            Some(address) => LocalPart::Instead(address.clone()),
            None => LocalPart::Unknown,
        }
    }
}

/// RFC 5321 section 4.5.1 and RFC 2142: addresses that a domain must have. The
/// whole word only: the original took `p@` for postmaster (Q245041).
pub(crate) fn is_role(local_part: &str) -> bool {
    ["postmaster", "abuse"].iter().any(|role| local_part.eq_ignore_ascii_case(role))
}

/// The local part as it stands in an address, quotes and all.
fn quoted(address: &SmtpAddress) -> String {
    let whole = address.to_string();
    whole.rsplit_once('@').map_or(whole.clone(), |(local, _)| local.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    fn policy() -> Policy {
        Policy::parse(
            "[[local-domain]]\nname = 'a.test'\ncatch-all = 'all@a.test'\npostmaster = \
             'admin@a.test'\n[[local-domain]]\nname = 'b.test'\nalias-of = 'a.test'\nseparator = \
             '-'\n[[local-domain]]\nname = 'c.test'\nelsewhere = { hosts = ['old.c.test:2525'] }\n",
        )
        .unwrap()
    }

    fn address(text: &str) -> SmtpAddress {
        text.parse().unwrap()
    }

    #[test]
    fn what_nobody_has_goes_where_the_domain_says() {
        let policy = policy();
        let unknown = |text: &str| {
            let address = address(text);
            policy.local_domain(address.domain()).map(|domain| domain.unknown(&address))
        };
        assert_eq!(unknown("x@a.test"), Some(LocalPart::Instead(address("all@a.test"))));
        assert_eq!(unknown("Postmaster@a.test"), Some(LocalPart::Instead(address("admin@a.test"))));
        assert_eq!(unknown("post@b.test"), Some(LocalPart::Unknown));
        assert_eq!(unknown("x@c.test"), Some(LocalPart::Elsewhere));
        assert_eq!(unknown("x@d.test"), None);
    }

    #[test]
    fn names_of_a_domain_have_the_same_local_parts() {
        let policy = policy();
        let domain = policy.local_domain(&"b.test".parse().unwrap()).unwrap();
        assert_eq!(domain.aliased(&address("x-t@b.test")), Some(address("x-t@a.test")));
        assert_eq!(domain.untagged(&address("x-t@b.test")), Some(address("x@b.test")));
        assert_eq!(domain.untagged(&address("-t@b.test")), None);
    }
}
