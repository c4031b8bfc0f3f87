//! Who is who: the directory, asked before a conversion and kept for a while.

use crate::convert::People;
use concord_address::{AddressType, SmtpAddress, TypedAddress, decapsulate};
use concord_connector::wire::RecipientFacts;
use concord_connector::{ApiError, CoreApi, Recipients};
use concord_groupwise_api::model::Address;
use std::collections::HashMap;

/// The type of GroupWise addresses.
pub(crate) const GWISE: &str = "GWISE";

/// Asks the core whose addresses are.
#[derive(Debug)]
pub struct Book {
    recipients: Recipients,
    foreign_domain: String,
    post_office: String,
}

/// What was found; good for one conversion.
#[derive(Debug, Default)]
pub struct Known {
    groupwise: HashMap<String, Address>,
    internet: HashMap<String, SmtpAddress>,
}

impl Known {
    fn key(address: &Address) -> String {
        address.to_string().to_lowercase()
    }
}

impl People for Known {
    fn groupwise(&self, address: &SmtpAddress) -> Option<Address> {
        self.groupwise.get(&address.key()).cloned()
    }

    fn internet(&self, address: &Address) -> Option<SmtpAddress> {
        self.internet.get(&Self::key(address)).cloned()
    }
}

/// The GroupWise address inside a typed one.
pub(crate) fn groupwise_of(typed: &TypedAddress) -> Option<Address> {
    let fits = typed.kind().as_str().eq_ignore_ascii_case(GWISE);
    let address = fits.then(|| Address::from_dotted(typed.value()))?;
    address.is_complete().then_some(address)
}

/// The typed form of a GroupWise address.
pub(crate) fn typed(address: &Address) -> Option<TypedAddress> {
    let kind: AddressType = GWISE.parse().ok()?;
    TypedAddress::new(&kind, &address.to_string()).ok()
}

impl Book {
    /// A book for a foreign domain and the post office in it that people get
    /// who have no GroupWise address.
    pub fn new(
        api: CoreApi,
        foreign_domain: impl Into<String>,
        post_office: impl Into<String>,
    ) -> Self {
        let (foreign_domain, post_office) = (foreign_domain.into(), post_office.into());
        Self { recipients: Recipients::new(api), foreign_domain, post_office }
    }

    /// Who these Internet addresses are in GroupWise. Everybody is somebody:
    /// the directory's word, the address inside an encapsulated one, or an
    /// object of the foreign domain that is named as the address.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn in_groupwise(&self, addresses: &[SmtpAddress]) -> Result<Known, ApiError> {
        let names: Vec<String> = addresses
            .iter()
            .map(|address| TypedAddress::from(address.clone()).to_string())
            .collect();
        let facts = self.recipients.facts(&names).await?;
        let mut known = Known::default();
        for (address, facts) in addresses.iter().zip(facts) {
            let inside = decapsulate(address).as_ref().and_then(groupwise_of);
            let found = facts.as_ref().and_then(listed).or(inside);
            let found = found.unwrap_or_else(|| self.stranger(address));
            known.groupwise.insert(address.key(), found);
        }
        Ok(known)
    }

    /// Whether the directory, or the address itself, says where in GroupWise
    /// somebody is.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn recipient(&self, address: &SmtpAddress) -> Result<Option<Address>, ApiError> {
        let inside = decapsulate(address).as_ref().and_then(groupwise_of);
        if inside.is_some() {
            return Ok(inside);
        }
        let facts =
            self.recipients.facts(&[TypedAddress::from(address.clone()).to_string()]).await?;
        Ok(facts.first().and_then(|facts| listed(facts.as_ref()?)))
    }

    /// Internet addresses of GroupWise people, as far as the directory has them.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn on_the_internet(&self, addresses: &[&Address]) -> Result<Known, ApiError> {
        let mut known = Known::default();
        let named: Vec<(&Address, String)> = addresses
            .iter()
            .filter_map(|address| Some((*address, typed(address)?.to_string())))
            .collect();
        let names: Vec<String> = named.iter().map(|(_, name)| name.clone()).collect();
        let found = self.recipients.on_the_internet(&names).await?;
        for ((address, _), smtp) in named.iter().zip(found) {
            if let Some(smtp) = smtp {
                known.internet.insert(Known::key(address), smtp);
            }
        }
        Ok(known)
    }

    fn stranger(&self, address: &SmtpAddress) -> Address {
        let text = address.to_string();
        // Quoted, as behind GroupWise's own Internet gateway (Q197723).
        let mut object =
            Address::new(&self.foreign_domain, &self.post_office, format!("\"{text}\""));
        object.foreign = text;
        object
    }
}

/// Where the directory says that somebody is in GroupWise, with the names that
/// GroupWise shows.
fn listed(facts: &RecipientFacts) -> Option<Address> {
    let typed: TypedAddress = facts.addresses.get(GWISE)?.parse().ok()?;
    let mut address = groupwise_of(&typed)?;
    let first = |name: &str| facts.attributes.get(name)?.first().cloned();
    address.given_name = first("givenName").unwrap_or_default();
    address.surname = first("sn").unwrap_or_default();
    if address.given_name.is_empty() && address.surname.is_empty() {
        address.surname.clone_from(&facts.display_name);
    }
    Some(address)
}
