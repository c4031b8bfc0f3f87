//! Where synchronisation meets what else changes recipients: the directory's
//! writer, and address generators.

use crate::api::Shared;
use crate::stamp;
use concord_address::{AddressType, TypedAddress};
use concord_directory::{DirectoryError, Kind, Object, Proxy, Stamp, WholeTurn};
use std::collections::HashSet;

/// Numbers that are tried behind an alias; see the generators' bound.
const MAX_VARIANTS: u32 = 10_000;

/// Holds the directory's writer.
pub(super) async fn writer(shared: &Shared) -> WholeTurn<'_> {
    shared.api.writer.whole().await
}

/// Gives new contacts the addresses that mail from other systems comes by.
pub(super) struct Stamper {
    stamps: Vec<Stamp>,
    /// The first mail domain of this organisation.
    domain: Option<String>,
    /// Keys of addresses that are given out but not in the directory yet.
    pub taken: HashSet<String>,
}

impl Stamper {
    /// With the generators of this moment. Without `own_type`, contacts get no
    /// generated address of the type that they have from their own system.
    pub async fn new(
        shared: &Shared,
        own_type: Option<&AddressType>,
    ) -> Result<Self, DirectoryError> {
        let mut stamps = Stamp::all(&*shared.api.directory).await?;
        stamps.retain(|stamp| Some(&stamp.kind) != own_type);
        let domains = shared.api.directory.list(Kind::Domain).await?;
        let first = domains.iter().min_by_key(|domain| domain.id);
        let domain = first.map(|domain| domain.name.clone());
        Ok(Self { stamps, domain, taken: HashSet::new() })
    }

    /// Adds the addresses that an object lacks; why some could not be made.
    pub async fn give(
        &mut self,
        shared: &Shared,
        object: &mut Object,
    ) -> Result<Vec<String>, DirectoryError> {
        let names = object.names();
        let (_, mut causes) =
            stamp::add(shared, &self.stamps, &names, &mut object.proxies, &mut self.taken).await;
        if stamp::lacks(&object.proxies, &AddressType::smtp()) {
            match self.internet(shared, &object.name).await? {
                Ok(address) => {
                    self.taken.insert(address.key());
                    object.proxies.push(Proxy { address, primary: true });
                }
                Err(cause) => causes.push(cause),
            }
        }
        Ok(causes)
    }

    /// The alias in the first mail domain, with a number if it is somebody's.
    async fn internet(
        &self,
        shared: &Shared,
        alias: &str,
    ) -> Result<Result<TypedAddress, String>, DirectoryError> {
        let Some(domain) = &self.domain else {
            return Ok(Err("no SMTP address: there is no mail domain".to_owned()));
        };
        let local = local_part(alias);
        for number in 1..=MAX_VARIANTS {
            let text = match number {
                1 => format!("{local}@{domain}"),
                number => format!("{local}{number}@{domain}"),
            };
            let address = match TypedAddress::new(&AddressType::smtp(), &text) {
                Ok(address) => address,
                Err(error) => return Ok(Err(format!("no SMTP address: {error}"))),
            };
            if self.taken.contains(&address.key()) {
                continue;
            }
            if shared.api.directory.lookup(&address).await?.is_none() {
                return Ok(Ok(address));
            }
        }
        Ok(Err(format!("no SMTP address: '{local}' and {MAX_VARIANTS} variants of it are taken")))
    }
}

/// The alias as a local part that needs no quotes (RFC 5322 section 3.2.3), at
/// most 64 octets with its number (RFC 5321 section 4.5.3.1.1).
fn local_part(alias: &str) -> String {
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let plain: String = alias.chars().map(|c| if atom(c) { c } else { '.' }).collect();
    let parts: Vec<&str> = plain.split('.').filter(|part| !part.is_empty()).collect();
    let joined = parts.join(".");
    let cut = joined.get(..joined.floor_char_boundary(MAX_LOCAL)).unwrap_or_default();
    let cut = cut.trim_end_matches('.');
    if cut.is_empty() { "recipient".to_owned() } else { cut.to_owned() }
}

const MAX_LOCAL: usize = 58;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_alias_becomes_a_local_part() {
        for (alias, local) in [
            ("jdoe", "jdoe"),
            ("Jane Q. Doe", "Jane.Q.Doe"),
            (".a..b.", "a.b"),
            ("  ", "recipient"),
            ("a@b", "a.b"),
        ] {
            assert_eq!(local_part(alias), local);
        }
        assert_eq!(local_part(&"x".repeat(70)).len(), MAX_LOCAL);
    }
}
