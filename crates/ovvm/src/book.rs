//! Who is who: the directory, asked before a conversion and kept for a while.

use concord_address::{SmtpAddress, TypedAddress, decapsulate};
use concord_cms_mail::HostAddress;
use concord_cms_mail::convert::People;
use concord_connector::wire::RecipientFacts;
use concord_connector::{ApiError, CoreApi, Recipients};
use std::collections::HashMap;

/// The type of addresses of hosts' users.
pub(crate) const PROFS: &str = "PROFS";

/// Asks the core whose addresses are.
#[derive(Debug)]
pub(crate) struct Book {
    recipients: Recipients,
}

/// What was found; good for one conversion.
#[derive(Debug, Default)]
pub(crate) struct Known {
    hosts: HashMap<String, HostAddress>,
    internet: HashMap<HostAddress, SmtpAddress>,
}

impl People for Known {
    fn host(&self, address: &SmtpAddress) -> Option<HostAddress> {
        self.hosts.get(&address.key()).cloned()
    }

    fn internet(&self, address: &HostAddress) -> Option<SmtpAddress> {
        self.internet.get(address).cloned()
    }
}

impl Known {
    /// Somebody who is known otherwise.
    pub fn add(&mut self, host: HostAddress, internet: SmtpAddress) {
        self.internet.insert(host, internet);
    }
}

impl Book {
    pub fn new(api: CoreApi) -> Self {
        Self { recipients: Recipients::new(api) }
    }

    /// Who these Internet addresses are at hosts, or would be for hosts: those of
    /// whom neither the directory nor the address itself says it are left out.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn at_hosts(&self, addresses: &[SmtpAddress]) -> Result<Known, ApiError> {
        let names: Vec<String> = addresses
            .iter()
            .map(|address| TypedAddress::from(address.clone()).to_string())
            .collect();
        let facts = self.recipients.facts(&names).await?;
        let mut known = Known::default();
        for (address, facts) in addresses.iter().zip(facts) {
            let inside = decapsulate(address).as_ref().and_then(HostAddress::from_typed);
            if let Some(host) = inside.or_else(|| facts.as_ref().and_then(listed)) {
                known.hosts.insert(address.key(), host);
            }
        }
        Ok(known)
    }

    /// Internet addresses of hosts' people and of ours, as far as the directory
    /// has them.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn on_the_internet(&self, addresses: &[HostAddress]) -> Result<Known, ApiError> {
        let named: Vec<(&HostAddress, String)> = addresses
            .iter()
            .filter_map(|address| Some((address, address.typed()?.to_string())))
            .collect();
        let names: Vec<String> = named.iter().map(|(_, name)| name.clone()).collect();
        let mut known = Known::default();
        let found = self.recipients.on_the_internet(&names).await?;
        for ((address, _), smtp) in named.iter().zip(found) {
            if let Some(smtp) = smtp {
                known.internet.insert((*address).clone(), smtp);
            }
        }
        Ok(known)
    }
}

/// The PROFS address that the directory has of somebody: where a contact is, else
/// what hosts are to write to.
fn listed(facts: &RecipientFacts) -> Option<HostAddress> {
    let both = [facts.target.as_ref(), facts.addresses.get(PROFS)];
    both.into_iter().flatten().find_map(|text| {
        let typed: TypedAddress = text.parse().ok()?;
        HostAddress::from_typed(&typed)
    })
}
