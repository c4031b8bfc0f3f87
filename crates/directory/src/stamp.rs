//! Giving mailboxes the addresses that generators make for them.

use crate::{Directory, DirectoryError, Kind, NewObject, Object, Proxy};
use concord_address::{AddressType, GeneratorRule, Names, TypedAddress};
use concord_base::ObjectId;
use std::collections::HashSet;

/// Numbers that are tried behind a value that somebody has; as many people of
/// one name are an organisation of their own.
const MAX_VARIANTS: u32 = 10_000;

/// A generator, ready to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The type of the addresses that it makes.
    pub kind: AddressType,
    pub(crate) rule: GeneratorRule,
}

/// What [`Stamp::add`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StampedProxies {
    /// Addresses that were added.
    pub added: usize,
    /// Why others could not be made.
    pub causes: Vec<String>,
}

impl Stamp {
    /// All generators of the directory.
    ///
    /// # Errors
    /// The directory could not be read.
    pub async fn all(directory: &dyn Directory) -> Result<Vec<Self>, DirectoryError> {
        let objects = directory.list(Kind::Generator).await?;
        let stamps = objects.iter().filter_map(|object| {
            // Both were checked when the object was stored.
            let rule = object.generator()?.rule.parse().ok()?;
            Some(Self { kind: object.name.parse().ok()?, rule })
        });
        Ok(stamps.collect())
    }

    /// Adds the addresses that are missing, primary of their types. `taken` has
    /// the keys of addresses that are given out but not in the directory yet.
    pub async fn add(
        directory: &dyn Directory,
        stamps: &[Self],
        names: &Names,
        proxies: &mut Vec<Proxy>,
        taken: &mut HashSet<String>,
    ) -> StampedProxies {
        let mut done = StampedProxies::default();
        for stamp in stamps {
            if proxies.iter().any(|proxy| *proxy.address.kind() == stamp.kind) {
                continue;
            }
            match stamp.free_address(directory, names, taken).await {
                Ok(address) => {
                    taken.insert(address.key());
                    proxies.push(Proxy { address, primary: true });
                    done.added += 1;
                }
                Err(cause) => done.causes.push(format!("no {} address: {cause}", stamp.kind)),
            }
        }
        done
    }

    /// The rule's value, with the first number behind it that makes it nobody's
    /// (Q146455, Q152953).
    ///
    /// # Errors
    /// Why there is none.
    pub async fn free_address(
        &self,
        directory: &dyn Directory,
        names: &Names,
        taken: &HashSet<String>,
    ) -> Result<TypedAddress, String> {
        self.free_for(None, directory, names, taken).await
    }

    /// As [`free_address`](Self::free_address); what `owner` has is free for it.
    pub(crate) async fn free_for(
        &self,
        owner: Option<ObjectId>,
        directory: &dyn Directory,
        names: &Names,
        taken: &HashSet<String>,
    ) -> Result<TypedAddress, String> {
        for number in 1..=MAX_VARIANTS {
            let text = self.rule.variant(&self.kind, names, number).map_err(|e| e.to_string())?;
            let address = TypedAddress::new(&self.kind, &text).map_err(|e| e.to_string())?;
            if taken.contains(&address.key()) {
                continue;
            }
            match directory.lookup(&address).await {
                Ok(None) => return Ok(address),
                Ok(Some(holder)) if Some(holder.id) == owner => return Ok(address),
                Ok(Some(_)) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(format!("what '{}' gives and {MAX_VARIANTS} variants of it are taken", self.rule))
    }
}

fn names(name: &str, display_name: &str, attributes: &crate::Attributes) -> Names {
    let known = |name| attributes.first(name).map(str::to_owned);
    Names {
        alias: name.to_owned(),
        display_name: display_name.to_owned(),
        given_name: known("givenName"),
        surname: known("sn"),
        initials: known("initials"),
    }
}

impl Object {
    /// What generators know of it.
    pub fn names(&self) -> Names {
        names(&self.name, &self.display_name, &self.attributes)
    }
}

impl NewObject {
    /// What generators know of it.
    pub fn names(&self) -> Names {
        names(&self.name, &self.display_name, &self.attributes)
    }
}
