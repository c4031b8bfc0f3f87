//! Who is who on the other side.

use concord_address::{AddressType, Domain, SmtpAddress, TypedAddress, encapsulate};
use concord_groupwise_api::model::Address;

/// The type of GroupWise addresses.
const GWISE: &str = "GWISE";

/// The directory, as far as a conversion needs it. Both ways answer `None` for
/// people it does not know.
pub trait People {
    /// The GroupWise address of somebody with this Internet address.
    fn groupwise(&self, address: &SmtpAddress) -> Option<Address>;
    /// The Internet address of somebody with this GroupWise address.
    fn internet(&self, address: &Address) -> Option<SmtpAddress>;
}

/// The Internet address of somebody: the directory's, the one that the
/// address itself carries, or its GroupWise address encapsulated at `domain`,
/// to which an answer finds its way.
pub(super) fn internet(
    people: &dyn People,
    address: &Address,
    domain: &Domain,
) -> Option<SmtpAddress> {
    if let Some(known) = people.internet(address) {
        return Some(known);
    }
    // Behind an SMTP gateway the object is a quoted Internet address (Q197723).
    let quoted = address.object.trim_matches('"');
    for text in [address.foreign.as_str(), quoted] {
        if text.contains('@')
            && let Ok(carried) = text.parse::<SmtpAddress>()
        {
            return Some(carried);
        }
    }
    if address.object.is_empty() {
        return None;
    }
    let kind: AddressType = GWISE.parse().ok()?;
    let typed = TypedAddress::new(&kind, &address.to_string()).ok()?;
    encapsulate(&typed, domain)
}
